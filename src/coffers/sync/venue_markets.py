"""Keeps what venues list: fills the cache that API processes answer from, and asks on demand.

Listings are asked for some hours apart, of the venues that accounts are connected to and of those
that somebody asked about lately; rates only when somebody waits for them. A venue that fails keeps
its last good state, with its age.
"""

import asyncio
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from coffers import metrics
from coffers.clock import DAY, HOUR, MINUTE, Clock, Millis
from coffers.connectors.listings import Listings
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import seldom
from coffers.markets.catalogue import Catalogue
from coffers.store.engine import Store, Transaction
from coffers.store.notices import Topic
from coffers.store.venue_tasks import CURRENCIES, PAIRS, Task, TaskStanding
from coffers.sync.loops import Loops, guarded
from coffers.sync.policy import Jitter

EVERY = Millis(6 * HOUR)
"""The time between two listings of a venue; a quarter of it more or less, by chance."""

ASKED_LATELY = Millis(3 * DAY)
"""How long a venue without an account is kept up after somebody asked about it."""

TABLE_AGE = Millis(HOUR)
"""How old a table may be that readings have loaded already, to be taken as it is."""

RETRY_FIRST = MINUTE
RETRY_LONGEST = Millis(2 * HOUR)
"""The pause after a failed listing: it doubles, up to the longest."""

LASTS = Millis(2 * MINUTE)
"""How long a worker may take, after which another one may take it over."""

RATES_WAITED_FOR = Millis(10 * MINUTE)
"""How long the task of a rate is kept after somebody asked."""

PLAN_EVERY = 30.0
"""Seconds between two looks which venues are to be kept up."""

LOOK_EVERY = 0.2
"""Seconds between two looks for what is due: what a rate asked for costs beside its call."""

LOOK_EVERY_TOLD = 2.0
"""The same while notices tell what is asked for."""

MAX_CONCURRENT = 4
"""Tasks that a worker does at the same time."""

LISTED_AT_ONCE = 2
"""Listings among them: they take seconds, and nobody's rate shall wait for those of others."""

MOST_RATES = 50
"""Rates of a venue that are asked for together."""

_log = seldom("coffers.venue_markets")


