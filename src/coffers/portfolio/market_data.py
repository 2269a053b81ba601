"""What venues list, as API processes ask for it: from the cache, and by a worker where it is old.

Nothing here talks to a venue. Who asks for what is not known, or too old, makes it due and waits a
little while a worker finds it out; all who ask for the same in one process wait for one task, and
all processes for one call. What is old is told with its age rather than not at all.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from coffers.clock import HOUR, MINUTE, SECOND, Clock, Millis, is_recent
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord
from coffers.markets.catalogue import Catalogue, Market
from coffers.markets.pairs import Rate, VenuePair, is_shown
from coffers.store.engine import Store
from coffers.store.notices import Notice, Topic, joined
from coffers.store.venue_tasks import PAIRS, Task, TaskStanding, rate_of

LISTING_FRESH = Millis(12 * HOUR)
"""The age from which a venue's pairs are asked for anew before they are told."""

RATE_FRESH = Millis(5 * SECOND)
"""The same of a rate."""

NOTED_EVERY = Millis(HOUR)
"""How often it is noted that somebody asks about a venue, which keeps it listed."""

LISTING_PAUSE = MINUTE
RATE_PAUSE = Millis(10 * SECOND)
"""How long a venue that failed is let alone, however many ask."""

MOST_KEPT = 50
"""Markets whose pairs' names are kept in memory."""

LONGEST_WAIT = 30.0
"""Seconds that something unknown is waited for."""

SHORT_WAIT = 3.0
"""Seconds that something newer than what is known is waited for."""

LOOKS = (0.05, 0.1, 0.2)
"""Seconds between the looks whether it is known, the last one again and again."""

LOOKS_TOLD = (0.2, 1.0)
"""The same while notices tell what was found out: so late, should one be missed."""

_REFUSALS = frozenset({FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED})


class UnknownPair(CoffersError):
    """No such pair is traded in accounts of a market."""

    def __init__(self, market: Market, name: str) -> None:
        super().__init__(f"{market.name} trades no pair {name[:40]}; market_pairs tells which.")


class NotKnownYet(CoffersError):
    """Nothing is known, and no worker found it out in time."""

    def __init__(self, venue: str) -> None:
        super().__init__(
            f"What {venue} lists is not known here yet: no worker found it out in time. "
            "Try again in a few seconds."
        )


@dataclass(frozen=True, slots=True)
class PairRate:
    """A pair with what it is traded at."""

    market: Market
    pair: VenuePair
    rate: Rate


