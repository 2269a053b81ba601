"""The demo as a newcomer starts it: true figures, read by a client, and gone without a trace."""

from decimal import Decimal

import psutil
import py3cw.request
import pytest

from coffers.api.account_schema import ACCOUNT_KEYS
from demo import Demo

GONE_WITHIN = 30


@pytest.fixture
def told(demo: Demo) -> dict[str, str]:
    """What the first line on stdout tells."""
    return demo.told


def test_the_first_line_tells_all_that_a_client_needs(told: dict[str, str]) -> None:
    assert set(told) == {"base_url", "api_key", "secret", "sandbox_url", "pages_url"}


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
    demo: Demo, told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(py3cw.request, "API_URL", told["base_url"])
    client = py3cw.request.Py3CW(key=told["api_key"], secret=told["secret"])
    asked = demo.new_key(1, "another", BTC="2")
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
    demo: Demo,
) -> None:
    started = psutil.Process(demo.process.pid).children(recursive=True)
    assert started
    demo.process.kill()
    demo.process.wait()
    _, alive = psutil.wait_procs(started, timeout=GONE_WITHIN)
    assert alive == []


def test_no_secret_stands_in_what_it_wrote(demo: Demo, told: dict[str, str]) -> None:
    written = (demo.place / "errors").read_bytes()
    stored = b"".join(
        path.read_bytes() for path in (demo.place / "data").rglob("*") if path.is_file()
    )
    for secret in (told["secret"], "demo-binance-secret-1", "demo-binanceus-secret-1"):
        assert secret.encode() not in written
        assert secret.encode() not in stored
