"""Amounts, shares and spans of time as people read them. What is unknown is said, never a zero."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.money import rounded

UNKNOWN: Final = "unknown"
_PLACES: Final = {"BTC": 8, "ETH": 6, "JPY": 0, "KRW": 0, "VND": 0, "IDR": 0}
_SIGNIFICANT: Final = 4
"""Digits that are shown of what is smaller than the last place."""

_MINUS: Final = "\N{MINUS SIGN}"


def money(amount: Decimal | None, currency: str, *, signed: bool = False) -> str:
    """Return an amount of a currency with its code: `1,234.50 USD`."""
    if amount is None:
        return UNKNOWN
    places = _PLACES.get(currency, 2)
    return f"{_signed(amount, _fitting(amount, places), signed=signed)} {currency}"


def rough(amount: Decimal, currency: str) -> str:
    """Return a round amount with no more places than it needs, for a scale."""
    text = _fitting(amount, 8)
    bare = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{_signed(amount, bare, signed=False)} {currency}"


def units(amount: Decimal | None) -> str:
    """Return so many units of an asset, with at the most eight places."""
    if amount is None:
        return UNKNOWN
    text = _fitting(amount, 8)
    return _signed(amount, text.rstrip("0").rstrip(".") if "." in text else text, signed=False)


def percent(share: Decimal | None, places: int = 2, *, signed: bool = False) -> str:
    """Return a share that is in percent."""
    if share is None:
        return UNKNOWN
    return f"{_signed(share, f'{abs(rounded(share, places)):,f}', signed=signed)} %"


def span(millis: int | None) -> str:
    """Return a span of time in its largest unit: `3 min`."""
    if millis is None:
        return UNKNOWN
    for length, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if millis >= length:
            return f"{millis // length} {name}"
    return f"{max(0, millis) // SECOND} s"


def age(at: Millis | None, now: Millis) -> str:
    """Return how long ago a moment was."""
    return "never" if at is None else f"{span(max(0, now - at))} ago"


def moment(at: Millis) -> str:
    """Return a moment in UTC, to the minute."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def right(has: bool | None) -> str:
    """Return whether a key has a right, as its venue tells."""
    return "not told" if has is None else "yes" if has else "no"


def tone(amount: Decimal | None) -> str:
    """Return the class of a gain: up, down, flat or unknown. The sign tells the same."""
    if amount is None:
        return "unknown"
    return "up" if amount > 0 else "down" if amount < 0 else "flat"


def _fitting(amount: Decimal, places: int) -> str:
    """Return the size of an amount with so many places, or more where it would look like none."""
    size = abs(amount)
    if not size:
        return f"{Decimal(0):.{places}f}"
    if size < Decimal(1).scaleb(-places):
        exponent = size.adjusted() - _SIGNIFICANT + 1
        few = size.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_EVEN)
        return f"{few.normalize():f}"
    return f"{rounded(size, places):,.{places}f}"


def _signed(amount: Decimal, text: str, *, signed: bool) -> str:
    if amount < 0:
        return f"{_MINUS}{text}"
    return f"+{text}" if signed and amount > 0 else text
