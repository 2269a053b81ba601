from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import zstandard
from sqlalchemy import update

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.tables import price_books
from coffers.valuation.model import HeldBack, Price, PriceBook, worths_of
from factories import NOW, price
from served import add_account

PRICES = {
    "BTC": price("1", "114000.123456789012345678901234567890"),
    "SHIB": Price(
        Decimal("1E-10"), Decimal("0.00001"), ("SHIB/USDT", "USDT/USD"), ("binance", "okx"), NOW
    ),
}

HELD_BACK = {"X": HeldBack(price("0.1", "900"), price("0.01", "100"), Millis(NOW + MINUTE))}


async def _books(store: Store, *moments: int) -> None:
    async with store.transaction() as tx:
        for at in moments:
            await tx.prices.save_book({}, Millis(at))


async def _near(store: Store, at: int, tolerance: int = HOUR) -> int | None:
    async with store.reading() as tx:
        book = await tx.prices.book_near(Millis(at), Millis(tolerance))
    return None if book is None else book.epoch


async def test_before_the_first_book_there_is_none(store: Store) -> None:
    async with store.reading() as tx:
        assert await tx.prices.newest() is None
        assert await tx.prices.newest_epoch() == 0
        assert await tx.prices.book_near(NOW, DAY) is None


async def test_books_are_counted_from_1_and_come_back_as_they_were(store: Store) -> None:
    async with store.transaction() as tx:
        assert (await tx.prices.save_book({}, NOW)).epoch == 1
        saved = await tx.prices.save_book(PRICES, NOW)
    assert saved == PriceBook(2, NOW, PRICES)
    async with store.reading() as tx:
        assert await tx.prices.newest() == saved
        assert await tx.prices.newest_epoch() == 2


async def test_what_is_held_back_comes_back_as_it_was(store: Store) -> None:
    async with store.transaction() as tx:
        saved = await tx.prices.save_book(PRICES, NOW, HELD_BACK)
    async with store.reading() as tx:
        assert await tx.prices.newest() == saved == PriceBook(1, NOW, PRICES, HELD_BACK)


_DECIMALS = (
    msgspec.msgpack.encode([*PRICES]),
    HELD_BACK,
    [each.btc for each in PRICES.values()],
    [each.usd for each in PRICES.values()],
    zstandard.compress(
        msgspec.msgpack.encode([(each.route, each.sources, each.at) for each in PRICES.values()])
    ),
)


@pytest.mark.parametrize("body", [PRICES, (PRICES, HELD_BACK), _DECIMALS])
async def test_a_book_of_an_older_form_can_be_read(store: Store, body: Any) -> None:
    await _books(store, NOW)
    encoded = zstandard.compress(msgspec.msgpack.encode(body))
    async with store.connection() as connection:
        await connection.execute(update(price_books).values(body=encoded))
    held_back = {} if body is PRICES else HELD_BACK
    async with store.reading() as tx:
        assert await tx.prices.newest() == PriceBook(1, NOW, PRICES, held_back)


