"""The doctor tells whether the server that processes share can be used."""

import json
from typing import Any

from program import Run
from redisd import Redis


def found(coffers: Run, url: str) -> dict[str, Any]:
    told = json.loads(coffers("doctor", "--json", COFFERS_VALKEY_URL=url).stdout)
    return next(finding for finding in told if finding["subject"] == "valkey")


def test_a_server_that_answers_is_well(coffers: Run, redis: Redis) -> None:
    assert found(coffers, redis.url)["state"] == "ok"


def test_a_server_that_is_away_is_told_without_its_password(coffers: Run) -> None:
    away = found(coffers, "redis://:hunter2@127.0.0.1:1")
    assert away["state"] == "failed"
    assert away["said"].startswith("127.0.0.1:1 takes no connection")
    assert "hunter2" not in away["said"]
