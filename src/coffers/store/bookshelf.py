"""The newest price book, decoded once per process and epoch: a book of a whole market is large."""

from coffers.store.engine import Transaction
from coffers.valuation.model import PriceBook


class BookShelf:
    """Holds the newest price book that was read through it."""

    def __init__(self) -> None:
        self._book: PriceBook | None = None

    async def newest(self, tx: Transaction) -> PriceBook | None:
        """Return the newest book that a transaction sees, None before the first one."""
        if await tx.prices.newest_epoch() != self._epoch:
            self._book = await tx.prices.newest()
        return self._book

    @property
    def _epoch(self) -> int:
        return 0 if self._book is None else self._book.epoch
