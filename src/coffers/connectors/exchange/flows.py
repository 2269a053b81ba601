"""Deposits and withdrawals of an account -> flows, found window by window.

A venue tells them only for a span at a time and only so many at once. A span whose answer is full
goes on with the next page, or is halved until nothing can be left out, whatever end the venue cuts
off. Where neither is offered, a full answer leaves the flows unknown.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from coffers.clock import DAY, SECOND, Millis
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.failures import UNTOLD, unexpected
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flow_rows import Direction, Flows, flows_of
from coffers.connectors.exchange.rules import EVERY_VENUE, FlowRule, first, flow_rules
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, ReadRequest
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
    "fetchTransactions": "fetch_transactions",
    "fetchLedger": "fetch_ledger",
}
_DIRECTIONS: dict[str, Direction] = {"fetchDeposits": "in", "fetchWithdrawals": "out"}

_log = logger("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Rows:
    """What a history told, in ccxt's transaction structure."""

    rows: tuple[Mapping[str, Any], ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a history to ask for; `rows` and `pages` of it are known already."""

    start: Millis
    end: Millis
    rows: int = 0
    pages: int = 0


async def read_flows(
    session: VenueSession,
    request: ReadRequest,
    until: Millis,
    holdings: Holdings,
    fiat: FiatOrders,
) -> Flows:
    """Return the finished flows from `flows_since` on that are not known yet, oldest first.

    Venues tell what went into and out of the whole account there. Where the wallets that deposits
    arrive in are not among those that were read, that says nothing, and the flows are unknown.

    Raises:
        ConnectorFailure: when the venue could not be asked; a history that it does not tell to
            this key makes the flows not whole instead.
    """
    since = request.flows_since
    if since is None:
        return Flows((), is_whole=True)
    rule = first(flow_rules(), session.venue.family) or flow_rules()[EVERY_VENUE]
    if not set(rule.wallets) <= holdings.wallets:
        return Flows((), is_whole=False)
    histories, is_whole = _histories(session, rule)
    told = [await _told(session, history, rule, holdings, since, until) for history in histories]
    if rule.fiat_orders:
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


def _histories(session: VenueSession, rule: FlowRule) -> tuple[list[str], bool]:
    if rule.histories is not None:
        return rule.histories, bool(rule.histories)
    apart = [name for name in _DIRECTIONS if session.can(name)]
    if len(apart) < len(_DIRECTIONS) and session.can("fetchDepositsWithdrawals"):
        return ["fetchDepositsWithdrawals"], True
    return apart, len(apart) == len(_DIRECTIONS)


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
        rows = [row for row in told.rows if not _is_elsewhere(rule, row, holdings.wallets)]
        flows = flows_of(session, rows, _DIRECTIONS.get(history), since)
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
        page = await _page(session, history, rule, span)
        rows += page
        # ccxt drops rows of other kinds and times: whether the answer was full, it tells itself.
        length = max(len(page), _longest(session.heard.answer))
        if length >= rule.page:
            rest = _rest(rule, span, length)
            is_whole = is_whole and bool(rest)
            spans += rest
    return Rows(tuple(rows), is_whole and not spans)


def _spans(rule: FlowRule, since: Millis, until: Millis) -> list[Span]:
    """Return the spans to ask for, the last to be asked first in the list."""
    if rule.until is None:
        return [Span(since, until)]
    length = rule.window_days * DAY
    starts = range(since, max(until, since + 1), length)
    return [Span(Millis(start), Millis(min(start + length, until))) for start in reversed(starts)]


def _rest(rule: FlowRule, span: Span, length: int) -> list[Span]:
    """Return what is left to ask of a span whose answer was full, nothing where that is no way."""
    if rule.offset is not None or rule.number is not None:
        return [replace(span, rows=span.rows + length, pages=span.pages + 1)]
    if rule.until is None or span.end - span.start <= SHORTEST_SPAN:
        return []
    middle = Millis((span.start + span.end) // 2)
    return [Span(middle, span.end), Span(span.start, middle)]


async def _page(
    session: VenueSession, history: str, rule: FlowRule, span: Span
) -> list[Mapping[str, Any]]:
    params: dict[str, int] = {}
    if rule.until is not None:
        params[rule.until] = span.end
    if rule.offset is not None and span.rows:
        params[rule.offset] = span.rows
    if rule.number is not None and span.pages:
        params[rule.number] = span.pages + 1
    since = span.start if rule.takes_since else None
    page = await session.ask(_METHODS[history], None, since, rule.page, params)
    if not isinstance(page, list) or not _is_history(session.heard.answer):
        raise unexpected(session.venue, "it is no history of deposits or withdrawals", "no_history")
    return page


def _is_history(answer: object) -> bool:
    """Return whether an answer has room for rows, as `{}` or a code with a text has not.

    A row must hold something: what has no time ccxt drops without a word.
    """
    if isinstance(answer, Mapping):
        return any(value is None or isinstance(value, Mapping | list) for value in answer.values())
    return isinstance(answer, list) and all(
        isinstance(row, Mapping | list) and row for row in answer
    )


def _longest(answer: object) -> int:
    """Return the length of the longest list in an answer, outside of other lists."""
    if isinstance(answer, list):
        return len(answer)
    if isinstance(answer, Mapping):
        return max((_longest(value) for value in answer.values()), default=0)
    return 0


def _is_elsewhere(rule: FlowRule, row: Mapping[str, Any], wallets: Collection[str]) -> bool:
    """Return whether a row is of a wallet that was not read."""
    raw = row.get("info")
    if not isinstance(raw, Mapping):
        return False
    named = (values.get(str(raw.get(name))) for name, values in rule.elsewhere.items())
    return any(wallet is not None and wallet not in wallets for wallet in named)
