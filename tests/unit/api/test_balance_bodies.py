"""Pies, tables and charts as bytes: texts and numbers as clients expect them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from coffers.api.balance_bodies import Books, Whose, chart, pie, table
from coffers.clock import DAY, Millis
from coffers.portfolio.balances import balances_of
from coffers.portfolio.charts import Point
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import NOTHING, Position, PriceBook, Value
from factories import NOW, position, price

ETH = ("0.040854545454545454545", "2597.34867419")
BOOK = PriceBook(2, NOW, {"BTC": price("1", "63738.26"), "ETH": price(*ETH)})
BEFORE = PriceBook(1, Millis(NOW - DAY), {"ETH": price("0.04", "2600")})
USD = DisplayCurrency("USD", lambda _: Decimal(1))
MINE = Whose(7, is_wallet=False, has_leverage=False)
HELD = [position("BTC", "0.00031872"), position("ETH", "0.0000952")]


def decoded(body: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    return rows


def pie_of(held: list[Position], display: DisplayCurrency = USD) -> list[dict[str, Any]]:
    return decoded(pie(balances_of(held, BOOK), NOW, display, MINE))


def table_of(held: list[Position], whose: Whose = MINE) -> list[dict[str, Any]]:
    balances = balances_of(held, BOOK)
    return decoded(table(balances, Books(BOOK, BEFORE), USD, whose, "http://x"))


def test_a_slice_has_texts_for_its_values_and_numbers_for_its_parts() -> None:
    btc, eth = pie_of(HELD)
    assert list(btc) == [
        "code", "coinmarketcapid", "name", "y", "percentage", "amount", "btc_value", "usd_value",
        "primary_display_currency", "account_id",
    ]  # fmt: skip
    assert (btc["btc_value"], btc["usd_value"]) == ("0.00031872", "20.31")
    assert (btc["amount"], btc["percentage"], btc["y"]) == (
        Decimal("0.00031872"), Decimal("98.8"), Decimal("98.8"),
    )  # fmt: skip
    assert (eth["btc_value"], eth["usd_value"]) == ("0.00000389", "0.25")
    assert eth["percentage"] == Decimal("1.2")
    assert eth["primary_display_currency"] == {"currency": "USD", "amount": "0.247267593782888"}
    assert eth["account_id"] == 7


@pytest.mark.parametrize(
    ("amount", "shown"), [("0.000000005", "0.00000001"), ("0.000000004", "0.0")]
)
def test_values_are_rounded_half_up(amount: str, shown: str) -> None:
    assert pie_of([position("BTC", amount)])[0]["btc_value"] == shown


def test_debts_and_what_has_no_price_are_no_slices() -> None:
    held = [position("BTC", "1"), position("ETH", "1", borrowed="2"), position("X", "5")]
    (only,) = pie_of(held)
    assert (only["code"], only["percentage"]) == ("BTC", 100)


def test_a_display_currency_without_a_rate_is_null() -> None:
    shown = pie_of(HELD, DisplayCurrency("EUR", lambda _: None))[0]["primary_display_currency"]
    assert shown == {"currency": "EUR", "amount": None}


def test_a_row_has_the_keys_that_clients_expect_in_their_order() -> None:
    assert list(table_of(HELD)[0]) == [
        "currency_code", "currency_name", "currency_icon", "currency_slug", "percentage",
        "position", "position_available", "position_type", "borrowed", "on_orders",
        "on_orders_with_leverage", "on_orders_long", "on_orders_short", "equity", "current_price",
        "current_price_usd", "day_change_percent", "day_change_percent_btc",
        "day_change_percent_usd", "btc_value", "usd_value", "available_long", "available_short",
        "available_with_leverage_long", "available_with_leverage_short", "account_id", "is_wallet",
    ]  # fmt: skip


def test_a_row_tells_amounts_prices_and_values_digit_by_digit() -> None:
    held = [position("ETH", "2", in_orders="0.5", borrowed="1", interest="0.1"), *HELD[:1]]
    row = table_of(held)[0]
    assert row["currency_icon"] == "http://x/img/currencies/ETH.svg"
    assert (row["position"], row["position_available"], row["on_orders"]) == (
        Decimal("2.5"), 2, Decimal("0.5"),
    )  # fmt: skip
    assert (row["borrowed"], row["equity"]) == (1, Decimal("1.4"))
    assert row["current_price"] == Decimal(ETH[0])
    assert row["usd_value"] == Decimal("1.4") * Decimal(ETH[1])
    assert row["day_change_percent_btc"] == Decimal("2.1364")
    assert row["day_change_percent_usd"] == row["day_change_percent"] == Decimal("-0.102")


def test_what_is_not_known_of_a_row_is_null() -> None:
    row = table_of([position("X", "5")])[0]
    unknown = {name for name, value in row.items() if value is None}
    assert unknown == {
        "percentage", "current_price", "current_price_usd", "day_change_percent",
        "day_change_percent_btc", "day_change_percent_usd", "btc_value", "usd_value",
    }  # fmt: skip


def test_where_there_may_be_leverage_what_is_leveraged_is_not_known() -> None:
    spot = table_of(HELD)[0]
    margin = table_of(HELD, Whose(7, is_wallet=False, has_leverage=True))[0]
    leveraged = {name for name, value in margin.items() if value is None and spot[name] == 0}
    assert len(leveraged) == 7


def test_odd_codes_become_parts_of_addresses() -> None:
    assert table_of([position("A/B ä", "1")])[0]["currency_icon"].endswith("/A%2FB%20%C3%A4.svg")


def test_a_point_has_seconds_and_numbers() -> None:
    value = Value(Decimal("0.0004754444444444444"), Decimal("28.594444444444"))
    body = chart([Point(Millis(1_726_617_600_999), value, NOTHING)])
    assert body == (
        b'[{"date":1726617600,"usd":28.59444444,"btc":0.000475444444,'
        b'"btc_deposit_amount":0.0,"usd_deposit_amount":0.0}]'
    )


def test_nothing_is_an_empty_array() -> None:
    assert pie([], NOW, USD, MINE) == chart([]) == b"[]"
    assert table([], Books(None, None), USD, MINE, "") == b"[]"
