from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffers import money
from coffers.clock import HOUR, MINUTE, Millis
from coffers.markets.quote import Quote
from factories import NOW
from unit.pricing.quoting import BITCOIN, priced, quote, ticker


def test_bitcoin_and_dollar_prices_are_found_independently() -> None:
    prices = priced(
        [
            BITCOIN,
            quote("USDT/USD", "1"),
            quote("BTC/USDT", "98000", venue="binance"),
            quote("ALGO/USDT", "0.25", venue="binance", volume="90000"),
        ]
    )

    # In bitcoin by what Binance asks for a bitcoin; the price in dollars divided by BTC's price in
    # dollars would be 0.0000025.
    _assert_near(prices["ALGO"].btc, money.divide(Decimal("0.25"), Decimal(98_000)))
    assert prices["ALGO"].usd == Decimal("0.25")


def test_a_direct_bitcoin_pair_and_a_direct_dollar_pair_each_give_their_own_price() -> None:
    prices = priced(
        [
            BITCOIN,
            quote("ALGO/USD", "0.25", volume="90000"),
            quote("ALGO/BTC", "0.0000026", volume="1"),
        ]
    )

    assert prices["ALGO"].usd == Decimal("0.26")
    assert prices["ALGO"].btc == Decimal("0.0000026")


def test_one_unit_of_bitcoin_is_one_bitcoin() -> None:
    assert priced([BITCOIN])["BTC"].btc == Decimal(1)


def test_a_coin_that_reaches_bitcoin_only_in_four_hops_goes_through_bitcoins_own_price() -> None:
    prices = priced([BITCOIN, quote("A/USD", "2"), quote("B/A", "3"), quote("C/B", "5")])

    assert prices["C"].usd == Decimal(30)
    assert prices["C"].btc == Decimal("0.0003")


def test_a_coin_that_reaches_dollars_only_in_four_hops_goes_through_bitcoins_own_price() -> None:
    prices = priced([BITCOIN, quote("A/BTC", "2"), quote("B/A", "3"), quote("C/B", "5")])

    assert prices["C"].btc == Decimal(30)
    assert prices["C"].usd == Decimal(3_000_000)
    assert prices["C"].route == ("C/B", "B/A", "A/BTC")


def test_a_stablecoin_off_its_peg_is_worth_what_its_dollar_pair_says() -> None:
    prices = priced(
        [
            BITCOIN,
            quote("USDT/USD", "0.92", venue="kraken", volume="50000"),
            quote("BTC/USDT", "100000", venue="binance"),
            quote("ALGO/USDT", "0.5", venue="binance"),
        ]
    )

    assert prices["USDT"].usd == Decimal("0.92")
    assert prices["USDT"].route == ("USDT/USD",)
    assert prices["ALGO"].usd == Decimal("0.46")


def test_a_state_currency_without_a_dollar_pair_gets_its_rate_over_a_stablecoin() -> None:
    prices = priced([BITCOIN, quote("USDT/USD", "1"), quote("USDT/TRY", "40", venue="binance")])

    assert prices["TRY"].usd == Decimal("0.025")
    assert prices["TRY"].route == ("USDT/TRY", "USDT/USD")


def test_a_state_currency_with_a_dollar_pair_is_priced_by_that_alone() -> None:
    prices = priced([BITCOIN, quote("EUR/USD", "1.16", volume="20000"), quote("BTC/EUR", "1")])

    assert prices["EUR"].usd == Decimal("1.16")


def test_an_asset_whose_only_pair_is_stale_stays_unpriced() -> None:
    assert "ALGO" not in priced([BITCOIN, ticker("ALGO/USD", last="1", age=HOUR + 1)])


def test_an_asset_whose_only_pair_is_too_thin_stays_unpriced() -> None:
    assert "ALGO" not in priced([BITCOIN, quote("ALGO/USD", "1", volume="100")])


def test_an_asset_whose_only_book_is_crossed_stays_unpriced() -> None:
    assert "ALGO" not in priced([BITCOIN, ticker("ALGO/USD", bid="2", ask="1", last="1.5")])


def test_two_venues_that_disagree_give_the_deeper_ones_price_and_name_it_alone() -> None:
    prices = priced(
        [
            BITCOIN,
            quote("LUNA/USD", "80", venue="kraken", volume="90000"),
            quote("LUNA/USD", "2", venue="coinbase", volume="5000000"),
        ]
    )

    assert prices["LUNA"].usd == Decimal(2)
    assert prices["LUNA"].sources == ("coinbase",)


def test_no_quotes_are_no_prices() -> None:
    assert priced([]) == {}


ASSETS = ["USD", "BTC", "USDT", "USDC", "EUR", "A", "B", "C"]


@st.composite
def some_quotes(draw: st.DrawFn) -> list[Quote]:
    kinds = st.tuples(
        st.sampled_from(["kraken", "binance", "okx"]),
        st.sampled_from(ASSETS),
        st.sampled_from(ASSETS),
        st.decimals(min_value="0.0001", max_value=10_000, places=4),
        st.none() | st.decimals(min_value=0, max_value=10**7, places=0),
        st.integers(0, 2 * HOUR),
    )
    rows = draw(st.lists(kinds, max_size=14))
    return [
        Quote(venue, base, quoted, price, price, price, volume, Millis(NOW - age))
        for venue, base, quoted, price, volume, age in rows
    ]


