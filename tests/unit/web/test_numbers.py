"""Amounts as people read them: exact enough, and never a zero for what is unknown."""

from decimal import Decimal

import pytest

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.web import numbers


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "USD", "1,234.50 USD"),
        ("-1234567.891", "EUR", "\N{MINUS SIGN}1,234,567.89 EUR"),
        ("0", "USD", "0.00 USD"),
        ("0.5", "BTC", "0.50000000 BTC"),
        ("1234.4", "JPY", "1,234 JPY"),
        ("0.00012345", "USD", "0.0001234 USD"),
        ("-0.000000000012", "BTC", "\N{MINUS SIGN}0.000000000012 BTC"),
    ],
)
def test_an_amount_is_shown_with_its_currency(amount: str, currency: str, shown: str) -> None:
    assert numbers.money(Decimal(amount), currency) == shown


def test_what_is_unknown_is_said() -> None:
    assert numbers.money(None, "USD") == "unknown"
    assert numbers.units(None) == "unknown"
    assert numbers.percent(None) == "unknown"
    assert numbers.span(None) == "unknown"
    assert numbers.tone(None) == "unknown"
    assert numbers.age(None, Millis(0)) == "never"
    assert numbers.right(None) == "not told"


def test_a_gain_has_a_sign_and_nothing_has_none() -> None:
    assert numbers.money(Decimal(3), "USD", signed=True) == "+3.00 USD"
    assert numbers.money(Decimal(0), "USD", signed=True) == "0.00 USD"
    assert numbers.percent(Decimal("-1.235"), signed=True) == "\N{MINUS SIGN}1.24 %"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("12.50000", "12.5"), ("100", "100"), ("0", "0"), ("0.000000001", "0.000000001")],
)
def test_units_have_no_needless_zeros(amount: str, shown: str) -> None:
    assert numbers.units(Decimal(amount)) == shown


def test_a_scale_has_no_more_places_than_it_needs() -> None:
    assert numbers.rough(Decimal("150000.0"), "USD") == "150,000 USD"
    assert numbers.rough(Decimal("0.25"), "BTC") == "0.25 BTC"


@pytest.mark.parametrize(
    ("millis", "shown"),
    [(999, "0 s"), (59_000, "59 s"), (3 * MINUTE, "3 min"), (5 * HOUR, "5 h"), (40 * DAY, "40 d")],
)
def test_a_span_is_told_in_its_largest_unit(millis: int, shown: str) -> None:
    assert numbers.span(millis) == shown


def test_a_moment_of_the_future_is_no_age_below_nothing() -> None:
    assert numbers.age(Millis(5_000), Millis(1_000)) == "0 s ago"
