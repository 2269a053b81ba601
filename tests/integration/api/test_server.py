"""The API as a process: what it loads, how it starts, and how it fails to."""

import json
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
import uvicorn

from coffers.api.server import ServedApp, app, run
from coffers.errors import SettingsError
from coffers.vault.keyring import new_key
from served import started

_NOT_LOADED = (
    "ccxt",
    "alembic",
    "pgqueuer",
    "typer",
    "asyncpg",
    "psycopg",
    "coffers.connectors.exchange",
)


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    return {
        "COFFERS_DATA_DIR": str(tmp_path),
        "COFFERS_DATABASE_URL": sqlite_url,
        "COFFERS_LOG_FORMAT": "json",
    }


def asked(url: str, **headers: str) -> httpx.Response:
    # The socket listens already: the connection waits until the server takes it.
    return httpx.get(url, headers=headers, timeout=30)


def test_a_process_becomes_ready_and_ends_in_order(settings: dict[str, str]) -> None:
    with started(settings) as (base, process):
        ready = asked(f"{base}/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)
        refused = asked(f"{base}/public/api/ver1/accounts")
        assert refused.json()["error"] == "api_key_invalid_or_expired"
        assert "server" not in refused.headers
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in log


def test_nobody_may_claim_another_address_by_a_header(settings: dict[str, str]) -> None:
    with started({**settings, "COFFERS_BAN_AFTER": "1"}) as (base, _):
        statuses = [
            asked(
                f"{base}/public/api/ver1/accounts",
                **{"Apikey": "guess", "X-Forwarded-For": address},
            ).status_code
            for address in ("203.0.113.7", "203.0.113.8")
        ]
    assert statuses == [401, 418]


def test_several_processes_share_the_socket(settings: dict[str, str]) -> None:
    with started(settings, workers=2) as (base, process):
        assert asked(f"{base}/healthz").status_code == 200
        process.terminate()
        assert process.wait(30) == 0


def test_processes_end_with_the_one_that_supervises_them_even_if_killed(
    settings: dict[str, str],
) -> None:
    with started(settings, workers=2) as (base, process):
        assert asked(f"{base}/healthz").status_code == 200
        process.kill()
        # All of them hold the other end of the pipe: it ends with the last one.
        process.communicate(timeout=30)


def test_a_process_that_dies_while_the_database_is_away_is_replaced_once_it_is_back(
    settings: dict[str, str], tmp_path: Path
) -> None:
    database = Path(settings["COFFERS_DATABASE_URL"].partition("///")[2])
    away = tmp_path / "away"
    with started(settings, workers=2) as (base, process):
        first = wait_for_processes(process.pid, set())
        # Whoever answers now is the other one, so that one has worked before any cannot start.
        first[0].suspend()
        assert asked(f"{base}/healthz").status_code == 200
        first[0].kill()
        (second,) = wait_for_processes(process.pid, set(first))
        database.rename(away)
        database.mkdir()
        second.kill()
        (third,) = wait_for_processes(process.pid, {*first, second})
        # It cannot start, and another one is started in its place.
        wait_for_processes(process.pid, {*first, second, third})
        database.rmdir()
        away.rename(database)
        assert asked(f"{base}/readyz").status_code == 200
        assert process.poll() is None


def wait_for_processes(parent: int, known: set[psutil.Process]) -> list[psutil.Process]:
    """Return the processes of the API that are there beside those that are known."""
    given_up = time.monotonic() + 25
    while time.monotonic() < given_up:
        children = psutil.Process(parent).children()
        found = [each for each in children if each not in known and _is_api(each)]
        if len(found) >= (1 if known else 2):
            return found
        time.sleep(0.05)
    raise AssertionError("no other process is started")


def _is_api(process: psutil.Process) -> bool:
    try:
        return any("spawn_main" in word for word in process.cmdline())
    except psutil.Error:
        return False


def test_a_process_that_takes_long_to_load_is_not_killed_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience = []

    class Supervisor:
        def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
            patience.append((config.timeout_worker_healthcheck, config.timeout_keep_alive))

        def run(self) -> None: ...

    monkeypatch.setattr("coffers.api.supervisor.Supervisor", Supervisor)
    with socket.socket() as listener:
        run(listener, workers=2)
    assert patience == [(30, 75)]


def test_a_process_may_hold_as_many_connections_as_it_is_allowed(settings: dict[str, str]) -> None:
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual - 1, most))
    try:
        with started(settings) as (base, process):
            assert asked(f"{base}/healthz").status_code == 200
            assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))


def test_a_large_head_is_refused_by_the_process(settings: dict[str, str]) -> None:
    with started(settings) as (base, _):
        answer = asked(f"{base}/healthz", X="a" * 40_000)
    assert (answer.status_code, answer.json()["error"]) == (431, "header_fields_too_large")


def test_a_wrong_master_key_is_a_clear_error_at_the_start(settings: dict[str, str]) -> None:
    first = {**settings, "COFFERS_MASTER_KEY": new_key().text()}
    with started(first) as (base, _):
        asked(f"{base}/healthz")
    other = new_key()
    with started({**settings, "COFFERS_MASTER_KEY": other.text()}) as (_, process):
        _, log = process.communicate(timeout=30)
    assert process.returncode != 0
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    reasons = [event["reason"] for event in events if "reason" in event]
    assert len(reasons) == 1
    assert f"at hand: {other.id}" in reasons[0]
    assert other.text() not in log


def test_the_process_loads_nothing_that_only_others_need() -> None:
    code = f"import sys, coffers.api.server; print([m for m in {_NOT_LOADED} if m in sys.modules])"
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "[]"


def test_the_application_takes_its_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coffers.api.server.configure_logs", lambda *_: None)
    assert isinstance(app(), ServedApp)
    monkeypatch.setenv("COFFERS_PROT", "1")
    with pytest.raises(SettingsError, match="COFFERS_PORT"):
        app()
