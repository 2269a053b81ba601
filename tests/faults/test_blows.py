"""What the faults themselves have to be sure of."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from faults.blows import gone

DEADLINE = 20

# Its first thread ends without ending the process, as a killed one does for a moment.
_HALF_ENDED = """
import ctypes, socket, threading, time

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
held = listener.accept()
threading.Thread(target=time.sleep, args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_is_not_gone_as_long_as_a_thread_of_it_keeps_its_connections_open() -> None:
    started = subprocess.Popen(  # noqa: S603 - our own text
        [sys.executable, "-c", _HALF_ENDED], stdout=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout is not None
        port, process = int(started.stdout.readline()), psutil.Process(started.pid)
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as line:
            wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE)
            assert not gone(process)
            started.kill()
            wait_until(lambda: gone(process))
            line.setblocking(False)
            assert line.recv(1) == b""
    finally:
        started.kill()
        started.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    given_up = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < given_up
        time.sleep(0.01)
