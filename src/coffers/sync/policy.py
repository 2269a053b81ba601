"""What a reading or a failure does to an account's state: pure rules, no I/O.

A fault on the venue's side never changes what was known. An account is locked only when its key
was refused twice in a row for the same reason, and a locked account goes on being tried, so that
it recovers by itself.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis, is_ahead
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.keyrights import KeyRights
from coffers.store.records import Account, AccountStatus, KeyState, SyncState

LONGEST_READING = Millis(4 * MINUTE)
"""After this a reading is given up."""

EXPIRES_SOON = Millis(14 * DAY)
"""How long before its expiry a key counts as `expire_soon`."""

REFUSALS_TO_LOCK = 2
SECOND_LOOK = MINUTE
"""The pause before a doubtful reading or refusal is looked at again."""

INVALID_API_KEY = "invalid_api_key"
REFUSALS = frozenset({FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED})

Jitter = Callable[[], float]
"""Gives a number from 0 to 1; spreads accounts that would otherwise all be due at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often accounts are read: the usual interval, and what spreads it."""

    interval: Millis
    jitter: Jitter = random.random


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait after the first failure of a kind, doubling up to the longest wait."""

    first: Millis
    longest: Millis

    def after(self, failures: int) -> Millis:
        """Return the wait after so many failures in a row (1 for the first)."""
        return Millis(min(self.longest, self.first * 2 ** min(failures - 1, 30)))


BACK_OFFS = {
    FailureKind.KEY_REFUSED: BackOff(Millis(5 * MINUTE), Millis(6 * HOUR)),
    FailureKind.PERMISSION_DENIED: BackOff(Millis(5 * MINUTE), Millis(6 * HOUR)),
    FailureKind.ADDRESS_REFUSED: BackOff(Millis(5 * MINUTE), Millis(HOUR)),
    FailureKind.REGION_REFUSED: BackOff(Millis(30 * MINUTE), Millis(6 * HOUR)),
    FailureKind.CLOCK_DRIFT: BackOff(MINUTE, Millis(30 * MINUTE)),
    FailureKind.RATE_LIMITED: BackOff(Millis(2 * MINUTE), HOUR),
    FailureKind.VENUE_DOWN: BackOff(MINUTE, Millis(15 * MINUTE)),
    FailureKind.UNREACHABLE: BackOff(Millis(30 * SECOND), Millis(15 * MINUTE)),
    FailureKind.UNEXPECTED_ANSWER: BackOff(MINUTE, Millis(15 * MINUTE)),
    FailureKind.UNSUPPORTED: BackOff(DAY, DAY),
}


OUTAGES = frozenset(
    {
        FailureKind.CLOCK_DRIFT,
        FailureKind.VENUE_DOWN,
        FailureKind.UNREACHABLE,
        FailureKind.UNEXPECTED_ANSWER,
    }
)
"""Failures that end by themselves: an account is tried once an interval at least, so that it is
read again soon after the end."""

SAID_AGAIN = Millis(6 * HOUR)
"""How often the log says again that an account cannot be read."""

_AWAY = frozenset({FailureKind.VENUE_DOWN.value, FailureKind.UNREACHABLE.value})


def after_reading(
    sync: SyncState, rights: KeyRights, now: Millis, interval: Millis
) -> AccountStatus:
    """Return the status after an accepted reading; `sync` holds what the reading told.

    All failures are forgotten and a lock is taken off.
    """
    state = replace(
        sync,
        next_sync_at=Millis(now + interval),
        failures=0,
        failure_kind=None,
        failure_code=None,
        failure_message=None,
        refusals=0,
        suspect=None,
    )
    return AccountStatus(state, _key_state(rights, now), is_locked=False, lock_reason=None)


def after_doubt(account: Account, fingerprint: str, now: Millis) -> AccountStatus:
    """Return the status after a reading that lost most of what was known: look again soon."""
    mark, seen_at = _suspect(account.sync)
    # A doubt that is seen again too soon to confirm it keeps the time of its first sight.
    is_known = mark == fingerprint and not is_ahead(seen_at, now)
    suspect = account.sync.suspect if is_known else f"{fingerprint}:{now}"
    state = replace(account.sync, next_sync_at=Millis(now + SECOND_LOOK), suspect=suspect)
    return AccountStatus(state, account.key_state, account.is_locked, account.lock_reason)


def is_confirmed(sync: SyncState, fingerprint: str, now: Millis) -> bool:
    """Return whether a doubtful reading says what an earlier one did, a while ago."""
    mark, seen_at = _suspect(sync)
    return mark == fingerprint and now - seen_at >= SECOND_LOOK


def after_failure(
    account: Account, failure: ConnectorFailure, now: Millis, pace: Pace
) -> AccountStatus:
    """Return the status after a failed reading; nothing that was known changes."""
    failures = account.sync.failures + 1
    refusals = _refusals(account.sync, failure)
    state = replace(
        account.sync,
        next_sync_at=_next_try(failure, failures, refusals, now, pace),
        failures=failures,
        failure_kind=failure.kind.value,
        failure_code=failure.code,
        failure_message=str(failure),
        refusals=refusals,
    )
    if refusals < REFUSALS_TO_LOCK:
        return AccountStatus(state, account.key_state, account.is_locked, account.lock_reason)
    return AccountStatus(state, "expired", is_locked=True, lock_reason=INVALID_API_KEY)


def is_to_say(before: SyncState, after: SyncState) -> bool:
    """Tell whether a failure is worth a line in the log: the first, another one, and now and then.

    A venue that is down for a day has as many tries as accounts every few minutes; and who looks
    for what has failed for days finds it still. From one try to the next one no time is left out.
    """
    is_new = not before.failures or _reason(before) != _reason(after)
    return is_new or before.next_sync_at // SAID_AGAIN != after.next_sync_at // SAID_AGAIN


def spread(interval: Millis, jitter: Jitter) -> Millis:
    """Return an interval made up to a tenth shorter or longer."""
    return Millis(round(interval * (0.9 + 0.2 * jitter())))


def _reason(sync: SyncState) -> tuple[str | None, str | None]:
    """Return why a reading failed; who is away is so in several ways, from one try to the next."""
    kind = sync.failure_kind
    return ("away", None) if kind in _AWAY else (kind, sync.failure_code)


def _suspect(sync: SyncState) -> tuple[str, Millis]:
    mark, _, seen_at = (sync.suspect or ":0").partition(":")
    return mark, Millis(int(seen_at))


def _refusals(sync: SyncState, failure: ConnectorFailure) -> int:
    if failure.kind not in REFUSALS:
        return 0
    same = (sync.failure_kind, sync.failure_code) == (failure.kind.value, failure.code)
    return sync.refusals + 1 if same else 1


def _next_try(
    failure: ConnectorFailure, failures: int, refusals: int, now: Millis, pace: Pace
) -> Millis:
    if 0 < refusals < REFUSALS_TO_LOCK:
        return Millis(now + SECOND_LOOK)
    wait = BACK_OFFS[failure.kind].after(failures)
    if failure.kind in OUTAGES:
        wait = min(wait, pace.interval)
    return Millis(now + max(spread(wait, pace.jitter), failure.retry_after or 0))


def _key_state(rights: KeyRights, now: Millis) -> KeyState:
    if rights.expires_at is None or rights.expires_at > now + EXPIRES_SOON:
        return "ok"
    return "expire_soon" if rights.expires_at > now else "expired"
