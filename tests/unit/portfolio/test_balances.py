"""What is held asset by asset, and the parts of a pie."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.clock import Millis
from coffers.money import total
from coffers.portfolio.balances import balances_of, parts_of, shown_in
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import PriceBook, Value
from factories import NOW, position, price

BOOK = PriceBook(1, NOW, {"BTC": price("1", "50000"), "USDT": price("0.00002", "1")})


def test_wallets_are_summed_and_most_worth_comes_first() -> None:
    held = [
        position("USDT", "100", in_orders="50"),
        position("BTC", "0.5"),
        position("BTC", "0.25", wallet="funding", in_orders="0.25"),
    ]
    btc, usdt = balances_of(held, BOOK)
    assert (btc.asset, btc.free, btc.in_orders, btc.held) == (
        "BTC", Decimal("0.75"), Decimal("0.25"), 1,
    )  # fmt: skip
    assert (usdt.asset, usdt.held, usdt.value) == (
        "USDT",
        150,
        Value(Decimal("0.003"), Decimal(150)),
    )


def test_what_has_no_price_is_last_and_has_no_value() -> None:
    held = [position("AAA", "1"), position("USDT", "1", borrowed="3", interest="1")]
    usdt, unknown = balances_of(held, BOOK)
    assert (usdt.owned, usdt.borrowed, usdt.interest) == (-3, 3, 1)
    assert usdt.value == Value(Decimal("-0.00006"), Decimal(-3))
    assert (unknown.asset, unknown.price, unknown.value) == ("AAA", None, None)
    assert [each.value for each in balances_of(held, None)] == [None, None]


def test_what_is_nothing_is_left_out_and_what_is_owed_is_not() -> None:
    held = [position("BTC", "0"), position("USDT", "5", borrowed="5")]
    assert [each.asset for each in balances_of(held, BOOK)] == ["USDT"]


def test_parts_are_of_all_that_is_worth_something_and_a_debt_is_negative() -> None:
    held = [position("BTC", "0.002"), position("USDT", "0", borrowed="50"), position("X", "1")]
    assert parts_of(balances_of(held, BOOK)) == {"BTC": 100, "USDT": -50}


def test_nothing_of_worth_has_no_parts() -> None:
    assert parts_of(balances_of([position("USDT", "0", borrowed="50")], BOOK)) == {"USDT": 0}
    assert parts_of([]) == {}


@given(st.lists(st.decimals("0.00000001", "1000000", places=8), min_size=1, max_size=20))
def test_the_parts_of_a_pie_come_to_a_hundred(worths: list[Decimal]) -> None:
    prices = {f"A{number}": price("1", str(worth)) for number, worth in enumerate(worths)}
    held = [position(asset, "1") for asset in prices]
    parts = parts_of(balances_of(held, PriceBook(1, NOW, prices)))
    assert abs(total(parts.values()) - 100) < Decimal("1e-40")


@pytest.mark.parametrize(("code", "shown"), [("USD", 10), ("BTC", 2), ("EUR", 9), ("GBP", None)])
def test_a_value_in_a_display_currency(code: str, shown: int | None) -> None:
    def rate_at(at: Millis) -> Decimal | None:
        return Decimal("0.9") if code == "EUR" and at == NOW else None

    assert shown_in(DisplayCurrency(code, rate_at), Value(Decimal(2), Decimal(10)), NOW) == shown
