"""Spans of time and rights in words, and never a zero for what is unknown."""

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
