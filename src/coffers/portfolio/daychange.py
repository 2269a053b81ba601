"""How the price of an asset changed in the last 24 hours."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, MINUTE, Millis
from coffers.portfolio.balances import shown_in
from coffers.store.engine import Store
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Price, PriceBook, Value

NEAR_ENOUGH = Millis(15 * MINUTE)
"""How far the book of a day before may lie from that moment: books of that age are thinned to
one in so long."""


@dataclass(frozen=True, slots=True)
class DayChange:
    """A price's change in percent, by currency; None where a price or a rate is not known."""

    btc: Decimal | None = None
    usd: Decimal | None = None
    display: Decimal | None = None


class DayBefore:
    """Finds the price book of a day before another one, and keeps the last that was found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked_at: Millis | None = None
        self._found: PriceBook | None = None
        self._loading = asyncio.Lock()

    async def of(self, book: PriceBook | None) -> PriceBook | None:
        """Return the book of a day before, None where there is none within `NEAR_ENOUGH`."""
        if book is None:
            return None
        wanted = Millis(book.at - DAY)
        async with self._loading:
            # Which book is nearest hardly changes within a minute, and a book is large.
            if self._looked_at is None or abs(wanted - self._looked_at) >= MINUTE:
                async with self._store.reading() as tx:
                    self._found = await tx.prices.book_near(wanted, NEAR_ENOUGH)
                self._looked_at = wanted
        return self._found


def day_change(
    asset: str, now: PriceBook | None, before: PriceBook | None, display: DisplayCurrency
) -> DayChange:
    """Return how an asset's price changed between two books."""
    if now is None or before is None:
        return DayChange()
    present, past = now.prices.get(asset), before.prices.get(asset)
    if present is None or past is None:
        return DayChange()
    shown = shown_in(display, _worth(present), now.at), shown_in(display, _worth(past), before.at)
    return DayChange(
        _change(present.btc, past.btc), _change(present.usd, past.usd), _change(*shown)
    )


def _worth(price: Price) -> Value:
    return Value(price.btc, price.usd)


def _change(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    if now is None or not before:
        return None
    return money.percentage(money.subtract(now, before), before)
