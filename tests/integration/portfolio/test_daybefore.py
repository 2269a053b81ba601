"""The price book of a day before: found once, and looked for again as time goes on."""

from coffers.clock import DAY, MINUTE, Millis
from coffers.portfolio.daychange import NEAR_ENOUGH, DayBefore
from coffers.store.engine import Store
from coffers.valuation.model import PriceBook
from factories import NOW
from served import add_book


def at(moment: int) -> PriceBook:
    return PriceBook(99, Millis(moment), {})


async def test_the_book_nearest_to_a_day_before_is_found(store: Store) -> None:
    await add_book(store, NOW - DAY - NEAR_ENOUGH)
    nearest = await add_book(store, NOW - DAY + 5 * MINUTE)
    assert await DayBefore(store).of(at(NOW)) == nearest


async def test_a_book_that_is_too_far_away_is_none(store: Store) -> None:
    await add_book(store, NOW - DAY - NEAR_ENOUGH - 1)
    assert await DayBefore(store).of(at(NOW)) is None


async def test_before_the_first_prices_there_is_none(sqlite_store: Store) -> None:
    assert await DayBefore(sqlite_store).of(None) is None


async def test_within_a_minute_it_is_not_looked_for_again_and_then_it_is(
    sqlite_store: Store,
) -> None:
    finder = DayBefore(sqlite_store)
    first = await add_book(sqlite_store, NOW - DAY)
    assert await finder.of(at(NOW)) == first
    nearer = await add_book(sqlite_store, NOW - DAY + MINUTE)
    assert await finder.of(at(NOW + MINUTE - 1)) == first
    assert await finder.of(at(NOW + MINUTE)) == nearer
