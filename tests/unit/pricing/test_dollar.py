from decimal import Decimal

from coffers.clock import HOUR
from unit.pricing.quoting import BITCOIN, priced, quote


def test_a_venue_without_dollars_prices_in_stablecoins_and_says_so() -> None:
    prices = priced([quote("BTC/USDT", "100000", venue="binance")])

    assert prices["BTC"].usd == Decimal(100_000)
    assert prices["BTC"].route == ("BTC/USDT", "USDT~USD")
    assert prices["BTC"].sources == ("binance",)
    assert prices["USDT"].route == ("USDT~USD",)
    assert prices["USDT"].sources == ("assumed",)


def test_the_assumed_dollar_is_the_median_of_the_stablecoins() -> None:
    prices = priced(
        [
            quote("BTC/USDT", "100000"),
            quote("USDC/USDT", "1.002", volume="1e8"),
            quote("FDUSD/USDT", "1.001", volume="1e8"),
        ]
    )

    assert abs(prices["FDUSD"].usd - 1) < Decimal("1e-40")
    assert prices["USDT"].usd < 1 < prices["USDC"].usd


def test_a_stablecoin_that_loses_its_peg_shows_even_without_any_dollar_pair() -> None:
    prices = priced(
        [
            quote("BTC/USDT", "100000"),
            quote("USDC/USDT", "1", volume="1e8"),
            quote("USDE/USDT", "0.6", volume="1e8"),
        ]
    )

    assert prices["USDE"].usd == Decimal("0.6")
    assert prices["USDE"].route == ("USDE/USDT", "USDT~USD")


def test_when_the_most_traded_stablecoin_itself_falls_the_others_hold_the_dollar() -> None:
    prices = priced(
        [
            quote("BTC/USDT", "125000"),
            quote("USDC/USDT", "1.25", volume="1e8"),
            quote("USDT/DAI", "0.8", volume="1e8"),
        ]
    )

    assert prices["USDT"].usd == Decimal("0.8")
    assert prices["USDC"].usd == Decimal(1)
    assert prices["BTC"].usd == Decimal(100_000)


def test_a_thin_stablecoin_pair_has_no_say_in_what_a_dollar_is() -> None:
    prices = priced(
        [quote("BTC/USDT", "100000"), quote("USDC/USDT", "1.5", volume="9999")],
    )

    assert prices["USDT"].usd == Decimal(1)


def test_one_real_dollar_pair_anywhere_ends_the_assumption() -> None:
    prices = priced(
        [quote("BTC/USDT", "100000", venue="binance"), quote("USDT/USD", "0.9", venue="kraken")]
    )

    assert prices["USDT"].route == ("USDT/USD",)
    assert prices["BTC"].usd == Decimal(90_000)
    assert prices["BTC"].route == ("BTC/USDT", "USDT/USD")


def test_a_dollar_pair_of_another_token_of_the_same_symbol_is_no_dollar() -> None:
    binance = [
        quote("BTC/USDT", "100000", venue="binance"),
        quote("ABC/USDT", "2", venue="binance", volume="1e8"),
    ]
    prices = priced([*binance, quote("ABC/USD", "0.002", venue="gate", volume="50000")])

    assert prices["BTC"].usd == Decimal(100_000)
    assert prices["BTC"].route == ("BTC/USDT", "USDT~USD")
    assert prices["ABC"].usd == Decimal(2)


def test_a_dollar_pair_of_hours_ago_is_no_real_one() -> None:
    for age, usd in ((HOUR, 90_000), (HOUR + 1, 100_000)):
        old = quote("USDT/USD", "0.9", venue="kraken", age=age)
        prices = priced([quote("BTC/USDT", "100000", venue="binance"), old])
        assert prices["BTC"].usd == usd


def test_a_dollar_pair_below_the_floor_is_no_real_one() -> None:
    prices = priced([quote("BTC/USDT", "100000"), quote("USDT/USD", "0.5", volume="50")])

    assert prices["BTC"].route == ("BTC/USDT", "USDT~USD")


def test_a_dollar_pair_of_unknown_volume_is_no_real_one() -> None:
    prices = priced([quote("BTC/USDT", "100000"), quote("USDT/USD", "0.5", volume=None)])

    assert prices["BTC"].route == ("BTC/USDT", "USDT~USD")


def test_without_dollars_and_stablecoins_nothing_is_priced() -> None:
    assert priced([quote("BTC/EUR", "90000")]) == {}


def test_without_bitcoin_nothing_is_priced() -> None:
    assert priced([quote("ALGO/USD", "1")]) == {}


def test_the_dollar_itself_is_worth_one_and_knows_its_worth_in_bitcoin() -> None:
    dollar = priced([BITCOIN])["USD"]

    assert dollar.usd == Decimal(1)
    assert dollar.btc == Decimal("0.00001")
    assert dollar.route == ("BTC/USD",)
