"""What keeps people from guessing: tries that fail are counted, and make wait longer and longer.

They are counted for a name and for an address, whatever was guessed: a password, a code of an app,
a recovery code. A password that is shown anew counts for the session that it is shown in, so that
nobody who guesses elsewhere keeps out who is signed in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from coffers.access.addresses import ban_key
from coffers.clock import DAY, HOUR, SECOND, Clock, Millis, is_ahead
from coffers.errors import CoffersError
from coffers.portfolio.codes import hash_of
from coffers.store.engine import Store, Transaction
from coffers.store.sign_ins import Failures

FREE_TRIES: Final = 5
"""Tries that may fail before there is a wait."""

ADDRESS_TRIES: Final = 20
"""The same for an address, from which several people may come."""

FIRST_WAIT: Final = Millis(30 * SECOND)
LONGEST_WAIT: Final = HOUR
FORGOTTEN_AFTER: Final = DAY

Tried = Mapping[str, int]
"""Whom a try counts for, each with the tries that may fail before there is a wait."""


class SignInLocked(CoffersError):
    """Too many tries failed; `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many tries failed; try again in {seconds} seconds")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a try comes from: the address, and what the browser calls itself."""

    address: str
    agent: str


def named(name: str) -> str:
    """Return what stands for a name among what is counted."""
    return hash_of(f"name:{name.casefold()}")


def addressed(visitor: Visitor) -> str:
    """Return what stands for an address among what is counted: of IPv6, for its network."""
    return hash_of(f"address:{ban_key(visitor.address)}")


def within(session_id: str) -> str:
    """Return what stands for a session among what is counted."""
    return hash_of(f"session:{session_id}")


def tried_by(name: str, visitor: Visitor) -> Tried:
    """Return whom a try of a name counts for."""
    return {named(name): FREE_TRIES, addressed(visitor): ADDRESS_TRIES}


class Guesses:
    """Counts tries that fail."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def check(self, subjects: Iterable[str]) -> None:
        """Refuse a try while there is a wait.

        Raises:
            SignInLocked: with the seconds to wait.
        """
        now = self._clock.now()
        async with self._store.reading() as tx:
            for subject in subjects:
                _refuse_locked(await tx.sign_ins.failures(subject), now)

    async def failed(self, tried: Tried) -> None:
        """Count a try that failed."""
        async with self._store.transaction() as tx:
            await self.note(tx, tried)

    async def reserve(self, tried: Tried) -> Mapping[str, Failures]:
        """Count a try before it is made, as if it had failed: `refund` takes that back.

        Tries that are sent at once are counted one after the other by this, and no more of them
        are made than may fail, whatever comes of them and however long each takes.

        Returns:
            What was counted before, for `refund`.

        Raises:
            SignInLocked: with the seconds to wait.
        """
        async with self._store.transaction() as tx:
            before = await self.hold(tx, tried)
            await self.note(tx, tried)
        return before

    async def refund(self, tried: Tried, before: Mapping[str, Failures]) -> None:
        """Count a try that was reserved as none, since it did not fail."""
        async with self._store.transaction() as tx:
            for subject, free in tried.items():
                found = await tx.sign_ins.hold_failures(subject)
                count = max(0, found.count - 1)
                # Where nothing failed meanwhile, no wait begins anew.
                is_as_before = count == before[subject].count
                last_at = before[subject].last_at if is_as_before else found.last_at
                until = Millis(last_at + _wait(count, free))
                await tx.sign_ins.note_failure(subject, Failures(count, last_at, until))

    async def hold(self, tx: Transaction, tried: Tried) -> Mapping[str, Failures]:
        """Refuse a try while there is a wait, and let no other be made until this one is over.

        Returns:
            What is counted.

        Raises:
            SignInLocked: with the seconds to wait.
        """
        now = self._clock.now()
        held: dict[str, Failures] = {}
        for subject in tried:
            held[subject] = await _held(tx, subject, now)
            _refuse_locked(held[subject], now)
        return held

    async def note(self, tx: Transaction, tried: Tried) -> None:
        """Count a try that failed, in a transaction that is open."""
        now = self._clock.now()
        for subject, free in tried.items():
            count = (await _held(tx, subject, now)).count + 1
            until = Millis(now + _wait(count, free))
            await tx.sign_ins.note_failure(subject, Failures(count, now, until))


async def _held(tx: Transaction, subject: str, now: Millis) -> Failures:
    """Return what is counted and not forgotten; no other try changes it before this one is over."""
    found = await tx.sign_ins.hold_failures(subject)
    # Rows are removed by whoever signs in, which may be after the next try that fails.
    is_forgotten = found.last_at <= now - FORGOTTEN_AFTER
    return Failures(0, Millis(0), Millis(0)) if is_forgotten else found


def _wait(count: int, free: int) -> int:
    """Return the milliseconds that the next try has to wait after so many that failed."""
    over = count - free
    return min(FIRST_WAIT * 2 ** min(over, 20), LONGEST_WAIT) if over >= 0 else 0


def _refuse_locked(found: Failures | None, now: Millis) -> None:
    # Of a try that lies ahead the wait would last for as long as a clock was ahead.
    if found is not None and found.locked_until > now and not is_ahead(found.last_at, now):
        raise SignInLocked(-(-(found.locked_until - now) // SECOND))
