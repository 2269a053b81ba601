"""The newest price book, decoded once per process and epoch."""

import asyncio

from coffers.store.engine import Store
from coffers.valuation.model import PriceBook


class BookShelf:
    """Holds the newest price book that this process has seen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._book: PriceBook | None = None
        self._loading = asyncio.Lock()

    async def at(self, epoch: int) -> PriceBook | None:
        """Return the book of the newest epoch that is known, or one that is newer by now.

        None before the first book. Callers that wait for the same book share one load.

        Raises:
            StoreUnavailable: when a new book cannot be read.
        """
        if self._epoch != epoch:
            async with self._loading:
                if self._epoch != epoch:
                    await self._load()
        return self._book

    async def newest(self) -> PriceBook | None:
        """Return the newest book of the database.

        Raises:
            StoreUnavailable: when the database cannot be read.
        """
        async with self._store.reading() as tx:
            epoch = await tx.prices.newest_epoch()
        return await self.at(epoch)

    @property
    def _epoch(self) -> int:
        return 0 if self._book is None else self._book.epoch

    async def _load(self) -> None:
        async with self._store.reading() as tx:
            self._book = await tx.prices.newest()
