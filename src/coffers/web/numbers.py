"""Spans of time, rights and tones in words. What is unknown is said, never a zero."""

from decimal import Decimal
from typing import Final

from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.money import rounded

UNKNOWN: Final = "unknown"


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


def right(has: bool | None) -> str:
    """Return whether a key has a right, as its venue tells."""
    return "not told" if has is None else "yes" if has else "no"


def tone(amount: Decimal | None, places: int | None = None) -> str:
    """Return the class of a gain: up, down, flat or unknown. The sign tells the same.

    Of what is shown with so many places, and as nothing where it rounds to that.
    """
    if amount is None:
        return "unknown"
    if places is not None:
        amount = rounded(amount, places)
    return "up" if amount > 0 else "down" if amount < 0 else "flat"
