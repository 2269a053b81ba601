"""What a display currency is worth now, and was worth at past moments."""

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from coffers import money
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.prices import SLOT
from coffers.valuation.amounts import NEVER
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import PriceBook, worths_of

LONGEST_GAP = DAY
"""A rate older than this at a moment is not that moment's rate."""

BATCH_SIZE = 2_000
"""Rates that are read together: there are 35,000 of a year."""


def _always_one(_at: Millis) -> Decimal:
    return Decimal(1)


class RateTable:
    """Rates of display currencies: those of past moments, and the present ones of a price book.

    A past moment has the last rate before it of those that are kept for good, one of each slot: the
    same in every process, whenever that began to read. From a price book's moment on the rates are
    its own: what is held of a currency is worth just as much in it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, _History] = {}

    async def of(self, currency: str, book: PriceBook | None) -> DisplayCurrency:
        """Return the currency with its rates as they are at this book."""
        if currency in {"USD", "BTC"} or book is None:
            return DisplayCurrency(currency, _always_one)
        kept = self._kept.get(currency)
        if kept is None or kept.settled_until - book.at > SLOT:
            # The clock of the books before was ahead: what it told would hide what comes now.
            kept = self._kept[currency] = _History()
        if kept.epoch != book.epoch:
            async with self._store.reading() as tx:
                since = kept.missing_since
                while True:
                    found = await tx.prices.rate_history(currency, since, BATCH_SIZE)
                    kept.add(found, book.at)
                    if len(found) < BATCH_SIZE:
                        break
                    since = Millis(found[-1][0] + 1)
                    # SQLite is asked in the event loop: let others have their turn.
                    await asyncio.sleep(0)
            kept.epoch = book.epoch
        rates = _Rates(kept, book.at, _present(currency, book))
        settled_until = min(kept.settled_until, Millis(book.at - 1))
        return DisplayCurrency(currency, rates.at, settled_until, kept.generation)


_generations = count(1)


@dataclass(slots=True)
class _History:
    """One currency's rates in order of time, one of each slot, and up to which price book.

    Rates are only ever added at its end, so what it tells of moments before that stays. They are
    kept as the texts of USD per unit, one behind the other: as decimals a year of them takes six
    times as much, 5.5 MB in each process.
    """

    generation: int = field(default_factory=_generations.__next__)
    moments: "array[int]" = field(default_factory=lambda: array("q"))
    texts: bytearray = field(default_factory=bytearray)
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    epoch: int = -1

    @property
    def settled_until(self) -> Millis:
        return Millis(self.moments[-1]) if self.moments else NEVER

    @property
    def missing_since(self) -> Millis:
        """The beginning of the first slot that may bring a rate."""
        return Millis((self.moments[-1] // SLOT + 1) * SLOT) if self.moments else Millis(0)

    def add(self, rates: Sequence[tuple[Millis, Decimal]], until: Millis) -> None:
        for at, usd in rates:
            if at > until:
                break
            if at < self.missing_since:
                # Somebody who asked later brought it; or it is not the first of its slot: earlier
                # releases kept those for a while.
                continue
            self.moments.append(at)
            self.texts += str(usd).encode()
            self.ends.append(len(self.texts))

    def rate_at(self, at: Millis) -> Decimal | None:
        last = bisect_right(self.moments, at) - 1
        if last < 0 or at - self.moments[last] > LONGEST_GAP:
            return None
        begin = self.ends[last - 1] if last else 0
        usd = self.texts[begin : self.ends[last]].decode()
        return money.divide(Decimal(1), Decimal(usd))


@dataclass(frozen=True, slots=True)
class _Rates:
    """One currency's rates at a price book: `present` is the book's own, None where it has none."""

    past: _History
    present_since: Millis
    present: Decimal | None

    def at(self, at: Millis) -> Decimal | None:
        if self.present is None or at < self.present_since:
            return self.past.rate_at(at)
        return self.present if at - self.present_since <= LONGEST_GAP else None


def _present(currency: str, book: PriceBook) -> Decimal | None:
    worths = worths_of(book.prices, (currency,))
    if currency not in worths.both:
        return None
    return money.divide(Decimal(1), worths.unit(currency)[1])
