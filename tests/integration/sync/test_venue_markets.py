"""Which venues a worker lists, when again, and that no two do the same."""

import asyncio
from decimal import Decimal

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.venue_tasks import CURRENCIES, PAIRS, Task, rate_of
from coffers.sync.venue_markets import EVERY
from factories import NOW
from market_office import at_work


async def test_rates_of_one_venue_that_are_due_together_cost_one_call(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        symbols = [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "ADA")]
        async with store.transaction() as tx:
            for symbol in symbols:
                await tx.venue_tasks.ask(rate_of("binance", symbol), NOW, is_due=True)
        await office.worker.work()
        assert await office.calls("/api/v3/ticker/24hr") == 1
        async with store.reading() as tx:
            assert all([await tx.venue_markets.rate("binance", symbol) for symbol in symbols])
            assert await tx.venue_tasks.due(NOW, 9) == []


async def test_a_rate_that_nobody_waits_for_any_more_is_not_asked(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        async with store.transaction() as tx:
            await tx.venue_tasks.ask(rate_of("binance", "BTC/USDT"), NOW, is_due=True)
        office.api.clock.advance(HOUR)
        await office.worker.plan()
        await office.worker.work()
        assert await office.calls("/api/v3/ticker/24hr") == 0


async def test_venues_of_accounts_are_listed_unasked_and_again_hours_later(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        await office.connected()
        await office.worker.plan()
        await office.worker.work()
        async with store.reading() as tx:
            pairs = {pair.symbol: pair for pair in await tx.venue_markets.pairs("binance")}
            standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
            assert await tx.venue_tasks.standing(Task("binance", CURRENCIES)) is None
        btc = pairs["BTC/USDT"]
        assert (btc.amount_step, btc.min_cost) == (Decimal("0.000001"), Decimal(4))
        assert btc.taker is not None
        assert standing is not None
        assert standing.due_at == NOW + EVERY
        office.api.clock.advance(EVERY - MINUTE)
        await office.worker.plan()
        await office.worker.work()
        assert await office.calls("/api/v3/exchangeInfo") == 1
        office.api.clock.advance(2 * MINUTE)
        await office.worker.work()
        assert await office.calls("/api/v3/exchangeInfo") == 2


async def test_a_venue_that_fails_is_tried_again_ever_later(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        await office.connected()
        await office.broken("/api/v3/exchangeInfo")
        pauses = []
        for _ in range(4):
            await office.worker.plan()
            await office.worker.work()
            async with store.reading() as tx:
                standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
            assert standing is not None
            assert standing.due_at is not None
            pauses.append(standing.due_at - office.api.clock.now())
            office.api.clock.set(standing.due_at)
        assert pauses == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]


async def test_a_venue_that_nobody_is_interested_in_any_more_falls_asleep(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        async with store.transaction() as tx:
            await tx.venue_tasks.ask(Task("binance", PAIRS), NOW, is_due=True)
        await office.worker.work()
        office.api.clock.advance(4 * DAY)
        await office.worker.work()
        async with store.reading() as tx:
            standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
        assert standing is not None
        assert standing.done_at == NOW + 4 * DAY
        assert standing.due_at is None


async def test_two_workers_do_not_list_a_venue_twice(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        await office.connected()
        await office.worker.plan()
        await asyncio.gather(office.worker.work(), office.worker.work())
        assert await office.calls("/api/v3/exchangeInfo") == 1


async def test_a_claim_of_a_worker_that_died_runs_out(store: Store) -> None:
    task, later = Task("binance", PAIRS), Millis(NOW + MINUTE)
    async with store.transaction() as tx:
        await tx.venue_tasks.ask(task, NOW, is_due=True)
        assert await tx.venue_tasks.take(task, "dead", NOW, later)
        assert not await tx.venue_tasks.take(task, "other", NOW, later)
        assert await tx.venue_tasks.due(NOW, 9) == []
        after = Millis(later + 1)
        assert await tx.venue_tasks.due(after, 9) == [task]
        assert await tx.venue_tasks.take(task, "other", after, Millis(after + MINUTE))
        assert not await tx.venue_tasks.done(task, "dead", after, None)
        assert await tx.venue_tasks.done(task, "other", after, None)
