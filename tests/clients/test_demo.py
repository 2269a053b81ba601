"""The demo as a newcomer starts it: true figures, read by a client, and gone without a trace."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import psutil
import py3cw.request
import pytest

from coffers.api.account_schema import ACCOUNT_KEYS

READY_WITHIN = 120
GONE_WITHIN = 30


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    place = tmp_path_factory.mktemp("demo")
    env = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
    command = [sys.executable, "-m", "coffers", "demo", "--port", "0", "--json"]
    with (place / "errors").open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--data-dir", str(place / "data")],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=env,
        )
    yield process, place
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def told(demo: tuple[subprocess.Popen[str], Path]) -> dict[str, str]:
    """What the first line on stdout tells."""
    process, place = demo
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (place / "errors").read_text()
    found: dict[str, str] = json.loads(line)
    return found


def test_the_first_line_tells_all_that_a_client_needs(told: dict[str, str]) -> None:
    assert set(told) == {"base_url", "api_key", "secret", "sandbox_url"}


def test_a_client_reads_three_accounts_with_true_figures(
    told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(py3cw.request, "API_URL", told["base_url"])
    client = py3cw.request.Py3CW(key=told["api_key"], secret=told["secret"])
    error, accounts = client.request(entity="accounts", action="")
    assert error == {}
    assert [account["name"] for account in accounts] == ["Savings", "Trading", "American"]
    assert [account["market_code"] for account in accounts] == ["binance", "binance", "binance_us"]
    for account in accounts:
        assert list(account) == list(ACCOUNT_KEYS)
        for currency in ("btc", "usd"):
            assert Decimal(account[f"{currency}_amount"]) > 0
            for profit in (f"day_profit_{currency}", f"{currency}_profit"):
                assert account[profit] is not None
            # The deposits of the month are no profit: with them it would be half of the worth.
            gained = abs(Decimal(account[f"total_{currency}_profit"]))
            assert gained < Decimal(account[f"{currency}_amount"]) / 4


def test_a_client_connects_another_account_and_reads_it_anew(
    told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(py3cw.request, "API_URL", told["base_url"])
    key = {"venue": "binance", "key": "another-fake-key", "secret": "another-fake-secret"}
    made = httpx.post(
        f"{told['sandbox_url']}/_sandbox/keys", json={**key, "balances": {"BTC": "2"}}
    )
    assert made.is_success, made.text
    client = py3cw.request.Py3CW(key=told["api_key"], secret=told["secret"])
    asked = {"type": "binance", "name": "Another", "api_key": key["key"], "secret": key["secret"]}
    error, account = client.request(entity="accounts", action="new", payload=asked)
    assert error == {}
    assert account["btc_amount"] == "2.0"
    assert Decimal(account["usd_amount"]) > 0
    again, _ = client.request(entity="accounts", action="new", payload=asked)
    assert again["error"] is True
    error, read = client.request(
        entity="accounts", action="load_balances", action_id=str(account["id"])
    )
    assert error == {}
    assert read["id"] == account["id"]
    error, removed = client.request(
        entity="accounts", action="remove", action_id=str(account["id"])
    )
    assert (error, removed) == ({}, True)


def test_killing_the_demo_ends_all_that_it_started(
    told: dict[str, str], demo: tuple[subprocess.Popen[str], Path]
) -> None:
    process, _ = demo
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(started, timeout=GONE_WITHIN)
    assert alive == []


def test_no_secret_stands_in_what_it_wrote(
    told: dict[str, str], demo: tuple[subprocess.Popen[str], Path]
) -> None:
    _, place = demo
    written = (place / "errors").read_bytes()
    stored = b"".join(path.read_bytes() for path in (place / "data").rglob("*") if path.is_file())
    for secret in (told["secret"], "demo-binance-secret-1", "demo-binanceus-secret-1"):
        assert secret.encode() not in written
        assert secret.encode() not in stored
