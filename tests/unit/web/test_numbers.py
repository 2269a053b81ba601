"""Spans of time and rights in words, and never a zero for what is unknown."""

from decimal import Decimal

import pytest

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.web import numbers


def test_what_is_unknown_is_said() -> None:
    assert numbers.span(None) == "unknown"
    assert numbers.tone(None) == "unknown"
    assert numbers.age(None, Millis(0)) == "never"
    assert numbers.right(None) == "not told"


@pytest.mark.parametrize(
    ("millis", "shown"),
    [(999, "0 s"), (59_000, "59 s"), (3 * MINUTE, "3 min"), (5 * HOUR, "5 h"), (40 * DAY, "40 d")],
)
def test_a_span_is_told_in_its_largest_unit(millis: int, shown: str) -> None:
    assert numbers.span(millis) == shown


def test_a_moment_of_the_future_is_no_age_below_nothing() -> None:
    assert numbers.age(Millis(5_000), Millis(1_000)) == "0 s ago"


@pytest.mark.parametrize(
    ("share", "tone"), [("-0.004", "flat"), ("0.004", "flat"), ("-0.005", "down"), ("0.1", "up")]
)
def test_what_is_shown_as_nothing_has_no_tone(share: str, tone: str) -> None:
    assert numbers.tone(Decimal(share), 2) == tone
    assert numbers.tone(Decimal(share)) == ("down" if share.startswith("-") else "up")
