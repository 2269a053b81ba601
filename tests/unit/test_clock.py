"""Instants are milliseconds, and go out in the wire's form."""

import pytest

from coffers.clock import (
    CLOCKS_DIFFER,
    HOUR,
    MINUTE,
    SETTLED_AFTER,
    ManualClock,
    Millis,
    SettledClock,
    SystemClock,
    age,
    from_iso,
    is_ahead,
    is_recent,
    iso,
)


def test_an_instant_goes_out_with_three_digits_and_z() -> None:
    assert iso(Millis(1687193457303)) == "2023-06-19T16:50:57.303Z"
    assert iso(Millis(0)) == "1970-01-01T00:00:00.000Z"


def test_a_text_comes_back_as_the_same_instant() -> None:
    assert from_iso("2023-06-19T16:50:57.303Z") == 1687193457303
    assert from_iso("2023-06-19T18:50:57.303+02:00") == 1687193457303


@pytest.mark.parametrize("text", ["2023-06-19T16:50:57", "yesterday"])
def test_a_time_without_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="offset|isoformat"):
        from_iso(text)


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(5)
    clock.advance(10)
    assert clock.now() == 15
    clock.set(3)
    assert clock.now() == 3


def test_the_system_clock_is_past_2026() -> None:
    assert SystemClock().now() > 1_767_225_600_000


def test_a_moment_that_lies_ahead_is_of_no_known_age() -> None:
    now = Millis(9 * HOUR)
    latest = Millis(now + CLOCKS_DIFFER)
    assert (is_ahead(latest, now), is_recent(latest, HOUR, now), age(latest, now)) == (
        False,
        True,
        0,
    )
    beyond = Millis(latest + 1)
    assert (is_ahead(beyond, now), is_recent(beyond, HOUR, now), age(beyond, now)) == (
        True,
        False,
        None,
    )


def test_a_moment_is_recent_for_as_long_as_is_said() -> None:
    now = Millis(9 * HOUR)
    assert is_recent(Millis(now - HOUR + 1), HOUR, now)
    assert not is_recent(Millis(now - HOUR), HOUR, now)
    assert (age(Millis(now - HOUR), now), age(None, now)) == (3600, None)


def test_a_clock_has_settled_once_it_went_evenly_for_a_while() -> None:
    seconds, clock = [100.0], ManualClock(9 * HOUR)
    told = SettledClock(clock, lambda: seconds[0])

    def passes(span: int, step: int = 0) -> Millis | None:
        seconds[0] += span / 1000
        clock.advance(span + step)
        return told.now()

    assert told.now() is None
    assert passes(SETTLED_AFTER - 1) is None
    assert passes(1) == clock.now()
    # It is corrected a little, or was ahead and is set back: it has gone evenly since.
    assert passes(MINUTE, CLOCKS_DIFFER) == clock.now()
    assert passes(MINUTE, -HOUR) == clock.now()
    assert passes(MINUTE, HOUR) is None
    assert passes(SETTLED_AFTER - 1) is None
    assert passes(1) == clock.now()
