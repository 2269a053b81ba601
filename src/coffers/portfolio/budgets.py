"""What the orders of a plan may spend: what it counted on, and what its own orders have brought.

An order that fails must not let a later one spend what the plan leaves alone. All follows from what
is written down, so that whoever takes an operation over holds to it too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec

from coffers import money
from coffers.connectors.trading import TradingDesk
from coffers.money import plain
from coffers.portfolio.operation_notes import PricingContext
from coffers.portfolio.steps import UNSETTLED, order_of
from coffers.store.operations import Step
from coffers.valuation.order_sizes import ASSUMED_FEE, fee_of, within_budget
from coffers.valuation.orders import PairLimits, Terms

_TOLD = frozenset({"filled", "partly", "open"})


def read_terms(text: str | None) -> Terms:
    """Return what was written down; where nothing was, nothing was counted on."""
    return Terms({}, {}) if text is None else msgspec.json.decode(text, type=Terms)


class Budget:
    """What may be spent by the orders of one plan.

    Args:
        terms: what the plan counted on, and what it took the codes for.
        pairs: what the venue demands of orders.
        known: the prices by which is judged what a venue does not tell.
        desk: where the orders are placed.
    """

    def __init__(
        self, terms: Terms, pairs: Iterable[PairLimits], known: PricingContext, desk: TradingDesk
    ) -> None:
        self._terms = terms
        self._pairs = {(pair.base, pair.quote): pair for pair in pairs}
        self._known = known
        self._desk = desk

    def paid(self, step: Step, price: Decimal, steps: Sequence[Step]) -> Step:
        """Return a planned step as far as it can be paid for; skipped where it cannot.

        Args:
            step: an order.
            price: what it would have, in units of quote per unit of base.
            steps: all of its operation, as they stand.
        """
        order = order_of(step)
        pair = self._pairs.get((order.base, order.quote))
        if pair is None:
            told = f"the exchange does not trade {order.base}/{order.quote} now"
            return replace(step, state="skipped", why=told)
        for code in (order.base, order.quote):
            planned, asset = self._terms.assets.get(code), self._known.asset(code, self._desk)
            if planned is None:
                told = "it was planned by an older release; the next run plans anew"
                return replace(step, state="skipped", why=told)
            if planned != asset:
                told = f"{code} was planned as {planned}, and is {asset} by the newest prices"
                return replace(step, state="skipped", why=told)
        budget = self._left(order.spent, steps)
        paid = within_budget(pair, order, price, budget)
        if paid is None:
            told = f"no more than {plain(budget)} {order.spent} of the plan's is there to spend"
            return replace(step, state="skipped", why=told)
        if paid == order:
            return step
        told = f"cut from {plain(order.amount)} to what {plain(budget)} {order.spent} pay for"
        return replace(step, amount=paid.amount, why=told)

    def _left(self, code: str, steps: Sequence[Step]) -> Decimal:
        """Return the units of a code that may be spent now."""
        left = self._terms.counted_on.get(code, money.ZERO)
        for step in steps:
            order = order_of(step)
            if order.received == code:
                left = money.add(left, self._brought(step))
            elif order.spent == code:
                spent = self._went(step)
                if spent is None:
                    return money.ZERO
                left = money.subtract(left, spent)
        return max(left, money.ZERO)

    def _brought(self, step: Step) -> Decimal:
        """Return what came in by an order for certain."""
        if step.state not in _TOLD or step.filled is None:
            return money.ZERO
        gross = step.filled if step.side == "buy" else step.cost
        if gross is None:
            # No order is placed where the venue pays less.
            least = self._known.least(order_of(step), self._desk)
            gross = money.multiply(step.filled, least or money.ZERO)
        return money.subtract(gross, self._fee(step, order_of(step).received, gross))

    def _went(self, step: Step) -> Decimal | None:
        """Return what an order has spent, or may have, at the most; None where nobody knows."""
        if step.state not in _TOLD | UNSETTLED:
            return money.ZERO
        order, is_over = order_of(step), step.state not in UNSETTLED
        if order.side == "sell":
            return step.filled if is_over and step.filled is not None else order.amount
        cost = step.cost if is_over else None
        if cost is None:
            # No order is placed where the venue takes more.
            most = self._known.most(order, self._desk)
            if most is None:
                return None
            cost = money.multiply(order.amount, most)
        return money.add(cost, self._fee(step, order.spent, cost))

    def _fee(self, step: Step, code: str, gross: Decimal) -> Decimal:
        """Return what an order cost in a code.

        One that is not told may have been taken in it, and is what the plan reckoned with.
        """
        if step.fee is None:
            pair = self._pairs.get((step.base, step.quote))
            return money.multiply(gross, ASSUMED_FEE if pair is None else fee_of(pair))
        return step.fee if step.fee_asset == code else money.ZERO
