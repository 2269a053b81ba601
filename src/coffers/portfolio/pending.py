"""What was looked at and waits for its owner to say yes: kept sealed, for minutes.

A key is typed in once, and is in no page, address or log between the look and the yes. It lies
among the errands, sealed and bound to its user and number, and in no backup.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from coffers.clock import MINUTE, Clock, Millis
from coffers.errors import CoffersError, NotFound
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.errand_forms import CHECK, CHECKED, CheckAsked, CheckTold
from coffers.portfolio.errands import Errands
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.errands import Errand
from coffers.vault.vault import Vault

LASTS: Final = Millis(15 * MINUTE)
"""How long somebody may think about it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a yes, and until when; `account_id` is what is to be given another key."""

    id: int
    told: CheckTold
    account_id: int | None
    until: Millis


class _Kept(msgspec.Struct, frozen=True):
    told: CheckTold
    account_id: int | None
    until: int


class Pending:
    """Keeps what was looked at until its owner says yes or the time is up."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._errands = Errands(store, vault, clock)

    async def looked_at(self, user_id: int, asked: CheckAsked) -> int:
        """Have a worker look at what is to be connected; return the number it is kept under.

        Raises:
            CoffersError: as the check does.
        """
        told = await self._errands.ask(user_id, CHECK, asked)
        return await self.keep(user_id, asked, msgspec.json.decode(told, type=CheckTold))

    async def keep(self, user_id: int, asked: CheckAsked, told: CheckTold) -> int:
        """Keep what was asked with what was found, and return its number."""
        now = self._clock.now()
        until = Millis(now + LASTS)
        account_id = None if asked.reconnect is None else asked.reconnect.account_id
        outcome = msgspec.json.encode(_Kept(told, account_id, until)).decode()
        body = Secret(msgspec.json.encode(asked).decode())
        async with self._store.transaction() as tx:
            await tx.errands.forget_kept(CHECKED, now)
            number = await tx.errands.new_id()
            sealed = self._vault.seal(body, _context(user_id, number))
            await tx.errands.add(Errand(user_id, number, CHECKED, sealed), now, until, outcome)
        return number

    async def get(self, user_id: int, number: int) -> Waiting:
        """Return what was found.

        Raises:
            NotFound: when this user has nothing of this number, or not any more.
        """
        kept = msgspec.json.decode((await self._found(user_id, number))[1], type=_Kept)
        return Waiting(number, kept.told, kept.account_id, Millis(kept.until))

    async def opened(self, user_id: int, number: int) -> CheckAsked:
        """Return what was asked.

        Raises:
            NotFound: when this user has nothing of this number, or not any more.
        """
        errand, _ = await self._found(user_id, number)
        try:
            body = self._vault.open(errand.sealed, _context(user_id, number))
        except CoffersError:  # a master key that was exchanged meanwhile
            raise _gone() from None
        return msgspec.json.decode(body.reveal(), type=CheckAsked)

    async def drop(self, user_id: int, number: int) -> None:
        """Forget what was asked, where it is there."""
        if number <= MOST_ID:
            async with self._store.transaction() as tx:
                await tx.errands.drop(user_id, number, CHECKED)

    async def _found(self, user_id: int, number: int) -> tuple[Errand, str]:
        if number > MOST_ID:
            raise _gone()
        async with self._store.reading() as tx:
            found = await tx.errands.kept(user_id, number, CHECKED, self._clock.now())
        if found is None:
            raise _gone()
        return found


def _gone() -> NotFound:
    return NotFound("what was checked is not kept any more; enter it once more")


def _context(user_id: int, number: int) -> str:
    return f"checked:{user_id}:{number}"
