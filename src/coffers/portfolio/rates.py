"""What a display currency was worth at past moments, kept per price book."""

from bisect import bisect_right
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.valuation.figures import RateAt
from coffers.valuation.model import PriceBook

LONGEST_GAP = DAY
"""A rate older than this at a moment is not that moment's rate."""


def _always_one(_at: Millis) -> Decimal:
    return Decimal(1)


class RateTable:
    """Rates of display currencies, from the stored history up to the present price book."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, tuple[int, RateAt]] = {}

    async def of(self, currency: str, book: PriceBook | None) -> RateAt:
        """Return the function that tells units of the currency per USD at a moment."""
        if currency in {"USD", "BTC"} or book is None:
            return _always_one
        epoch, rate_at = self._kept.get(currency, (-1, _always_one))
        if epoch != book.epoch:
            rate_at = await self._load(currency)
            self._kept[currency] = (book.epoch, rate_at)
        return rate_at

    async def _load(self, currency: str) -> RateAt:
        async with self._store.reading() as tx:
            known = await tx.prices.rate_history(currency, Millis(0))
        moments = [at for at, _ in known]
        per_usd = [money.divide(Decimal(1), usd) for _, usd in known]

        def rate_at(at: Millis) -> Decimal | None:
            last = bisect_right(moments, at) - 1
            if last < 0 or at - moments[last] > LONGEST_GAP:
                return None
            return per_usd[last]

        return rate_at
