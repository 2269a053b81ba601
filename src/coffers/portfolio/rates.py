"""What a display currency was worth at past moments, kept per price book."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from coffers import money
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.history import NEVER
from coffers.valuation.model import PriceBook

LONGEST_GAP = DAY
"""A rate older than this at a moment is not that moment's rate."""


READ_ANEW_AFTER = 1_000
"""Price books after which the whole history is read again."""


def _always_one(_at: Millis) -> Decimal:
    return Decimal(1)


class RateTable:
    """Rates of display currencies, from the stored history up to the present price book.

    A new price book costs the rates that came with it; now and then all are read anew, since the
    stored history is thinned as it grows old.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, _History] = {}

    async def of(self, currency: str, book: PriceBook | None) -> DisplayCurrency:
        """Return the currency with its rates up to this book."""
        if currency in {"USD", "BTC"} or book is None:
            return DisplayCurrency(currency, _always_one)
        kept = self._kept.get(currency)
        if kept is None or kept.loads > READ_ANEW_AFTER:
            kept = self._kept[currency] = _History()
        if kept.epoch != book.epoch:
            await self._load(currency, kept)
            kept.epoch = book.epoch
        return DisplayCurrency(currency, kept.rate_at, kept.settled_until, kept.generation)

    async def _load(self, currency: str, kept: "_History") -> None:
        since = Millis(kept.moments[-1] + 1) if kept.moments else Millis(0)
        async with self._store.reading() as tx:
            kept.add(await tx.prices.rate_history(currency, since))


_generations = count(1)


@dataclass(slots=True)
class _History:
    """One currency's rates in order of time, and up to which price book they are known.

    Rates are only ever added at its end, so what it tells of moments before that stays.
    """

    generation: int = field(default_factory=_generations.__next__)
    moments: list[Millis] = field(default_factory=list)
    per_usd: list[Decimal] = field(default_factory=list)
    epoch: int = -1
    loads: int = 0

    @property
    def settled_until(self) -> Millis:
        return self.moments[-1] if self.moments else NEVER

    def add(self, rates: Sequence[tuple[Millis, Decimal]]) -> None:
        self.loads += 1
        for at, usd in rates:
            if at <= self.settled_until:
                continue  # somebody who asked later brought it
            self.moments.append(at)
            self.per_usd.append(money.divide(Decimal(1), usd))

    def rate_at(self, at: Millis) -> Decimal | None:
        last = bisect_right(self.moments, at) - 1
        if last < 0 or at - self.moments[last] > LONGEST_GAP:
            return None
        return self.per_usd[last]
