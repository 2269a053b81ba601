"""The worker: keeps prices fresh and reads every account when it is due, until it is stopped."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from coffers.clock import SECOND, Clock, Millis
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.claims import DueAccount, DuePlace
from coffers.store.engine import Store
from coffers.store.leases import ACCOUNTS, PRICES
from coffers.store.notices import Topic
from coffers.sync.elected import Elected
from coffers.sync.loops import guarded
from coffers.sync.prices import PriceRounds
from coffers.sync.queue import Due, SyncQueue
from coffers.sync.syncer import Syncer

LOOK_EVERY = 1.0
"""Seconds between two looks for due accounts: how late a reading may begin."""

TAKEN_AT_ONCE = 500
"""Accounts that are put into the queue by one statement."""

MOST_PAGES = 20
"""The most statements of one look, for accounts that have become due since the last look."""

LATE = Millis(5 * SECOND)
"""How long a transaction that makes an account due at a moment may take to commit after it."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often prices are asked for, in seconds, and how many accounts are read at once."""

    price_interval: float
    concurrency: int


def venue_of(market: Market) -> str:
    """Return the venue or chain whose places in the queue the accounts of a market take."""
    return market.venue or market.code


class Worker:
    """Runs the price loop, the look for due accounts, and the readings.

    Any number of them share a database. Each reads what the queue hands to it; prices are asked for
    and due accounts are put into the queue by one of them for all.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        prices: PriceRounds,
        syncer: Syncer,
        queue: SyncQueue,
        clock: Clock,
        rhythm: Rhythm,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._prices = prices
        self._syncer = syncer
        self._queue = queue
        self._clock = clock
        self._rhythm = rhythm
        self._pricing = Elected(store, clock, PRICES)
        self._putting = Elected(store, clock, ACCOUNTS)
        self._front: DuePlace | None = None
        self._sweep: DuePlace | None = None

    async def run(self) -> None:
        """Work until `stop`; what is being read then is finished first."""
        rhythm = self._rhythm
        due = self._store.notices.ear(lambda notice: notice.topic is Topic.DUE)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pricing.run((rhythm.price_interval, self.refresh_prices)))
            group.create_task(self._putting.run((LOOK_EVERY, self.put_due, due)))
            group.create_task(self._queue.run(self._handle, rhythm.concurrency))

    def stop(self) -> None:
        """Come to an end."""
        self._pricing.stop()
        self._putting.stop()
        self._queue.stop()

    async def refresh_prices(self) -> None:
        """Write a price book of this moment."""
        await self._prices.refresh()

    async def put_due(self) -> None:
        """Put accounts that are due into the queue.

        Each look puts in one page of all that are due, page after page, which brings back what the
        queue has lost. It also puts in all that have become due since the last look, so that
        thousands that wait for one venue hold up nobody at another.
        """
        now = self._clock.now()
        page = await self._put_page(now, self._sweep)
        began_anew, is_last = self._sweep is None, len(page) < TAKEN_AT_ONCE
        self._sweep = None if is_last else page[-1].place
        if not (began_anew and is_last):
            await self._put_new(now)
        else:
            self._front = DuePlace(Millis(now - LATE), 0)

    async def _put_new(self, now: Millis) -> None:
        for _ in range(MOST_PAGES):
            page = await self._put_page(now, self._front)
            if len(page) < TAKEN_AT_ONCE:
                self._front = DuePlace(Millis(now - LATE), 0)
                return
            self._front = page[-1].place

    async def _put_page(self, now: Millis, after: DuePlace | None) -> Sequence[DueAccount]:
        async with self._store.reading() as tx:
            page = await tx.accounts.due(now, TAKEN_AT_ONCE, after)
        await self._queue.put([self._due(each) for each in page])
        return page

    def _due(self, account: DueAccount) -> Due:
        market = self._catalogue.get(account.market_code)
        venue = account.market_code if market is None else venue_of(market)
        return Due(account.user_id, account.account_id, venue)

    async def _handle(self, user_id: int, account_id: int) -> None:
        await guarded(
            lambda: self._syncer.sync(user_id, account_id, only_if_due=True), account=account_id
        )