@settings(deadline=None)
@given(some_quotes(), st.randoms(use_true_random=False))
def test_the_order_of_the_quotes_does_not_matter(quotes: list[Quote], shuffler: Random) -> None:
    assert priced(shuffler.sample(quotes, len(quotes))) == priced(quotes)


@settings(deadline=None)
@given(some_quotes())
def test_every_price_is_positive_and_tells_where_it_comes_from(
    quotes: list[Quote],
) -> None:
    names = {f"{each.base}/{each.quote}" for each in quotes} | {"USDT~USD", "USDC~USD"}

    for asset, price in priced(quotes).items():
        assert price.btc > 0, asset
        assert price.usd > 0, asset
        assert 1 <= len(price.route) <= 3
        assert len(set(price.route)) == len(price.route)
        assert set(price.route) <= names
        assert price.sources
        assert NOW - 2 * HOUR <= price.at <= NOW


@settings(deadline=None)
@given(some_quotes(), st.sampled_from(["A", "EUR", "C"]))
def test_an_asset_in_units_half_as_large_is_worth_half(quotes: list[Quote], asset: str) -> None:
    before, after = priced(quotes), priced([_halved(each, asset) for each in quotes])

    assert before.keys() == after.keys()
    for code, price in before.items():
        factor = Decimal("0.5") if code == asset else Decimal(1)
        _assert_near(after[code].usd, money.multiply(price.usd, factor))
        _assert_near(after[code].btc, money.multiply(price.btc, factor))


def _halved(each: Quote, asset: str) -> Quote:
    factor = Decimal(1)
    if each.base == asset != each.quote:
        factor = Decimal("0.5")
    if each.quote == asset != each.base:
        factor = Decimal(2)
    price = money.multiply(each.last, factor)
    in_asset = asset == each.quote != each.base
    volume = money.multiply(each.volume, factor) if each.volume and in_asset else each.volume
    return replace(each, bid=price, ask=price, last=price, volume=volume)


def _assert_near(one: Decimal, other: Decimal) -> None:
    assert abs(money.divide(one, other) - 1) < Decimal("1e-40")


def test_each_pair_of_six_thousand_is_looked_at_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quotes = _three_large_venues()
    products = 0

    def counted(one: Decimal, other: Decimal) -> Decimal:
        nonlocal products
        products += 1
        return multiply(one, other)

    multiply = money.multiply
    monkeypatch.setattr(money, "multiply", counted)
    assert len(priced(quotes)) == 504
    # So many for each: with another order of growth they would be thousands.
    assert 0 < products < 20 * len(quotes)


def _three_large_venues() -> list[Quote]:
    hubs = {"USD": "1", "USDT": "1", "EUR": "1.16", "BTC": "100000"}
    quotes = []
    for venue in ("binance", "kraken", "okx"):
        quotes += [quote(f"{hub}/USD", hubs[hub], venue=venue) for hub in hubs if hub != "USD"]
        for coin in range(1, 501):
            for hub, worth in hubs.items():
                price = money.divide(Decimal(coin), Decimal(worth))
                volume = str(10_000_000 * coin)
                quotes.append(quote(f"COIN{coin}/{hub}", str(price), venue=venue, volume=volume))
    return quotes


@pytest.mark.parametrize("floor", ["0", "1e12"])
def test_the_floor_is_the_callers_to_set(floor: str) -> None:
    quotes = [BITCOIN, quote("ALGO/USD", "1", volume="0.01")]

    assert ("ALGO" in priced(quotes, Decimal(floor))) == (floor == "0")


def test_a_market_that_stands_still_has_no_say_where_another_one_goes_on() -> None:
    halted = quote("LUNA/USDT", "80", venue="binance", volume="1e9", age=HOUR + 1)
    fallen = quote("LUNA/USD", "0.0001", venue="kraken", volume="20000")
    rest = [BITCOIN, quote("USDT/USD", "1")]

    found = priced([*rest, halted, fallen])["LUNA"]
    assert (found.usd, found.sources, found.at) == (Decimal("0.0001"), ("kraken",), NOW)
    alone = priced([*rest, halted])["LUNA"]
    assert (alone.usd, alone.at) == (Decimal(80), NOW - HOUR - 1)


def test_the_dollar_has_a_price_where_bitcoin_is_too_far_for_it() -> None:
    found = priced(
        [
            quote("ETH/USDT", "4000", venue="gate"),
            quote("ETH/EUR", "3636"),
            quote("Y/USD", "0.5", venue="gate"),
            quote("Y/EUR", "0.45", volume="1e6", age=MINUTE),
            quote("EUR/BTC", "0.000011", volume="1e6"),
        ],
        floor=Decimal(0),
    )
    bitcoin, dollar = found["BTC"], found["USD"]
    assert dollar.usd == 1
    assert money.multiply(dollar.btc, bitcoin.usd) == pytest.approx(Decimal(1))
    assert (dollar.route, dollar.sources, dollar.at) == (
        bitcoin.route,
        bitcoin.sources,
        bitcoin.at,
    )
