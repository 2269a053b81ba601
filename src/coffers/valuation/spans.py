"""Parts of what flows brought: so much of it, from the oldest on."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from coffers import money
from coffers.valuation.model import Flow, Value


def span_of(flows: Iterable[Flow], since: Decimal, until: Decimal) -> Iterable[Flow]:
    """Return what flows brought between two amounts of their sum, the oldest first."""
    end = money.ZERO
    for flow in sorted(flows, key=lambda each: each.at):
        start, end = end, money.add(end, flow.amount)
        amount = money.subtract(min(end, until), max(start, since))
        if amount > 0:
            yield _part(flow, amount)


def _part(flow: Flow, amount: Decimal) -> Flow:
    """Return so much of a flow, with its share of the worth."""
    value = flow.value
    if value is not None and amount != flow.amount:
        share = money.divide(amount, flow.amount)
        value = Value(money.multiply(value.btc, share), money.multiply(value.usd, share))
    return replace(flow, amount=amount, fee=money.ZERO, value=value)
