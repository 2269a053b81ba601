"""The worker reads what is due, keeps prices fresh, and outlives what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

import pytest

from coffers.clock import ManualClock
from coffers.errors import CoffersError
from coffers.markets.catalogue import load_catalogue
from coffers.metrics import REGISTRY
from coffers.pricing.keeper import PriceKeeper
from coffers.store.engine import Store
from coffers.store.records import NewAccount
from coffers.sync.prices import PriceRounds
from coffers.sync.queue import EmbeddedQueue
from coffers.sync.syncer import Syncer
from coffers.sync.worker import Rhythm, Worker
from coffers.valuation.model import PriceBook
from factories import NOW


class FakeKeeper:
    """Prices that are told to have been asked for."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.fault: Exception | None = None

    async def refresh(self, venues: Collection[str]) -> PriceBook | None:
        self.asked.append(set(venues))
        if self.fault is not None:
            raise self.fault
        return None


class FakeSyncer:
    """Readings that do as told."""

    def __init__(self, work: Callable[[int, int], Awaitable[None]]) -> None:
        self._work = work

    async def sync(self, user_id: int, account_id: int, *, only_if_due: bool) -> Any:
        assert only_if_due
        return await self._work(user_id, account_id)


def worker(store: Store, keeper: FakeKeeper, read: Callable[[int, int], Awaitable[None]]) -> Worker:
    return Worker(
        store,
        load_catalogue(),
        PriceRounds(store, load_catalogue(), cast("PriceKeeper", keeper), ()),
        cast("Syncer", FakeSyncer(read)),
        EmbeddedQueue(),
        ManualClock(NOW),
        Rhythm(price_interval=0.01, concurrency=2),
    )


@pytest.fixture
async def accounts(sqlite_store: Store) -> list[int]:
    async with sqlite_store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
        added = [
            await tx.accounts.add(
                NewAccount(user.id, code, code, api_key=code),
                identity=code,
                credential_id=code,
                now=NOW,
            )
            for code in ("binance", "binance_us")
        ]
    return [account.id for account in added]


async def test_due_accounts_are_read_and_prices_come_from_their_venues(
    sqlite_store: Store, accounts: list[int]
) -> None:
    keeper, seen = FakeKeeper(), set()

    async def read(_user_id: int, account_id: int) -> None:
        seen.add(account_id)
        if seen == set(accounts):
            running.stop()

    running = worker(sqlite_store, keeper, read)
    async with asyncio.timeout(10):
        await running.run()
    assert seen == set(accounts)
    assert keeper.asked[0] == {"binance", "binanceus"}


@pytest.mark.parametrize("fault", [CoffersError("ours"), RuntimeError("a bug")])
async def test_a_fault_in_one_piece_of_work_does_not_end_the_others(
    sqlite_store: Store, accounts: list[int], fault: Exception
) -> None:
    keeper, seen = FakeKeeper(), set()
    keeper.fault = fault
    labels = {"error": type(fault).__name__}
    before = REGISTRY.get_sample_value("coffers_worker_failures_total", labels) or 0

    async def read(_user_id: int, account_id: int) -> None:
        seen.add(account_id)
        if seen == set(accounts):
            running.stop()
        raise fault

    running = worker(sqlite_store, keeper, read)
    async with asyncio.timeout(10):
        await running.run()
    after = REGISTRY.get_sample_value("coffers_worker_failures_total", labels)
    assert after is not None
    assert after - before >= 3
