"""Rates of display currencies follow the price books, each new one at the cost of its own rates."""

import asyncio
import gc
import tracemalloc
from dataclasses import replace
from decimal import Decimal

import pytest

from coffers import money
from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.portfolio import rates
from coffers.portfolio.rates import RateTable
from coffers.store.engine import Store
from coffers.store.prices import SLOT, Prices
from coffers.valuation.model import Price, PriceBook
from factories import NOW


async def book_with_rate(store: Store, at: int, usd: str) -> PriceBook:
    price, moment = Decimal(usd), Millis(at)
    async with store.transaction() as tx:
        await tx.prices.save_rates({"EUR": price}, moment)
        euro = Price(Decimal("0.00002"), price, (), (), moment)
        return await tx.prices.save_book({"EUR": euro}, moment)


async def test_a_moment_has_the_last_rate_before_it(sqlite_store: Store) -> None:
    table = RateTable(sqlite_store)
    first = await book_with_rate(sqlite_store, NOW, "1.25")
    rate_at = (await table.of("EUR", first)).rate_at
    assert rate_at(NOW) == Decimal("0.8")
    assert rate_at(Millis(NOW - 1)) is None
    second = await book_with_rate(sqlite_store, NOW + HOUR, "2")
    rate_at = (await table.of("EUR", second)).rate_at
    assert rate_at(Millis(NOW + HOUR - 1)) == Decimal("0.8")
    assert rate_at(Millis(NOW + HOUR)) == Decimal("0.5")


async def test_from_a_book_s_moment_on_the_rate_is_its_own_and_past_moments_keep_theirs(
    sqlite_store: Store,
) -> None:
    running, start = RateTable(sqlite_store), Millis(NOW // SLOT * SLOT)
    moments = [Millis(start + minute * MINUTE) for minute in range(90)]
    for minute, at in enumerate(moments):
        book = await book_with_rate(sqlite_store, at, str(100 + minute))
        now = await running.of("EUR", book)
        assert now.rate_at(at) == money.divide(Decimal(1), Decimal(100 + minute))
    async with sqlite_store.transaction() as tx:
        await tx.prices.thin(Millis(NOW + 9 * DAY))
    began = await RateTable(sqlite_store).of("EUR", book)
    assert [began.rate_at(at) for at in moments] == [now.rate_at(at) for at in moments]
    earlier = await running.of("EUR", replace(book, epoch=1, at=moments[40]))
    assert [earlier.rate_at(at) for at in moments[:40]] == [now.rate_at(at) for at in moments[:40]]
    assert earlier.settled_until < moments[40]


async def test_a_rate_older_than_a_day_is_not_that_moment_s(sqlite_store: Store) -> None:
    book = await book_with_rate(sqlite_store, NOW, "1.25")
    rate_at = (await RateTable(sqlite_store).of("EUR", book)).rate_at
    assert rate_at(Millis(NOW + DAY)) == Decimal("0.8")
    assert rate_at(Millis(NOW + DAY + 1)) is None
    unpriced = (await RateTable(sqlite_store).of("EUR", replace(book, prices={}))).rate_at
    assert unpriced(Millis(NOW + DAY)) == Decimal("0.8")
    assert unpriced(Millis(NOW + DAY + 1)) is None


async def test_a_clock_that_was_ahead_hides_no_later_rate(sqlite_store: Store) -> None:
    running = RateTable(sqlite_store)
    await running.of("EUR", await book_with_rate(sqlite_store, NOW + 9 * DAY, "9"))
    await running.of("EUR", await book_with_rate(sqlite_store, NOW, "1.25"))
    later = await book_with_rate(sqlite_store, NOW + 2 * HOUR, "2")
    for table in (running, RateTable(sqlite_store)):
        euro = await table.of("EUR", later)
        assert euro.rate_at(Millis(NOW + HOUR)) == Decimal("0.8")
        assert euro.settled_until < NOW + 2 * HOUR


async def test_dollars_need_no_rate(sqlite_store: Store) -> None:
    table = RateTable(sqlite_store)
    assert (await table.of("USD", None)).rate_at(NOW) == 1


async def test_a_currency_without_rates_has_none(sqlite_store: Store) -> None:
    book = await book_with_rate(sqlite_store, NOW, "1.25")
    assert (await RateTable(sqlite_store).of("XYZ", replace(book, epoch=9))).rate_at(NOW) is None


async def test_two_who_ask_at_once_leave_each_rate_there_once(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = RateTable(sqlite_store)
    await table.of("EUR", await book_with_rate(sqlite_store, NOW, "1.25"))
    before = await book_with_rate(sqlite_store, NOW + HOUR, "2")
    asked, history = asyncio.Event(), Prices.rate_history

    async def slow(
        prices: Prices, currency: str, since: Millis, limit: int
    ) -> list[tuple[Millis, Decimal]]:
        found = await history(prices, currency, since, limit)
        if not asked.is_set():
            asked.set()
            await released.wait()
        return found

    monkeypatch.setattr(Prices, "rate_history", slow)
    released = asyncio.Event()
    early = asyncio.create_task(table.of("EUR", before))
    await asked.wait()
    after = await book_with_rate(sqlite_store, NOW + 2 * HOUR, "4")
    late = await table.of("EUR", after)
    released.set()
    for euro in (late, await early):
        assert euro.rate_at(Millis(NOW + HOUR)) == Decimal("0.5")
        assert euro.rate_at(NOW) == Decimal("0.8")
    assert late.rate_at(Millis(NOW + 2 * HOUR)) == Decimal("0.25")
    assert [*table._kept["EUR"].moments] == [NOW, NOW + HOUR, NOW + 2 * HOUR]


async def test_the_rates_of_years_are_read_in_portions_and_take_little_room(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "BATCH_SIZE", 100)
    begin, several = NOW // SLOT * SLOT, 1_050
    told = [Decimal(1) / Decimal(1 + number % 9) for number in range(several)]
    async with sqlite_store.transaction() as tx:
        for number, usd in enumerate(told):
            await tx.prices.save_rates({"EUR": usd}, Millis(begin + number * SLOT))
    book = await book_with_rate(sqlite_store, begin + several * SLOT, "1.25")
    # What a first question leaves behind, a statement's text for one, is not the table's.
    await RateTable(sqlite_store).of("EUR", book)
    table = RateTable(sqlite_store)
    gc.collect()
    tracemalloc.start()
    try:
        euro = await table.of("EUR", book)
        most = tracemalloc.get_traced_memory()[1]
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    # Each by itself would take 150 bytes.
    assert kept < 70 * several
    assert most < 150 * several
    for number, usd in enumerate(told):
        at = Millis(begin + (number + 1) * SLOT - 1)
        assert euro.rate_at(at) == money.divide(Decimal(1), usd)
