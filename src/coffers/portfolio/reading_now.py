"""A reading of an account at this moment, for work that must not rely on an older one."""

import asyncio

from coffers.clock import Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.store.engine import Store
from coffers.sync.syncer import Outcome, Result, Syncer

LONGEST_WAIT = Millis(60_000)
"""How long a reading that somebody else makes at the moment is waited for."""

LOOK_AGAIN = 0.2
"""Seconds between two looks whether it has ended."""


class ReadingNow:
    """Reads accounts; one that is being read already is waited for instead."""

    def __init__(self, store: Store, syncer: Syncer, clock: Clock) -> None:
        self._store = store
        self._syncer = syncer
        self._clock = clock

    async def read(self, user_id: int, account_id: int) -> Result:
        """Read an account and return what came of it."""
        began = self._clock.now()
        while True:
            result = await self._syncer.sync(user_id, account_id)
            if result.outcome is not Outcome.BUSY:
                return result
            if self._clock.now() - began > LONGEST_WAIT:
                return Result(Outcome.FAILED, _still_read())
            await asyncio.sleep(LOOK_AGAIN)
            async with self._store.reading() as tx:
                account = await tx.accounts.get(user_id, account_id)
            if account is not None and (account.sync.read_at or 0) >= began:
                return Result(Outcome.COMPLETE)


def _still_read() -> ConnectorFailure:
    message = "The account is being read at the moment; look again in a while."
    return ConnectorFailure(FailureKind.UNREACHABLE, message, code="busy")
