"""Deposits and withdrawals of an account since the readings before -> flows, window by window.

After a long time it is more than one reading may ask for. Then the last two weeks come first, since
what came in today must not wait for what came in months ago; the time before is asked from its
beginning on, and what is left of it by the next reading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
from coffers.logs import seldom
from coffers.valuation.model import Flow

MOST_PAGES = 20
"""Calls per reading, kind of history and stretch of time; what is beyond them is unknown."""

LATELY = Millis(14 * DAY)
"""What is asked first after a long time."""

LONG = Millis(28 * DAY)
"""A time so long is asked in two stretches; an ordinary one is not much longer than `LATELY`."""

_log = seldom("coffers.connectors")


@dataclass(frozen=True, slots=True)
class FoundFlows:
    """The flows that were found since a moment; `is_whole` says whether these are all.

    `is_read` says that all was read which the venue tells: what it never tells, such as deposits of
    states' money, may be missing all the same, and so may what was not understood, of which
    `unclear_since` is the earliest. Where it was not, `read_until` is the moment up to which it
    was, None where that is no later than where the search started. `asked_before` says of flows
    that are not asked for in each reading when they were, by (direction, external id). `is_untold`
    says that money is held whose deposits are in no history. `is_asked` is False where a history is
    still to be asked for the first time by this process.
    """

    flows: tuple[Flow, ...]
    is_whole: bool
    is_read: bool
    read_until: Millis | None = None
    unclear_since: Millis | None = None
    asked_before: Mapping[tuple[str, str], Millis | None] = field(default_factory=dict)
    is_untold: bool = False
    is_asked: bool = True

    def on_our_clock(self, ahead: int) -> "FoundFlows":
        """Return the same with all moments put on our clock, so many milliseconds ahead."""
        return replace(
            self,
            flows=tuple(replace(flow, at=Millis(flow.at + ahead)) for flow in self.flows),
            read_until=_later(self.read_until, ahead),
            unclear_since=_later(self.unclear_since, ahead),
        )

    def joined_by(self, later: "FoundFlows") -> "FoundFlows":
        """Return the flows of two searches, the second of which asked for what was new since."""
        unclear = [self.unclear_since, later.unclear_since]
        return FoundFlows(
            self.flows + later.flows,
            self.is_whole and later.is_whole,
            self.is_read and later.is_read,
            self.read_until if later.read_until is None else later.read_until,
            min((moment for moment in unclear if moment is not None), default=None),
            {**self.asked_before, **later.asked_before},
            self.is_untold or later.is_untold,
            self.is_asked and later.is_asked,
        )


def _later(moment: Millis | None, by: int) -> Millis | None:
    return None if moment is None else Millis(moment + by)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time that is asked for, in a talk with the venue by its rule."""

    session: VenueSession
    rule: FlowRule
    holdings: Holdings
    since: Millis
    until: Millis


@dataclass(frozen=True, slots=True)
class _Told:
    """What a history told of a stretch: all of it up to `read_until`.

    `is_refused` says that it told nothing that can be used.
    """

    flows: Flows
    read_until: Millis
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class _Orders:
    """Orders of states' money; `is_told` says whether these are all that the venue tells.

    `told_before` is when they were told before.
    """

    flows: Flows
    is_told: bool
    told_before: Millis | None
    is_every_asked: bool


