"""A signature with a time works within its window, and once."""

import pytest

from coffers.access.replay import SeenSignatures, is_timely, stamp_of
from coffers.clock import SECOND, ManualClock
from factories import NOW


@pytest.mark.parametrize(
    "text", [None, "", "1e9", "-5", "17.5", " 17", "\u0661\u0667", "1" * 13, "17\n"]
)
def test_what_is_no_time_makes_no_stamp(text: str | None) -> None:
    assert stamp_of(text) is None


def test_unix_seconds_stand_in_the_text_as_they_were_sent() -> None:
    assert stamp_of("01760000000") == b"01760000000"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-31, False), (-30, True), (0, True), (30, True), (31, False)]
)
def test_a_stamp_is_timely_within_half_a_minute(seconds: int, expected: bool) -> None:
    stamp = str(NOW // SECOND + seconds).encode()
    assert is_timely(stamp, NOW) is expected


def test_a_signature_is_remembered_for_as_long_as_it_could_be_timely() -> None:
    clock = ManualClock(NOW)
    seen = SeenSignatures(clock)
    latest = str(NOW // SECOND + 30).encode()
    seen.add(1, b"signature")
    clock.advance(60 * SECOND)
    assert is_timely(latest, clock.now())
    seen.add(1, b"another")
    assert seen.has(1, b"signature")
    clock.advance(1)
    assert not is_timely(latest, clock.now())
    seen.add(1, b"a third")
    assert not seen.has(1, b"signature")


def test_the_same_signature_of_another_token_is_not_a_replay() -> None:
    seen = SeenSignatures(ManualClock(NOW))
    seen.add(1, b"signature")
    assert not seen.has(2, b"signature")


def test_a_full_table_bars_its_token_only_until_there_is_room() -> None:
    clock = ManualClock(NOW)
    seen = SeenSignatures(clock, per_token=2)
    for signature in (b"a", b"b"):
        assert seen.wait_for_room(1) == 0
        seen.add(1, signature)
        clock.advance(SECOND)
    wait = seen.wait_for_room(1)
    assert 0 < wait <= 60 * SECOND
    assert seen.wait_for_room(2) == 0
    clock.advance(wait)
    assert seen.wait_for_room(1) == 0


def test_signatures_of_a_clock_that_was_ahead_do_not_fill_the_table() -> None:
    clock = ManualClock(NOW)
    seen = SeenSignatures(clock, per_token=4)
    for signature in (b"ahead", b"ahead too"):
        seen.add(1, signature)
    clock.advance(-3600 * SECOND)
    for number in range(20):
        assert seen.wait_for_room(1) == 0
        seen.add(1, b"%d" % number)
        clock.advance(60 * SECOND)
    # They could be sent again once the clock gets there, and are refused then.
    assert seen.has(1, b"ahead")
    clock.set(NOW + 61 * SECOND)
    assert seen.wait_for_room(1) == 0
    assert not seen.has(1, b"ahead too")
