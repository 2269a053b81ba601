"""Recovery codes: what signs in beside the password where the phone or the key is lost."""

from typing import Final

from coffers.clock import Clock, Millis
from coffers.errors import InvalidRecord
from coffers.portfolio.codes import grouped, hash_of, new_code, plain
from coffers.portfolio.sessions import SignedIn
from coffers.store.engine import Store, Transaction
from coffers.store.records import AuditEvent, User

MADE_AT_ONCE: Final = 10


class RecoveryCodes:
    """Makes recovery codes anew."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def renew(self, who: SignedIn) -> list[str]:
        """Return new codes, in place of those before.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            InvalidRecord: where there is nothing that they would stand in for.
        """
        now = self._clock.now()
        who.require_check(now)
        async with self._store.transaction() as tx:
            if not (await tx.factors.ways(who.user.id)).is_second_asked:
                raise InvalidRecord({"recovery": ["codes are made with the first second factor"]})
            return await _made(tx, who.user, now)


async def first_codes(tx: Transaction, user: User, now: Millis) -> list[str]:
    """Return codes for somebody who has a second factor by now; none where there are some."""
    if (await tx.factors.ways(user.id)).recovery_codes:
        return []
    return await _made(tx, user, now)


async def drop_last_codes(tx: Transaction, user_id: int) -> None:
    """Forget the codes of somebody who has no second factor any more."""
    if not (await tx.factors.ways(user_id)).is_second_asked:
        await tx.factors.remove_recovery_codes(user_id)


async def use_code(tx: Transaction, user: User, code: str, now: Millis) -> bool:
    """Use a recovery code up; False for one that is none, or was used."""
    if not await tx.factors.use_recovery_code(user.id, hash_of(plain(code))):
        return False
    left = (await tx.factors.ways(user.id)).recovery_codes
    event = AuditEvent(user.id, now, "recovery_code_used", user.name, f"{left} left")
    await tx.audit.add(event)
    return True


async def _made(tx: Transaction, user: User, now: Millis) -> list[str]:
    codes = [new_code() for _ in range(MADE_AT_ONCE)]
    await tx.factors.set_recovery_codes(user.id, map(hash_of, codes), now)
    await tx.audit.add(AuditEvent(user.id, now, "recovery_codes_made", user.name, ""))
    return [grouped(code) for code in codes]
