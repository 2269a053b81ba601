"""The newest price book for all who read lists at once: one load for those who wait for it."""

import asyncio

from coffers.store.engine import Store
from coffers.store.newest import NewestBook
from coffers.valuation.model import PriceBook


class BookShelf:
    """Holds the newest price book that this process has seen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest = NewestBook()
        self._loading = asyncio.Lock()

    async def at(self, epoch: int) -> PriceBook | None:
        """Return the book of the newest epoch that is known, or one that is newer by now.

        None before the first book. Callers that wait for the same book share one load.

        Raises:
            StoreUnavailable: when a new book cannot be read.
        """
        if self._newest.epoch != epoch:
            async with self._loading:
                if self._newest.epoch != epoch:
                    async with self._store.reading() as tx:
                        if self._newest.epoch < epoch:
                            await self._newest.renew(tx)
                        else:  # others have brought a newer one meanwhile
                            await self._newest.read(tx)
        return self._newest.book

    async def own(self, user_id: int, book: PriceBook | None) -> PriceBook | None:
        """Return a book as it counts for a user, by what the user says of assets.

        Raises:
            StoreUnavailable: when that cannot be read.
        """
        if book is None:
            return None
        async with self._store.reading() as tx:
            return (await tx.choices.of(user_id)).book(book)

    async def newest(self) -> PriceBook | None:
        """Return the newest book of the database.

        Raises:
            StoreUnavailable: when the database cannot be read.
        """
        async with self._loading, self._store.reading() as tx:
            return await self._newest.read(tx)
