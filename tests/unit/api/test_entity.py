"""The account entity: the published example from its inputs, and each value from its source."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coffers import money
from coffers.api.account_schema import ACCOUNT_KEYS
from coffers.api.entity import Presentation, entity, frame_of, masked, unlisted
from coffers.clock import DAY, Millis, from_iso
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Market, load_catalogue
from coffers.store.records import Account, AutoBalance
from coffers.valuation.figures import DisplayCurrency, Figures
from coffers.valuation.history import MONTH, History
from coffers.valuation.model import Snapshot, Value
from factories import NOW, account, figures_of

EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data/compat/list_accounts_example.json").read_text()
)[0]
SHOWN = Presentation("https://coffers.test", mask_api_keys=False)
USD = DisplayCurrency("USD", lambda _at: Decimal(1))
TOTALS = {"total_btc_profit", "total_usd_profit", "total_primary_display_currency_profit"}
"""Upstream sends these through binary floats: they agree to 15 significant digits."""


def market(**changes: Any) -> Market:
    found = load_catalogue().get("binance_us")
    assert found is not None
    return replace(found, **changes)


def figures(display: DisplayCurrency = USD) -> Figures:
    """The example's figures, of its value now, its two baselines and its opening deposit."""
    now = Value(Decimal(EXAMPLE["btc_amount"]), Decimal(EXAMPLE["usd_amount"]))
    day = Value(Decimal(EXAMPLE["day_profit_btc"]), Decimal(EXAMPLE["day_profit_usd"]))
    month = Value(
        money.subtract(now.btc, Decimal(EXAMPLE["btc_profit"])), Decimal("28.06740754304")
    )
    opening = Value(Decimal("0.000828538740745393"), Decimal("24.00"))
    history = History(
        Snapshot(Millis(NOW - 2 * MONTH), opening),
        (Snapshot(Millis(NOW - MONTH), month), Snapshot(Millis(NOW - DAY), now.minus(day))),
    )
    return figures_of(NOW, now, history, display)


def rendered(
    account: Account, market: Market, figures: Figures, shown: Presentation = SHOWN
) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(entity(frame_of(account, market, shown), figures, market))
    return decoded


def example_account() -> Account:
    return account(
        id=32402783,
        market_code="binance_us",
        name="My Binance US",
        api_key=EXAMPLE["api_key"],
        created_at=from_iso("2023-06-19T16:50:57.303Z"),
        updated_at=from_iso("2023-06-19T17:16:29.008Z"),
    )


def test_the_published_example_key_by_key_and_digit_for_digit() -> None:
    shown = rendered(example_account(), market(), figures())
    assert list(shown) == list(EXAMPLE) == list(ACCOUNT_KEYS)
    assert len(shown) == 61
    ours = {"market_icon": "https://coffers.test/img/exchanges/binance_us.svg"}
    expected = {**EXAMPLE, **ours}
    assert {key: shown[key] for key in shown if key not in TOTALS} == {
        key: expected[key] for key in expected if key not in TOTALS
    }


def test_the_totals_agree_with_the_example_to_fifteen_digits() -> None:
    shown = rendered(example_account(), market(), figures())
    ours, theirs = (Decimal(each["total_usd_profit"]) for each in (shown, EXAMPLE))
    assert f"{ours:.15g}" == f"{theirs:.15g}"
    assert float(shown["total_btc_profit"]) == pytest.approx(
        float(EXAMPLE["total_btc_profit"]), rel=1e-14
    )
    assert shown["total_primary_display_currency_profit"] == {
        "currency": "USD",
        "amount": pytest.approx(3.390364135749653, rel=1e-15),
    }


def test_the_display_total_is_the_one_number_among_texts() -> None:
    total = rendered(example_account(), market(), figures())
    assert isinstance(total["total_primary_display_currency_profit"]["amount"], float)
    assert isinstance(total["total_usd_profit"], str)


def test_btc_as_display_currency_repeats_the_btc_figures() -> None:
    shown = rendered(account(), market(), figures(DisplayCurrency("BTC", lambda _at: None)))
    assert shown["primary_display_currency_amount"] == {
        "currency": "BTC",
        "amount": EXAMPLE["btc_amount"],
    }


def test_another_display_currency_is_reckoned_at_its_rate() -> None:
    euro = DisplayCurrency("EUR", lambda _at: Decimal("0.8"))
    amount = rendered(account(), market(), figures(euro))["primary_display_currency_amount"]
    expected = money.multiply(Decimal(EXAMPLE["usd_amount"]), Decimal("0.8"))
    assert amount == {"currency": "EUR", "amount": money.plain(expected)}


