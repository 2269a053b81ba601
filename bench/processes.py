"""Server processes: started, waited for, measured and ended."""

import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
START_WITHIN = 60.0
MEGABYTE = 1024 * 1024


_ALLOWED = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with its child processes; `ready_after` in seconds from its start."""

    pid: int
    port: int
    ready_after: float

    def settle(self) -> None:
        """Keep all its processes on one processor, and this one on another.

        Two processes that talk cost each other more on two processors than on one, and where the
        system puts them is chance: a server would be compared with where another one lay.
        """
        processors = sorted(_ALLOWED)
        if len(processors) > 1:
            os.sched_setaffinity(0, {processors[0]})
            for pid in self._pids():
                os.sched_setaffinity(pid, {processors[-1]})

    def unsettle(self) -> None:
        """Let its processes, and this one, run wherever the system puts them."""
        for pid in (0, *self._pids()):
            if _ALLOWED:
                os.sched_setaffinity(pid, _ALLOWED)

    def cpu_ns(self) -> int:
        """Return the processor time that all its processes have used, in nanoseconds."""
        return sum(cpu_ns_of(pid) for pid in self._pids())

    def rss_mb(self) -> float:
        """Return the resident memory of all its processes."""
        found: int = sum(psutil.Process(pid).memory_info().rss for pid in self._pids())
        return found / MEGABYTE

    def _pids(self) -> list[int]:
        children = psutil.Process(self.pid).children(recursive=True)
        return [self.pid, *(child.pid for child in children)]


def cpu_ns_of(pid: int) -> int:
    """Return the processor time of a process.

    Linux counts it in nanoseconds, behind a clock whose number is made of the process's (the C
    library's clock_getcpuclockid); elsewhere in hundredths of a second.
    """
    if platform.system() == "Linux":
        return time.clock_gettime_ns((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return int((times.user + times.system) * 1e9)


def coffers(*arguments: str) -> list[str]:
    """Return the command line of a Coffers command."""
    return [sys.executable, "-m", "coffers", *arguments]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    path: str,
    env: Mapping[str, str] | None = None,
    *,
    is_any_answer: bool = False,
) -> Iterator[Server]:
    """Run a server from its start until the block ends; the block begins once `path` answers.

    With 200, unless `is_any_answer`.

    Raises:
        RuntimeError: when it ends early or does not answer in time.
    """
    begun = time.perf_counter()
    child = start(command, env)
    try:
        while not _answers(port, path, b"HTTP/" if is_any_answer else b" 200 "):
            if child.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} ended with code {child.returncode}")
            if time.perf_counter() - begun > START_WITHIN:
                raise RuntimeError(f"{' '.join(command)} did not answer in {START_WITHIN:.0f} s")
            time.sleep(0.005)
        server = Server(child.pid, port, time.perf_counter() - begun)
        server.settle()
        yield server
    finally:
        end(child)


def start(command: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, below this one's environment and `env`."""
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, start_new_session=True
    )


def end(child: subprocess.Popen[bytes]) -> None:
    """End a process that `start` started, with all of its group."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def median_of(numbers: Sequence[float]) -> float:
    """Return the median."""
    return float(statistics.median(numbers))


def _answers(port: int, path: str, wanted: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            return wanted in connection.recv(64)
    except OSError:
        return False