class MarketData:
    """Answers for venues from the cache. Belongs to one event loop."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Clock) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._waiting: dict[Task, asyncio.Task[None]] = {}
        self._names: dict[str, tuple[list[str], Millis]] = {}

    def market(self, code: str) -> tuple[Market, str]:
        """Return the market of a code, and its venue.

        Raises:
            InvalidRecord: where there is no such market, or none with pairs.
        """
        market = self._catalogue.get(code)
        if market is None:
            raise InvalidRecord({"market_code": ["does not have a valid value"]})
        if market.venue is None:
            raise InvalidRecord({"market_code": ["has no pairs of its own"]})
        return market, market.venue

    async def names(self, code: str) -> tuple[list[str], Millis]:
        """Return the names of a market's active pairs, and the moment that they are of.

        Raises:
            InvalidRecord: as `market`.
            ConnectorFailure: when the venue does not tell them, and nothing is known.
            NotKnownYet: when no worker found them out.
        """
        market, venue = self.market(code)
        at = await self._listed(venue)
        kept = self._names.get(code)
        if kept is None or kept[1] != at:
            async with self._store.reading() as tx:
                pairs = await tx.venue_markets.pairs(venue)
            kept = sorted(pair.name for pair in pairs if is_shown(market, pair)), at
            if len(self._names) >= MOST_KEPT:
                self._names.clear()
            self._names[code] = kept
        return kept

    async def pair(self, code: str, name: str) -> tuple[Market, VenuePair]:
        """Return a pair of a market with its rules.

        Raises:
            UnknownPair: where the market has no active one of this name.
            InvalidRecord, ConnectorFailure, NotKnownYet: as `names`.
        """
        market, venue = self.market(code)
        await self._listed(venue)
        async with self._store.reading() as tx:
            found = await tx.venue_markets.pairs_called(venue, name)
        shown = next((pair for pair in found if is_shown(market, pair)), None)
        if shown is None:
            raise UnknownPair(market, name)
        return market, shown

    async def rate(self, code: str, name: str) -> PairRate:
        """Return what a pair is traded at, as new as can be had in a few seconds.

        Raises:
            As `pair`; ConnectorFailure and NotKnownYet also where the rate was never known.
        """
        market, pair = await self.pair(code, name)
        venue = str(market.venue)
        rate = await self._rate(venue, pair.symbol)
        if rate is None or not is_recent(rate.at, RATE_FRESH, self._clock.now()):
            task = rate_of(venue, pair.symbol)
            await self._find_out(task, LONGEST_WAIT if rate is None else SHORT_WAIT)
            rate = await self._rate(venue, pair.symbol)
            if rate is None:
                raise _fault(await self._standing(task), venue)
        return PairRate(market, pair, rate)

    async def _rate(self, venue: str, symbol: str) -> Rate | None:
        async with self._store.reading() as tx:
            return await tx.venue_markets.rate(venue, symbol)

    async def _listed(self, venue: str) -> Millis:
        """See to it that a venue's pairs are known, and return their age."""
        task = Task(venue, PAIRS)
        standing = await self._standing(task)
        now = self._clock.now()
        done_at = None if standing is None else standing.done_at
        if standing is not None and done_at is not None and is_recent(done_at, LISTING_FRESH, now):
            if not is_recent(standing.asked_at, NOTED_EVERY, now):
                async with self._store.transaction() as tx:
                    await tx.venue_tasks.ask(task, now, is_due=standing.due_at is None)
            return done_at
        await self._find_out(task, LONGEST_WAIT if done_at is None else SHORT_WAIT)
        standing = await self._standing(task)
        if standing is None or standing.done_at is None:
            raise _fault(standing, venue)
        return standing.done_at

    async def _standing(self, task: Task) -> TaskStanding | None:
        async with self._store.reading() as tx:
            return await tx.venue_tasks.standing(task)

    async def _find_out(self, task: Task, patience: float) -> None:
        """Have something found out, and wait for it no longer than so many seconds."""
        waiting = self._waiting.get(task)
        if waiting is None:
            waiting = asyncio.create_task(self._wait(task))
            self._waiting[task] = waiting
            waiting.add_done_callback(lambda ended: self._ended(task, ended))
        done, _ = await asyncio.wait([waiting], timeout=patience)
        for each in done:
            each.result()

    def _ended(self, task: Task, ended: asyncio.Task[None]) -> None:
        del self._waiting[task]
        if not ended.cancelled():
            ended.exception()  # those who still wait raise it

    async def _wait(self, task: Task) -> None:
        """Make a task due, unless the venue just failed, and wait until something came of it."""
        found = Notice(Topic.FOUND, joined(task.venue, task.subject))
        ear = self._store.notices.ear(found.__eq__)
        before = await self._standing(task)
        now = self._clock.now()
        if before is not None and _just_failed(before, now, task):
            return
        async with self._store.transaction() as tx:
            await tx.venue_tasks.ask(task, now, is_due=True)
        turns = 0 if before is None else before.turns
        loop = asyncio.get_running_loop()
        until, looks = loop.time() + LONGEST_WAIT, 0
        while loop.time() < until:
            await ear.wait(_pause(LOOKS, looks), _pause(LOOKS_TOLD, looks))
            looks += 1
            standing = await self._standing(task)
            if standing is None or standing.turns != turns:
                return


def _pause(pauses: Sequence[float], looks: int) -> float:
    return pauses[min(looks, len(pauses) - 1)]


def _just_failed(standing: TaskStanding, now: Millis, task: Task) -> bool:
    pause = LISTING_PAUSE if task.symbol is None else RATE_PAUSE
    return standing.failed_at is not None and is_recent(standing.failed_at, pause, now)


def _fault(standing: TaskStanding | None, venue: str) -> CoffersError:
    """Return why something is not known."""
    if standing is None or standing.failure is None:
        return NotKnownYet(venue)
    kind = FailureKind(standing.failure)
    if kind in _REFUSALS:
        # Nobody's key was used: to whoever asks, it says that the venue tells nothing.
        kind = FailureKind.UNSUPPORTED
    return ConnectorFailure(kind, standing.failure_message or "")
