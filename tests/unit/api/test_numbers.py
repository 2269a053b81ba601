"""Decimals as JSON numbers."""

from decimal import Decimal

import msgspec

from coffers.api.numbers import number, rounded_number


def test_a_number_has_all_digits_and_no_exponent() -> None:
    digits = "0.00048306157384887997797372378202458405751549"
    assert msgspec.json.encode([number(Decimal(digits)), number(Decimal("1E+3"))]) == (
        f"[{digits},1000.0]".encode()
    )


def test_unknown_is_null() -> None:
    assert msgspec.json.encode([number(None), rounded_number(None, 2)]) == b"[null,null]"


def test_rounding_is_half_up() -> None:
    assert msgspec.json.encode(rounded_number(Decimal("16.665"), 2)) == b"16.67"
