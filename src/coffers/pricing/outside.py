"""What the price keeper needs of the outside: quotes to come in, and books to be kept.

Told as protocols, since neither the venues' room nor the database's may be imported from here.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Protocol

from coffers.clock import Millis
from coffers.markets.quote import Quote
from coffers.valuation.model import HeldBack, Meanings, Price, PriceBook


class QuoteSource(Protocol):
    """Where quotes come from."""

    async def quotes(self, venue: str) -> Sequence[Quote]:
        """Return what the venue quotes for all its spot pairs now.

        Raises:
            CoffersError: when the venue gave no usable answer.
        """
        ...


class Books(Protocol):
    """The price books and rates within one transaction of the store."""

    async def save_book(
        self,
        prices: Mapping[str, Price],
        at: Millis,
        held_back: Mapping[str, HeldBack],
        meanings: Meanings,
    ) -> PriceBook:
        """Store a book under the next epoch."""
        ...

    async def assets_held(self) -> set[str]:
        """Return the assets that any account holds."""
        ...

    async def accepted_since(self, at: Millis) -> Mapping[str, Price]:
        """Return the prices that were accepted by hand from a moment on; their time is when."""
        ...

    async def save_rates(self, rates: Mapping[str, Decimal], at: Millis) -> None:
        """Store what display currencies are worth in USD."""
        ...

    async def newest(self) -> PriceBook | None:
        """Return the book of the highest epoch."""
        ...

    async def newest_epoch(self) -> int:
        """Return the number of that book, 0 before the first."""
        ...

    async def thin(self, now: Millis) -> None:
        """Drop old books that are no longer needed."""
        ...


class Holdings(Protocol):
    """What accounts hold, within one transaction of the store."""

    async def rename(self, changes: Sequence[tuple[Collection[str], str, str]]) -> None:
        """Call what accounts hold of assets by other keys: of markets each, from old to new."""
        ...


class BookTransaction(Protocol):
    """A transaction of the store, as far as prices go."""

    @property
    def prices(self) -> Books:
        """The price books and rates."""
        ...

    @property
    def holdings(self) -> Holdings:
        """What accounts hold."""
        ...


class BookStore(Protocol):
    """The store, as far as prices go."""

    def transaction(self) -> AbstractAsyncContextManager[BookTransaction]:
        """Begin a writing transaction."""
        ...

    def reading(self) -> AbstractAsyncContextManager[BookTransaction]:
        """Begin a reading transaction."""
        ...
