"""One turn with an account's key: claimed before its venue is asked, given back with the answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coffers.clock import Clock
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account
from coffers.vault.sealed import Sealed


class Turns:
    """Ends the turns of a process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @asynccontextmanager
    async def ending(
        self, account: Account, sealed: Sealed | None, holder: str
    ) -> AsyncIterator[Transaction | None]:
        """Open the one transaction that writes what came of a turn and gives the account back.

        It is None where somebody took the account over, removed it or changed its key meanwhile.
        """
        async with self._store.transaction() as tx:
            holds = await tx.accounts.holds(account.user_id, account.id, holder, self._clock.now())
            same = holds and await tx.secrets.get(account.user_id, account.id) == sealed
            yield tx if same else None
            await tx.accounts.release(account.user_id, account.id, holder)
