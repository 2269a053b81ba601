"""What tells a process that something changed, for all who wait there at once."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from coffers.store.engine import Store

LOOK_EVERY: Final = 0.5
"""Seconds between two looks: how late a change may be told."""


@dataclass(frozen=True, slots=True)
class Beat:
    """How things stand: the newest event of each user by number, and the newest price epoch."""

    heads: Mapping[int, int]
    epoch: int


class Pulse(Protocol):
    """Where a process learns that there may be something new."""

    async def next(self, user_ids: Collection[int]) -> Beat:
        """Wait until something may have changed for these users, and tell how things stand.

        Raises:
            StoreUnavailable: when the database cannot be read.
        """
        ...


class PollingPulse:
    """Looks into the database again and again: one look for all users of a process."""

    def __init__(self, store: Store, seconds: float = LOOK_EVERY) -> None:
        self._store = store
        self._seconds = seconds

    async def next(self, user_ids: Collection[int]) -> Beat:
        """Wait for the next look, and tell how things stand."""
        await asyncio.sleep(self._seconds)
        async with self._store.reading() as tx:
            return Beat(await tx.events.heads(user_ids), await tx.prices.newest_epoch())
