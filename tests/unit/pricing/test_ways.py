from decimal import Decimal

from coffers.markets.quote import Quote
from coffers.pricing.depth import steps_above
from coffers.pricing.pairs import usable_pairs
from coffers.pricing.ways import Way, ways_to
from factories import NOW
from unit.pricing.quoting import BITCOIN, FLOOR, priced, quote


def ways(currency: str, *quotes: Quote) -> dict[str, Way]:
    return ways_to(currency, steps_above(usable_pairs(quotes, NOW), FLOOR))


def test_three_hops_are_walked_and_a_fourth_is_not() -> None:
    chain = [
        quote("A/USD", "2"),
        quote("B/A", "3"),
        quote("C/B", "5"),
        quote("D/C", "7"),
    ]

    found = ways("USD", *chain)

    assert found["C"].price == Decimal(30)
    assert found["C"].route == ("C/B", "B/A", "A/USD")
    assert "D" not in found


def test_pairs_are_walked_backwards_with_fifty_digits() -> None:
    found = ways("BTC", quote("BTC/USDT", "30000"), quote("USDT/USD", "1"), BITCOIN)

    assert found["USDT"].price == Decimal(
        "0.000033333333333333333333333333333333333333333333333333"
    )


def test_the_deepest_way_goes_first_even_when_it_is_longer() -> None:
    found = ways(
        "USD",
        quote("ALGO/USD", "0.7", volume="20000"),
        quote("ALGO/USDT", "0.5", volume="50000000"),
        quote("USDT/USD", "1"),
    )

    assert found["ALGO"].route == ("ALGO/USDT", "USDT/USD")
    assert found["ALGO"].price == Decimal("0.5")


def test_a_way_is_as_deep_as_its_shallowest_pair() -> None:
    found = ways(
        "USD",
        quote("ALGO/USD", "0.7", volume="20000"),
        quote("ALGO/EUR", "0.5", volume="50000000"),
        quote("EUR/USD", "1", volume="15000"),
    )

    assert found["ALGO"].route == ("ALGO/USD",)


def test_of_equally_deep_ways_the_one_with_fewer_hops_goes_first() -> None:
    found = ways(
        "USD",
        quote("ALGO/USDT", "0.7", volume="20000"),
        quote("ALGO/USD", "0.5", volume="20000"),
        quote("USDT/USD", "1"),
    )

    assert found["ALGO"].route == ("ALGO/USD",)


def test_each_venue_speaks_once_over_its_own_pair() -> None:
    found = ways(
        "USD",
        quote("USDT/USD", "1", venue="kraken"),
        quote("ALGO/USD", "0.50", venue="kraken", volume="90000"),
        quote("ALGO/EUR", "0.90", venue="kraken", volume="20000"),
        quote("ALGO/USDT", "0.51", venue="binance", volume="500000"),
        quote("ALGO/USDT", "0.52", venue="okx", volume="70000"),
        quote("EUR/USD", "1.1"),
    )

    assert found["ALGO"].price == Decimal("0.51")
    assert found["ALGO"].route == ("ALGO/USDT", "USDT/USD")
    assert found["ALGO"].sources == ("binance", "kraken", "okx")


def test_a_way_never_comes_back_to_where_it_began() -> None:
    circle = [
        quote("A/USD", "2", venue="one", volume="20000"),
        quote("B/A", "3", venue="two"),
        quote("A/B", "0.9", venue="three"),
    ]

    found = ways("USD", *circle)

    assert found["A"].price == Decimal(2)
    assert found["A"].sources == ("one",)


def test_the_price_of_a_great_coin_does_not_hang_on_a_small_one() -> None:
    found = ways(
        "USD",
        BITCOIN,
        quote("ALGO/USD", "0.5", volume="30000"),
        quote("ALGO/BTC", "0.000006", venue="binance", volume="1"),
    )

    assert found["BTC"].sources == ("kraken",)
    assert found["ALGO"].sources == ("binance",)


def test_assets_that_only_know_each_other_have_no_way() -> None:
    circle = [quote("A/B", "2"), quote("B/C", "2"), quote("C/A", "0.25")]

    assert ways("USD", *circle, BITCOIN).keys() == {"USD", "BTC"}


def test_the_time_is_that_of_the_oldest_quote_on_the_way() -> None:
    found = ways("USD", quote("ALGO/USDT", "1", age=5), quote("USDT/USD", "1", age=70))

    assert found["ALGO"].at == NOW - 70
    assert found["USDT"].at == NOW - 70


def test_a_venue_that_did_not_make_the_price_does_not_make_it_older() -> None:
    prices = priced(
        [
            quote("BTC/USD", "100000", venue="a"),
            quote("BTC/USD", "100001", venue="b"),
            quote("BTC/USD", "100002", venue="c", age=60_000),
        ]
    )

    assert prices["BTC"].at == NOW
