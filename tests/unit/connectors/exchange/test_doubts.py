"""What keeps an account's flows unknown from reading to reading."""

from coffers.clock import DAY, Millis
from coffers.connectors.exchange.doubts import PROGRAM, Doubts
from coffers.connectors.exchange.flows import FoundFlows
from coffers.connectors.reading import ReadRequest
from factories import NOW

RECENTLY = ReadRequest(Millis(NOW - 14 * DAY))
ALL = FoundFlows((), is_whole=True, is_read=True)
UNTOLD = FoundFlows((), is_whole=False, is_read=True, is_untold=True)


def unclear(days: int, *, is_read: bool = True) -> FoundFlows:
    at = Millis(NOW - days * DAY)
    return FoundFlows((), is_whole=False, is_read=is_read, unclear_since=at)


def test_where_all_was_told_nothing_is_in_doubt() -> None:
    assert not Doubts().after(RECENTLY, ALL)


def test_money_that_no_history_tells_may_be_something_else_by_now() -> None:
    assert Doubts().after(RECENTLY, UNTOLD).after(RECENTLY, ALL).is_untold


def test_what_is_understood_at_last_is_in_doubt_no_more() -> None:
    left = Doubts().after(RECENTLY, unclear(5))
    assert left.unclear_since == NOW - 5 * DAY
    assert not left.after(RECENTLY, ALL)


def test_a_flow_may_be_what_was_unclear_where_that_is_so_no_more() -> None:
    left = Doubts().after(RECENTLY, unclear(5))
    cleared, at = left.after(RECENTLY, ALL), Millis(NOW - 5 * DAY)
    assert left.is_cleared_by(cleared, at)
    assert not left.is_cleared_by(cleared, Millis(at - 1))
    assert not left.is_cleared_by(left.after(RECENTLY, unclear(5)), at)
    assert not Doubts().is_cleared_by(cleared, at)


def test_it_stays_in_doubt_where_a_history_was_not_told() -> None:
    left = Doubts().after(RECENTLY, unclear(5))
    untold = FoundFlows((), is_whole=False, is_read=False)
    assert left.after(RECENTLY, untold).unclear_since == NOW - 5 * DAY


def test_it_stays_in_doubt_once_it_is_too_old_to_be_looked_at_again() -> None:
    left = Doubts().after(RECENTLY, unclear(5))
    later = ReadRequest(Millis(NOW - 5 * DAY + 1))
    assert left.after(later, ALL).unclear_since == NOW - 5 * DAY
    assert left.after(later, unclear(2)).unclear_since == NOW - 5 * DAY


def test_another_program_looks_once_for_what_is_too_old_and_may_understand_it() -> None:
    later = ReadRequest(Millis(NOW))
    left = Doubts(unclear_since=NOW - 5 * DAY, program="an earlier one")
    asked = left.widened(later)
    assert asked.flows_since is not None
    assert asked.flows_since < NOW - 5 * DAY
    assert not left.after(asked, ALL)
    again = left.after(asked, unclear(5))
    assert (again.unclear_since, again.program) == (NOW - 5 * DAY, PROGRAM)
    assert again.widened(later) == later
    assert left.widened(RECENTLY) == RECENTLY


def test_a_look_that_takes_several_readings_goes_on_until_it_is_through() -> None:
    left = Doubts(unclear_since=NOW - 300 * DAY, program="an earlier one")
    part = FoundFlows((), is_whole=False, is_read=False, read_until=Millis(NOW - 160 * DAY))
    left = left.after(left.widened(RECENTLY), part)
    assert left.unclear_since == NOW - 160 * DAY
    asked = left.widened(RECENTLY)
    assert asked.flows_since == NOW - 161 * DAY
    assert not left.after(asked, ALL)
    # One that comes no further is not made again and again.
    stuck = left.after(asked, FoundFlows((), is_whole=False, is_read=False))
    assert stuck.widened(RECENTLY) == RECENTLY


def test_what_cannot_be_read_any_more_is_forgotten() -> None:
    kept = Doubts(is_untold=True, unclear_since=NOW)
    assert Doubts.opened(kept.closed()) == kept
    assert Doubts.opened(None) == Doubts.opened("nonsense") == Doubts()
