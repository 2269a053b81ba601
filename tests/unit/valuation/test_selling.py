"""Selling all: what is sold in which pair, what stays and why; never more than there is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.valuation.orders import PairLimits, PlannedOrder
from coffers.valuation.selling import Quoted, plan_sale, stepped

D = Decimal


def pair(base: str, quote: str, price: str | None, **limits: str) -> Quoted:
    told = {"amount_step": "0.001", "min_amount": None, "max_amount": None, "max_cost": None}
    values = {**told, "min_cost": "5", "fee": "0.001", **limits}
    exact = {name: None if value is None else D(value) for name, value in values.items()}
    at = None if price is None else D(price)
    return Quoted(PairLimits(base, quote, **exact), at, at)


PAIRS = [
    pair("BTC", "USDT", "50000"),
    pair("ETH", "USDT", "2500"),
    pair("ETH", "BTC", "0.05", min_cost="0.0001"),
    pair("OLD", "BTC", "0.0001", min_cost="0.0001"),
    pair("USDT", "TRY", "30", min_cost="100"),
    pair("HALT", "USDT", None),
    pair("BTC", "USDC", "50000"),
]
DOLLARS = ("USD", "USDT", "USDC")
BRIDGES = ("BTC", "ETH")


def sale(**free: str) -> tuple[list[PlannedOrder], dict[str, str]]:
    amounts = {code: D(amount) for code, amount in free.items()}
    found = plan_sale(amounts, PAIRS, DOLLARS, BRIDGES)
    return list(found.orders), dict(found.left)


def test_it_sells_in_the_pair_of_the_most_wanted_money() -> None:
    orders, left = sale(BTC="1.23456", ETH="2")
    assert orders == [
        PlannedOrder("BTC", "USDT", "sell", D("1.234")),
        PlannedOrder("ETH", "USDT", "sell", D(2)),
    ]
    assert left == {}


def test_what_is_such_money_already_stays() -> None:
    assert sale(USDT="10", USDC="3") == ([], {})


def test_what_has_no_pair_goes_over_a_bridge() -> None:
    assert sale(OLD="1000")[0] == [PlannedOrder("OLD", "BTC", "sell", D(1000))]


def test_where_the_money_is_the_base_it_is_bought() -> None:
    orders, _ = sale(TRY="3000")
    [order] = orders
    assert (order.base, order.quote, order.side) == ("USDT", "TRY", "buy")
    assert D("99.6") <= order.amount < D(100)


@pytest.mark.parametrize(
    ("free", "why"),
    [
        ({"BTC": "0.0005"}, "smallest step"),
        ({"ETH": "0.001"}, "worth less than the smallest order in ETH/USDT"),
        ({"HALT": "5"}, "for nothing that leads there"),
        ({"ODD": "5"}, "for nothing that leads there"),
        ({"TRY": "50"}, "worth less"),
    ],
)
def test_what_stays_says_why(free: dict[str, str], why: str) -> None:
    orders, left = sale(**free)
    assert orders == []
    assert why in left[next(iter(free))]


amounts = st.decimals(min_value=0, max_value=10**9, places=12, allow_nan=False)
steps = st.sampled_from([None, D("0.00000001"), D("0.01"), D(1), D(5), D(100)])
limits = st.none() | st.decimals(min_value=D("0.0001"), max_value=1000, places=4)
prices = st.decimals(min_value=D("0.00000001"), max_value=10**6, places=8)


@given(amounts, steps, limits, limits, limits, prices)
def test_no_order_is_larger_than_what_there_is_or_smaller_than_the_venue_takes(
    amount: Decimal,
    step: Decimal | None,
    least: Decimal | None,
    most: Decimal | None,
    cost: Decimal | None,
    price: Decimal,
) -> None:
    told = PairLimits("A", "B", step, least, most, cost, None, D("0.001"))
    for target, code in (("B", "A"), ("A", "B")):
        found = plan_sale({code: amount}, [Quoted(told, price, price)], [target], [])
        assert bool(found.orders) != bool(found.left) or amount == 0
        for order in found.orders:
            spent = order.amount if order.side == "sell" else order.amount * price
            assert spent <= amount
            assert step is None or order.amount % step == 0
            assert least is None or order.amount >= least
            assert most is None or order.amount <= most
            assert cost is None or order.amount * price >= cost


@given(amounts, steps)
def test_steps_cut_down_by_less_than_one(amount: Decimal, step: Decimal | None) -> None:
    cut = stepped(amount, step)
    assert cut <= amount
    assert amount - cut < (step or 1)
