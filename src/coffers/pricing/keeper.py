"""Keeps the price book up to date: asks the venues, makes the prices, stores a new book.

What no venue prices is asked of the other sources, and what leaps is held back.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from coffers import metrics
from coffers.clock import MINUTE, Clock, Millis, SettledClock, is_ahead, is_recent
from coffers.errors import CoffersError
from coffers.logs import logger
from coffers.markets.assets import symbol_of
from coffers.markets.catalogue import load_catalogue
from coffers.markets.quote import Quote
from coffers.pricing.apart import changes, told_apart
from coffers.pricing.currencies import BITCOIN, DISPLAY_CURRENCIES, FIAT
from coffers.pricing.fallbacks import Fallbacks, Opinion, completed
from coffers.pricing.outside import BookStore, QuoteSource
from coffers.pricing.spikes import REMEMBERED, SpikeWatch
from coffers.valuation.model import NO_MEANINGS, Meanings, Price, PriceBook

QUOTES_LAST = Millis(10 * MINUTE)
"""How long the last good quotes of a venue that fails go on counting."""

THIN_EVERY = Millis(15 * MINUTE)
"""The time between two clearings of old price books."""

MOST_SAID = 20
"""Assets that one line of the log names: of a venue that is asked for the first time, hundreds may
be another one than elsewhere."""

SPIKE = Decimal(5)
"""How many times a price may rise or fall at once and still be believed from one source."""

_log = logger("coffers.pricing")


@dataclass(frozen=True, slots=True)
class _Answer:
    quotes: Sequence[Quote]
    at: Millis


class PriceKeeper:
    """Makes price books of what the venues quote.

    Every book is a new epoch, even if no price moved: its time did, and with it the moment that
    figures speak of.

    Args:
        store: where the books are kept.
        source: where quotes come from.
        clock: the time.
        floor: the least volume of a pair, in USD a day.
        fallbacks: who is asked for what no venue prices; without them nobody is.
        spike: how many times a price may rise or fall at once and be believed from one source.
    """

    def __init__(
        self,
        store: BookStore,
        source: QuoteSource,
        clock: Clock,
        floor: Decimal,
        fallbacks: Fallbacks | None = None,
        spike: Decimal = SPIKE,
    ) -> None:
        self._store = store
        self._source = source
        self._clock = clock
        self._floor = floor
        self._fallbacks = Fallbacks((), clock) if fallbacks is None else fallbacks
        self._watch = SpikeWatch(spike)
        self._epoch = 0
        self._answers: dict[str, _Answer] = {}
        self._meanings = NO_MEANINGS
        self._told: dict[str, Decimal] = {}
        self._failing: set[str] = set()
        self._running = asyncio.Lock()
        self._rounds = 0
        self._asked: frozenset[str] = frozenset()
        self._book: PriceBook | None = None
        self._settled = SettledClock(clock)
        self._thinned_at = Millis(0)

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
        began = self._clock.now()
        is_told = await self._asked_all(venues)
        await self._recall()
        found, meanings = await self._prices(venues) if is_told else ({}, self._meanings)
        if venues and not found:
            # All venues are down: the other sources are no replacement for a market.
            return None
        await self._take_accepted()
        self._watch.wake(self._clock.now())
        opinions = await self._opinions(found)
        if is_told and self._note_told(found, opinions):
            found, meanings = await self._prices(venues)
        now = self._clock.now()
        prices = completed(found, opinions, now)
        # A process that stood still meanwhile has old quotes only.
        if not prices or now - began > QUOTES_LAST:
            return None
        renamed = list(changes(self._meanings.apart, meanings.apart))
        self._watch.carry_over((old, new) for _, old, new in renamed if new in found)
        seconded = {asset for asset in found if prices[asset].sources != found[asset].sources}
        held_back = self._watch.suspects(prices, now, seconded)
        believed = {asset: price for asset, price in prices.items() if asset not in held_back}
        book = await self._save(PriceBook(0, now, believed, held_back, meanings), renamed)
        self._meanings = meanings
        self._watch.believe(believed, now, held_back)
        return book

    async def _asked_all(self, venues: frozenset[str]) -> bool:
        """Ask the venues, all at once; return whether any of them answered."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._ask(venue)) for venue in sorted(venues)]
        return any(task.result() for task in asked)

    async def _recall(self) -> None:
        """Take over what the process that wrote the newest book knew, if it was another process."""
        async with self._store.reading() as tx:
            if await tx.prices.newest_epoch() == self._epoch:
                return
            newest = await tx.prices.newest()
        if newest is not None:
            self._watch.recall(newest)
            self._fallbacks.recall(newest)
            self._meanings = newest.meanings

    async def _take_accepted(self) -> None:
        """Believe the prices that were accepted by hand, perhaps through another process."""
        since = Millis(self._clock.now() - REMEMBERED)
        async with self._store.reading() as tx:
            self._watch.accept(await tx.prices.accepted_since(since))

    async def _opinions(self, found: Mapping[str, Price]) -> dict[str, Opinion]:
        """Return what the other sources say of what somebody needs."""
        if self._fallbacks.is_empty:
            return {}
        async with self._store.reading() as tx:
            held = await tx.prices.assets_held()
        # Sources know an asset by its symbol. What they say is no price of what one venue alone
        # means by it, but tells whether that is another asset still.
        held = {symbol_of(asset) for asset in held}
        missing = (held | {BITCOIN, *FIAT}) - found.keys()
        doubted = held & self._watch.suspects(found, self._clock.now()).keys()
        return await self._fallbacks.opinions(missing | doubted)

    def _note_told(self, found: Mapping[str, Price], opinions: Mapping[str, Opinion]) -> bool:
        """Keep what other sources alone say; return whether they say it of something new.

        A venue may mean another asset by that.
        """
        before = self._told.keys()
        self._told = {asset: each.usd for asset, each in opinions.items() if asset not in found}
        return not before >= self._told.keys()

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

    async def _prices(self, venues: frozenset[str]) -> tuple[dict[str, Price], Meanings]:
        now = self._clock.now()
        self._answers = {
            venue: answer
            for venue, answer in self._answers.items()
            if now - answer.at <= QUOTES_LAST and not is_ahead(answer.at, now)
        }
        quotes = [
            quote
            for venue in venues & self._answers.keys()
            for quote in self._answers[venue].quotes
        ]
        known = self._meanings, self._watch.believed
        # In a thread: thousands of pairs take a tenth of a second, too long for the event loop.
        return await asyncio.to_thread(
            told_apart, quotes, *known, floor_usd=self._floor, now=now, told=self._told
        )

    async def _save(self, made: PriceBook, renamed: Sequence[tuple[str, str, str]]) -> PriceBook:
        prices, now = made.prices, made.at
        rates = {code: prices[code].usd for code in DISPLAY_CURRENCIES if code in prices}
        is_thinning = self._settled.now() is not None and not is_recent(
            self._thinned_at, THIN_EVERY, now
        )
        codes_at = load_catalogue().codes_at
        async with self._store.transaction() as tx:
            book = await tx.prices.save_book(prices, now, made.held_back, made.meanings)
            await tx.prices.save_rates(rates, now)
            if is_thinning:
                await tx.prices.thin(now)
            await tx.holdings.rename([(codes_at(venue), old, new) for venue, old, new in renamed])
        if is_thinning:
            self._thinned_at = now
        self._epoch = book.epoch
        for venue, group in groupby(renamed, itemgetter(0)):
            told = [f"{old} -> {new}" for _, old, new in group]
            _log.warning(
                "symbols_mean_other_assets", venue=venue, count=len(told), assets=told[:MOST_SAID]
            )
        return book
