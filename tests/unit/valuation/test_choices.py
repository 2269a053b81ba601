from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import stored
from coffers.clock import MINUTE, Millis
from coffers.valuation.choices import NO_CHOICES, Accepted, Choices
from coffers.valuation.model import HeldBack, Price, PriceBook
from factories import NOW, position, price

ABC = position("ABC", "2")
BTC = position("BTC", "1")
TOLD = replace(price("0.0001", "7"), route=("ABC~USD",))
KEYED = replace(price("0.0002", "9"), route=("bsc:0xabc~USD",))
LEAPT = HeldBack(price("0.001", "40"), price("0.0001", "4"), Millis(NOW + MINUTE))


def book(prices: Mapping[str, Price], held_back: Mapping[str, HeldBack] | None = None) -> PriceBook:
    return PriceBook(3, NOW, prices, held_back or {})


def test_who_says_nothing_sees_what_everybody_sees() -> None:
    everybodys = book({"ABC": TOLD}, {"FOO": LEAPT})
    assert NO_CHOICES.book(everybodys) is everybodys
    assert NO_CHOICES.counted(7, [ABC, BTC]) == (ABC, BTC)
    assert NO_CHOICES.left_out(7, [ABC, BTC]) == ()


def test_a_code_is_mapped_in_its_own_account_and_keeps_the_venues_word() -> None:
    choices = Choices(mapped={(7, "ABC"): "XYZ"})
    (mapped, same) = choices.counted(7, [ABC, BTC])
    assert (mapped.asset, mapped.venue_code, mapped.owned) == ("XYZ", "ABC", Decimal(2))
    assert same == BTC
    assert choices.counted(8, [ABC]) == (ABC,)


def test_what_is_ignored_is_left_out_by_the_users_name_of_it() -> None:
    choices = Choices(mapped={(7, "ABC"): "SPAM"}, ignored=frozenset({"SPAM", "NONE"}))
    nothing = position("NONE", "0")
    assert choices.counted(7, [ABC, BTC, nothing]) == (BTC,)
    assert choices.left_out(7, [ABC, BTC, nothing]) == ("SPAM",)
    assert choices.left_out(8, [ABC, BTC]) == ()


def test_flows_of_what_is_ignored_are_no_deposits() -> None:
    spam = stored.flow("1", NOW, asset="SPAM", venue_code="SPAM")
    kept = stored.flow("2", NOW)
    assert all(NO_CHOICES.counts(7, flow) for flow in (spam, kept))
    ignoring = Choices(ignored=frozenset({"SPAM"}))
    assert [ignoring.counts(7, flow) for flow in (spam, kept)] == [False, True]


@pytest.mark.parametrize(
    ("said", "symbol", "expected"),
    [
        ({}, TOLD, TOLD),
        ({"priced_as": {"ABC": "bsc:0xabc"}}, TOLD, KEYED),
        ({"priced_as": {"ABC": "bsc:0xabc"}}, price("1", "2"), price("1", "2")),
        ({"priced_as": {"ABC": "bsc:0xabc"}}, None, KEYED),
        ({"priced_as": {"ABC": "bsc:0xnone"}}, TOLD, None),
        ({"distrusted": frozenset({"ABC"})}, price("1", "2"), None),
        (
            {"distrusted": frozenset({"ABC"}), "priced_as": {"ABC": "bsc:0xabc"}},
            price("1", "2"),
            KEYED,
        ),
    ],
)
def test_which_price_counts(
    said: dict[str, Any], symbol: Price | None, expected: Price | None
) -> None:
    prices = {"bsc:0xabc": KEYED} | ({} if symbol is None else {"ABC": symbol})
    everybodys = book(prices)
    assert Choices(**said).book(everybodys).prices.get("ABC") == expected
    assert everybodys.prices == prices


def test_a_doubted_price_is_not_got_around_by_another_key() -> None:
    choices = Choices(priced_as={"ABC": "bsc:0xabc"})
    seen = choices.book(book({"bsc:0xabc": KEYED}, {"ABC": LEAPT}))
    assert "ABC" not in seen.prices
    assert seen.held_back == {"ABC": LEAPT}


def test_a_key_whose_price_leapt_is_held_back_and_can_be_accepted() -> None:
    held = book({}, {"bsc:0xabc": LEAPT})
    keyed = Choices(priced_as={"ABC": "bsc:0xabc"})
    assert keyed.book(held).held_back["ABC"] == LEAPT
    accepted = replace(keyed, accepted={"ABC": Accepted(Decimal(40), LEAPT.until)})
    assert accepted.book(held).prices == {"ABC": LEAPT.price}


@pytest.mark.parametrize(
    ("usd", "until", "covers"),
    [
        ("40", 0, True),
        ("60", 0, True),
        ("60.1", 0, False),
        ("26.6", 0, False),
        ("40", -1, False),
        ("0", 0, False),
        ("-40", 0, False),
    ],
)
def test_an_acceptance_covers_its_own_leap_and_prices_near_it(
    usd: str, until: int, covers: bool
) -> None:
    accepted = Accepted(Decimal(usd), Millis(LEAPT.until + until))
    assert accepted.covers(LEAPT) is covers
    seen = Choices(accepted={"ABC": accepted}).book(book({}, {"ABC": LEAPT}))
    assert ("ABC" in seen.prices) is covers
    assert ("ABC" in seen.held_back) is not covers
