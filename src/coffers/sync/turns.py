"""One turn with an account's key: claimed before its venue is asked, given back with the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coffers.clock import SECOND, Clock, Millis
from coffers.errors import CoffersError
from coffers.logs import logger
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account
from coffers.vault.sealed import Sealed

CLAIM = Millis(45 * SECOND)
"""How long an account stays claimed by a process that died."""

RENEW_EVERY = 15.0
"""Seconds between two renewals of a claim by a process that lives."""

_log = logger("coffers.sync")


class Turns:
    """Keeps and ends the turns of a process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @asynccontextmanager
    async def kept(self, account: Account, holder: str) -> AsyncIterator[None]:
        """Renew the claim on an account for as long as a block runs."""
        task = asyncio.create_task(self._renew(account, holder))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _renew(self, account: Account, holder: str) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            until = Millis(self._clock.now() + CLAIM)
            try:
                async with self._store.transaction() as tx:
                    await tx.accounts.renew(account.user_id, account.id, holder, until)
            except CoffersError as error:
                _log.warning("claim not renewed", account=account.id, reason=str(error))

    @asynccontextmanager
    async def ending(
        self, account: Account, sealed: Sealed | None, holder: str, *, is_freed: bool = False
    ) -> AsyncIterator[Transaction | None]:
        """Open the one transaction that writes what came of a turn and gives the account back.

        It is None where somebody took the account over, removed it or changed its key meanwhile.
        With `is_freed` what is written in it gives the account back already.
        """
        async with self._store.transaction() as tx:
            holds = await tx.accounts.holds(account.user_id, account.id, holder, self._clock.now())
            same = holds and await tx.secrets.get(account.user_id, account.id) == sealed
            yield tx if same else None
            if not (same and is_freed):
                await tx.accounts.release(account.user_id, account.id, holder)
