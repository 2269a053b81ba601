"""What a worker asks the database for when there is nothing to do, and how often each second."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from coffers.clock import DAY, Millis, SystemClock
from coffers.portfolio.errand_desk import LOOK_FOR_WORK
from coffers.portfolio.operation_work import LOOKS_EVERY
from coffers.store.engine import Transaction
from coffers.sync import past_worker, trades_worker, venue_markets, worker

PRICES_EVERY: Final = 60.0
"""Seconds: the usual setting."""

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Look:
    """A query, or two that go together, and how often an idle worker asks it, per second."""

    name: str
    ask: Callable[[Transaction], Awaitable[object]]
    per_second: float


async def _put_due(tx: Transaction) -> None:
    await tx.accounts.due(_clock.now(), worker.TAKEN_AT_ONCE)
    await tx.accounts.counts(_clock.now())


async def _walk_back(tx: Transaction) -> None:
    await tx.walks.due(_clock.now(), past_worker.WALKED_AT_ONCE)
    await tx.walks.count_open()


async def _deliveries(tx: Transaction) -> None:
    await tx.webhooks.due(_clock.now(), 160)
    await tx.deliveries.count_waiting()


async def _forget(tx: Transaction) -> None:
    before = Millis(_clock.now() - 30 * DAY)
    await tx.events.forget(before, 1_000)
    await tx.deliveries.forget(before, before, 1_000)


async def _price_round(tx: Transaction) -> None:
    await tx.accounts.venues_in_use()
    await tx.prices.assets_held()
    await tx.prices.assets_held()


LOOKS: Final = (
    Look("due accounts, and how many", _put_due, 1 / worker.LOOK_EVERY),
    Look("walks through flows", _walk_back, 1 / past_worker.LOOK_EVERY),
    Look(
        "walks through trades",
        lambda tx: tx.trades.due(_clock.now(), trades_worker.WALKED_AT_ONCE),
        1 / trades_worker.LOOK_EVERY,
    ),
    Look("errands", lambda tx: tx.errands.is_waiting(_clock.now()), 1 / LOOK_FOR_WORK),
    Look(
        "operations left behind",
        lambda tx: tx.operations.forsaken(_clock.now(), 9),
        1 / LOOKS_EVERY,
    ),
    Look(
        "venues' tasks",
        lambda tx: tx.venue_tasks.due(_clock.now(), venue_markets.MOST_RATES),
        1 / venue_markets.LOOK_EVERY,
    ),
    Look("venues to keep up", lambda tx: tx.accounts.venues_in_use(), 1 / venue_markets.PLAN_EVERY),
    Look("rebalancing", lambda tx: tx.balancing.due(_clock.now(), 4), 1.0),
    Look("newest prices", lambda tx: tx.prices.newest_epoch(), 1.0),
    Look("webhooks", _deliveries, 1.0),
    Look("forgetting", _forget, 1 / 3_600),
    Look("a price round", _price_round, 1 / PRICES_EVERY),
)
