"""What the processes leave behind, however they are ended."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest

ENDED_WITHIN = 40
DEADLINE = 60


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a test started; none outlives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(
    started: list[subprocess.Popen[str]], tmp_path: Path, *arguments: str
) -> subprocess.Popen[str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "coffers", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "COFFERS_DATA_DIR": str(tmp_path / "data")},
    )
    started.append(process)
    return process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_ready(port: int) -> None:
    given_up = time.monotonic() + DEADLINE
    while time.monotonic() < given_up:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server was not ready in time")


def wait_until_refused(port: int) -> None:
    given_up = time.monotonic() + 5
    while time.monotonic() < given_up:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise AssertionError("the server takes connections")


def test_a_server_that_is_told_to_end_leaves_no_process_and_no_file(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    port = free_port()
    process = start(started, tmp_path, "serve", "--port", str(port))
    wait_until_ready(port)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    metrics = Path(children[0].environ()["PROMETHEUS_MULTIPROC_DIR"])
    assert metrics.is_dir()
    process.send_signal(signal.SIGTERM)
    assert process.wait(ENDED_WITHIN) == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(children, timeout=ENDED_WITHIN)
    assert alive == []
    assert not metrics.exists()


def test_a_server_that_is_told_to_end_takes_no_connection_and_answers_what_it_has_begun(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    port = free_port()
    process = start(
        started, tmp_path, "serve", "--no-worker", "--workers", "2", "--port", str(port)
    )
    wait_until_ready(port)
    form = b"name=ann&password=wrong"
    head = (
        f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as line:
        line.sendall(head.encode() + form[:5])
        # Before it is told to end the server must have begun with it.
        wait_until_ready(port)
        process.send_signal(signal.SIGTERM)
        wait_until_refused(port)
        line.sendall(form[5:])
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert process.wait(ENDED_WITHIN) == 0


def test_a_demo_that_is_interrupted_while_it_starts_tells_no_address(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start(started, tmp_path, "demo", "--port", "0", "--json")
    given_up = time.monotonic() + DEADLINE
    while not psutil.Process(process.pid).net_connections("tcp"):
        assert time.monotonic() < given_up
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=ENDED_WITHIN)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_a_demo_whose_server_dies_says_so_and_ends(
    started: list[subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start(started, tmp_path, "demo", "--port", "0", "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["base_url"]
    (place,) = tmp_path.glob("coffers-demo-*")
    with closing(sqlite3.connect(place / "coffers.db")) as database:
        # Its worker is at work, or whoever connects an account now would be told of none.
        assert database.execute("SELECT count(*) FROM leases WHERE name = 'prices'").fetchone()[0]
    (server,) = psutil.Process(process.pid).children()
    server.kill()
    _, err = process.communicate(timeout=ENDED_WITHIN)
    assert process.returncode == 1
    assert "the server ended by itself" in err
    assert not place.exists()
