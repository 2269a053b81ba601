"""What to sell, and in which pairs, so that an account holds one kind of money: a pure function.

Only market orders, each in the pair that leads there directly; what has none is sold for a bridge
first, which a later round sells on. Amounts are cut down to what the venue takes, never up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from coffers import money
from coffers.valuation.orders import PairLimits, PlannedOrder, Round

MARGIN = Decimal("0.002")
"""The share of an amount that a purchase leaves for a price that moves meanwhile, beside fees."""

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A pair that can be traded, and what is bid and asked in it; None where nothing is."""

    limits: PairLimits
    bid: Decimal | None
    ask: Decimal | None


def plan_sale(
    free: Mapping[str, Decimal],
    pairs: Iterable[Quoted],
    targets: Sequence[str],
    bridges: Sequence[str],
) -> Round:
    """Return how to sell all that is free.

    Args:
        free: amounts by the venue's codes.
        pairs: what can be traded.
        targets: what to end with, the most wanted first; none of these is sold.
        bridges: what to sell for where no pair leads to a target, the most wanted first.
    """
    ways = {(pair.limits.base, pair.limits.quote): pair for pair in pairs}
    orders: list[PlannedOrder] = []
    left: dict[str, str] = {}
    for code in sorted(free):
        if code in targets or free[code] <= 0:
            continue
        direct = _ways(code, targets, ways)
        # What leads there directly and is too little stays: over a bridge it would pay twice.
        found = direct or _ways(code, [each for each in bridges if each != code], ways)
        order, why = _first_order(code, free[code], found)
        if order is not None:
            orders.append(order)
        else:
            left[code] = why
    return Round(orders, left)


def _ways(code: str, wanted: Iterable[str], ways: Mapping[tuple[str, str], Quoted]) -> list[Quoted]:
    """Return the pairs that lead from an asset to another one and have a price."""
    found = []
    for other in wanted:
        if (selling := ways.get((code, other))) and selling.bid:
            found.append(selling)
        elif (buying := ways.get((other, code))) and buying.ask:
            found.append(buying)
    return found


def _first_order(
    code: str, amount: Decimal, ways: Sequence[Quoted]
) -> tuple[PlannedOrder | None, str]:
    """Return the order in the first pair that takes it, or why none does."""
    why = "the exchange trades it for nothing that leads there"
    for pair in ways:
        if pair.limits.base == code:
            order, why = _within(pair.limits, "sell", amount, pair.bid or money.ZERO)
        else:
            price = pair.ask or money.ZERO
            order, why = _within(pair.limits, "buy", _affordable(pair, amount, price), price)
        if order is not None:
            return order, ""
    return None, why


def _affordable(pair: Quoted, spend: Decimal, price: Decimal) -> Decimal:
    """Return how much of a pair's base so much of its quote buys, fee and margin left."""
    kept = money.subtract(_ONE, money.add(MARGIN, pair.limits.fee or money.ZERO))
    return money.divide(money.multiply(spend, kept), price)


def _within(
    limits: PairLimits, side: Literal["buy", "sell"], amount: Decimal, price: Decimal
) -> tuple[PlannedOrder | None, str]:
    """Return an order of at most so much, cut to what the venue takes."""
    name = f"{limits.base}/{limits.quote}"
    if limits.max_amount is not None:
        amount = min(amount, limits.max_amount)
    if limits.max_cost is not None and price:
        amount = min(amount, money.divide(limits.max_cost, price))
    amount = stepped(amount, limits.amount_step)
    if amount <= 0:
        return None, f"less than the smallest step in {name}"
    if limits.min_amount is not None and amount < limits.min_amount:
        return None, f"less than the smallest order in {name}, {money.plain(limits.min_amount)}"
    cost = money.multiply(amount, price)
    if limits.min_cost is not None and cost < limits.min_cost:
        least = money.plain(limits.min_cost)
        return None, f"worth less than the smallest order in {name}, {least} {limits.quote}"
    return PlannedOrder(limits.base, limits.quote, side, amount), ""


def stepped(amount: Decimal, step: Decimal | None) -> Decimal:
    """Return the amount cut down to whole steps."""
    if not step or amount <= 0:
        return amount
    whole = money.quotient_down(amount, step, 0)
    return money.multiply(whole, step)
