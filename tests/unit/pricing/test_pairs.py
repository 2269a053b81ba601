from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY, HOUR
from coffers.pricing.pairs import price_of, usable_pairs
from factories import NOW
from unit.pricing.quoting import quote, ticker


def price(**told: Any) -> Decimal | None:
    found = price_of(ticker("ALGO/USD", **told), NOW)
    return None if found is None else found[0]


def test_close_bid_and_ask_give_their_middle() -> None:
    assert price(bid="99", ask="100", last="90") == Decimal("99.5")


def test_the_middle_is_exact_however_many_digits_there_are() -> None:
    bid, ask = "1." + "0" * 40 + "1", "1." + "0" * 40 + "2"

    assert price(bid=bid, ask=ask) == Decimal("1." + "0" * 40 + "15")


def test_a_spread_of_just_two_percent_is_close_and_a_hair_more_is_not() -> None:
    assert price(bid="99", ask="101") == Decimal(100)
    assert price(bid="98.99", ask="101") is None


def test_a_wide_spread_leaves_the_last_trade() -> None:
    assert price(bid="66.43", ask="75926", last="75925") == Decimal(75925)


def test_a_last_trade_outside_of_a_wide_spread_was_left_behind_by_the_market() -> None:
    assert price(bid="90", ask="110", last="120") is None
    assert price(bid="90", ask="110", last="80") is None


def test_without_a_book_the_fresh_last_trade_counts() -> None:
    assert price(last="7", age=HOUR) == Decimal(7)
    assert price(last="7", age=HOUR + 1) is None


def test_one_side_of_the_book_alone_gives_no_middle() -> None:
    assert price(bid="10", last="11") == Decimal(11)
    assert price(ask="10", last="11") is None
    assert price(ask="10") is None


def test_a_book_lives_longer_than_a_last_trade_but_not_for_ever() -> None:
    assert price(bid="1", ask="1", age=DAY) == Decimal(1)
    assert price(bid="1", ask="1", age=DAY + 1) is None


@pytest.mark.parametrize(
    "told",
    [
        {"bid": "101", "ask": "100", "last": "100"},
        {"bid": "0", "ask": "100", "last": "100"},
        {"bid": "100", "ask": "0", "last": "100"},
        {"bid": "100", "ask": "100", "last": "0"},
        {"bid": "-1", "ask": "-1"},
        {"last": "-5"},
    ],
)
def test_a_crossed_zero_or_negative_quote_gives_no_price_at_all(told: dict[str, str]) -> None:
    assert price(**told) is None


def test_nothing_told_is_no_price() -> None:
    assert price() is None


def test_an_asset_quoted_in_itself_is_left_out() -> None:
    assert usable_pairs([quote("USDT/USDT", "1")], NOW) == []


def test_where_a_venue_quotes_a_pair_twice_the_newer_quote_counts() -> None:
    older, newer = quote("ALGO/USD", "1", age=10), quote("ALGO/USD", "2")

    assert [pair.price for pair in usable_pairs([newer, older], NOW)] == [Decimal(2)]
    assert usable_pairs([newer, older], NOW) == usable_pairs([older, newer], NOW)
