"""What readings and failures do to an account's state."""

from dataclasses import replace

import pytest

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.keyrights import KeyRights
from coffers.store.records import Account, AccountStatus
from coffers.sync.policy import (
    BACK_OFFS,
    OUTAGES,
    SECOND_LOOK,
    Pace,
    after_doubt,
    after_failure,
    after_reading,
    is_confirmed,
    spread,
)
from factories import NOW, account


def middle() -> float:
    return 0.5


PACE = Pace(Millis(5 * MINUTE), middle)


def refused(code: str = "-2015") -> ConnectorFailure:
    return ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key", code=code)


def with_status(held: Account, status: AccountStatus) -> Account:
    return replace(
        held,
        sync=status.sync,
        key_state=status.key_state,
        is_locked=status.is_locked,
        lock_reason=status.lock_reason,
    )


def after(held: Account, *failures: ConnectorFailure) -> Account:
    for failure in failures:
        held = with_status(held, after_failure(held, failure, NOW, PACE))
    return held


def test_every_kind_of_failure_has_a_back_off() -> None:
    assert set(BACK_OFFS) == set(FailureKind)


def test_one_refusal_locks_nothing_and_is_looked_at_again_soon() -> None:
    held = after(account(), refused())
    assert (held.is_locked, held.key_state) == (False, "ok")
    assert held.sync.next_sync_at == NOW + SECOND_LOOK


def test_the_same_refusal_twice_locks_the_account() -> None:
    held = after(account(), refused(), refused())
    assert (held.is_locked, held.lock_reason, held.key_state) == (
        True,
        "invalid_api_key",
        "expired",
    )


def test_two_different_refusals_do_not_lock() -> None:
    assert not after(account(), refused("-2015"), refused("-2014")).is_locked


def test_a_network_fault_between_two_refusals_starts_the_count_anew() -> None:
    down = ConnectorFailure(FailureKind.UNREACHABLE, "no answer")
    assert not after(account(), refused(), down, refused()).is_locked


@pytest.mark.parametrize(
    "kind", sorted(set(FailureKind) - {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED})
)
def test_no_other_failure_locks_however_often(kind: FailureKind) -> None:
    held = after(account(), *[ConnectorFailure(kind, "fault", code="x")] * 10)
    assert (held.is_locked, held.key_state) == (False, "ok")
    assert held.sync.read_at == account().sync.read_at
    assert held.sync.failures == 10


def waits(kind: FailureKind, pace: Pace = PACE) -> list[int]:
    held, found = account(), []
    for _ in range(8):
        held = with_status(held, after_failure(held, ConnectorFailure(kind, "fault"), NOW, pace))
        found.append(held.sync.next_sync_at - NOW)
    return found


def test_the_wait_doubles_up_to_a_longest() -> None:
    found = waits(FailureKind.ADDRESS_REFUSED)
    assert found[:3] == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE]
    assert found[-1] == HOUR


@pytest.mark.parametrize("kind", sorted(OUTAGES))
def test_what_ends_by_itself_is_tried_as_often_as_it_is_read(kind: FailureKind) -> None:
    assert max(waits(kind)) == 5 * MINUTE
    assert waits(kind)[:2] == [BACK_OFFS[kind].first, 2 * BACK_OFFS[kind].first]
    seldom = Pace(Millis(HOUR), middle)
    assert max(waits(kind, seldom)) == BACK_OFFS[kind].longest


def test_a_venue_that_names_a_wait_is_obeyed() -> None:
    limited = ConnectorFailure(FailureKind.RATE_LIMITED, "slow down", retry_after=2 * HOUR)
    assert after(account(), limited).sync.next_sync_at == NOW + 2 * HOUR


def test_a_good_reading_forgets_failures_and_unlocks() -> None:
    held = after(account(), refused(), refused())
    status = after_reading(held.sync, KeyRights(), NOW, MINUTE)
    assert status.sync.failures == 0
    assert status.sync.failure_message is None
    assert (status.is_locked, status.key_state) == (False, "ok")
    assert status.sync.next_sync_at == NOW + MINUTE


@pytest.mark.parametrize(
    ("expires_in", "state"), [(15 * DAY, "ok"), (13 * DAY, "expire_soon"), (-1, "expired")]
)
def test_a_key_s_expiry_shows_in_its_state(expires_in: int, state: str) -> None:
    rights = KeyRights(expires_at=Millis(NOW + expires_in))
    assert after_reading(account().sync, rights, NOW, MINUTE).key_state == state


def test_a_doubtful_reading_changes_nothing_but_the_next_look() -> None:
    held = account()
    status = after_doubt(held, "f00", NOW)
    assert status.sync == replace(
        held.sync, next_sync_at=Millis(NOW + SECOND_LOOK), suspect=f"f00:{NOW}"
    )


def test_a_second_look_confirms_only_after_a_while_and_only_the_same() -> None:
    doubted = with_status(account(), after_doubt(account(), "f00", NOW))
    assert not is_confirmed(account().sync, "f00", NOW)
    assert not is_confirmed(doubted.sync, "f00", Millis(NOW + SECOND_LOOK - 1))
    assert not is_confirmed(doubted.sync, "b0b", Millis(NOW + SECOND_LOOK))
    assert is_confirmed(doubted.sync, "f00", Millis(NOW + SECOND_LOOK))


def test_looks_that_come_too_soon_do_not_put_off_the_one_that_counts() -> None:
    doubted = with_status(account(), after_doubt(account(), "f00", NOW))
    again = with_status(doubted, after_doubt(doubted, "f00", Millis(NOW + 1000)))
    assert is_confirmed(again.sync, "f00", Millis(NOW + SECOND_LOOK))
    other = with_status(doubted, after_doubt(doubted, "b0b", Millis(NOW + 1000)))
    assert not is_confirmed(other.sync, "b0b", Millis(NOW + SECOND_LOOK))


def test_a_look_of_a_clock_that_was_ahead_is_as_a_first_one() -> None:
    ahead = Millis(NOW + 60 * MINUTE)
    doubted = with_status(account(), after_doubt(account(), "f00", ahead))
    again = with_status(doubted, after_doubt(doubted, "f00", NOW))
    assert is_confirmed(again.sync, "f00", Millis(NOW + SECOND_LOOK))


def test_intervals_are_spread_by_a_tenth_either_way() -> None:
    assert spread(Millis(1000), lambda: 0.0) == 900
    assert spread(Millis(1000), lambda: 1.0) == 1100
