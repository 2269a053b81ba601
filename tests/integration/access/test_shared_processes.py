"""Real processes of the API that share one limit and one ban by way of a real server."""

from pathlib import Path

import httpx
import pytest

from redisd import Redis
from served import LIST, started


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str, redis: Redis) -> dict[str, str]:
    return {
        "COFFERS_DATA_DIR": str(tmp_path),
        "COFFERS_DATABASE_URL": sqlite_url,
        "COFFERS_VALKEY_URL": redis.url,
        "COFFERS_BAN_AFTER": "4",
    }


def refused(base: str, times: int) -> list[int]:
    guess = {"Apikey": "guess"}
    return [httpx.get(f"{base}{LIST}", headers=guess, timeout=30).status_code for _ in range(times)]


def test_a_ban_that_two_processes_counted_together_acts_in_both(settings: dict[str, str]) -> None:
    with started(settings) as (one, _), started(settings) as (other, _):
        assert refused(one, 2) == [401, 401]
        assert refused(other, 3) == [401, 401, 418]
        assert refused(one, 1) == [418]


def test_a_process_serves_without_the_server(settings: dict[str, str]) -> None:
    settings["COFFERS_VALKEY_URL"] = "redis://127.0.0.1:1"
    with started(settings) as (base, _):
        assert httpx.get(f"{base}/readyz", timeout=30).status_code == 200
        assert "coffers_valkey_down 1.0" in httpx.get(f"{base}/metrics").text
        assert refused(base, 5) == [401, 401, 401, 401, 418]
