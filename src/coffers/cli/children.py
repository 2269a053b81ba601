"""Child processes: started, kept running, and ended with their parent, however it ends."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from coffers.logs import logger

LONGEST_PAUSE = 30.0
"""Seconds between two starts of a child that keeps dying."""

_GRACE = 20.0
_log = logger("coffers.children")


def start(
    arguments: Sequence[str], env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a `coffers` command that ends when this process does.

    The child is given `--until-stdin-closes` and the only other end of its standard input: that
    closes even when this process is killed.
    """
    return subprocess.Popen(  # noqa: S603 - our own program and arguments
        [sys.executable, "-m", "coffers", *arguments, "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        env=env,
    )


def when_parent_ends(do: Callable[[], object]) -> None:
    """Call from a thread when standard input ends: the parent holds its other end.

    It ends however the parent does, kill -9 included.
    """

    def wait() -> None:
        # Not sys.stdin: the interpreter waits for its lock at exit, and this read has no end.
        while os.read(0, 1024):
            continue
        do()

    threading.Thread(target=wait, daemon=True).start()


def end(child: subprocess.Popen[bytes]) -> None:
    """End a child in order, by force if it does not within 20 seconds; one may have ended."""
    child.terminate()
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin is not None:
        child.stdin.close()


class KeptRunning:
    """A child that is started again when it dies, after a pause that grows."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start the child and watch it."""
        self._thread.start()

    def stop(self) -> None:
        """End the child and do not start it again."""
        self._stopping.set()
        self._thread.join()

    def _keep(self) -> None:
        pause = 1.0
        while not self._stopping.is_set():
            started = time.monotonic()
            child = start(self._arguments)
            while child.poll() is None and not self._stopping.wait(0.2):
                continue
            if child.poll() is None:
                end(child)
                return
            end(child)
            _count_out(child.pid)
            if time.monotonic() - started > LONGEST_PAUSE:
                pause = 1.0
            _log.error("process ended", command=" ".join(self._arguments), code=child.returncode)
            self._stopping.wait(pause)
            pause = min(LONGEST_PAUSE, pause * 2)


def _count_out(pid: int) -> None:
    # The library must not be loaded before it is known where the processes count together.
    from coffers import metrics

    metrics.leave_out(pid)
    metrics.processes_ended.inc()
