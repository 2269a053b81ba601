"""three-commas, a typed client that people use, through an account's life; only its address is
changed.
"""

from typing import Any

import pytest
from three_commas.api.ver1 import accounts, users

from coffers.api.account_schema import ACCOUNT_KEYS
from demo import Demo


@pytest.fixture(autouse=True)
def _addressed(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("py3cw.request.API_URL", demo.told["base_url"])
    monkeypatch.setenv("THREE_COMMAS_API_KEY", demo.told["api_key"])
    monkeypatch.setenv("THREE_COMMAS_API_SECRET", demo.told["secret"])


def ok(answer: tuple[Any, Any]) -> Any:
    error, told = answer
    assert not error, error
    return told


def test_it_lists_and_shows_accounts() -> None:
    found = ok(accounts.get())
    assert [each["name"] for each in found] == ["Savings", "Trading", "American"]
    shown = ok(accounts.get_by_id(found[0]["id"]))
    assert {*ACCOUNT_KEYS} <= {*shown}
    typed = shown.parsed(True)
    assert typed.usd_amount > 0
    assert typed.created_at.year >= 2026
    assert ok(accounts.get_by_id("summary")).parsed(True).usd_amount > typed.usd_amount


def test_it_tells_our_errors_apart() -> None:
    error, _ = accounts.get_by_id(2_000_000_000)
    assert error.is_not_found_error()
    error, _ = accounts.get(api_key="nobodys-key")
    assert error.is_api_key_invalid_or_expired()
    error, _ = accounts.get(api_secret="wrong")
    assert error.get_status_code() == 401
    assert not error.is_api_key_invalid_or_expired()


def test_an_account_lives_from_connecting_to_removing(demo: Demo) -> None:
    asked = demo.new_key(1, "mortal", BTC="2", USDT="500")
    made = ok(accounts.post_new(asked))
    assert (made["name"], made["btc_amount"] != "0") == ("mortal", True)
    error, _ = accounts.post_new(asked)
    assert error.is_account_already_connected_error()
    number = made["id"]
    renamed = ok(accounts.post_rename_by_id(number, {"name": "Immortal", "account_id": number}))
    assert renamed["name"] == "Immortal"
    assert ok(accounts.post_update({"account_id": number, "name": "Mortal"}))["name"] == "Mortal"
    assert ok(accounts.post_load_balances_by_id(number))["id"] == number
    pie = ok(accounts.post_pie_chart_data_by_id(number))
    assert {slice_["code"] for slice_ in pie} == {"BTC", "USDT"}
    table = ok(accounts.post_account_table_data_by_id(number))
    assert {row["currency_code"]: row["position"] for row in table} == {"BTC": 2, "USDT": 500}
    since = {"date_from": str(made["created_at"])[:10]}
    chart = ok(accounts.get_balance_chart_data_by_id(number, since))
    assert chart[-1]["usd"] > 0
    assert ok(accounts.post_remove_by_id(number)) is True
    error, _ = accounts.get_by_id(number)
    assert error.is_not_found_error()


def test_it_reads_what_needs_no_account() -> None:
    assert {"binance", "bitcoin_wallet"} <= {
        each["market_code"] for each in ok(accounts.get_market_list())
    }


def test_it_changes_the_mode_and_overrides_it() -> None:
    assert ok(users.get_current_mode()) == {"mode": "real"}
    ok(users.post_change_mode({"mode": "paper"}))
    try:
        assert ok(accounts.get()) == []
        assert len(ok(accounts.get(forced_mode="real"))) == 3
    finally:
        ok(users.post_change_mode({"mode": "real"}))


def test_it_shows_what_is_traded() -> None:
    pairs = ok(accounts.get_market_pairs({"market_code": "binance"}))
    assert "USDT_BTC" in pairs
    rate = ok(accounts.get_currency_rates({"market_code": "binance", "pair": "USDT_BTC"}))
    assert float(rate["bid"]) <= float(rate["last"]) <= float(rate["ask"])
    assert rate["minTotal"] == "4.0"
    error, _ = accounts.get_currency_rates({"market_code": "binance", "pair": "BTC_USDT"})
    assert error.get_status_code() == 400


def test_it_shows_by_which_networks_deposits_are_taken() -> None:
    saving = ok(accounts.get())[0]["id"]
    networks = ok(accounts.get_networks_info_by_id(saving, {"purpose": "deposit"}))
    assert {"BTC", "USDT"} <= {each["currency"] for each in networks}
