"""What became of an order: by its own, or among the orders that a venue lists.

A venue's word that it knows no such order counts only where it was asked by our id: without that,
ccxt asks for the order "None", and every venue knows none of that name. And it counts only for as
long as the venue tells by our id of orders at their end. Sources of these terms are the documents
of Gate ("Get a single order": pending ones alone), HTX ("getClientOrder": 8 hours), KuCoin ("Get
Order By ClientOid": 3 x 24 hours) and Bybit ("Get Order History": 7 days unless others are named).
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from coffers.clock import HOUR, Millis
from coffers.connectors.exchange.order_answers import ENDED
from coffers.connectors.exchange.rules import OrderRule
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, FailureKind

LOOKS = (0.3, 0.7, 1.5, 2.5)
"""Seconds between the looks at an order that is not at its end yet."""

_UNTOLD = {FailureKind.UNSUPPORTED, FailureKind.UNEXPECTED_ANSWER}
"""What ccxt fails with where a venue does not tell orders in this way, or knows none such."""

_LISTS = (
    ("fetchOpenOrders", "fetch_open_orders"),
    ("fetchCanceledAndClosedOrders", "fetch_canceled_and_closed_orders"),
    ("fetchClosedOrders", "fetch_closed_orders"),
    ("fetchOrders", "fetch_orders"),
)

_GATE_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

RawOrder = Mapping[str, Any]
"""An order as ccxt tells it."""


def id_at(rule: OrderRule, client_id: str) -> str | int:
    """Return the form of a client's order id that a venue takes, the same at each call.

    Numbers have fewer digits than the id; they tell the orders of one account apart.
    """
    match rule.id_form:
        case "hex":
            return client_id
        case "uuid":
            return str(UUID(client_id))
        case "number":
            return int(UUID(client_id).int % (1 << rule.id_bits))
        case "gate":
            return f"t-{_in_base_36(UUID(client_id).int)}"


def _in_base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _GATE_DIGITS[digit] + digits
    return digits


async def found(
    session: VenueSession, rule: OrderRule, symbol: str, client_id: str, sent_at: Millis | None
) -> tuple[RawOrder | None, bool]:
    """Return the order of a client's id, and whether the venue's word that there is none counts.

    `sent_at` is when it was sent, None where nobody knows.

    Raises:
        ConnectorFailure: when the venue does not tell.
    """
    own, is_told = id_at(rule, client_id), _is_told(session, rule, sent_at)
    untold: ConnectorFailure | None = None
    if rule.found_by in {"param", "id"} and session.can("fetchOrder"):
        asked = (own, symbol) if rule.found_by == "id" else (None, symbol, {"clientOrderId": own})
        try:
            answer = await session.ask("fetch_order", *asked)
        except ConnectorFailure as failure:
            is_missing = "OrderNotFound" in session.raised and session.heard.status is not None
            if is_missing and is_told:
                return None, True
            if failure.kind not in _UNTOLD and not is_missing:
                raise
            untold = None if session.is_unsent or is_missing else failure
        else:
            if answer.get("id") is not None and answer.get("clientOrderId") in {None, str(own)}:
                told: RawOrder = answer
                return told, True
    is_asked = rule.found_by == "lists"
    params = {rule.list_param: own} if is_asked else {}
    row, is_whole = await _listed(session, symbol, "clientOrderId", str(own), params)
    if row is None and untold is not None:
        raise untold
    return row, is_asked and is_whole and is_told


def _is_told(session: VenueSession, rule: OrderRule, sent_at: Millis | None) -> bool:
    """Return whether a venue would still tell of an order by our id, also of one at its end."""
    if rule.told_for_hours is None:
        return True
    # A moment to come is one of just now: clocks differ by a little.
    age = None if sent_at is None else max(0, session.now() - sent_at)
    return age is not None and age < rule.told_for_hours * HOUR


async def at_its_end(session: VenueSession, symbol: str, order: RawOrder) -> RawOrder:
    """Look at an order until the venue is done with it; what stays open is withdrawn.

    Raises:
        ConnectorFailure: when the venue does not tell.
    """
    for wait in LOOKS:
        if order.get("status") in ENDED or not order.get("id"):
            break
        await asyncio.sleep(wait)
        order = await _now(session, symbol, order)
    if order.get("status") == "open" and order.get("id") and session.can("cancelOrder"):
        await session.ask("cancel_order", order["id"], symbol)
        order = await _now(session, symbol, order)
    return order


async def _now(session: VenueSession, symbol: str, order: RawOrder) -> RawOrder:
    """Return how an order stands; as it is known where the venue tells nothing of it.

    Bitfinex knows only open orders by their ids, and answers nothing for others.
    """
    own = str(order["id"])
    if session.can("fetchOrder"):
        try:
            answer: RawOrder = await session.ask("fetch_order", order["id"], symbol)
        except ConnectorFailure as failure:
            if failure.kind not in _UNTOLD:
                raise
        else:
            if str(answer.get("id")) == own:
                return answer
    row, _ = await _listed(session, symbol, "id", own, {})
    return row or order


async def _listed(
    session: VenueSession, symbol: str, name: str, wanted: str, params: Mapping[str, object]
) -> tuple[RawOrder | None, bool]:
    """Return an order among the newest that a venue lists, and whether all could be asked for.

    `name` is the field that is to be as wanted.

    Raises:
        ConnectorFailure: when the venue does not tell one of them.
    """
    # Some of ccxt's calls have a limit of their own, which None would take away.
    asked = (symbol, None, None, params) if params else (symbol,)
    is_whole = True
    for way, method in _LISTS:
        if not session.can(way):
            continue
        try:
            rows = await session.ask(method, *asked)
        except ConnectorFailure:
            # One of several lists may be of contracts alone (Weex), or of another kind of account.
            if not session.is_unsent:
                raise
            is_whole = False
            continue
        told: RawOrder | None = next((row for row in rows if str(row.get(name)) == wanted), None)
        if told is not None:
            return told, True
    return None, is_whole
