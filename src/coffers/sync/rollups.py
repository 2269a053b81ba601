"""The part of a worker that rolls snapshots up, so that the database grows by days, not minutes."""

import asyncio
from typing import Final

from coffers import metrics
from coffers.clock import Millis, SettledClock
from coffers.store.engine import Store
from coffers.store.rollups import TIERS, Batch, Tier
from coffers.sync.loops import Loops

LOOK_EVERY: Final = 2.0
"""Seconds between two looks for what is old enough."""

BATCHES_AT_ONCE: Final = 10
"""Transactions of one look: they hold up what a worker is for."""


class RollUpWorker:
    """Rolls snapshots up until it is stopped; any number of them may do so at once."""

    def __init__(self, store: Store, clock: SettledClock) -> None:
        self._store = store
        self._clock = clock
        self._loops = Loops()

    async def run(self) -> None:
        """Work until `stop`; the transaction under way is finished first."""
        await self._loops.every(LOOK_EVERY, self.look)

    def stop(self) -> None:
        """Come to an end."""
        self._loops.stop()

    async def look(self) -> None:
        """Roll up some of what is old enough: nothing, most of the time."""
        now = self._clock.now()
        if now is None:
            return
        for tier in await self._due(now):
            for _ in range(BATCHES_AT_ONCE):
                if await self._batch(tier, now) is None:
                    break
                # Others of this process get their turn.
                await asyncio.sleep(0)
            else:
                return

    async def _due(self, now: Millis) -> list[Tier]:
        async with self._store.reading() as tx:
            progress = await tx.rollups.progress()
        return [
            tier
            for tier in TIERS
            if tier.name not in progress or progress[tier.name].next_until(tier, now) is not None
        ]

    async def _batch(self, tier: Tier, now: Millis) -> Batch | None:
        async with self._store.transaction() as tx:
            batch = await tx.rollups.roll_up(tier, now)
        if batch is not None:
            metrics.snapshots_rolled_up.labels(tier.name).inc(batch.removed)
        return batch
