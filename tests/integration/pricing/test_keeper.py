"""The price keeper with a real database and venues that answer as each test says."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

import stored
from coffers import metrics
from coffers.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Millis, SettledClock
from coffers.errors import CoffersError
from coffers.markets.quote import Quote
from coffers.pricing.keeper import MOST_SAID, QUOTES_LAST, PriceKeeper
from coffers.store.engine import Store
from coffers.store.tables import price_books
from factories import NOW, position, settled
from unit.pricing.quoting import BITCOIN, FLOOR, quote

ALGO = quote("ALGO/BTC", "0.000002", venue="binance")


class VenueIsDown(CoffersError):
    """The venue gave no answer."""


class FakeVenues:
    """Venues that quote what they are told to, at the time of the clock."""

    def __init__(self, clock: ManualClock) -> None:
        self.quoting: dict[str, list[Quote]] = {"kraken": [BITCOIN], "binance": [ALGO]}
        self.calls: list[str] = []
        self.opened = asyncio.Event()
        self.opened.set()
        self.asked = asyncio.Event()
        self._clock = clock

    async def quotes(self, venue: str) -> Sequence[Quote]:
        self.calls.append(venue)
        if len(self.calls) == len(self.quoting):
            self.asked.set()
        await self.opened.wait()
        if venue not in self.quoting:
            raise VenueIsDown(f"{venue} is down")
        return [replace(each, at=self._clock.now()) for each in self.quoting[venue]]

    def fail(self, venue: str) -> None:
        self.quoting.pop(venue)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def venues(clock: ManualClock) -> FakeVenues:
    return FakeVenues(clock)


@pytest.fixture
def keeper(sqlite_store: Store, venues: FakeVenues, clock: ManualClock) -> PriceKeeper:
    made = PriceKeeper(sqlite_store, venues, clock, FLOOR)
    made._settled = settled(clock)
    return made


BOTH = ("kraken", "binance")


def failures(venue: str) -> float:
    return metrics.price_failures.labels(venue)._value.get()


async def test_a_refresh_stores_a_book_of_all_venues(
    store: Store, venues: FakeVenues, clock: ManualClock
) -> None:
    book = await PriceKeeper(store, venues, clock, FLOOR).refresh(BOTH)

    async with store.reading() as tx:
        assert await tx.prices.newest() == book
    assert book.epoch == 1
    assert book.at == NOW
    assert book.prices["ALGO"].usd == Decimal("0.2")
    assert book.prices["ALGO"].sources == ("binance",)


async def test_a_refresh_stores_the_rates_of_display_currencies(
    keeper: PriceKeeper, sqlite_store: Store, venues: FakeVenues
) -> None:
    venues.quoting["kraken"].append(quote("EUR/USD", "1.16"))

    await keeper.refresh(BOTH)

    async with sqlite_store.reading() as tx:
        assert await tx.prices.rate_history("EUR", Millis(0)) == [(NOW, Decimal("1.16"))]
        assert await tx.prices.rate_history("BTC", Millis(0)) == [(NOW, Decimal(100_000))]
        assert await tx.prices.rate_history("ALGO", Millis(0)) == []


async def test_equal_prices_at_a_later_time_are_a_new_epoch(
    keeper: PriceKeeper, clock: ManualClock
) -> None:
    first = await keeper.refresh(BOTH)
    clock.advance(30 * SECOND)
    second = await keeper.refresh(BOTH)

    assert second.epoch == first.epoch + 1
    assert second.at == first.at + 30 * SECOND


async def test_a_failing_venues_last_quotes_count_for_ten_minutes_with_their_age(
    keeper: PriceKeeper, venues: FakeVenues, clock: ManualClock
) -> None:
    await keeper.refresh(BOTH)
    venues.fail("binance")
    clock.advance(10 * MINUTE)
    still = await keeper.refresh(BOTH)
    clock.advance(1)
    gone = await keeper.refresh(BOTH)

    assert still.prices["ALGO"].at == NOW
    assert still.prices["BTC"].at == NOW + 10 * MINUTE
    assert "ALGO" not in gone.prices
    assert "BTC" in gone.prices


async def test_quotes_of_a_clock_that_was_ahead_do_not_count_for_as_long(
    keeper: PriceKeeper, venues: FakeVenues, clock: ManualClock
) -> None:
    clock.advance(HOUR)
    await keeper.refresh(BOTH)
    venues.fail("binance")
    clock.advance(-HOUR)
    book = await keeper.refresh(BOTH)
    assert "ALGO" not in book.prices
    assert "BTC" in book.prices


async def test_each_failure_is_counted_and_each_change_logged_once(
    keeper: PriceKeeper, venues: FakeVenues
) -> None:
    before, binance = failures("binance"), venues.quoting["binance"]
    with capture_logs() as logs:
        venues.fail("binance")
        for _ in range(3):
            await keeper.refresh(BOTH)
        venues.quoting["binance"] = binance
        for _ in range(2):
            await keeper.refresh(BOTH)

    assert failures("binance") - before == 3
    assert [entry["event"] for entry in logs] == ["venue_without_quotes", "venue_quotes_again"]
    assert logs[0]["reason"] == "binance is down"


async def test_a_venue_that_quotes_nothing_counts_as_failing(
    keeper: PriceKeeper, venues: FakeVenues
) -> None:
    await keeper.refresh(BOTH)
    before = failures("binance")
    venues.quoting["binance"] = []
    book = await keeper.refresh(BOTH)

    assert failures("binance") - before == 1
    assert "ALGO" in book.prices


async def test_when_no_venue_answers_the_old_book_stays(
    keeper: PriceKeeper, sqlite_store: Store, venues: FakeVenues
) -> None:
    book = await keeper.refresh(BOTH)
    venues.quoting.clear()

    assert await keeper.refresh(BOTH) is None
    async with sqlite_store.reading() as tx:
        assert await tx.prices.newest() == book


async def test_without_venues_nothing_is_written(keeper: PriceKeeper, sqlite_store: Store) -> None:
    assert await keeper.refresh(()) is None
    async with sqlite_store.reading() as tx:
        assert await tx.prices.newest() is None


async def test_quotes_that_give_no_price_write_nothing(
    keeper: PriceKeeper, sqlite_store: Store, venues: FakeVenues
) -> None:
    venues.quoting = {"kraken": [quote("ALGO/EUR", "1")]}

    assert await keeper.refresh(("kraken",)) is None
    async with sqlite_store.reading() as tx:
        assert await tx.prices.newest_epoch() == 0


async def test_venues_are_asked_all_at_once(keeper: PriceKeeper, venues: FakeVenues) -> None:
    venues.opened.clear()
    refresh = asyncio.create_task(keeper.refresh(BOTH))
    await asyncio.wait_for(venues.asked.wait(), 5)

    assert sorted(venues.calls) == sorted(BOTH)
    venues.opened.set()
    await refresh


async def test_who_stood_still_in_a_round_writes_no_old_prices_as_new(
    keeper: PriceKeeper, venues: FakeVenues, clock: ManualClock
) -> None:
    venues.opened.clear()
    refresh = asyncio.create_task(keeper.refresh(BOTH))
    await asyncio.wait_for(venues.asked.wait(), 5)
    clock.advance(QUOTES_LAST + 1)
    venues.opened.set()
    assert await refresh is None
    assert await keeper.refresh(BOTH) is not None


async def test_refreshes_at_the_same_time_share_one(
    keeper: PriceKeeper, venues: FakeVenues
) -> None:
    books = await asyncio.gather(*(keeper.refresh(BOTH) for _ in range(5)))

    assert len(venues.calls) == 2
    assert all(book is books[0] for book in books)


async def test_a_refresh_of_another_venue_at_the_same_time_is_one_of_its_own(
    keeper: PriceKeeper,
) -> None:
    only_kraken, both = await asyncio.gather(keeper.refresh(("kraken",)), keeper.refresh(BOTH))

    assert "ALGO" not in only_kraken.prices
    assert "ALGO" in both.prices


async def test_a_refresh_that_was_cancelled_leaves_the_next_one_to_do_its_own(
    keeper: PriceKeeper, venues: FakeVenues
) -> None:
    venues.opened.clear()
    first = asyncio.create_task(keeper.refresh(BOTH))
    second = asyncio.create_task(keeper.refresh(BOTH))
    await asyncio.wait_for(venues.asked.wait(), 5)
    first.cancel()
    venues.opened.set()

    assert (await second).epoch == 1
    assert first.cancelled()


async def test_old_books_are_thinned_now_and_then(
    keeper: PriceKeeper, sqlite_store: Store, clock: ManualClock
) -> None:
    for _ in range(4):
        await keeper.refresh(BOTH)
        clock.advance(SECOND)
    clock.advance(2 * HOUR)
    await keeper.refresh(BOTH)

    async with sqlite_store.reading() as tx:
        kept = await tx.prices.book_near(Millis(NOW + 3 * SECOND), Millis(10 * SECOND))
    assert kept.epoch == 1


NEIRO = [quote("NEIRO/USD", "3.4", volume="1e7")]
GATES = [quote("NEIRO/USDT", "0.02", venue="gate", volume="1e5")]
THREE = (*BOTH, "gate")


@pytest.fixture
def two_neiros(venues: FakeVenues) -> FakeVenues:
    """Venues of which one trades another asset by the name of NEIRO."""
    venues.quoting["kraken"] += [quote("USDT/USD", "1"), *NEIRO]
    venues.quoting["gate"] = list(GATES)
    return venues


async def test_an_asset_of_the_same_symbol_has_its_own_price_and_what_is_held_follows(
    store: Store, two_neiros: FakeVenues, clock: ManualClock
) -> None:
    owner = await stored.user(store)
    there = await stored.account(store, owner, "Gate", market_code="gate_io")
    elsewhere = await stored.account(store, owner, "Kraken", market_code="kraken")
    async with store.transaction() as tx:
        for known in (there, elsewhere):
            await tx.holdings.replace(owner.id, known.id, ["spot"], [position("NEIRO", "5")])

    with capture_logs() as logs:
        book = await PriceKeeper(store, two_neiros, clock, FLOOR).refresh(THREE)

    assert book.prices["NEIRO"].usd == Decimal("3.4")
    assert book.prices["NEIRO@gate"].usd == Decimal("0.02")
    assert book.named("gate", "NEIRO") == "NEIRO@gate"
    assert book.named("kraken", "NEIRO") == book.named(None, "NEIRO") == "NEIRO"
    async with store.reading() as tx:
        assert await tx.prices.newest() == book
        held = await tx.holdings.of_accounts(owner.id, [there.id, elsewhere.id])
    assert [each.asset for each in held[there.id]] == ["NEIRO@gate"]
    assert [each.venue_code for each in held[there.id]] == ["NEIRO"]
    assert [each.asset for each in held[elsewhere.id]] == ["NEIRO"]
    assert [log for log in logs if log["event"] == "symbols_mean_other_assets"] == [
        {
            "event": "symbols_mean_other_assets",
            "count": 1,
            "log_level": "warning",
            "venue": "gate",
            "assets": ["NEIRO -> NEIRO@gate"],
        }
    ]


async def test_another_process_goes_on_with_what_is_apart(
    sqlite_store: Store, two_neiros: FakeVenues, clock: ManualClock
) -> None:
    await PriceKeeper(sqlite_store, two_neiros, clock, FLOOR).refresh(THREE)
    clock.advance(MINUTE)
    two_neiros.quoting["gate"] = [quote("NEIRO/USDT", "3.3", venue="gate", volume="1e5")]

    with capture_logs() as logs:
        book = await PriceKeeper(sqlite_store, two_neiros, clock, FLOOR).refresh(THREE)

    assert book.apart == {"gate": {"NEIRO": clock.now()}}
    assert book.held_back["NEIRO@gate"].price.usd == Decimal("3.3")
    assert logs == []


async def test_an_outage_of_all_venues_keeps_what_is_apart(
    sqlite_store: Store, two_neiros: FakeVenues, clock: ManualClock
) -> None:
    keeper = PriceKeeper(sqlite_store, two_neiros, clock, FLOOR)
    before = await keeper.refresh(THREE)
    quoting, two_neiros.quoting = two_neiros.quoting, {}
    clock.advance(MINUTE)
    assert await keeper.refresh(THREE) is None

    two_neiros.quoting = quoting
    clock.advance(MINUTE)
    after = await keeper.refresh(THREE)

    assert after.apart == before.apart


async def test_a_wait_goes_on_in_another_process(
    sqlite_store: Store, two_neiros: FakeVenues, clock: ManualClock
) -> None:
    agreeing = [quote("NEIRO/USDT", "3.4", venue="gate", volume="1e5")]
    crashed, two_neiros.quoting["gate"] = two_neiros.quoting["gate"], agreeing
    await PriceKeeper(sqlite_store, two_neiros, clock, FLOOR).refresh(THREE)
    two_neiros.quoting["gate"] = crashed
    began = Millis(clock.now() + MINUTE)
    for _ in range(10):
        clock.advance(MINUTE)
        book = await PriceKeeper(sqlite_store, two_neiros, clock, FLOOR).refresh(THREE)
        assert (book.apart, book.meanings.far_off) == ({}, {"gate": {"NEIRO": began}})
    clock.advance(MINUTE)
    book = await PriceKeeper(sqlite_store, two_neiros, clock, FLOOR).refresh(THREE)
    assert book.apart == {"gate": {"NEIRO": None}}


async def test_a_price_that_sets_an_asset_apart_may_be_a_leap(
    sqlite_store: Store, two_neiros: FakeVenues, clock: ManualClock
) -> None:
    keeper = PriceKeeper(sqlite_store, two_neiros, clock, FLOOR)
    await keeper.refresh(BOTH)
    clock.advance(MINUTE)
    book = await keeper.refresh(THREE)

    assert "NEIRO@gate" not in book.prices
    held = book.held_back["NEIRO@gate"]
    assert (held.price.usd, held.believed.usd) == (Decimal("0.02"), Decimal("3.4"))
    for _ in range(10):
        clock.advance(MINUTE)
        book = await keeper.refresh(THREE)
    assert book.prices["NEIRO@gate"].usd == Decimal("0.02")


async def books_left(store: Store, *ages: int) -> int:
    """Store books of so long before `NOW`, and return how many there are of them all."""
    async with store.transaction() as tx:
        for age in ages:
            await tx.prices.save_book({}, Millis(NOW - age))
    async with store.connection(is_reading=True) as connection:
        return len((await connection.execute(select(price_books.c.epoch))).all())


async def test_old_books_are_forgotten_once_the_clock_has_settled(
    keeper: PriceKeeper, sqlite_store: Store, clock: ManualClock
) -> None:
    await books_left(sqlite_store, 9 * DAY, 8 * DAY)
    keeper._settled = SettledClock(clock)
    await keeper.refresh(BOTH)
    assert await books_left(sqlite_store) == 3
    keeper._settled = settled(clock)
    await keeper.refresh(BOTH)
    assert await books_left(sqlite_store) == 2
    # The next time is a quarter of an hour later, or once the clock was set back.
    await books_left(sqlite_store, 9 * DAY)
    await keeper.refresh(BOTH)
    assert await books_left(sqlite_store) == 4
    clock.advance(DAY)
    await keeper.refresh(BOTH)
    clock.advance(-DAY)
    await books_left(sqlite_store, 9 * DAY)
    before = await books_left(sqlite_store)
    await keeper.refresh(BOTH)
    assert await books_left(sqlite_store) == before


async def test_of_many_symbols_the_log_names_the_first(
    sqlite_store: Store, two_neiros: FakeVenues, clock: ManualClock
) -> None:
    two_neiros.quoting["binance"] += [
        quote(f"A{n}/USDT", "1", venue="binance", volume="1e7") for n in range(50)
    ]
    two_neiros.quoting["gate"] += [quote(f"B{n}/USDT", "1", venue="gate") for n in range(80)]
    two_neiros.quoting["gate"] += [
        quote(f"A{n}/USDT", "9", venue="gate", volume="50000") for n in range(50)
    ]
    with capture_logs() as logs:
        book = await PriceKeeper(sqlite_store, two_neiros, clock, FLOOR).refresh(THREE)
    assert book is not None
    assert len(book.apart) == 1
    (said,) = [log for log in logs if log["event"] == "symbols_mean_other_assets"]
    assert (said["count"], len(said["assets"])) == (51, MOST_SAID)
