"""Moments as clients write them."""

import pytest

from coffers.api.moments import begin_of, end_of, last_of
from coffers.clock import DAY, from_iso
from coffers.errors import InvalidRecord


def test_a_day_begins_at_midnight_and_lasts_until_the_next() -> None:
    midnight = from_iso("2024-09-18T00:00:00Z")
    assert begin_of("date_from", "2024-09-18") == midnight
    assert end_of("date_to", "2024-09-18") == midnight + DAY
    assert last_of("to", "2024-09-18") == midnight + DAY - 1


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-09-18T18:58:55.469Z", "2024-09-18T18:58:55.469Z"),
        ("2024-09-18T18:58:55", "2024-09-18T18:58:55Z"),
        ("2024-09-18 18:58", "2024-09-18T18:58:00Z"),
        ("2024-09-18T18:58:55+02:00", "2024-09-18T16:58:55Z"),
    ],
)
def test_a_time_is_taken_with_its_offset_or_in_utc(text: str, meant: str) -> None:
    assert begin_of("date_from", text) == end_of("date_to", text) == from_iso(meant)
    assert last_of("to", text) == from_iso(meant)


@pytest.mark.parametrize(
    "text", ["", "x", "1726617600", "2024-13-01", "2024-09-18T25:00", "9" * 5000, "\0"]
)
def test_what_is_no_moment_is_named(text: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        begin_of("date_from", text)
    assert raised.value.attributes == {"date_from": ["is invalid"]}


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_the_calendar_are_moments(text: str) -> None:
    assert isinstance(end_of("date_to", text), int)
