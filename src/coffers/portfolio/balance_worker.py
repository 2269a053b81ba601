"""The worker's part that looks for accounts to be rebalanced, until it is stopped."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import Clock
from coffers.portfolio.auto_balance import target_prices
from coffers.portfolio.balancer import AlreadyRunning, Balancer
from coffers.store.balancing import Due, Watched
from coffers.store.engine import Store, Transaction
from coffers.store.leases import BALANCE
from coffers.store.newest import NewestBook
from coffers.store.records import BalanceState
from coffers.sync.elected import Elected
from coffers.sync.loops import Loops, guarded
from coffers.sync.snapshots import is_fresh
from coffers.valuation.model import PriceBook

LOOK_EVERY: Final = 1.0
"""Seconds between two looks: how late a run may begin."""

MAX_CONCURRENT: Final = 4
"""Accounts that are rebalanced at the same time."""

_PAGE: Final = 500


class BalanceWorker:
    """Runs what is due: by the time, or since a price has moved."""

    def __init__(self, store: Store, balancer: Balancer, clock: Clock) -> None:
        self._store = store
        self._balancer = balancer
        self._clock = clock
        self._loops = Loops()
        self._watching = Elected(store, clock, BALANCE)
        self._newest = NewestBook()
        self._seen = 0

    async def run(self) -> None:
        """Look for work until `stop`; what is being run then is finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loops.every(LOOK_EVERY, self.run_due))
            group.create_task(self._watching.run((LOOK_EVERY, self.run_moved)))

    def stop(self) -> None:
        """Come to an end."""
        self._loops.stop()
        self._watching.stop()

    async def run_due(self) -> None:
        """Run some accounts that are due; workers share them by claims."""
        async with self._store.reading() as tx:
            due = await tx.balancing.due(self._clock.now(), MAX_CONCURRENT)
        await self._run_all(due)

    async def run_moved(self) -> None:
        """Run all accounts whose prices have moved too far; one worker does, for all.

        A second one would find the same and run them again, once the first is through.
        """
        await self._run_all(await self._moved())

    async def _run_all(self, due: Sequence[Due]) -> None:
        free = asyncio.Semaphore(MAX_CONCURRENT)
        await asyncio.gather(*(self._run(free, each) for each in due))

    async def _run(self, free: asyncio.Semaphore, due: Due) -> None:
        async with free:
            await guarded(lambda: self._balance(due), account=due.account_id)

    async def _balance(self, due: Due) -> None:
        try:
            await self._balancer.run_due(due)
        except AlreadyRunning:
            # Another worker was quicker, or the settings are others by now.
            return

    async def _moved(self) -> list[Due]:
        """Return the accounts whose prices have moved too far, once for each new price book."""
        async with self._store.reading() as tx:
            book = await self._newest.read(tx)
        now = self._clock.now()
        if book is None or book.epoch == self._seen or not is_fresh(book, now):
            return []
        found: list[Due] = []
        after = 0
        while True:
            async with self._store.reading() as tx:
                watched = await tx.balancing.watched(now, _PAGE, after)
            found += [
                Due(each.user_id, each.account_id, each.next_at)
                for each in watched
                if await self._has_moved(each, book)
            ]
            if len(watched) < _PAGE:
                break
            after = watched[-1].account_id
        self._seen = book.epoch
        return found

    async def _has_moved(self, watched: Watched, book: PriceBook) -> bool:
        """Tell whether a price has moved too far; one that was not known before counts from now."""
        async with self._store.reading() as tx:
            prices = await _prices(tx, watched, book)
        if new := {asset: usd for asset, usd in prices.items() if asset not in watched.prices}:
            async with self._store.transaction() as tx:
                await tx.accounts.held(watched.user_id, watched.account_id)
                state = await tx.balancing.get(watched.user_id, watched.account_id)
                if state is not None:
                    known = BalanceState(state.next_at, state.failures, {**new, **state.prices})
                    await tx.balancing.put(watched.user_id, watched.account_id, known)
        return any(
            moved_by(before, prices[asset]) > watched.limit
            for asset, before in watched.prices.items()
            if asset in prices
        )


async def _prices(tx: Transaction, watched: Watched, book: PriceBook) -> dict[str, Decimal]:
    portfolio = await tx.portfolios.get(watched.user_id, watched.portfolio_id)
    if portfolio is None:
        return {}
    return target_prices(portfolio, (await tx.choices.of(watched.user_id)).book(book))


def moved_by(before: Decimal, now: Decimal) -> Decimal:
    """Return by how many percent of what it was a price has moved, up or down."""
    return money.percentage(money.subtract(now, before).copy_abs(), before)
