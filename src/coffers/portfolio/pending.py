"""What is looked at, and then waits for its owner to say yes: kept sealed, for minutes.

A key is typed in once, and is in no page, address or log until the yes. It lies among the errands,
sealed and bound to its user and number, and in no backup.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from coffers.clock import MINUTE, Clock, Millis
from coffers.errors import CoffersError, NotFound
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.errand_forms import CHECK, CHECKED, CheckAsked, CheckTold
from coffers.portfolio.errands import Errands, NoErrand, NoWorker, Progress
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.errands import Errand
from coffers.vault.vault import Vault

LASTS: Final = Millis(15 * MINUTE)
"""How long somebody may think about it."""


class Gone(NotFound):
    """What was checked is not kept any more."""

    def __init__(self) -> None:
        super().__init__(
            "what was checked is not kept any more: it was connected or forgotten, or its "
            f"{LASTS // MINUTE} minutes are over"
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a yes, and until when; `account_id` is what is to be given another key.

    `told` is what was found, None while a worker is at it; `progress` tells how far that is.
    """

    id: int
    told: CheckTold | None
    account_id: int | None
    until: Millis
    progress: Progress


class _Kept(msgspec.Struct, frozen=True):
    errand: int
    account_id: int | None
    until: int


class Pending:
    """Keeps what was looked at until its owner says yes or the time is up."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._errands = Errands(store, vault, clock)

    async def begin(self, user_id: int, asked: CheckAsked) -> int:
        """Have a worker look at what is to be connected; return the number that `get` takes."""
        errand = await self._errands.begin(user_id, CHECK, asked)
        now = self._clock.now()
        until = Millis(now + LASTS)
        account_id = None if asked.reconnect is None else asked.reconnect.account_id
        outcome = msgspec.json.encode(_Kept(errand, account_id, until)).decode()
        body = Secret(msgspec.json.encode(asked).decode())
        async with self._store.transaction() as tx:
            await forget_checked(tx, now)
            number = await tx.errands.new_id()
            sealed = self._vault.seal(body, _context(user_id, number))
            await tx.errands.add(Errand(user_id, number, CHECKED, sealed), now, until, outcome)
        return number

    async def get(self, user_id: int, number: int) -> Waiting:
        """Return what was found, or how far the look has come.

        Raises:
            Gone: when this user has nothing of this number, or not any more.
            NoWorker: when no worker took it.
            TookTooLong: when a worker took it, and has not ended in time.
            InvalidRecord, AlreadyConnected, ConnectorFailure, CoffersError: as the check does.
        """
        kept = msgspec.json.decode((await self._found(user_id, number))[1], type=_Kept)
        try:
            progress = await self._errands.look(user_id, kept.errand)
        except NoErrand:  # taken back at an earlier look
            raise NoWorker from None
        told = None
        if progress.told is not None:
            told = msgspec.json.decode(progress.told, type=CheckTold)
        return Waiting(number, told, kept.account_id, Millis(kept.until), progress)

    async def opened(self, user_id: int, number: int) -> CheckAsked:
        """Return what was asked.

        Raises:
            Gone: when this user has nothing of this number, or not any more.
        """
        errand, _ = await self._found(user_id, number)
        try:
            body = self._vault.open(errand.sealed, _context(user_id, number))
        except CoffersError:  # a master key that was exchanged meanwhile
            raise Gone from None
        return msgspec.json.decode(body.reveal(), type=CheckAsked)

    async def drop(self, user_id: int, number: int) -> None:
        """Forget what was asked, where it is there."""
        if number <= MOST_ID:
            async with self._store.transaction() as tx:
                kept = await tx.errands.kept(user_id, number, CHECKED, self._clock.now())
                await tx.errands.drop(user_id, number, CHECKED)
                if kept is not None:
                    # What no worker has taken holds the key too.
                    errand = msgspec.json.decode(kept[1], type=_Kept).errand
                    await tx.errands.withdraw(user_id, errand)

    async def _found(self, user_id: int, number: int) -> tuple[Errand, str]:
        if number > MOST_ID:
            raise Gone
        async with self._store.reading() as tx:
            found = await tx.errands.kept(user_id, number, CHECKED, self._clock.now())
        if found is None:
            raise Gone
        return found


async def forget_checked(tx: Transaction, now: Millis) -> None:
    """Forget the keys that were checked or to be checked, once their time is up."""
    await tx.errands.forget_kept(CHECKED, now)
    await tx.errands.forget_untaken(CHECK, now)


def _context(user_id: int, number: int) -> str:
    return f"checked:{user_id}:{number}"
