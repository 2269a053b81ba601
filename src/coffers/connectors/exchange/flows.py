"""Deposits and withdrawals of an account -> flows, found window by window.

A venue tells them only for a span at a time and only so many at once. A span whose answer is full
is halved until nothing can be left out, whatever end the venue cuts off.

`amount` is what ccxt gives: for a withdrawal what arrived elsewhere, with the fee on top of it.
Binance's documented example (amount 20, transactionFee 20) can only be read so.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from coffers import money
from coffers.clock import DAY, SECOND, Millis
from coffers.connectors.exchange.amounts import amount_of
from coffers.connectors.exchange.failures import UNTOLD, unexpected
from coffers.connectors.exchange.rules import EVERY_VENUE, FlowRule, first, flow_rules
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, ReadRequest
from coffers.errors import InvalidAmount
from coffers.logs import logger
from coffers.valuation.model import Flow

MOST_PAGES = 20
"""Calls per reading and kind of history; what is beyond them is unknown."""

SHORTEST_SPAN = SECOND
"""A span that is not halved any more."""

_METHODS = {
    "fetchDeposits": "fetch_deposits",
    "fetchWithdrawals": "fetch_withdrawals",
    "fetchDepositsWithdrawals": "fetch_deposits_withdrawals",
}

_log = logger("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Flows:
    """The flows that were found; `is_whole` says whether these are all."""

    flows: tuple[Flow, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """What a history told, in ccxt's transaction structure."""

    rows: tuple[Mapping[str, Any], ...]
    is_whole: bool


async def read_flows(
    session: VenueSession, request: ReadRequest, until: Millis, wallets: Collection[str]
) -> Flows:
    """Return the finished flows from `flows_since` on that are not known yet, oldest first.

    Venues tell what went into and out of the whole account there. Where its spot wallet is not
    among the `wallets` that were read, that says nothing, and the flows are unknown.

    Raises:
        ConnectorFailure: when the venue could not be asked; a history that it does not tell to
            this key makes the flows not whole instead.
    """
    since = request.flows_since
    if since is None:
        return Flows((), is_whole=True)
    if "spot" not in wallets:
        return Flows((), is_whole=False)
    histories, is_whole = _histories(session)
    found: dict[tuple[str, str], Flow] = {}
    for history in histories:
        told = await _told(session, history, since, until)
        is_whole = is_whole and told.is_whole
        for flow in told.flows:
            found.setdefault((flow.direction, flow.external_id), flow)
    fresh = [flow for key, flow in found.items() if key not in request.known_flows]
    return Flows(tuple(sorted(fresh, key=lambda flow: flow.at)), is_whole)


def _histories(session: VenueSession) -> tuple[list[str], bool]:
    apart = [name for name in ("fetchDeposits", "fetchWithdrawals") if session.can(name)]
    if len(apart) < len(("in", "out")) and session.can("fetchDepositsWithdrawals"):
        return ["fetchDepositsWithdrawals"], True
    return apart, len(apart) == len(("in", "out"))


async def _told(session: VenueSession, history: str, since: Millis, until: Millis) -> Flows:
    rule = first(flow_rules(), session.venue.family) or flow_rules()[EVERY_VENUE]
    try:
        told = await _walk(session, history, rule, since, until)
        rows = [row for row in told.rows if not _is_elsewhere(rule, row)]
        return Flows(tuple(_flows(session, rows, since)), told.is_whole)
    except ConnectorFailure as failure:
        if failure.kind not in UNTOLD:
            raise
        _log.warning(
            "history not told", venue=session.venue.id, history=history, reason=str(failure)
        )
        return Flows((), is_whole=False)