async def read_flows(
    session: VenueSession,
    request: ReadRequest,
    until: Millis,
    holdings: Holdings,
    fiat: FiatOrders | None,
) -> FoundFlows:
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
        return FoundFlows((), is_whole=True, is_read=True)
    rule = rule_of(session)
    if not set(rule.wallets) <= holdings.wallets:
        return FoundFlows((), is_whole=False, is_read=False)
    names, has_both = histories(session, rule)
    begin = since if until - since <= LONG else Millis(until - LATELY)
    lately = _Stretch(session, rule, holdings, begin, until)
    told = [await _told(lately, name) for name in names]
    is_read = has_both and all(each.read_until == until for each in told)
    read_until = since
    # While a history is refused the time before would be asked again and again, and stay unread.
    if begin > since and has_both and not any(each.is_refused for each in told):
        before = [await _told(replace(lately, since=since, until=begin), name) for name in names]
        read_until = min(each.read_until for each in before)
        told += before
    found = [each.flows for each in told]
    asked_before: dict[tuple[str, str], Millis | None] = {}
    is_asked = True
    if rule.fiat_orders and fiat is not None:
        orders = await _fiat(session, fiat, holdings, since, until)
        found.append(orders.flows)
        asked_before = {
            (flow.direction, flow.external_id): orders.told_before for flow in orders.flows.flows
        }
        is_asked = orders.is_every_asked
        if not orders.is_told:
            is_read, read_until = False, since
    is_read = is_read and read_until == begin
    untold = {position.asset for position in holdings.positions} & set(rule.untold)
    # It is looked at again for as long as flows are, and holds up nothing meanwhile.
    unclear = [each.unclear_since for each in found if each.unclear_since is not None]
    return FoundFlows(
        _fresh((flow for each in found for flow in each.flows), request),
        is_whole=is_read and not untold and not unclear,
        is_read=is_read,
        read_until=read_until if read_until > since else None,
        unclear_since=min(unclear, default=None),
        asked_before=asked_before,
        is_untold=bool(untold),
        is_asked=is_asked,
    )


def _fresh(told: Iterable[Flow], request: ReadRequest) -> tuple[Flow, ...]:
    found: dict[tuple[str, str], Flow] = {}
    for flow in told:
        found.setdefault((flow.direction, flow.external_id), flow)
    fresh = [flow for key, flow in found.items() if key not in request.known_flows]
    return tuple(sorted(fresh, key=lambda flow: flow.at))


async def _told(stretch: _Stretch, history: str) -> _Told:
    try:
        return await _walk(stretch, history)
    except ConnectorFailure as failure:
        if failure.kind not in UNTOLD:
            raise
        venue = stretch.session.venue.id
        _log.warning("history not told", venue=venue, history=history, reason=str(failure))
        return _Told(Flows(()), stretch.since, is_refused=True)


async def _fiat(
    session: VenueSession, fiat: FiatOrders, holdings: Holdings, since: Millis, until: Millis
) -> _Orders:
    money_of_states = set(session.exchange.options.get("legalMoney") or ())
    held = {
        position.asset: position.owned
        for position in holdings.positions
        if position.asset in money_of_states
    }
    told = await fiat.read(session, held, since, until)
    flows = flows_of(session, told.rows, told.direction, since)
    unclear = fiat.unclear_since(session, told, flows.unclear_since)
    flows = replace(flows, unclear_since=unclear)
    return _Orders(flows, told.is_whole, told.told_before, told.is_every_asked)


async def _walk(stretch: _Stretch, history: str) -> _Told:
    session, rule = stretch.session, stretch.rule
    spans = _spans(rule, stretch.since, stretch.until)
    rows: list[Mapping[str, Any]] = []
    unread = [stretch.until]
    for _ in range(MOST_PAGES):
        if not spans:
            break
        span = spans.pop()
        page = await page_of(session, history, rule, span)
        rows += page.rows
        spans += page.rest
        if page.is_cut:
            unread.append(span.start)
    own = (row for row in rows if not is_elsewhere(rule, row, stretch.holdings.wallets))
    flows = flows_of(session, own, DIRECTIONS.get(history), stretch.since)
    return _Told(flows, min([*unread, *(span.start for span in spans)]))


def _spans(rule: FlowRule, since: Millis, until: Millis) -> list[Span]:
    """Return the spans to ask for, the last to be asked first in the list."""
    if rule.until is None:
        return [Span(since, until)]
    length = rule.window_days * DAY
    starts = range(since, max(until, since + 1), length)
    return [Span(Millis(start), Millis(min(start + length, until))) for start in reversed(starts)]
