"""How large an order may be: steps, least and most that a venue takes, and what can be paid.

All is rounded down, never up: an order is rather left out than made larger than it was meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Context, Decimal
from typing import Final

from coffers import money
from coffers.valuation.orders import PairLimits, PlannedOrder, Side

NOT_FREE, TOO_SMALL, TOO_LARGE = "not_free", "too_small", "too_large"
"""Why an order cannot be placed, or only in part."""

USUAL_STEP: Final = Decimal("0.00000001")
"""The step of an amount where a venue tells none."""

ASSUMED_FEE: Final = Decimal("0.005")
"""The share reckoned with where a venue tells no fee: an unknown fee is not none."""

CUSHION: Final = Decimal("0.005")
"""The share of a purchase that is kept back, since a market order may cost more than planned."""

_ONE: Final = Decimal(1)
_WHOLE: Final = Context(prec=4000, rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True)
class Refused:
    """No order, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """An order as it is planned.

    `price` is in units of quote per unit of base, `usd` the worth of the amount. `spent` and
    `received` are what goes and comes at that price, the fee taken from what comes in; `at_most` is
    what may go where it is taken on top instead. `is_whole` says that no limit made it smaller.
    """

    base: str
    quote: str
    side: Side
    amount: Decimal
    price: Decimal
    usd: Decimal
    fee: Decimal
    spent: Decimal
    received: Decimal
    at_most: Decimal
    is_whole: bool

    @property
    def spent_asset(self) -> str:
        """What is paid with."""
        return self.quote if self.side == "buy" else self.base

    @property
    def received_asset(self) -> str:
        """What comes in."""
        return self.base if self.side == "buy" else self.quote

    @property
    def reserved(self) -> Decimal:
        """What must be there of what it is paid with: a market order may cost more than planned."""
        if self.side == "sell":
            return self.spent
        return money.multiply(self.spent, money.total((_ONE, self.fee, CUSHION)))

    @property
    def order(self) -> PlannedOrder:
        """The order itself."""
        return PlannedOrder(self.base, self.quote, self.side, self.amount)


def fee_of(pair: PairLimits) -> Decimal:
    """Return the share that an order in a pair costs."""
    return ASSUMED_FEE if pair.fee is None else pair.fee


def cost_of_one(pair: PairLimits) -> Decimal:
    """Return what must be there to buy for one unit of the quote."""
    return money.total((_ONE, fee_of(pair), CUSHION))


def sized(
    pair: PairLimits,
    worths: tuple[Decimal, Decimal],
    spent: str,
    usd: Decimal,
    spendable: Decimal | None,
) -> Step | Refused:
    """Return the order that moves so many USD out of an asset, or the most that can be moved.

    Args:
        pair: `spent` is one of its two assets.
        worths: USD per unit of the base and of the quote.
        spent: the asset that is paid with.
        usd: how much is to be moved.
        spendable: units of `spent` that can be paid; None for as many as it takes.
    """
    base_usd, quote_usd = worths
    is_sale = spent == pair.base
    price = money.divide(base_usd, quote_usd)
    wanted = money.divide(usd, base_usd)
    payable = wanted
    if spendable is not None:
        payable = spendable
        if not is_sale:
            payable = money.divide(spendable, money.multiply(price, cost_of_one(pair)))
    most = _most(pair, price)
    amount = min(wanted, payable) if most is None else min(wanted, payable, most)
    amount = _stepped(amount, pair.amount_step)
    cost = money.multiply(amount, price)
    if _is_too_small(pair, amount, cost):
        return Refused(NOT_FREE if payable < wanted else TOO_SMALL)
    return _step(
        pair, price, amount, base_usd, is_sale=is_sale, is_whole=most is None or most >= wanted
    )


def counted_on_by(steps: Iterable[Step]) -> dict[str, Decimal]:
    """Return by asset what steps spend of what was there before, beside what they bring."""
    found: dict[str, Decimal] = {}
    for step in steps:
        spent, received = step.spent_asset, step.received_asset
        found[spent] = money.add(found.get(spent, money.ZERO), step.reserved)
        found[received] = money.subtract(found.get(received, money.ZERO), step.received)
    return {asset: amount for asset, amount in found.items() if amount > 0}


def within_budget(
    pair: PairLimits, order: PlannedOrder, price: Decimal, budget: Decimal
) -> PlannedOrder | None:
    """Return an order as far as a budget pays for it; None where that is too little for any.

    Args:
        pair: the order's.
        order: what was planned.
        price: units of quote per unit of base, as the venue would fill it.
        budget: units of what it is paid with.
    """
    if order.side == "sell":
        cost, payable = order.amount, budget
    else:
        cost = money.multiply(order.amount, money.multiply(price, money.add(_ONE, fee_of(pair))))
        payable = money.divide(budget, money.multiply(price, cost_of_one(pair)))
    if cost <= budget:
        return order
    amount = _stepped(min(order.amount, payable), pair.amount_step)
    is_too_small = _is_too_small(pair, amount, money.multiply(amount, price))
    return None if is_too_small else replace(order, amount=amount)


def _step(
    pair: PairLimits,
    price: Decimal,
    amount: Decimal,
    base_usd: Decimal,
    *,
    is_sale: bool,
    is_whole: bool,
) -> Step:
    fee = fee_of(pair)
    cost = money.multiply(amount, price)
    kept = money.subtract(_ONE, fee)
    spent, gross = (amount, cost) if is_sale else (cost, amount)
    return Step(
        base=pair.base,
        quote=pair.quote,
        side="sell" if is_sale else "buy",
        amount=amount,
        price=price,
        usd=money.multiply(amount, base_usd),
        fee=fee,
        spent=spent,
        received=money.multiply(gross, kept),
        at_most=amount if is_sale else money.multiply(cost, money.add(_ONE, fee)),
        is_whole=is_whole,
    )


def _most(pair: PairLimits, price: Decimal) -> Decimal | None:
    most = [pair.max_amount] if pair.max_amount is not None else []
    if pair.max_cost is not None:
        most.append(money.divide(pair.max_cost, price))
    return min(most, default=None)


def _is_too_small(pair: PairLimits, amount: Decimal, cost: Decimal) -> bool:
    if amount <= 0:
        return True
    is_little = pair.min_amount is not None and amount < pair.min_amount
    return is_little or (pair.min_cost is not None and cost < pair.min_cost)


def _stepped(amount: Decimal, step: Decimal | None) -> Decimal:
    """Return an amount cut to whole steps."""
    unit = step or USUAL_STEP
    return money.multiply(_WHOLE.divide_int(amount, unit), unit)