class VenueMarketWorker:
    """Does what is due until it is stopped; any number of them share the work by claims."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        listings: Listings,
        clock: Clock,
        jitter: Jitter = random.random,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._listings = listings
        self._clock = clock
        self._jitter = jitter
        self._loops = Loops()
        self._ear = store.notices.ear(lambda notice: notice.topic is Topic.ASKED)
        self._busy: dict[asyncio.Task[None], _Taken] = {}

    async def run(self) -> None:
        """Work until `stop`; what is being asked then is finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loops.every(PLAN_EVERY, self.plan))
            begin = partial(self._begin, group)
            look = self._loops.told(self._ear, begin, quick=LOOK_EVERY, slow=LOOK_EVERY_TOLD)
            group.create_task(look)

    def stop(self) -> None:
        """Come to an end."""
        self._loops.stop()

    async def plan(self) -> None:
        """Make the venues due that are to be kept up and are at no time yet."""
        now = self._clock.now()
        async with self._store.reading() as tx:
            venues = self._venues_of(await tx.accounts.venues_in_use())
            standings = await tx.venue_tasks.of_subject(PAIRS)
        new = [venue for venue in venues if _is_asleep(standings.get(venue))]
        async with self._store.transaction() as tx:
            for venue in new:
                await tx.venue_tasks.schedule(Task(venue, PAIRS), now)
            await tx.venue_tasks.forget_rates(Millis(now - RATES_WAITED_FOR))

    async def work(self) -> None:
        """Do all that is due now, one after the other."""
        while taken := await self._take():
            await self._do(taken)

    async def _begin(self, group: asyncio.TaskGroup) -> None:
        while len(self._busy) < MAX_CONCURRENT:
            taken = await self._take()
            if taken is None:
                return
            task = group.create_task(guarded(partial(self._do, taken), venue=taken.venue))
            self._busy[task] = taken
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._busy[task]
        # There is room for the next one.
        self._ear.ring()

    def _venues_of(self, codes: Sequence[str]) -> list[str]:
        markets = [self._catalogue.get(code) for code in codes]
        return sorted({market.venue for market in markets if market and market.venue})

    async def _take(self) -> "_Taken | None":
        now = self._clock.now()
        lists = sum(taken.is_listing for taken in self._busy.values())
        async with self._store.reading() as tx:
            due = await tx.venue_tasks.due(now, MOST_RATES, only_rates=lists >= LISTED_AT_ONCE)
        if not due:
            return None
        chosen = [due[0], *(task for task in due[1:] if _go_together(due[0], task))]
        holder, until = uuid.uuid4().hex, Millis(now + LASTS)
        async with self._store.transaction() as tx:
            taken = [task for task in chosen if await tx.venue_tasks.take(task, holder, now, until)]
        return _Taken(tuple(taken), holder) if taken else None

    async def _do(self, taken: "_Taken") -> None:
        try:
            async with asyncio.timeout(LASTS / 1000):
                await (self._list(taken) if taken.is_listing else self._rate(taken))
            outcome = "done"
        except ConnectorFailure as failure:
            await self._failed(taken, failure.kind, str(failure))
            outcome = failure.kind.value
        except TimeoutError:
            kind = FailureKind.UNREACHABLE
            await self._failed(taken, kind, f"{taken.venue} did not answer in time.")
            outcome = kind.value
        subject = "pairs" if taken.is_listing else "rates"
        metrics.venue_listings.labels(taken.venue, subject, outcome).inc()

    async def _list(self, taken: "_Taken") -> None:
        task, venue = taken.tasks[0], taken.venue
        now = self._clock.now()
        listed = await self._listings.listed(venue, Millis(now - TABLE_AGE))
        async with self._store.transaction() as tx:
            every = Millis(round(EVERY * (0.75 + self._jitter() / 2)))
            due_at = await self._next(tx, task, every)
            if not await tx.venue_tasks.done(task, taken.holder, listed.at, due_at):
                return
            await tx.venue_markets.keep_pairs(venue, listed.pairs)
            if listed.currencies:
                await tx.venue_markets.keep_currencies(venue, listed.currencies)
                await tx.venue_tasks.found(Task(venue, CURRENCIES), listed.at)

    async def _rate(self, taken: "_Taken") -> None:
        asked = {task.symbol: task for task in taken.tasks if task.symbol is not None}
        rates = await self._listings.rates(taken.venue, list(asked))
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.venue_markets.keep_rates(taken.venue, rates)
            for symbol, task in asked.items():
                if symbol in rates:
                    await tx.venue_tasks.done(task, taken.holder, rates[symbol].at, None)
                    continue
                said = f"{taken.venue} does not tell what {symbol} is traded at."
                kind = FailureKind.UNEXPECTED_ANSWER.value
                await tx.venue_tasks.failed(task, taken.holder, now, None, kind, said)

    async def _next(self, tx: Transaction, task: Task, pause: Millis) -> Millis | None:
        """Return when a venue is listed again, None where nobody is interested any more."""
        now = self._clock.now()
        standing = await tx.venue_tasks.standing(task)
        asked_at = 0 if standing is None else standing.asked_at
        venues = self._venues_of(await tx.accounts.venues_in_use())
        is_wanted = task.venue in venues or asked_at >= now - ASKED_LATELY
        return Millis(now + pause) if is_wanted else None

    async def _failed(self, taken: "_Taken", kind: FailureKind, said: str) -> None:
        _log.warning("venue not listed", venue=taken.venue, reason=said)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            for task in taken.tasks:
                due_at = None
                if task.symbol is None:
                    standing = await tx.venue_tasks.standing(task)
                    failures = 0 if standing is None else standing.failures
                    pause = min(RETRY_FIRST * 2 ** min(failures, 20), RETRY_LONGEST)
                    due_at = await self._next(tx, task, Millis(pause))
                await tx.venue_tasks.failed(task, taken.holder, now, due_at, kind.value, said)


@dataclass(frozen=True, slots=True)
class _Taken:
    """Tasks of one venue that were claimed together: its listing alone, or rates."""

    tasks: tuple[Task, ...]
    holder: str

    @property
    def venue(self) -> str:
        return self.tasks[0].venue

    @property
    def is_listing(self) -> bool:
        return self.tasks[0].symbol is None


def _go_together(first: Task, other: Task) -> bool:
    is_rate = first.symbol is not None and other.symbol is not None
    return is_rate and other.venue == first.venue


def _is_asleep(standing: TaskStanding | None) -> bool:
    return standing is None or standing.due_at is None
