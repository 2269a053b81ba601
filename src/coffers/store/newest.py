"""The newest price book, decoded once per process and epoch: a book of a whole market is large."""

from coffers.store.engine import Transaction
from coffers.valuation.model import PriceBook


class NewestBook:
    """Holds the newest price book that was read through it, None before the first one."""

    def __init__(self) -> None:
        self.book: PriceBook | None = None

    @property
    def epoch(self) -> int:
        """The book's epoch, 0 where there is none."""
        return 0 if self.book is None else self.book.epoch

    async def read(self, tx: Transaction) -> PriceBook | None:
        """Return the newest book that a transaction sees, None before the first one."""
        if await tx.prices.newest_epoch() != self.epoch:
            await self.renew(tx)
        return self.book

    async def renew(self, tx: Transaction) -> None:
        """Read the newest book, for those who know that there is another one."""
        self.book = await tx.prices.newest()
