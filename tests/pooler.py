"""PgBouncer before the tests' PostgreSQL: Debian's program, in transaction mode, on a socket."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SESSIONS = 4
"""Sessions of the server that all clients share: fewer than any process has connections."""

_PORT = 6432
_DEADLINE = 10.0
# Each transaction gets the session that was used longest ago: what relies on getting the same one
# again fails at once.
_CONFIG = """
[databases]
* = host={server} user=postgres pool_size={sessions}
[pgbouncer]
pool_mode = transaction
server_round_robin = 1
listen_addr =
listen_port = {port}
unix_socket_dir = {home}
unix_socket_mode = 0777
auth_type = trust
auth_file = {home}/users
max_client_conn = 500
pidfile = {home}/pid
logfile = {home}/log
"""


class Pooler:
    """A PgBouncer in a folder of its own, in which its configuration is."""

    def __init__(self, home: Path, command: list[str]) -> None:
        self._home = home
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, direct: str) -> str:
        """Return the URL that leads through the pooler to the same database as another one."""
        database = urlsplit(direct).path
        return f"{urlsplit(direct).scheme}://postgres@{database}?host={self._home}&port={_PORT}"

    def start(self) -> None:
        """Run it; returns when it can be connected to."""
        # One that was killed leaves both.
        for left in ("pid", f".s.PGSQL.{_PORT}"):
            (self._home / left).unlink(missing_ok=True)
        self._process = subprocess.Popen(self._command)  # noqa: S603 - Debian's program
        until = time.monotonic() + _DEADLINE
        while not (self._home / f".s.PGSQL.{_PORT}").exists():
            assert self._process.poll() is None, (self._home / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.02)

    def kill(self) -> None:
        """End it amid whatever it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(_DEADLINE)

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_DEADLINE)


@contextmanager
def pooling(direct: str) -> Iterator[Pooler]:
    """Run a pooler before the server of a URL."""
    program = shutil.which("pgbouncer")
    assert program, "PgBouncer is not installed: apt-get install pgbouncer"
    home = Path(tempfile.mkdtemp(prefix="coffers-pooler-"))
    (server,) = parse_qs(urlsplit(direct).query)["host"]
    config = _CONFIG.format(server=server, sessions=SESSIONS, port=_PORT, home=home)
    (home / "config").write_text(config)
    (home / "users").write_text('"postgres" ""\n')
    command = [program, "--quiet", str(home / "config")]
    if os.geteuid() == 0:
        # It refuses to run as root, and must reach the server's folder.
        owner = Path(server).owner()
        shutil.chown(home, owner)
        command.insert(1, f"--user={owner}")
    pooler = Pooler(home, command)
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.stop()
        shutil.rmtree(home)
