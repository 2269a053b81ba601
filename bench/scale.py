"""What a list and an idle worker cost as the number of accounts grows.

Run as `python -m bench.scale --place ACCOUNTS DATA_DIR URL` with a `--place` for each database that
`bench.generate` filled, the smallest first. Everything is compared with that one, in turns within
the same run. Processor time is that of the API's processes, or of this one for the looks of a
worker, together with PostgreSQL's for the connections to the database.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from bench.client import Client
from bench.looks import LOOKS, Look
from bench.population import PROBES
from bench.processes import Server, coffers, cpu_ns_of, free_port, median_of, running
from bench.results import Row, Target, show
from bench.seed import PATH, new_book, settings_in
from sqlalchemy import text

from coffers.cli.rooms import opened_store, opened_vault
from coffers.client import SignedAuth
from coffers.clock import SystemClock
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.settings import Settings
from coffers.store.engine import Store

ROUNDS = 7
WARM_REQUESTS = {1: 300, 20: 200, 100: 100}
COLD_ROUNDS = 25
PROBED = 10
LOOK_ROUNDS, LOOKS_A_ROUND = 9, 20
FLAT = Target(1.3)
"""The most that anything may cost beside the smallest database."""

IDLE = Target(1.5)


@dataclass(slots=True)
class Place:
    """A filled database, with the API that serves it and what signs each probe user's request."""

    accounts: int
    settings: Settings
    server: Server
    signed: dict[int, dict[str, str]]
    backends: list[int] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The database's name."""
        return "SQLite" if self.settings.database().startswith("sqlite") else "PostgreSQL"

    def client(self, count: int) -> Client:
        """Return a connection that asks for the list of a probe user."""
        return Client(self.server.port, PATH, self.signed[count])

    def cpu_ns(self) -> int:
        """Return the processor time of the API and of what it is connected to."""
        return self.server.cpu_ns() + sum(map(cpu_ns_of, self.backends))


@dataclass(slots=True)
class Costs:
    """Processor and passed time of something at each place, in microseconds."""

    cpu: dict[int, list[float]] = field(default_factory=dict)
    wall: dict[int, list[float]] = field(default_factory=dict)

    def add(self, place: int, cpu_ns: float, wall_s: float) -> None:
        """Take a measurement at the place of this number."""
        self.cpu.setdefault(place, []).append(cpu_ns / 1e3)
        self.wall.setdefault(place, []).append(wall_s * 1e6)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("--place", nargs=3, action="append", required=True)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    with ExitStack() as stack:
        places = [
            stack.enter_context(_opened(int(accounts), Path(directory), url))
            for accounts, directory, url in given.place
        ]
        rows = [*_lists(places), *asyncio.run(_looks(places))]
    show(rows)
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


@contextmanager
def _opened(accounts: int, data_dir: Path, url: str) -> Iterator[Place]:
    settings = settings_in(data_dir, database_url=url)
    headers = asyncio.run(_headers(settings))
    port = free_port()
    env = {
        "COFFERS_DATA_DIR": str(data_dir),
        "COFFERS_DATABASE_URL": url,
        "COFFERS_LIMITS_ENABLED": "false",
        "COFFERS_LOG_LEVEL": "error",
    }
    command = coffers("serve", "--no-worker", "--port", str(port))
    with running(command, port, "/readyz", env) as server:
        place = Place(accounts, settings, server, headers)
        for count in headers:
            with place.client(count) as client:
                _check(client, count)
        place.backends = asyncio.run(_backends(settings))
        yield place


async def _headers(settings: Settings) -> dict[int, dict[str, str]]:
    """Give each probe user a token; return what signs a request, by the number of accounts."""
    found: dict[int, dict[str, str]] = {}
    async with opened_store(settings) as store:
        tokens = Tokens(store, await opened_vault(settings, store), SystemClock())
        for user_id, count in PROBES.items():
            issued = await tokens.create(user_id, Wanted(("accounts_read",)))
            if issued.secret is None:
                raise RuntimeError("a token without a secret")
            auth = SignedAuth(issued.token.api_key, issued.secret.reveal())
            found[count] = auth.headers(PATH.encode())
    return found


