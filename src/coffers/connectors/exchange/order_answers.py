"""What ccxt tells of orders, pairs and order books, in our own terms.

Sources: ccxt's manual ("Order Structure", "Precision Mode", "Order Book").
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from coffers import money
from coffers.connectors.exchange.amounts import amount_of
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.trading import Fate, Placed
from coffers.errors import InvalidAmount
from coffers.valuation.orders import PairLimits, PlannedOrder

_TICK_SIZE, _DECIMAL_PLACES = 4, 2
"""ccxt's precision modes; a third one counts significant digits, which are no step."""

ENDED = {"closed", "canceled", "cancelled", "expired", "rejected"}
"""States of an order that the venue is done with."""

_BARE: dict[str, Fate] = {"open": "open", "rejected": "refused"}


def average_price(levels: Sequence[Sequence[object]], amount: Decimal) -> Decimal | None:
    """Return what an amount costs per unit in an order book; None where there is less in it."""
    left, cost = amount, money.ZERO
    for level in levels:
        price, size = _rough(level[0]), _rough(level[1])
        if price is None or size is None:
            continue
        taken = min(left, size)
        cost = money.add(cost, money.multiply(price, taken))
        left = money.subtract(left, taken)
        if left <= 0:
            return money.divide(cost, amount)
    return None


def limits_of(session: VenueSession, market: Mapping[str, Any]) -> PairLimits:
    """Return what a venue takes orders of in a pair, as ccxt's market tells."""
    limits = market.get("limits") or {}
    amount, cost = limits.get("amount") or {}, limits.get("cost") or {}
    # Binance takes less at once of an order without a price.
    bare = limits.get("market") or {}
    mode = session.exchange.precisionMode
    return PairLimits(
        str(market["baseId"]),
        str(market["quoteId"]),
        step_of((market.get("precision") or {}).get("amount"), mode),
        max(_told(amount, bare, "min"), default=None),
        min(_told(amount, bare, "max"), default=None),
        positive(cost.get("min")),
        positive(cost.get("max")),
        _rough(market.get("taker")),
    )


def _told(amount: Mapping[str, Any], bare: Mapping[str, Any], end: str) -> list[Decimal]:
    ends = (positive(limits.get(end)) for limits in (amount, bare))
    return [limit for limit in ends if limit is not None]


def placed_of(
    session: VenueSession, answer: Mapping[str, Any], order: PlannedOrder, *, is_by_cost: bool
) -> Placed:
    """Return what ccxt tells of an order in our own terms.

    `is_by_cost` says that the venue was told what to pay, so that what came may be a little more or
    less than the order's amount.
    """
    filled, cost = _known(answer.get("filled")), _known(answer.get("cost"))
    fees = [fee for fee in [answer.get("fee"), *(answer.get("fees") or ())] if fee]
    told = {str(fee["currency"]) for fee in fees if fee.get("currency")}
    fee, asset = None, None
    if len(told) == 1:
        asset = session.venue_code(told.pop())
        costs = (_known(each.get("cost")) for each in fees)
        # A fee of nothing is one that was told.
        fee = max((cost for cost in costs if cost is not None), default=None)
    return Placed(
        _fate(answer.get("status"), filled, None if is_by_cost else order.amount),
        filled,
        cost,
        fee,
        asset if fee is not None else None,
        None if answer.get("id") is None else str(answer["id"]),
    )


def _fate(status: object, filled: Decimal | None, amount: Decimal | None) -> Fate:
    if filled is None:
        # A venue that says "closed" of a market order has filled it, and does not say how much.
        return "unknown" if status not in {"open", "rejected"} else _BARE[str(status)]
    if filled >= amount if amount is not None else filled and status == "closed":
        return "filled"
    if status in ENDED:
        return "partly" if filled else "refused"
    return "open"


def step_of(precision: object, mode: int) -> Decimal | None:
    """Return the step of amounts that ccxt's precision means; None where it is none."""
    told = _known(precision)
    if told is None:
        return None
    if mode == _TICK_SIZE:
        return told if told > 0 else None
    if mode == _DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(told.to_integral_value(ROUND_DOWN)))
    return None


def _known(value: object) -> Decimal | None:
    try:
        return amount_of(value)
    except (InvalidAmount, TypeError):
        return None


def _rough(value: object) -> Decimal | None:
    """Return a number that ccxt tells as a float: fees and order books, by which none is paid."""
    return positive(str(value) if isinstance(value, float) else value)


def positive(value: object) -> Decimal | None:
    """Return a number that ccxt tells, None where it is none or not above zero."""
    told = _known(value)
    return told if told is not None and told > 0 else None