def test_unknown_figures_are_null_and_never_zero() -> None:
    shown = rendered(account(), market(), figures_of(NOW, None, None, USD))
    money_keys = [key for key in shown if "profit" in key or key.endswith("_amount")]
    assert len(money_keys) == 18
    for key in money_keys:
        shown_value = shown[key]
        amount = shown_value["amount"] if isinstance(shown_value, dict) else shown_value
        assert amount is None, key
    assert shown["available_include_in_summary"] is False


def test_a_wallet_has_its_address_as_a_62nd_key_and_an_empty_api_key() -> None:
    shown = rendered(account(address="bc1qexample", api_key=""), market(), figures())
    assert list(shown) == [*ACCOUNT_KEYS, "address"]
    assert (shown["address"], shown["api_key"]) == ("bc1qexample", "")


def test_a_key_that_may_not_trade_narrows_what_the_market_allows() -> None:
    reader = account(rights=KeyRights(read=True, trade=False))
    shown = rendered(reader, market(), figures())
    flags = [key for key in ACCOUNT_KEYS if key.endswith(("_allowed", "bots_available"))]
    flags += [key for key in ACCOUNT_KEYS if key.endswith("_supported") and key[:5] != "stats"]
    assert len(flags) == 12
    assert {shown[key] for key in flags} == {False}
    assert shown["fast_convert_available"] is False
    assert shown["stats_supported"] is True


def test_rights_that_the_venue_does_not_tell_narrow_nothing() -> None:
    assert rendered(account(), market(), figures())["trading_supported"] is True


@pytest.mark.parametrize(
    ("state", "is_invalid"), [("ok", False), ("expire_soon", False), ("expired", True)]
)
def test_one_key_state_has_two_views(state: str, is_invalid: bool) -> None:
    shown = rendered(account(key_state=state), market(), figures())
    assert (shown["api_keys_state"], shown["api_key_invalid"]) == (state, is_invalid)


def test_a_locked_account_says_why() -> None:
    locked = account(is_locked=True, lock_reason="invalid_api_key")
    shown = rendered(locked, market(), figures())
    assert (shown["is_locked"], shown["lock_reason"]) == (True, "invalid_api_key")


def test_rebalancing_settings_are_the_accounts_own() -> None:
    auto = AutoBalance(True, 24, 7, 5, "time", NOW, "too small")
    shown = rendered(account(auto_balance=auto), market(), figures())
    assert [shown[key] for key in ACCOUNT_KEYS[1:5]] == [24, 7, 5, True]
    assert shown["last_auto_balance"] == "2025-10-09T08:53:20.000Z"
    assert (shown["auto_balance_method"], shown["auto_balance_error"]) == ("time", "too small")


def test_keys_are_masked_where_the_operator_says_so() -> None:
    shown = rendered(
        account(api_key="0123456789abcdef0123"), market(), figures(), Presentation("", True)
    )
    assert shown["api_key"] == "0123...0123"


@pytest.mark.parametrize(
    ("key", "shown"), [("", ""), ("short-key-15chr", "..."), ("x" * 15, "...")]
)
def test_a_short_key_shows_nothing_of_itself(key: str, shown: str) -> None:
    assert masked(key) == shown


def test_names_of_any_script_and_sign_stay_valid_json() -> None:
    name = 'Ö "quoted" \\ \u2028 \U0001f4b0\n'
    assert rendered(account(name=name), market(), figures())["name"] == name


def test_an_account_whose_market_left_the_catalogue_is_still_shown_and_allows_nothing() -> None:
    gone = unlisted("closed_venue")
    shown = rendered(account(market_code="closed_venue"), gone, figures())
    assert list(shown) == list(ACCOUNT_KEYS)
    assert (shown["market_code"], shown["trading_supported"]) == ("closed_venue", False)
    assert shown["usd_amount"] == EXAMPLE["usd_amount"]


def test_a_frame_tells_apart_what_figures_and_the_summary_follow_from() -> None:
    one, other = account(version=1), account(version=2)
    allows = market(available_include_in_summary=True)
    frames = [
        frame_of(one, allows, SHOWN),
        frame_of(other, allows, SHOWN),
        frame_of(one, market(available_include_in_summary=False), SHOWN),
    ]
    assert len({(frame.head, frame.middle, frame.tail) for frame in frames}) == 1
    assert len({frame.digest for frame in frames}) == len(frames)
    assert frame_of(one, allows, SHOWN) == frames[0]
