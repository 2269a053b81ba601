import pytest

from coffers.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Millis
from coffers.pricing.sources.limiter import Limiter, Pace
from factories import NOW


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def limiter(clock: ManualClock) -> Limiter:
    return Limiter(Pace(per_minute=3, apart=Millis(10 * SECOND)), clock)


def wait_of(limiter: Limiter, clock: ManualClock) -> int:
    """Return the seconds until a call is allowed again; the clock is moved there."""
    seconds = 0
    while not limiter.may_ask():
        clock.advance(SECOND)
        seconds += 1
    return seconds


def test_the_first_call_is_allowed(limiter: Limiter) -> None:
    assert limiter.may_ask()


def test_after_a_good_answer_there_is_a_rest(limiter: Limiter, clock: ManualClock) -> None:
    limiter.count()
    limiter.succeeded()
    assert wait_of(limiter, clock) == 10


def test_no_minute_sees_more_calls_than_allowed(limiter: Limiter, clock: ManualClock) -> None:
    for _ in range(3):
        assert limiter.may_ask()
        limiter.count()
        limiter.succeeded()
        clock.advance(10 * SECOND)
    assert wait_of(limiter, clock) == 30


def test_the_wait_after_failures_doubles_up_to_an_hour(
    limiter: Limiter, clock: ManualClock
) -> None:
    waits = []
    for _ in range(9):
        limiter.count()
        limiter.failed(None)
        waits.append(wait_of(limiter, clock) // 60)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_good_answer_makes_the_next_wait_short_again(
    limiter: Limiter, clock: ManualClock
) -> None:
    for _ in range(5):
        limiter.failed(None)
    limiter.succeeded()
    limiter.failed(None)
    assert wait_of(limiter, clock) == 60


def test_what_the_source_asks_for_is_obeyed(limiter: Limiter, clock: ManualClock) -> None:
    limiter.failed(Millis(2 * HOUR))
    assert wait_of(limiter, clock) == 7200


def test_a_short_wish_does_not_shorten_the_wait(limiter: Limiter, clock: ManualClock) -> None:
    limiter.failed(Millis(SECOND))
    assert wait_of(limiter, clock) == 60


def test_nobody_is_left_alone_for_more_than_a_day(limiter: Limiter, clock: ManualClock) -> None:
    limiter.failed(Millis(400 * DAY))
    clock.advance(DAY - MINUTE)
    assert not limiter.may_ask()
    clock.advance(MINUTE)
    assert limiter.may_ask()


def test_a_clock_that_was_ahead_makes_no_rest_longer(limiter: Limiter, clock: ManualClock) -> None:
    clock.advance(DAY)
    for _ in range(3):
        limiter.count()
    limiter.failed(None)
    clock.advance(-DAY)
    assert limiter.may_ask()
    for _ in range(3):
        limiter.count()
    assert not limiter.may_ask()
    limiter.succeeded()
    clock.advance(-HOUR)
    assert limiter.may_ask()
