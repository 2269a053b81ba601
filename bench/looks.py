"""What the database is asked for when there is nothing to do, and how often each second."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from coffers.clock import DAY, Millis, SystemClock
from coffers.portfolio import balance_worker, deliveries, errand_desk, operation_work
from coffers.portfolio.pending import forget_checked
from coffers.settings import Settings
from coffers.store.engine import Transaction
from coffers.sync import venue_markets, walk_worker, worker

PRICES_EVERY: Final = float(Settings.model_fields["price_interval"].default)
"""Seconds: the setting where nobody sets it."""

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Look:
    """A query, or some that go together, and how many seconds apart an idle worker asks it.

    `every_told` holds where notices tell of what is looked for, which is on PostgreSQL. What has no
    `every` is asked by no worker.
    """

    name: str
    ask: Callable[[Transaction], Awaitable[object]]
    every: float | None
    every_told: float | None = None

    def per_second(self, *, is_told: bool) -> float:
        """Return how often a second a worker asks it, by whether notices are heard."""
        every = self.every_told if is_told and self.every_told is not None else self.every
        return 0.0 if every is None else 1 / every


async def _count(tx: Transaction) -> None:
    await tx.accounts.counts(_clock.now())
    await tx.accounts.failing()
    await tx.walks.count_open()
    await tx.deliveries.count_waiting()


async def _forget(tx: Transaction) -> None:
    now = _clock.now()
    before = Millis(now - 30 * DAY)
    await tx.events.forget(before, now, 1_000)
    await tx.deliveries.forget(before, before, 1_000)


async def _forget_errands(tx: Transaction) -> None:
    now = _clock.now()
    await forget_checked(tx, now)
    await tx.errands.empty(now)
    await tx.errands.forget(Millis(now - DAY))


async def _price_round(tx: Transaction) -> None:
    await tx.accounts.venues_in_use()
    await tx.prices.assets_held()
    await tx.prices.assets_held()


LOOKS: Final = (
    Look(
        "due accounts",
        lambda tx: tx.accounts.due(_clock.now(), worker.TAKEN_AT_ONCE),
        worker.LOOK_EVERY,
    ),
    Look(
        "walks through flows",
        lambda tx: tx.walks.due(_clock.now(), walk_worker.WALKED_AT_ONCE),
        walk_worker.LOOK_EVERY,
    ),
    Look(
        "walks through trades",
        lambda tx: tx.trades.due(_clock.now(), walk_worker.WALKED_AT_ONCE),
        walk_worker.LOOK_EVERY,
    ),
    Look(
        "errands",
        lambda tx: tx.errands.is_waiting(_clock.now()),
        errand_desk.LOOK_FOR_WORK,
        errand_desk.LOOK_FOR_WORK_TOLD,
    ),
    Look("forgetting errands", _forget_errands, errand_desk.FORGET_EVERY),
    Look(
        "operations left behind",
        lambda tx: tx.operations.forsaken(_clock.now(), 9),
        operation_work.LOOKS_EVERY,
    ),
    Look(
        "venues' tasks",
        lambda tx: tx.venue_tasks.due(_clock.now(), venue_markets.MOST_RATES),
        venue_markets.LOOK_EVERY,
        venue_markets.LOOK_EVERY_TOLD,
    ),
    Look("venues to keep up", lambda tx: tx.accounts.venues_in_use(), venue_markets.PLAN_EVERY),
    Look(
        "rebalancing",
        lambda tx: tx.balancing.due(_clock.now(), balance_worker.MAX_CONCURRENT),
        balance_worker.LOOK_EVERY,
    ),
    Look("newest prices", lambda tx: tx.prices.newest_epoch(), balance_worker.LOOK_EVERY),
    Look(
        "webhooks",
        lambda tx: tx.webhooks.due(_clock.now(), 10 * deliveries.MAX_CONCURRENT),
        deliveries.LOOK_EVERY,
    ),
    Look("forgetting", _forget, deliveries.CLEAN_EVERY),
    Look("a price round", _price_round, PRICES_EVERY),
    Look("what a call of /metrics counts", _count, None),
)
