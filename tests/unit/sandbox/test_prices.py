from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.sandbox.noise import ONE, wander
from coffers.sandbox.pairs import PAIRS, Pair
from coffers.sandbox.prices import DAY, SECOND, Prices

NOW = 1_760_000_000_123
BINANCE = PAIRS["binance"]
moments = st.integers(min_value=0, max_value=4_000_000_000_000)
pairs = st.sampled_from([pair for listed in PAIRS.values() for pair in listed.values()])


@given(moments)
def test_a_wander_stays_within_one(at: int) -> None:
    assert -ONE <= wander(3, "BTC", 97 * DAY, at) <= ONE


def test_a_wander_has_no_jumps() -> None:
    period = 23 * SECOND
    steps = [wander(3, "BTC", period, at) for at in range(NOW, NOW + 5 * period, 100)]
    assert max(abs(after - before) for before, after in pairwise(steps)) < ONE // 50


@given(pairs, moments)
def test_the_same_seed_gives_the_same_book_for_ever(pair: Pair, at: int) -> None:
    assert Prices(5).book(pair, at) == Prices(5).book(pair, at)


def test_another_seed_is_another_world() -> None:
    pair = BINANCE["BTCUSDT"]
    assert Prices(5).last(pair, NOW) != Prices(6).last(pair, NOW)


@given(pairs, moments)
def test_every_price_is_on_the_tick_and_the_last_one_is_within_the_book(
    pair: Pair, at: int
) -> None:
    book = Prices(5).book(pair, at)
    assert book.last > 0
    assert book.last % pair.tick == 0
    if book.bid is not None and book.ask is not None:
        assert book.bid <= book.last <= book.ask
        assert book.bid < book.ask
        assert book.bid % pair.tick == book.ask % pair.tick == 0


def test_prices_move_from_one_second_to_the_next() -> None:
    prices, pair = Prices(5), BINANCE["BTCUSDT"]
    seen = [prices.last(pair, NOW + n * SECOND) for n in range(60)]
    assert len(set(seen)) > 30


@pytest.mark.parametrize(
    "route",
    [
        ("ETHBTC", "BTCUSDT", "ETHUSDT"),
        ("SOLBNB", "BNBUSDT", "SOLUSDT"),
        ("BTCEUR", "EURUSDT", "BTCUSDT"),
        ("ETHUSDC", "USDCUSDT", "ETHUSDT"),
    ],
)
@given(at=moments)
def test_a_cross_pair_agrees_with_its_way_round_within_the_spreads(
    route: tuple[str, str, str], at: int
) -> None:
    first, second, direct = (best(symbol, at) for symbol in route)
    assert first[0] * second[0] < direct[1]
    assert direct[0] < first[1] * second[1]


def best(symbol: str, at: int) -> tuple[Decimal, Decimal]:
    book = Prices(5).book(BINANCE[symbol], at)
    assert book.bid is not None
    assert book.ask is not None
    return book.bid, book.ask


def test_the_two_venues_differ_by_a_hair() -> None:
    prices = Prices(5)
    here, there = (prices.last(PAIRS[venue]["ETHUSDT"], NOW) for venue in PAIRS)
    assert here != there
    assert abs(here / there - 1) < Decimal("0.001")


def test_a_stablecoin_stays_near_a_dollar() -> None:
    prices, pair = Prices(5), PAIRS["binanceus"]["USDTUSD"]
    seen = [prices.last(pair, NOW - n * DAY) for n in range(400)]
    assert Decimal("0.99") < min(seen) <= max(seen) < Decimal("1.01")


def test_a_price_that_is_set_holds_from_then_on_until_it_is_released() -> None:
    prices, pair = Prices(5), BINANCE["BTCUSDT"]
    before, free = prices.last(pair, NOW - 1), prices.last(pair, NOW + DAY)
    prices.set(pair, Decimal("12345.67"), NOW)
    assert prices.last(pair, NOW - 1) == before
    assert prices.last(pair, NOW + DAY) == Decimal("12345.67")
    prices.release()
    assert prices.last(pair, NOW + DAY) == free


def test_a_halted_pair_has_a_last_price_and_no_book() -> None:
    book = Prices(5).book(BINANCE["AVAXETH"], NOW)
    assert book.last > 0
    assert book.bid is None
    assert book.ask is None
