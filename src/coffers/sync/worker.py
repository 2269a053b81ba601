"""The worker: keeps prices fresh and reads every account when it is due, until it is stopped."""

import asyncio
from dataclasses import dataclass

from coffers import metrics
from coffers.clock import Clock
from coffers.store.engine import Store
from coffers.sync.loops import Loops, guarded
from coffers.sync.prices import PriceRounds
from coffers.sync.queue import SyncQueue
from coffers.sync.syncer import Syncer

LOOK_EVERY = 1.0
"""Seconds between two looks for due accounts: how late an immediate reading may begin."""

TAKEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often prices are asked for, in seconds, and how many accounts are read at once."""

    price_interval: float
    concurrency: int


class Worker:
    """Runs the price loop, the look for due accounts, and the readings."""

    def __init__(
        self,
        store: Store,
        prices: PriceRounds,
        syncer: Syncer,
        queue: SyncQueue,
        clock: Clock,
        rhythm: Rhythm,
    ) -> None:
        self._store = store
        self._prices = prices
        self._syncer = syncer
        self._queue = queue
        self._clock = clock
        self._rhythm = rhythm
        self._loops = Loops()

    async def run(self) -> None:
        """Work until `stop`; what is being read then is finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loops.every(self._rhythm.price_interval, self.refresh_prices))
            group.create_task(self._loops.every(LOOK_EVERY, self.put_due))
            group.create_task(self._queue.run(self._handle, self._rhythm.concurrency))

    def stop(self) -> None:
        """Come to an end."""
        self._loops.stop()
        self._queue.stop()

    async def refresh_prices(self) -> None:
        """Write a price book of this moment."""
        await self._prices.refresh()

    async def put_due(self) -> None:
        """Put the accounts that are due into the queue."""
        now = self._clock.now()
        async with self._store.reading() as tx:
            due = await tx.accounts.due(now, TAKEN_AT_ONCE)
            counts = await tx.accounts.counts(now)
        metrics.syncs_overdue.set(counts.overdue)
        metrics.accounts_locked.set(counts.locked)
        await self._queue.put(due)

    async def _handle(self, user_id: int, account_id: int) -> None:
        await guarded(lambda: self._syncer.sync(user_id, account_id), account=account_id)
