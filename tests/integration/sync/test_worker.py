"""The worker reads what is due, keeps prices fresh, and outlives what goes wrong."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any, cast

import pytest

import stored
from coffers.clock import ManualClock, Millis
from coffers.errors import CoffersError
from coffers.markets.catalogue import load_catalogue
from coffers.metrics import REGISTRY
from coffers.pricing.keeper import PriceKeeper
from coffers.store.engine import Store
from coffers.store.records import NewAccount
from coffers.sync import worker as work
from coffers.sync.prices import PriceRounds
from coffers.sync.queue import Due, EmbeddedQueue, Handle, queue_of
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


class ToldQueue:
    """A queue that tells what was put into it, and forgets it."""

    def __init__(self) -> None:
        self.told: list[Due] = []

    async def put(self, accounts: Sequence[Due]) -> None:
        self.told += accounts

    async def run(self, handle: Handle, concurrency: int) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def taken(self) -> list[int]:
        """Return the accounts that were put in since the last time."""
        told, self.told = self.told, []
        return [due.account_id for due in told]


async def test_what_becomes_due_goes_before_all_that_wait_and_nothing_is_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "TAKEN_AT_ONCE", 3)
    owner = await stored.user(store)
    waiting = [(await stored.account(store, owner, f"{number}")).id for number in range(8)]
    clock, queue = ManualClock(NOW), ToldQueue()
    prices = PriceRounds(store, load_catalogue(), cast("PriceKeeper", FakeKeeper()), ())
    rhythm = Rhythm(price_interval=1, concurrency=2)
    syncer = cast("Syncer", None)
    looking = Worker(store, load_catalogue(), prices, syncer, queue, clock, rhythm)
    await looking.put_due()
    assert set(queue.taken()) == set(waiting)

    clock.advance(60_000)
    late = (await stored.account(store, owner, "late", market_code="bitcoin_wallet")).id
    async with store.transaction() as tx:
        await tx.accounts.due_at(owner.id, late, Millis(clock.now() - 1))
    await looking.put_due()
    assert [due.venue for due in queue.told if due.account_id == late] == ["bitcoin_wallet"]
    again = Counter(queue.taken())
    for _ in range(2):
        await looking.put_due()
        again.update(queue.taken())
    assert set(again) == {*waiting, late}


@pytest.fixture
async def other_store(database_url: str) -> AsyncIterator[Store]:
    opened = Store(database_url)
    yield opened
    await opened.close()


async def test_of_two_workers_one_asks_for_prices_and_each_account_is_read_once(
    store: Store, other_store: Store
) -> None:
    owner, clock = await stored.user(store), ManualClock(NOW)
    due = {(await stored.account(store, owner, f"{number}")).id for number in range(12)}
    keepers = FakeKeeper(), FakeKeeper()
    read: Counter[int] = Counter()
    all_read = asyncio.Event()

    def made(place: int, opened: Store) -> Worker:
        async def reading(user_id: int, account_id: int) -> None:
            async with opened.transaction() as tx:
                account = await tx.accounts.get(user_id, account_id)
                assert account is not None
                if account.sync.next_sync_at > clock.now():
                    return
                await tx.accounts.due_at(user_id, account_id, Millis(NOW + 1))
            read[account_id] += 1
            if set(read) == due:
                all_read.set()

        return Worker(
            opened,
            load_catalogue(),
            PriceRounds(opened, load_catalogue(), cast("PriceKeeper", keepers[place]), ()),
            cast("Syncer", FakeSyncer(reading)),
            queue_of(opened, {"binance"}),
            clock,
            Rhythm(price_interval=0.01, concurrency=2),
        )

    workers = [made(place, opened) for place, opened in enumerate((store, other_store))]
    running = [asyncio.create_task(each.run()) for each in workers]
    async with asyncio.timeout(20):
        await all_read.wait()
        for each in workers:
            each.stop()
        await asyncio.gather(*running)
    assert sorted(bool(keeper.asked) for keeper in keepers) == [False, True]
    assert read == Counter(due)