async def test_the_numbers_of_a_book_are_there_before_the_rest_is_asked_for(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.prices.save_book(PRICES, NOW)
    async with store.reading() as tx:
        book = await tx.prices.newest()
    assert book is not None
    assert worths_of(book.prices, PRICES) == worths_of(PRICES, PRICES)
    assert list(book.prices.items()) == list(PRICES.items())


async def test_the_assets_held_are_those_of_all_accounts(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tx.prices.assets_held() == set()
        users = [await tx.users.add(name, NOW) for name in ("ann", "bob")]
    await add_account(store, users[0], held={"BTC": "1", "ALGO": "5"})
    await add_account(store, users[1], held={"BTC": "2", "KDA": "7"})
    async with store.reading() as tx:
        assert await tx.prices.assets_held() == {"ALGO", "BTC", "KDA"}


async def test_a_book_that_was_not_kept_leaves_no_gap_in_the_count(store: Store) -> None:
    with suppress(KeyError):
        async with store.transaction() as tx:
            await tx.prices.save_book(PRICES, NOW)
            raise KeyError
    await _books(store, NOW)
    async with store.reading() as tx:
        assert await tx.prices.newest_epoch() == 1


async def test_the_book_nearest_in_time_is_found_before_or_after(store: Store) -> None:
    await _books(store, NOW, NOW + 10_000)
    assert await _near(store, NOW + 4_999) == 1
    assert await _near(store, NOW + 5_000) == 1
    assert await _near(store, NOW + 5_001) == 2
    assert await _near(store, NOW - 5) == 1
    assert await _near(store, NOW + 99_000) == 2


async def test_a_book_further_away_than_the_tolerance_is_none(store: Store) -> None:
    await _books(store, NOW)
    assert await _near(store, NOW + 10, 10) == 1
    assert await _near(store, NOW + 11, 10) is None
    assert await _near(store, NOW - 11, 10) is None


async def test_of_two_books_of_one_moment_the_later_counts(store: Store) -> None:
    await _books(store, NOW, NOW)
    assert await _near(store, NOW) == 2


async def test_old_books_are_thinned_to_one_a_quarter_hour_and_then_to_none(store: Store) -> None:
    start = NOW - NOW % DAY
    slot = start + 20 * HOUR
    now = slot + 3 * HOUR + MINUTE
    moments = {
        "four days old": now - 4 * DAY,
        "first of an old quarter": slot,
        "second of an old quarter": slot + 5 * MINUTE,
        "last of an old quarter": slot + 15 * MINUTE - 1,
        "first of the next": slot + 15 * MINUTE,
        "first of a quarter that is half old": now - 2 * HOUR - 2,
        "the next in it": now - 2 * HOUR - 1,
        "young in it": now - 2 * HOUR,
        "newest": now,
    }
    await _books(store, *moments.values())
    async with store.transaction() as tx:
        await tx.prices.thin(Millis(now))
    kept = [name for name, at in moments.items() if await _near(store, at, 0) is not None]
    assert kept == [
        "first of an old quarter",
        "first of the next",
        "first of a quarter that is half old",
        "young in it",
        "newest",
    ]


async def test_the_newest_book_stays_however_old_it_is(store: Store) -> None:
    await _books(store, NOW, NOW + 1)
    async with store.transaction() as tx:
        await tx.prices.thin(Millis(NOW + 30 * DAY))
        assert await tx.prices.newest_epoch() == 2
    assert await _near(store, NOW, 0) is None


async def test_rates_come_in_order_of_time_from_a_moment_on(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.prices.save_rates({"EUR": Decimal("1.0")}, Millis(NOW - HOUR))
        await tx.prices.save_rates({"EUR": Decimal("1.1"), "GBP": Decimal("1.3")}, NOW)
        await tx.prices.save_rates({}, Millis(NOW + MINUTE))
        await tx.prices.save_rates({"EUR": Decimal("1.2")}, Millis(NOW + HOUR))
        assert await tx.prices.rate_history("EUR", NOW) == [
            (NOW, Decimal("1.1")),
            (NOW + HOUR, Decimal("1.2")),
        ]
        assert await tx.prices.rate_history("JPY", Millis(0)) == []


async def test_of_each_quarter_hour_the_first_rate_of_a_currency_is_kept_for_good(
    store: Store,
) -> None:
    start = Millis(NOW - NOW % DAY)
    async with store.transaction() as tx:
        # A clock that was ahead once keeps nothing from being written.
        await tx.prices.save_rates({"EUR": Decimal(9)}, Millis(start + 90 * DAY))
        for minute in range(1, 46):
            told = {"EUR": Decimal(minute)} | ({"GBP": Decimal(minute)} if minute > 5 else {})
            await tx.prices.save_rates(told, Millis(start + minute * MINUTE))
        # A worker that stood still says late what it knew: that changes nothing any more.
        await tx.prices.save_rates({"EUR": Decimal(7)}, Millis(start + 7 * MINUTE))
        await tx.prices.thin(Millis(start + 400 * DAY))
        euro = await tx.prices.rate_history("EUR", start)
        pound = await tx.prices.rate_history("GBP", start)
    assert euro[:-1] == [(start + minute * MINUTE, minute) for minute in (1, 15, 30, 45)]
    assert pound == [(start + minute * MINUTE, minute) for minute in (6, 15, 30, 45)]
