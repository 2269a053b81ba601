"""Numbers stay exact and go out in the wire's form."""

from decimal import Decimal, Inexact, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers import money
from coffers.errors import InvalidAmount

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e60", max_value="1e60")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0.0"),
        ("-0", "0.0"),
        ("-0.000", "0.0"),
        ("24", "24.0"),
        ("24.000", "24.0"),
        ("-2.410", "-2.41"),
        ("1E+3", "1000.0"),
        ("1E-10", "0.0000000001"),
        ("100", "100.0"),
        ("0.00048306157384887997797372378202458405751549",) * 2,
    ],
)
def test_numbers_go_out_in_plain_notation(number: str, text: str) -> None:
    assert money.plain(Decimal(number)) == text


@given(decimals)
def test_no_digit_is_lost_on_the_way_out(number: Decimal) -> None:
    text = money.plain(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert "." in text


@given(decimals, decimals, decimals)
def test_sums_and_products_are_exact(a: Decimal, b: Decimal, c: Decimal) -> None:
    assert money.subtract(money.add(a, b), b) == a
    assert money.multiply(a, money.add(b, c)) == money.add(
        money.multiply(a, b), money.multiply(a, c)
    )


def test_a_product_of_77_digit_balances_keeps_every_digit() -> None:
    balance = Decimal(10**77 - 1)
    assert money.multiply(balance, balance) == (10**77 - 1) ** 2


def test_a_quotient_carries_50_digits_half_even() -> None:
    assert money.divide(Decimal(2), Decimal(3)) == Decimal("0." + "6" * 49 + "7")


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [("-1.485025", 2, "-1.49"), ("-1.485025", 4, "-1.485"), ("0.005", 2, "0.01"), ("7", 2, "7.0")],
)
def test_percentages_round_half_up(number: str, places: int, text: str) -> None:
    assert money.plain(money.rounded(Decimal(number), places)) == text


def test_a_percentage_of_nothing_is_zero() -> None:
    assert money.plain(money.percentage(Decimal(5), Decimal(0))) == "0.0"


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1e500", "1e-500", "1,5", "0x1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        money.parse(text)


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        money.parse(0.1)  # type: ignore[arg-type]


def test_minus_zero_from_outside_becomes_zero() -> None:
    assert str(money.parse("-0.00")) == "0"


_amounts = st.decimals("0.000000001", "1e25", places=9)


@given(_amounts, _amounts, st.integers(0, 12))
def test_quotients_to_places_lie_on_both_sides_of_the_true_one(
    dividend: Decimal, divisor: Decimal, places: int
) -> None:
    down = money.quotient_down(dividend, divisor, places)
    up = money.quotient_up(dividend, divisor, places)
    assert money.multiply(down, divisor) <= dividend <= money.multiply(up, divisor)
    is_even = money.multiply(down, divisor) == dividend
    assert money.subtract(up, down) == (0 if is_even else Decimal(1).scaleb(-places))


def test_a_quotient_to_places_keeps_more_digits_than_a_context_has() -> None:
    long = Decimal("123456789012345678901234567890.123456789012")
    assert money.quotient_down(long, Decimal(1), 12) == long
    assert money.quotient_up(long, Decimal(1), 12) == long


@given(st.lists(st.tuples(_amounts, decimals)))
def test_operators_are_exact_where_that_is_asked_for(pairs: list[tuple[Decimal, Decimal]]) -> None:
    expected = money.total(money.multiply(amount, factor) for amount, factor in pairs)

    @money.exactly
    def total_of_products() -> Decimal:
        return sum((amount * factor for amount, factor in pairs), money.ZERO)

    assert total_of_products().as_tuple() == expected.as_tuple()


def test_what_cannot_be_exact_is_refused_and_the_context_is_as_it_was() -> None:
    before = getcontext()

    @money.exactly
    def third() -> Decimal:
        return Decimal(1) / 3

    with pytest.raises(Inexact):
        third()
    assert getcontext() is before
