"""What tests run against: SQLite files, a PostgreSQL server, a Redis server."""

import asyncio
import gc
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import redisd
import sharing
from coffers.logs import configure_logs
from coffers.store.engine import Store
from coffers.store.migrate import prepare
from postgres import Postgres, PreparedDatabase, running

# How quickly values are made tells of the machine, and of what else it does.
PROFILE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Each run makes other examples: many short runs find as much as a long one, and nobody waits.
settings.register_profile("coffers", PROFILE, max_examples=20)
settings.register_profile("long", PROFILE, max_examples=500)
settings.load_profile("coffers")
sharing.share()

_SLOW = frozenset({"clients", "cli", "faults"})
_QUICK = "unit"

RECURSION = sys.getrecursionlimit()


def pytest_runtest_setup() -> None:
    # The EVM's library raises it so far that deeply nested JSON ends the process, as it never would
    # in the program itself.
    sys.setrecursionlimit(RECURSION)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Hardly anything is thrown away meanwhile: to look for it takes a fifth of the time.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Files that start programs, and mostly wait for them, are spread among those that keep a
    # processor busy: all at once they keep each other from being in time, and processors idle.
    # Behind them come those that take no time: whoever is done takes those, until all are.
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [path for path in files if _SLOW.intersection(path.parts)]
    busy = [path for path in files if not _SLOW.intersection(path.parts)]
    lasting = sum(_QUICK not in path.parts for path in busy)
    step = max(1, lasting // max(1, len(slow)))
    order: list[Path] = []
    for place, path in enumerate(busy):
        if place % step == 0 and slow:
            order.append(slow.pop(0))
        order.append(path)
    items[:] = [item for path in (*order, *slow) for item in files[path]]


def pytest_collection_finish() -> None:
    # A collector that looks through all modules whenever a test makes an application, or reads a
    # table of markets, takes a fifth of all the time.
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture
def logs_of_a_process() -> Iterator[Callable[[str], None]]:
    """Logs as a process writes them, from a level on, until the test ends."""
    # Not before the program has: it keeps out what colours the values of a traceback's variables,
    # which takes a tenth of all tests of routes.
    import structlog  # noqa: PLC0415

    root = logging.getLogger()
    handlers, level = root.handlers, root.level

    def configure(level: str) -> None:
        configure_logs(level, form="json")
        # A logger that keeps what it was first given would write there in every later test.
        structlog.configure(cache_logger_on_first_use=False)

    yield configure
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL server of this test run."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres: Postgres) -> Iterator[PreparedDatabase]:
    template = postgres.create()
    asyncio.run(_prepare(postgres.url(template)))
    with closing(PreparedDatabase(postgres, template)) as database:
        yield database


@pytest.fixture
def postgres_url(postgres_database: PreparedDatabase) -> str:
    """A prepared, empty database on PostgreSQL."""
    return postgres_database.emptied()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "coffers.db"
    asyncio.run(_prepare(_sqlite_url(path)))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A prepared, empty SQLite file."""
    path = tmp_path / "coffers.db"
    shutil.copyfile(sqlite_template, path)
    return _sqlite_url(path)


@pytest.fixture(params=["sqlite", "postgres"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, once on each kind."""
    if request.param == "sqlite":
        yield _sqlite_url(tmp_path / "blank.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A prepared, empty database, once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store on a prepared, empty database, once on each kind."""
    opened = Store(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[Store]:
    """A store on a prepared, empty SQLite file."""
    opened = Store(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def redis_of_run() -> Iterator[redisd.Redis]:
    """The Redis server of this process's tests."""
    with redisd.running() as server:
        yield server


@pytest.fixture
def redis(redis_of_run: redisd.Redis) -> redisd.Redis:
    """A Redis server that holds nothing; it is not to be killed."""
    redis_of_run.say("FLUSHALL")
    return redis_of_run


@pytest.fixture
def mortal_redis() -> Iterator[redisd.Redis]:
    """A Redis server of the test's own."""
    with redisd.running() as server:
        yield server


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


async def _prepare(url: str) -> None:
    opened = Store(url)
    await prepare(opened, allow_upgrade=True)
    await opened.close()
