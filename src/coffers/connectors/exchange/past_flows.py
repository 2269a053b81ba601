"""Deposits and withdrawals of an account from before its first reading, a few calls at a time.

The walk goes back window by window, through all of a window's histories and pages before the next
one. Binance's orders of states' money come last, since they take hours: one call is as heavy as
all others together. Where the walk stands is a text that the caller keeps: a step that was lost is
only walked again. An empty window is no end, since an account may rest for a year; a long rest, or
the year in which the venue began, is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from coffers.clock import DAY, Millis
from coffers.connectors.exchange.fiat import MOST_ROWS, REFUSED, FiatOrders
from coffers.connectors.exchange.flow_pages import (
    DIRECTIONS,
    Page,
    Span,
    halves,
    histories,
    is_elsewhere,
    page_of,
    rule_of,
)
from coffers.connectors.exchange.flow_rows import Direction, flows_of
from coffers.connectors.exchange.rules import FlowRule
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.past import PastFlows, PastRequest
from coffers.connectors.reading import ConnectorFailure
from coffers.valuation.model import Flow

CALLS = 6
"""Calls of one step. Binance lets a key ask for ten pages of withdrawals in a minute."""

LONGEST_REST = Millis(3 * 365 * DAY)
"""After so long a time without any deposit or withdrawal nothing older is looked for."""

MOST_PAGES = 500
"""Pages of one span; a venue that has more turns none."""

_FIAT: dict[str, Direction] = {"fiat deposits": "in", "fiat withdrawals": "out"}


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where a walk stands, in the venue's time.

    Everything from `known_since` on was asked. Of the window before it `spans` are left, the last
    one of a history first; none at all where the window is still to be opened. `busy_since` is the
    earliest window in which there was anything. `coins_since` is how far a walk came that begins
    anew with the orders of states' money, None before that.
    """

    known_since: Millis
    ends_at: Millis
    busy_since: Millis
    spans: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    coins_since: Millis | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing older to ask."""
        has_rested = self.busy_since - self.known_since >= LONGEST_REST
        return not self.spans and (has_rested or self.known_since <= self.ends_at)


@dataclass(slots=True)
class _Step:
    """What a step found so far."""

    rows: list[tuple[Direction | None, Mapping[str, Any]]] = field(default_factory=list)
    calls: int = 0
    answers: int = 0
    is_whole: bool = True
    refusal: ConnectorFailure | None = None


async def read_past_flows(
    session: VenueSession, request: PastRequest, wallets: Collection[str], fiat: FiatOrders
) -> PastFlows:
    """Walk one step back.

    Args:
        session: a talk with the venue.
        request: where the walk stands.
        wallets: the parts of the account that readings have.
        fiat: who asks Binance for orders of states' money.

    Raises:
        ConnectorFailure: when the venue could not be asked, or told none of its histories.
    """
    rule, clock_ahead = rule_of(session), session.clock_ahead
    first = PastRequest(request.before)
    names, has_both = histories(session, rule)
    if not names or not set(rule.wallets) <= set(wallets):
        return PastFlows((), request.before, request.before, None, is_whole=False)
    ahead, step = _begun(rule, request, clock_ahead), _Step(is_whole=has_both)
    while step.calls < CALLS and not ahead.is_done:
        asked = names if ahead.coins_since is None else _FIAT
        after = await _forward(session, rule, ahead, asked, step, fiat)
        if after is None:
            break
        ahead = after
    if ahead.is_done and rule.fiat_orders and ahead.coins_since is None:
        ahead = replace(_begun(rule, first, clock_ahead), coins_since=ahead.known_since)
    if step.refusal is not None and not step.answers:
        raise step.refusal
    rows = [row for row in step.rows if not is_elsewhere(rule, row[1], wallets)]
    return _brought(session, request, ahead, step, rows)


def _begun(rule: FlowRule, request: PastRequest, clock_ahead: int) -> Ahead:
    if request.cursor is not None:
        return msgspec.json.decode(request.cursor, type=Ahead)
    before = Millis(request.before - clock_ahead)
    founded = datetime(rule.since, 1, 1, tzinfo=UTC)
    ends_at = Millis(min(round(founded.timestamp() * 1000), before))
    return Ahead(before, ends_at, busy_since=before)


async def _forward(
    session: VenueSession,
    rule: FlowRule,
    ahead: Ahead,
    names: Iterable[str],
    step: _Step,
    fiat: FiatOrders,
) -> Ahead | None:
    """Ask for one page, and return where the walk stands then; None where it has to wait."""
    spans = dict(ahead.spans) or {name: (_window(rule, ahead),) for name in names}
    name = next(iter(spans))
    *others, span = spans[name]
    if name in _FIAT and (step.calls or not fiat.is_free(session)):
        return None
    page = await _page(session, rule, name, span, step, fiat)
    step.rows += [(DIRECTIONS.get(name) or _FIAT.get(name), row) for row in page.rows]
    step.is_whole = step.is_whole and not page.is_cut
    left = (*others, *page.rest)
    spans = {**spans, name: left} if left else {k: v for k, v in spans.items() if k != name}
    start = _window(rule, ahead).start
    busy = Millis(min(ahead.busy_since, start)) if page.rows else ahead.busy_since
    known = ahead.known_since if spans else start
    return replace(ahead, known_since=known, busy_since=busy, spans=spans)


def _window(rule: FlowRule, ahead: Ahead) -> Span:
    """Return the window before what is known; all of the past where a venue takes no end."""
    length = None if rule.until is None else rule.window_days * DAY
    start = ahead.ends_at if length is None else max(ahead.ends_at, ahead.known_since - length)
    return Span(Millis(start), ahead.known_since)


async def _page(
    session: VenueSession, rule: FlowRule, name: str, span: Span, step: _Step, fiat: FiatOrders
) -> Page:
    """Ask for a page; what a venue does not tell to this key is left out of the walk."""
    if name in _FIAT:
        step.calls += CALLS
        return await _fiat_page(session, _FIAT[name], span, step, fiat)
    step.calls += 1
    try:
        page = await page_of(session, name, rule, span)
        if span.pages >= MOST_PAGES:
            page = replace(page, rest=(), is_cut=True)
    except ConnectorFailure as failure:
        if failure.kind not in REFUSED:
            raise
        step.refusal = failure
        return Page((), (), is_cut=True)
    step.answers += 1
    return page


async def _fiat_page(
    session: VenueSession, direction: Direction, span: Span, step: _Step, fiat: FiatOrders
) -> Page:
    told = await fiat.past(session, direction, span.start, span.end)
    step.answers += 1
    rest = halves(span) if len(told.rows) >= MOST_ROWS else ()
    return Page(told.rows, rest, is_cut=not told.is_whole)


def _brought(
    session: VenueSession,
    request: PastRequest,
    ahead: Ahead,
    step: _Step,
    rows: Iterable[tuple[Direction | None, Mapping[str, Any]]],
) -> PastFlows:
    clock_ahead, is_whole = session.clock_ahead, step.is_whole
    found: dict[tuple[str, str], Flow] = {}
    for direction, row in rows:
        flow, is_understood = _flow(session, row, direction)
        is_whole = is_whole and is_understood
        if flow is not None and flow.at + clock_ahead < request.before:
            at = Millis(flow.at + clock_ahead)
            found.setdefault((flow.direction, flow.external_id), replace(flow, at=at))
    return PastFlows(
        flows=tuple(sorted(found.values(), key=lambda flow: flow.at)),
        known_since=Millis((ahead.coins_since or ahead.known_since) + clock_ahead),
        ends_at=Millis(ahead.ends_at + clock_ahead),
        cursor=None if ahead.is_done else msgspec.json.encode(ahead).decode(),
        is_whole=is_whole,
    )


def _flow(
    session: VenueSession, row: Mapping[str, Any], direction: Direction | None
) -> tuple[Flow | None, bool]:
    """Return the flow of a row, None where it is none, and whether the row was understood."""
    told = flows_of(session, [row], direction, Millis(0))
    return next(iter(told.flows), None), told.unclear_since is None
