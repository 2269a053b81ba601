"""Keeps the price book up to date: asks the venues, makes the prices, stores a new book."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import metrics
from coffers.clock import MINUTE, Clock, Millis
from coffers.errors import CoffersError
from coffers.logs import logger
from coffers.markets.quote import Quote
from coffers.pricing.currencies import DISPLAY_CURRENCIES
from coffers.pricing.graph import prices_of
from coffers.pricing.outside import BookStore, QuoteSource
from coffers.valuation.model import Price, PriceBook

QUOTES_LAST = Millis(10 * MINUTE)
"""How long the last good quotes of a venue that fails go on counting."""

THIN_EVERY = Millis(15 * MINUTE)
"""The time between two clearings of old price books."""

_log = logger("coffers.pricing")


@dataclass(frozen=True, slots=True)
class _Answer:
    quotes: Sequence[Quote]
    at: Millis


class PriceKeeper:
    """Makes price books of what the venues quote.

    Every book is a new epoch, also when no price moved: its time did, and with it the moment that
    figures speak of.
    """

    def __init__(self, store: BookStore, source: QuoteSource, clock: Clock, floor: Decimal) -> None:
        self._store = store
        self._source = source
        self._clock = clock
        self._floor = floor
        self._answers: dict[str, _Answer] = {}
        self._failing: set[str] = set()
        self._running = asyncio.Lock()
        self._rounds = 0
        self._asked: frozenset[str] = frozenset()
        self._book: PriceBook | None = None
        self._thinned_at: Millis | None = None

    async def refresh(self, venues: Collection[str]) -> PriceBook | None:
        """Ask the venues, all at once, and store a new book of their quotes.

        A venue that fails is counted, and its last good quotes stay in use for `QUOTES_LAST`. Calls
        at the same time share one refresh when it covers their venues.

        Returns:
            The new book. None when no venue answered or nothing could be priced: then nothing is
            written, and the age of the old book grows.

        Raises:
            StoreUnavailable: when the database cannot be reached.
        """
        rounds = self._rounds
        async with self._running:
            if self._rounds == rounds or not self._asked.issuperset(venues):
                self._book = await self._refresh(frozenset(venues))
                self._asked = frozenset(venues)
                self._rounds += 1
            return self._book

    async def _refresh(self, venues: frozenset[str]) -> PriceBook | None:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(venue)) for venue in sorted(venues)]
        now = self._clock.now()
        prices = await self._prices(venues, now) if any(task.result() for task in asked) else {}
        if not prices:
            await self._show_age(now)
            return None
        return await self._save(prices, now)

    async def _ask(self, venue: str) -> bool:
        try:
            quotes = await self._source.quotes(venue)
        except CoffersError as error:
            self._count_failure(venue, str(error))
            return False
        if not quotes:
            # An outage often looks like an empty answer.
            self._count_failure(venue, "the venue quoted nothing")
            return False
        self._answers[venue] = _Answer(quotes, self._clock.now())
        if venue in self._failing:
            self._failing.remove(venue)
            _log.info("venue_quotes_again", venue=venue)
        return True

    def _count_failure(self, venue: str, reason: str) -> None:
        metrics.price_failures.labels(venue).inc()
        if venue not in self._failing:
            self._failing.add(venue)
            _log.warning("venue_without_quotes", venue=venue, reason=reason)

    async def _prices(self, venues: frozenset[str], now: Millis) -> dict[str, Price]:
        self._answers = {
            venue: answer
            for venue, answer in self._answers.items()
            if now - answer.at <= QUOTES_LAST
        }
        quotes = [
            quote
            for venue in venues & self._answers.keys()
            for quote in self._answers[venue].quotes
        ]
        # In a thread: thousands of pairs take a tenth of a second, too long for the event loop.
        return await asyncio.to_thread(prices_of, quotes, floor_usd=self._floor, now=now)

    async def _save(self, prices: dict[str, Price], now: Millis) -> PriceBook:
        rates = {code: prices[code].usd for code in DISPLAY_CURRENCIES if code in prices}
        is_thinning = self._thinned_at is None or now - self._thinned_at >= THIN_EVERY
        async with self._store.transaction() as tx:
            book = await tx.prices.save_book(prices, now)
            await tx.prices.save_rates(rates, now)
            if is_thinning:
                await tx.prices.thin(now)
        if is_thinning:
            self._thinned_at = now
        metrics.price_epoch.set(book.epoch)
        metrics.priced_assets.set(len(prices))
        metrics.price_age.set(0)
        return book

    async def _show_age(self, now: Millis) -> None:
        async with self._store.reading() as tx:
            newest = await tx.prices.newest()
        if newest is not None:
            metrics.price_age.set((now - newest.at) / 1000)