async def _backends(settings: Settings) -> list[int]:
    """Return PostgreSQL's processes that serve others than this one."""
    if settings.database().startswith("sqlite"):
        return []
    others = text(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    async with opened_store(settings) as store, store.connection() as connection:
        return [row.pid for row in await connection.execute(others)]


def _check(client: Client, accounts: int) -> None:
    answer = client.get()
    if answer.status != 200 or len(json.loads(answer.body)) != accounts:  # noqa: PLR2004 - HTTP's
        raise RuntimeError(f"the list answered {answer.status}: {answer.body[:200]!r}")


def _lists(places: list[Place]) -> list[Row]:
    rows: list[Row] = []
    for count, requests in WARM_REQUESTS.items():
        warm = _in_turns(places, ROUNDS, partial(_warm, count, requests))
        rows += _rows(f"warm list of {count}", places, warm, FLAT)
        for name, change in (("new prices", _new_prices), ("one account changed", _renamed)):
            cold = _in_turns(places, COLD_ROUNDS, partial(_cold, count, change))
            rows += _rows(f"list of {count}, {name}", places, cold, FLAT)
    probes = _in_turns(places, ROUNDS, _probed)
    return [*rows, *_rows("a probe, /readyz", places, probes, FLAT)]


def _in_turns(
    places: list[Place], rounds: int, measure: Callable[[Place, int], tuple[float, float]]
) -> Costs:
    costs = Costs()
    for turn in range(rounds + 1):
        for number, place in enumerate(places):
            found = measure(place, turn)
            if turn:  # the first one warms up
                costs.add(number, *found)
    return costs


def _warm(count: int, requests: int, place: Place, _turn: int) -> tuple[float, float]:
    # The server closes connections that nothing comes over: each turn has one of its own.
    with place.client(count) as client:
        _asked(place, client, 1)
        return _asked(place, client, requests)


def _probed(place: Place, _turn: int) -> tuple[float, float]:
    with Client(place.server.port, "/readyz", {}) as client:
        _asked(place, client, 1)
        return _asked(place, client, PROBED)


def _asked(place: Place, client: Client, requests: int) -> tuple[float, float]:
    """Return the processor time in ns and the passed time in s of a request."""
    cpu, wall = place.cpu_ns(), time.perf_counter()
    for _ in range(requests):
        if client.get().status != 200:  # noqa: PLR2004 - HTTP's
            raise RuntimeError("what was asked for did not come")
    return (place.cpu_ns() - cpu) / requests, (time.perf_counter() - wall) / requests


def _cold(
    count: int, change: Callable[[Place, int, int], None], place: Place, turn: int
) -> tuple[float, float]:
    with place.client(count) as client:
        _asked(place, client, 1)
        change(place, count, turn)
        return _asked(place, client, 1)


def _new_prices(place: Place, _count: int, turn: int) -> None:
    async def write() -> None:
        async with opened_store(place.settings) as store:
            await new_book(store, turn)

    asyncio.run(write())


def _renamed(place: Place, count: int, turn: int) -> None:
    user_id = next(user for user, accounts in PROBES.items() if accounts == count)

    async def write() -> None:
        async with opened_store(place.settings) as store, store.transaction() as tx:
            page = await tx.accounts.page(user_id, "real", offset=0, limit=1)
            name = f"Account, {turn} {time.time_ns()}"
            await tx.accounts.rename(user_id, page[0].id, name, SystemClock().now())

    asyncio.run(write())


async def _looks(places: list[Place]) -> list[Row]:
    rows: list[Row] = []
    idle = Costs()
    for look in LOOKS:
        costs = Costs()
        for turn in range(LOOK_ROUNDS + 1):
            for number, place in enumerate(places):
                found = await _looked(place, look)
                if turn:
                    costs.add(number, *found)
        for number, place in enumerate(places):
            cpu, wall = median_of(costs.cpu[number]), median_of(costs.wall[number])
            per_second = look.per_second(is_told=place.kind == "PostgreSQL")
            idle.add(number, 1e3 * cpu * per_second, wall * per_second / 1e6)
        name = look.name if look.every is None else f"a worker's look: {look.name}"
        rows += _rows(name, places, costs, None)[::2]
    total = Costs(
        {number: [sum(found)] for number, found in idle.cpu.items()},
        {number: [sum(found)] for number, found in idle.wall.items()},
    )
    return [*rows, *_rows("an idle second of a worker", places, total, IDLE)]


async def _looked(place: Place, look: Look) -> tuple[float, float]:
    """Return the processor time in ns and the passed time in s of a look."""
    async with opened_store(place.settings) as store:
        # The connection is opened, and the statement compiled, before.
        own = await _own_backend(store)
        async with store.reading() as tx:
            await tx.prices.newest_epoch()
        spent, wall = 0, 0.0
        for turn in range(LOOKS_A_ROUND + 1):
            async with store.transaction() as tx:
                before, begun = _spent(own), time.perf_counter()
                await look.ask(tx)
                if turn:
                    spent, wall = spent + _spent(own) - before, wall + time.perf_counter() - begun
    return spent / LOOKS_A_ROUND, wall / LOOKS_A_ROUND


async def _own_backend(store: Store) -> int | None:
    """Return PostgreSQL's process that serves this one: the pool has one connection."""
    if store.database.dialect == "sqlite":
        return None
    async with store.connection() as connection:
        pid: int = await connection.scalar(text("SELECT pg_backend_pid()"))
    return pid


def _spent(backend: int | None) -> int:
    return time.process_time_ns() + (0 if backend is None else cpu_ns_of(backend))


def _rows(what: str, places: list[Place], costs: Costs, target: Target | None) -> list[Row]:
    """Return rows of each place beside the smallest one: processor time, and time that passed."""
    smallest = places[0]
    rows: list[Row] = []
    for number, place in enumerate(places[1:], 1):
        against = f"{smallest.accounts:,} accounts"
        for kind, found, bound in (("CPU", costs.cpu, target), ("time", costs.wall, None)):
            pairs = zip(found[number], found[0], strict=True)
            rows.append(
                Row(
                    f"{what}, {kind}, {place.accounts:,} accounts, {place.kind}",
                    median_of(found[number]),
                    "us",
                    against,
                    median_of(found[0]),
                    median_of([own / base for own, base in pairs]),
                    bound,
                )
            )
    return rows


if __name__ == "__main__":
    main()
