"""One turn with an account's key: claimed before its venue is asked, given back with the answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from coffers.clock import SECOND, Clock, Millis
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.store.engine import Store, Transaction
from coffers.store.errors import StoreUnavailable
from coffers.store.records import Account
from coffers.vault.sealed import Sealed

READING_CLAIM = Millis(45 * SECOND)
"""How long an account stays claimed by a process that died."""

RENEW_EVERY = 15.0
"""Seconds between two renewals of a claim by a process that lives."""

TRY_AGAIN = 1.0
"""Seconds between two tries to give an account back while the database does not answer."""

TRIES = 45
"""After so many a claim has run out by itself."""

_log = seldom("coffers.sync")


class Turns:
    """Keeps and ends the turns of a process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._owed: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def kept(self, account: Account, holder: str) -> AsyncIterator[None]:
        """Renew the claim on an account for as long as a block runs."""
        # A task only for the few that last so long: to begin and to end one takes as long as
        # some statements do.
        renewing: list[asyncio.Task[None]] = []

        def begin() -> None:
            renewing.append(asyncio.create_task(self._renew(account, holder)))

        timer = asyncio.get_running_loop().call_later(RENEW_EVERY, begin)
        try:
            yield
        finally:
            timer.cancel()
            for task in renewing:
                task.cancel()
                await asyncio.wait({task})

    async def _renew(self, account: Account, holder: str) -> None:
        while True:
            until = Millis(self._clock.now() + READING_CLAIM)
            try:
                async with self._store.transaction() as tx:
                    await tx.accounts.renew(account.user_id, account.id, holder, until)
            except CoffersError as error:
                _log.warning("claim not renewed", account=account.id, reason=str(error))
            await asyncio.sleep(RENEW_EVERY)

    @asynccontextmanager
    async def ending(
        self, account: Account, sealed: Sealed | None, holder: str, *, is_freed: bool = False
    ) -> AsyncIterator[Transaction | None]:
        """Open the one transaction that writes what came of a turn and gives the account back.

        It is None where somebody took the account over, removed it or changed its key meanwhile.
        With `is_freed` what is written in it gives the account back already.
        """
        async with self._store.transaction(is_shared=True) as tx:
            holds = await tx.accounts.holds(account.user_id, account.id, holder, self._clock.now())
            same = holds and await tx.secrets.get(account.user_id, account.id) == sealed
            yield tx if same else None
            if not (same and is_freed):
                await tx.accounts.release(account.user_id, account.id, holder)

    async def broken_off(self, ending: Callable[[Transaction], Awaitable[None]]) -> None:
        """End a turn that something went wrong with, in one transaction.

        Where the database cannot be written now, that is done as soon as it can: an account would
        else stay claimed until that runs out, by somebody who has no use for it.
        """
        try:
            await self._end(ending)
        except StoreUnavailable:
            task = asyncio.create_task(self._end_later(ending))
            self._owed.add(task)
            task.add_done_callback(self._owed.discard)

    async def _end(self, ending: Callable[[Transaction], Awaitable[None]]) -> None:
        async with self._store.transaction() as tx:
            await ending(tx)

    async def _end_later(self, ending: Callable[[Transaction], Awaitable[None]]) -> None:
        for _ in range(TRIES):
            await asyncio.sleep(TRY_AGAIN)
            try:
                await self._end(ending)
            except StoreUnavailable:
                continue
            return
        _log.warning("an account was not given back")
