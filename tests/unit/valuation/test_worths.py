"""Amounts at prices are summed in whole numbers, to the digit that decimals would give."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coffers import money
from coffers.valuation.worths import ROOM, Amounts, Worths

ASSETS = ("BTC", "ETH", "SHIB", "USDT")


def numbers(least: int) -> st.SearchStrategy[Decimal]:
    """Decimals of up to 50 digits at any place that a number from outside may have."""
    digits = st.integers(least * 10**50, 10**50)
    return st.builds(money.scaled, digits.map(Decimal), st.integers(-250, 149))


amounts = st.dictionaries(st.sampled_from(ASSETS), numbers(-1).filter(bool), max_size=4)
prices = st.tuples(*[st.tuples(numbers(0), numbers(0))] * len(ASSETS))


def worths_of(each: tuple[tuple[Decimal, Decimal], ...]) -> Worths:
    return Worths.of(ASSETS, [btc for btc, _ in each], [usd for _, usd in each])


def total(worths: Worths, held: Mapping[str, Decimal]) -> tuple[Decimal, Decimal] | None:
    return worths.totals((Amounts.of(held),))[0]


@given(amounts, prices)
@example({"BTC": Decimal(-1)}, ((Decimal(1), Decimal(100_000)),) * 4)
@example({"BTC": Decimal(-1), "ETH": Decimal(1)}, ((Decimal(0), Decimal(1)),) * 4)
def test_both_sums_are_those_of_decimals(
    held: dict[str, Decimal], each: tuple[tuple[Decimal, Decimal], ...]
) -> None:
    by_asset = dict(zip(ASSETS, each, strict=True))
    wanted = tuple(
        money.total(
            money.multiply(amount, by_asset[asset][place]) for asset, amount in held.items()
        )
        for place in (0, 1)
    )
    assert total(worths_of(each), held) == wanted


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_account_that_fills_its_room_takes_nothing_from_the_other_sum(
    sign: int, more: int
) -> None:
    # All bits of the room, and a price of all bits that any has.
    worths = Worths.of(ASSETS, [Decimal(3)] * 4, [Decimal(2**20 - 1)] * 4)
    amount = Decimal(sign * (2**ROOM + more))
    found = total(worths, {"BTC": amount})
    assert found == (money.multiply(amount, Decimal(3)), money.multiply(amount, Decimal(2**20 - 1)))


@given(prices)
def test_a_unit_is_worth_what_was_told(each: tuple[tuple[Decimal, Decimal], ...]) -> None:
    worths = worths_of(each)
    assert tuple(worths.unit(asset) for asset in ASSETS) == each


def test_no_zeros_are_told_that_come_from_the_other_prices() -> None:
    worths = Worths.of(("BTC", "DUST"), (Decimal(1), Decimal("1e-60")), (Decimal(5), Decimal(0)))
    found = total(worths, {"BTC": Decimal("1.50")})
    assert tuple(map(str, found)) == ("1.5", "7.5")


def test_with_what_has_no_price_the_whole_is_unknown() -> None:
    worths = Worths.of(("BTC",), (Decimal(1),), (Decimal(5),))
    assert total(worths, {"BTC": Decimal(1), "ETH": Decimal(1)}) is None
    assert total(worths, {"BTC": Decimal(2**ROOM), "ETH": Decimal(1)}) is None


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Worths.of(("BTC",), (Decimal(1),), (Decimal(-1),))


def test_what_has_room_is_told_by_the_worths_and_not_by_the_program() -> None:
    # As a release with less room would have stored them: 3 bits of a price, 100 of amounts.
    narrow = Worths({"BTC": (1 << 104) + 5, "X": 3}, 104, 100, 0, 0)
    amount = Decimal(-(2**150))
    assert total(narrow, {"X": amount}) == (0, money.multiply(amount, Decimal(3)))


def test_nothing_is_worth_nothing() -> None:
    assert total(Worths.of((), (), ()), {}) == (0, 0)
