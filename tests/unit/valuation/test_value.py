"""Positions are valued exactly; what has no price counts in no total and is named."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coffers import money
from coffers.clock import Millis
from coffers.valuation.model import Position, Price, Value
from coffers.valuation.value import holdings_of, value_of

ASSETS = ["BTC", "ETH", "USDT", "SHIB"]
PRICES = {
    "BTC": ("1", "60000"),
    "ETH": ("0.05", "3000.5"),
    "USDT": ("0.00001666666666666666666666666666666666666666666666667", "1.0001"),
}


def price(btc: str, usd: str) -> Price:
    return Price(Decimal(btc), Decimal(usd), ("X/USD",), ("sandbox",), Millis(0))


BOOK = {asset: price(*both) for asset, both in PRICES.items()}

positions = st.builds(
    Position,
    wallet=st.sampled_from(["spot", "funding"]),
    asset=st.sampled_from(ASSETS),
    venue_code=st.just("X"),
    free=st.decimals(min_value=0, max_value="1e12", places=18),
    in_orders=st.decimals(min_value=0, max_value="1e12", places=18),
    borrowed=st.decimals(min_value=0, max_value="1e6", places=18),
    unrealised=st.decimals(min_value="-1e6", max_value="1e6", places=18),
)


def held(asset: str, free: str, **amounts: str) -> Position:
    rest = {name: Decimal(text) for name, text in amounts.items()}
    return Position("spot", asset, asset, Decimal(free), **rest)


def test_what_is_owned_is_free_and_in_orders_less_debts() -> None:
    position = held("BTC", "1", in_orders="0.5", borrowed="0.2", interest="0.01")
    assert position.owned == Decimal("1.29")


def test_what_is_owned_of_a_margined_wallet_is_its_equity() -> None:
    assert held("USDT", "95", in_orders="8.5", unrealised="2.25").owned == Decimal("105.75")
    assert held("USDT", "0", in_orders="10", unrealised="-12").owned == -2


def test_both_worths_are_exact_sums_of_products() -> None:
    found = value_of(holdings_of([held("ETH", "2"), held("USDT", "3")]), BOOK)
    btc = money.add(Decimal("0.10005"), Decimal("1e-53"))
    assert found.value == Value(btc, Decimal("6004.0003"))


def test_an_unpriced_holding_counts_nothing_and_is_named() -> None:
    found = value_of(holdings_of([held("ETH", "2"), held("SHIB", "5")]), BOOK)
    assert found.unpriced == ("SHIB",)
    assert found.value is not None
    assert found.value.usd == 6001


def test_an_account_of_which_nothing_has_a_price_is_worth_an_unknown_amount() -> None:
    assert value_of(holdings_of([held("SHIB", "5")]), BOOK).value is None


def test_an_empty_account_is_worth_zero() -> None:
    assert value_of({}, BOOK).value == Value(Decimal(0), Decimal(0))


def test_debts_in_one_wallet_cancel_assets_in_another() -> None:
    assert holdings_of([held("BTC", "1"), held("BTC", "0", borrowed="1")]) == {}


@given(st.lists(positions, max_size=8).flatmap(lambda p: st.tuples(st.just(p), st.permutations(p))))
def test_shuffling_positions_changes_nothing(
    orders: tuple[list[Position], list[Position]],
) -> None:
    first, second = orders
    assert value_of(holdings_of(first), BOOK) == value_of(holdings_of(second), BOOK)
