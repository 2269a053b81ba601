from decimal import Decimal

from coffers.markets.quote import Quote
from coffers.pricing.depth import Steps, ranks_of, rough_worths, steps_above
from coffers.pricing.pairs import usable_pairs
from factories import NOW
from unit.pricing.quoting import BITCOIN, FLOOR, quote


def steps(*quotes: Quote, floor: Decimal = FLOOR) -> Steps:
    return steps_above(usable_pairs(quotes, NOW), floor)


def depth_of(asset: str, *quotes: Quote) -> Decimal:
    return steps(*quotes)[asset][0].depth


def test_a_volume_in_dollars_is_the_depth() -> None:
    assert depth_of("ALGO", quote("ALGO/USD", "0.5", volume="12345")) == Decimal(12345)


def test_a_volume_in_bitcoin_is_valued_in_dollars() -> None:
    assert depth_of("ALGO", BITCOIN, quote("ALGO/BTC", "5e-6", volume="2")) == Decimal(200_000)


def test_a_volume_in_a_currency_without_a_dollar_pair_is_valued_over_several_hops() -> None:
    quotes = [
        quote("USDT/USD", "1"),
        quote("USDT/TRY", "40"),
        quote("ALGO/TRY", "8", volume="4000000"),
    ]

    assert depth_of("ALGO", *quotes) == Decimal(100_000)


def test_a_pair_whose_dollars_are_the_base_is_valued_too() -> None:
    assert depth_of("JPY", quote("USD/JPY", "160", volume="16000000")) == Decimal(100_000)


def test_a_pair_just_on_the_floor_stays_and_one_below_it_goes() -> None:
    quotes = [
        quote("ON/USD", "1", volume="10000"),
        quote("BELOW/USD", "1", volume="9999.99"),
    ]

    assert "ON" in steps(*quotes)
    assert "BELOW" not in steps(*quotes)


def test_an_unknown_volume_shows_no_depth() -> None:
    unknown = quote("ALGO/USD", "1", volume=None)

    assert steps(unknown) == {}
    assert steps(unknown, floor=Decimal(0))["ALGO"][0].depth == 0


def test_a_volume_that_nothing_joins_to_the_dollar_shows_no_depth() -> None:
    assert steps(BITCOIN, quote("FOO/BAR", "1")).keys() == {"BTC", "USD"}


def test_the_worth_for_volumes_goes_along_the_deepest_pairs() -> None:
    quotes = [
        quote("ALGO/USD", "7", venue="thin", volume="20"),
        quote("ALGO/USD", "0.5", volume="9000000"),
    ]

    assert rough_worths(usable_pairs(quotes, NOW))["ALGO"] == Decimal("0.5")


def test_assets_rank_by_how_deeply_they_are_joined_to_a_currency() -> None:
    joined = steps(
        quote("THIN/USD", "1", volume="20000"),
        BITCOIN,
        quote("OVER/BTC", "1", volume="50"),
        quote("ISLAND/SEA", "1"),
    )

    assert list(ranks_of("USD", joined)) == ["USD", "BTC", "OVER", "THIN"]
    assert list(ranks_of("BTC", joined)) == ["BTC", "USD", "OVER", "THIN"]
