"""Deposits and withdrawals of an account since the readings before -> flows, window by window."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coffers.clock import DAY, Millis
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.failures import UNTOLD
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flow_pages import (
    DIRECTIONS,
    Span,
    histories,
    is_elsewhere,
    page_of,
    rule_of,
)
from coffers.connectors.exchange.flow_rows import Flows, flows_of
from coffers.connectors.exchange.rules import FlowRule
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, ReadRequest
from coffers.logs import logger
from coffers.valuation.model import Flow

MOST_PAGES = 20
"""Calls per reading and kind of history; what is beyond them is unknown."""

_log = logger("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Rows:
    """What a history told, in ccxt's transaction structure."""

    rows: tuple[Mapping[str, Any], ...]
    is_whole: bool


async def read_flows(
    session: VenueSession,
    request: ReadRequest,
    until: Millis,
    holdings: Holdings,
    fiat: FiatOrders | None,
) -> Flows:
    """Return the finished flows from `flows_since` on that are not known yet, oldest first.

    Without `fiat`, orders of states' money are not asked for.

    Venues tell what went into and out of the whole account there. Where the wallets that deposits
    arrive in are not among those that were read, that says nothing, and the flows are unknown.

    Raises:
        ConnectorFailure: when the venue could not be asked; a history that it does not tell to
            this key makes the flows not whole instead.
    """
    since = request.flows_since
    if since is None:
        return Flows((), is_whole=True)
    rule = rule_of(session)
    if not set(rule.wallets) <= holdings.wallets:
        return Flows((), is_whole=False)
    names, is_whole = histories(session, rule)
    told = [await _told(session, history, rule, holdings, since, until) for history in names]
    if rule.fiat_orders and fiat is not None:
        told.append(await _fiat(session, fiat, holdings, since, until))
    is_whole = is_whole and all(part.is_whole for part in told)
    untold = {position.asset for position in holdings.positions} & set(rule.untold)
    return Flows(_fresh(told, request), is_whole and not untold)


def _fresh(told: Iterable[Flows], request: ReadRequest) -> tuple[Flow, ...]:
    found: dict[tuple[str, str], Flow] = {}
    for part in told:
        for flow in part.flows:
            found.setdefault((flow.direction, flow.external_id), flow)
    fresh = [flow for key, flow in found.items() if key not in request.known_flows]
    return tuple(sorted(fresh, key=lambda flow: flow.at))


async def _told(
    session: VenueSession,
    history: str,
    rule: FlowRule,
    holdings: Holdings,
    since: Millis,
    until: Millis,
) -> Flows:
    try:
        told = await _walk(session, history, rule, since, until)
        rows = [row for row in told.rows if not is_elsewhere(rule, row, holdings.wallets)]
        flows = flows_of(session, rows, DIRECTIONS.get(history), since)
        return Flows(flows.flows, told.is_whole and flows.is_whole)
    except ConnectorFailure as failure:
        if failure.kind not in UNTOLD:
            raise
        _log.warning(
            "history not told", venue=session.venue.id, history=history, reason=str(failure)
        )
        return Flows((), is_whole=False)


async def _fiat(
    session: VenueSession, fiat: FiatOrders, holdings: Holdings, since: Millis, until: Millis
) -> Flows:
    money_of_states = set(session.exchange.options.get("legalMoney") or ())
    held = {
        position.asset: position.owned
        for position in holdings.positions
        if position.asset in money_of_states
    }
    told = await fiat.read(session, held, since, until)
    try:
        flows = flows_of(session, told.rows, told.direction, since)
    except ConnectorFailure as failure:
        _log.warning("fiat orders not understood", venue=session.venue.id, reason=str(failure))
        return Flows((), is_whole=False)
    return Flows(flows.flows, told.is_whole and flows.is_whole)


async def _walk(
    session: VenueSession, history: str, rule: FlowRule, since: Millis, until: Millis
) -> Rows:
    spans = _spans(rule, since, until)
    rows: list[Mapping[str, Any]] = []
    is_whole = True
    for _ in range(MOST_PAGES):
        if not spans:
            return Rows(tuple(rows), is_whole)
        span = spans.pop()
        page = await page_of(session, history, rule, span)
        rows += page.rows
        spans += page.rest
        is_whole = is_whole and not page.is_cut
    return Rows(tuple(rows), is_whole and not spans)


def _spans(rule: FlowRule, since: Millis, until: Millis) -> list[Span]:
    """Return the spans to ask for, the last to be asked first in the list."""
    if rule.until is None:
        return [Span(since, until)]
    length = rule.window_days * DAY
    starts = range(since, max(until, since + 1), length)
    return [Span(Millis(start), Millis(min(start + length, until))) for start in reversed(starts)]
