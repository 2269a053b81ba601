"""A history's rows in ccxt's structure -> flows.

`amount` is what ccxt gives: for a withdrawal what arrived elsewhere, with the fee on top of it.
Binance's documented example (amount 20, transactionFee 20) can only be read so.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.exchange.amounts import amount_of
from coffers.connectors.exchange.rules import FlowRule, flow_rule
from coffers.connectors.exchange.session import VenueSession
from coffers.errors import InvalidAmount
from coffers.logs import seldom
from coffers.valuation.model import Flow

Direction = Literal["in", "out"]

# Some of ccxt's exchanges hand on the venue's own words.
_DONE = {"ok", None}
_NOT_DONE = {
    *("pending", "failed", "canceled", "rejected", "expired"),
    *("cancelled", "declined", "refunded", "fail", "processing", "initiated", "transfer"),
}

LONGEST_TXID = 200
"""Characters; the longest that a chain has are of 88."""

_log = seldom("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows that were found.

    `unclear_since` is the time of the earliest row that may be one and was not understood, None
    where every row was.
    """

    flows: tuple[Flow, ...]
    unclear_since: Millis | None = None


def flows_of(
    session: VenueSession,
    rows: Iterable[Mapping[str, Any]],
    direction: Direction | None,
    since: Millis,
) -> Flows:
    """Return the finished flows from a moment on.

    One row that nobody understands takes none of the others away: venues have states of their own,
    such as a deposit that was sent to the wrong chain, and keep them for ever.

    Args:
        session: a talk with the venue, for its names of assets.
        rows: transactions or ledger entries of ccxt.
        direction: that of the history, None where it has both.
        since: the moment; what is older is left out.
    """
    rule = flow_rule(session.venue.family)
    flows: list[Flow] = []
    unclear: list[Millis] = []
    for row in rows:
        way, status = direction or _direction(row), _status(row)
        is_credited = way == "in" and _is_one_of(rule.credited, row)
        is_undone = status in _NOT_DONE or _is_one_of(rule.undone, row)
        if way == "neither" or (is_undone and not is_credited):
            continue
        is_done = status in _DONE or is_credited
        flow = _flow(session, rule, row, way) if way is not None and is_done else None
        at = _time(row, since) if flow is None else flow.at
        if at < since:
            continue
        if flow is None:
            unclear.append(at)
        else:
            flows.append(flow)
    return Flows(tuple(flows), min(unclear, default=None))


def _status(row: Mapping[str, Any]) -> str | None:
    status = row.get("status")
    return None if status is None else str(status).lower()


def _is_one_of(values: Mapping[str, Collection[str]], row: Mapping[str, Any]) -> bool:
    """Return whether the venue's own row has one of these values, by field."""
    raw = row.get("info")
    return isinstance(raw, Mapping) and any(
        str(raw.get(name)) in meant for name, meant in values.items()
    )


def _time(row: Mapping[str, Any], since: Millis) -> Millis:
    at = row.get("timestamp")
    return Millis(at) if isinstance(at, int) else since


def _direction(row: Mapping[str, Any]) -> Direction | Literal["neither"] | None:
    """Return the way of a row of a history of both, None where it is unknown.

    A ledger's row has its direction apart; its trades, fees and transfers are none of ours.
    """
    kind, way = row.get("type"), row.get("direction")
    if kind == "neither":
        return "neither"
    if "direction" in row:
        is_flow = kind in {"transaction", "deposit", "withdrawal"}
        known: Direction | None = way if way in {"in", "out"} else None
        return known if is_flow else "neither"
    if kind in {"deposit", "withdrawal"}:
        return "in" if kind == "deposit" else "out"
    return None


def _flow(
    session: VenueSession, rule: FlowRule, row: Mapping[str, Any], direction: Direction
) -> Flow | None:
    """Return the flow of a finished row, None without its amount, its currency or its time."""
    try:
        return _parsed(session, rule, row, direction)
    except (InvalidAmount, KeyError, TypeError, ValueError) as error:
        _log.warning("row not understood", venue=session.venue.id, reason=str(error))
        return None


def _parsed(
    session: VenueSession, rule: FlowRule, row: Mapping[str, Any], direction: Direction
) -> Flow:
    code, amount, at = row.get("currency"), amount_of(row.get("amount")), row.get("timestamp")
    if rule.coin is not None:
        code = session.code(str(row["info"][rule.coin]))
    if not isinstance(code, str) or not amount or not isinstance(at, int):
        raise ValueError("an incomplete row")
    fee, fee_code = _fee(row.get("fee"), code, row.get("currency"))
    return Flow(
        external_id=_external_id(row, code, amount, at),
        direction=direction,
        asset=session.asset(code),
        venue_code=session.venue_code(code),
        amount=abs(amount),
        fee=fee,
        fee_asset=session.asset(fee_code),
        at=Millis(at),
        txid=_txid(row.get("txid")),
    )


def _txid(told: object) -> str | None:
    """Return a transaction's id as far as it is one: no text of a venue is kept at any length."""
    text = told.strip() if isinstance(told, str) else ""
    return text if text and len(text) <= LONGEST_TXID else None


def _external_id(row: Mapping[str, Any], code: str, amount: Decimal, at: int) -> str:
    """Return the venue's id; without one, a text that is the same whenever the row is read.

    One transaction can pay out several deposits, so its own id is not enough.
    """
    if row.get("id"):
        return str(row["id"])
    parts = (row.get("txid") or at, row.get("address") or "", code, money.plain(amount))
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    return f"tx:{digest}"


def _fee(fee: object, code: str, called: object) -> tuple[Decimal, str]:
    """Return a fee and its currency; OKX writes the currency behind the amount: 0.01eth.

    `called` is what ccxt calls what was moved, rightly or not.
    """
    if not isinstance(fee, Mapping):
        return money.ZERO, code
    cost = fee.get("cost")
    if isinstance(cost, str):
        cost = cost.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    told = fee.get("currency")
    fee_code = code if told in {None, "", called} else str(told)
    return abs(amount_of(cost) or money.ZERO), fee_code