async def _walk(
    session: VenueSession, history: str, rule: FlowRule, since: Millis, until: Millis
) -> Rows:
    spans = _spans(rule, since, until)
    rows: list[Mapping[str, Any]] = []
    is_whole = True
    for _ in range(MOST_PAGES):
        if not spans:
            return Rows(tuple(rows), is_whole)
        start, end = spans.pop()
        page = await _page(session, history, rule, start, end)
        rows += page
        if len(page) >= rule.page:
            halves = _halves(rule, start, end)
            is_whole = is_whole and bool(halves)
            spans += halves
    return Rows(tuple(rows), is_whole and not spans)


def _spans(rule: FlowRule, since: Millis, until: Millis) -> list[tuple[Millis, Millis]]:
    """Return the spans to ask for, the last to be asked first in the list."""
    if rule.until is None:
        return [(since, until)]
    length = rule.window_days * DAY
    starts = range(since, max(until, since + 1), length)
    return [(Millis(start), Millis(min(start + length, until))) for start in reversed(starts)]


def _halves(rule: FlowRule, start: Millis, end: Millis) -> list[tuple[Millis, Millis]]:
    if rule.until is None or end - start <= SHORTEST_SPAN:
        return []
    middle = Millis((start + end) // 2)
    return [(middle, end), (start, middle)]


async def _page(
    session: VenueSession, history: str, rule: FlowRule, start: Millis, end: Millis
) -> list[Mapping[str, Any]]:
    params = {} if rule.until is None else {rule.until: end}
    page = await session.ask(_METHODS[history], None, start, rule.page, params)
    is_told = isinstance(session.heard.answer, Mapping | list) and session.heard.answer != {}
    if not isinstance(page, list) or not is_told:
        raise unexpected(session.venue, "it is no history of deposits or withdrawals", "no_history")
    return page


def _is_elsewhere(rule: FlowRule, row: Mapping[str, Any]) -> bool:
    raw = row.get("info")
    return isinstance(raw, Mapping) and any(
        str(raw.get(name)) in values for name, values in rule.elsewhere.items()
    )


def _flows(session: VenueSession, rows: Sequence[Mapping[str, Any]], since: Millis) -> list[Flow]:
    flows = [_flow(session, row) for row in rows if row.get("status") in ("ok", None)]
    return [flow for flow in flows if flow.at >= since]


def _flow(session: VenueSession, row: Mapping[str, Any]) -> Flow:
    try:
        return _parsed(session, row)
    except (InvalidAmount, TypeError, ValueError) as error:
        reason = "a deposit or withdrawal lacks its amount, its currency or its time"
        raise unexpected(session.venue, reason, "bad_flow") from error


def _parsed(session: VenueSession, row: Mapping[str, Any]) -> Flow:
    code, amount, at = row.get("currency"), amount_of(row.get("amount")), row.get("timestamp")
    if not isinstance(code, str) or not amount or not isinstance(at, int):
        raise ValueError("an incomplete row")
    fee, fee_code = _fee(row.get("fee"), code)
    return Flow(
        external_id=_external_id(row, code, amount, at),
        direction=_direction(row),
        asset=session.asset(code),
        venue_code=session.venue_code(code),
        amount=abs(amount),
        fee=fee,
        fee_asset=session.asset(fee_code),
        at=Millis(at),
    )


def _direction(row: Mapping[str, Any]) -> Literal["in", "out"]:
    return "in" if row.get("type") == "deposit" else "out"


def _external_id(row: Mapping[str, Any], code: str, amount: Decimal, at: int) -> str:
    """Return the venue's id; without one, a text that is the same whenever the row is read.

    One transaction can pay out several deposits, so its own id is not enough.
    """
    if row.get("id"):
        return str(row["id"])
    parts = (row.get("txid") or at, row.get("address") or "", code, money.plain(amount))
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    return f"tx:{digest}"


def _fee(fee: object, code: str) -> tuple[Decimal, str]:
    """Return a fee and its currency; OKX writes the currency behind the amount: 0.01eth."""
    if not isinstance(fee, Mapping):
        return money.ZERO, code
    cost = fee.get("cost")
    if isinstance(cost, str):
        cost = cost.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return abs(amount_of(cost) or money.ZERO), str(fee.get("currency") or code)
