"""The worker's part that walks through the past of accounts, beside their readings."""

import asyncio
from typing import Any

from coffers.clock import Clock
from coffers.store.engine import Store
from coffers.store.walking import Place
from coffers.sync.loops import Loops, guarded
from coffers.sync.walker import Walker

LOOK_EVERY = 1.0
"""Seconds between two looks for walks that may go on."""

WALKED_AT_ONCE = 8
"""Accounts whose walks go on at the same time."""


class WalkWorker:
    """Lets every walk of one kind go on when it may, until it is stopped."""

    def __init__(self, store: Store, walker: Walker[Any, Any], clock: Clock) -> None:
        self._store = store
        self._walker = walker
        self._clock = clock
        self._loops = Loops()
        self._after: Place | None = None

    async def run(self) -> None:
        """Walk until `stop`; steps that were begun are finished first."""
        await self._loops.every(LOOK_EVERY, self.walk)

    def stop(self) -> None:
        """Come to an end."""
        self._loops.stop()

    async def walk(self) -> None:
        """Walk one step with each of some accounts whose walk may go on."""
        async with self._store.reading() as tx:
            due = await self._walker.due(tx, self._clock.now(), WALKED_AT_ONCE, self._after)
        self._after = due.after
        await asyncio.gather(*(self._step(*key) for key in due.keys))

    async def _step(self, user_id: int, account_id: int) -> None:
        await guarded(
            lambda: self._walker.step(user_id, account_id),
            account=account_id,
            walker=type(self._walker).__name__,
        )
