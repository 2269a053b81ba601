"""Decimals as JSON numbers, digit by digit: never by way of a binary float."""

from decimal import Decimal
from typing import Final

import msgspec

from coffers import money

UNKNOWN: Final = msgspec.Raw(b"null")


def number(amount: Decimal | None) -> msgspec.Raw:
    """Return an amount as a JSON number with all of its digits, null where it is not known."""
    return UNKNOWN if amount is None else msgspec.Raw(money.plain(amount).encode())


def rounded_number(amount: Decimal | None, places: int) -> msgspec.Raw:
    """Return an amount as a JSON number of so many places, null where it is not known."""
    return number(None if amount is None else money.rounded(amount, places))
