"""An account's own trades at an exchange, a few calls at a time, the newest first.

Where a venue tells trades of all symbols at once, one lane is asked, window by window; where it
asks for a symbol, each pair of assets that were seen in the account is a lane of its own. Binance
numbers the trades of a symbol, so there each lane goes on from the last number. An hour after a
look another one begins: what is new comes before what is old.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.flow_pages import (
    Span,
    halves,
    is_history,
    longest,
    rule_of,
)
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.trade_rows import trade_of
from coffers.connectors.exchange.trade_ways import (
    DATED,
    KINDS,
    Way,
    symbols_of,
    told_since_of,
    ways_of,
)
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.connectors.trades import FoundTrades, TradesRequest
from coffers.logs import seldom
from coffers.markets.catalogue import Market
from coffers.valuation.trade import Trade

CALLS = 4
"""Calls of one step: at Binance each is a 300th of what a minute allows."""

LOOK_EVERY = HOUR
"""After so long what is new is asked for."""

OVERLAP = Millis(5 * MINUTE)
"""How far a look reaches back behind the one before, for trades that a venue shows late."""

MOST_LANES = 400
"""Symbols of one account that are asked for."""

_log = seldom("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Lane:
    """What is asked by itself: a symbol, or all at once of a kind; `spans` are left to ask."""

    kind: str
    symbol: str | None = None
    spans: tuple[Span, ...] = ()
    next_number: str = "0"


@dataclass(frozen=True, slots=True)
class Looks:
    """Where a walk stands, in the venue's time.

    The newest look is up to `until`; what it has to ask that is new ends later than `floor`.
    Nothing older than `origin` is asked for; `reaches_first` is False where there may be some.
    """

    origin: Millis
    until: Millis
    floor: Millis
    known_until: Millis | None = None
    lanes: tuple[Lane, ...] = ()
    has_gaps: bool = False
    reaches_first: bool = True

    @property
    def spans(self) -> list[Span]:
        """All that is left to ask."""
        return [span for lane in self.lanes for span in lane.spans]


@dataclass(slots=True)
class _Step:
    """What a step found so far."""

    trades: dict[tuple[str, str], Trade] = field(default_factory=dict)
    has_gaps: bool = False


async def read_trades(session: VenueSession, market: Market, request: TradesRequest) -> FoundTrades:
    """Walk one step.

    Raises:
        ConnectorFailure: when the venue could not be asked.
    """
    ways = ways_of(session, market)
    if not ways or not session.can("fetchMyTrades"):
        return FoundTrades((), None, is_resting=True, has_gaps=True, is_untold=True)
    looks, step = _begun(session, market, request, ways), _Step()
    for _ in range(CALLS):
        if not looks.spans:
            break
        looks = await _asked(session, looks, ways, step)
    return _brought(session, looks, step)


def _begun(
    session: VenueSession, market: Market, request: TradesRequest, ways: Mapping[str, Way]
) -> Looks:
    """Return where the walk stands, with a new look where it is time for one."""
    now = Millis(session.now() - session.clock_ahead)
    if request.cursor is None:
        looks = _first(session, market, ways, now)
    else:
        looks = msgspec.json.decode(request.cursor, type=Looks)
        if looks.spans and now - looks.until < LOOK_EVERY:
            return looks
        if (told_since := told_since_of(ways, now)) > looks.until:
            # Nobody looked for longer than the venue tells trades: what is known begins anew.
            looks = replace(looks, origin=told_since, reaches_first=False)
        looks = replace(looks, floor=looks.until, until=max(now, looks.until))
    wanted, is_cut = _wanted(session, request, ways)
    known = {(lane.kind, lane.symbol): lane for lane in looks.lanes}
    lanes = [_looking(lane, looks) for lane in looks.lanes]
    lanes += [
        _new(looks, kind, symbol, ways[kind])
        for kind, symbol in wanted
        if (kind, symbol) not in known
    ]
    is_cut = is_cut or len(lanes) > MOST_LANES
    return replace(looks, lanes=tuple(lanes[:MOST_LANES]), has_gaps=looks.has_gaps or is_cut)


def _first(session: VenueSession, market: Market, ways: Mapping[str, Way], now: Millis) -> Looks:
    began = datetime(rule_of(session).since, 1, 1, tzinfo=UTC)
    founded, told_since = round(began.timestamp() * 1000), told_since_of(ways, now)
    origin = Millis(max(founded, told_since))
    # A venue that wants symbols tells nothing of a pair that was bought and sold between readings.
    has_gaps = any(way.needs_symbol for way in ways.values()) or any(
        kind not in KINDS for kind in market.market_types
    )
    floor = Millis(max(now - DAY, origin))
    return Looks(origin, now, floor, has_gaps=has_gaps, reaches_first=told_since <= founded)


def _looking(lane: Lane, looks: Looks) -> Lane:
    start = Millis(looks.floor - OVERLAP)
    return replace(lane, spans=(Span(start, looks.until), *lane.spans))


def _new(looks: Looks, kind: str, symbol: str | None, way: Way) -> Lane:
    if way.by_number or way.window is None or looks.floor <= looks.origin:
        return Lane(kind, symbol, (Span(looks.origin, looks.until),))
    recent, old = Span(looks.floor, looks.until), Span(looks.origin, looks.floor)
    return Lane(kind, symbol, (recent, old))


def _wanted(
    session: VenueSession, request: TradesRequest, ways: Mapping[str, Way]
) -> tuple[list[tuple[str, str | None]], bool]:
    """Return the lanes that are to be there, and whether there are more than can be asked."""
    wanted: list[tuple[str, str | None]] = []
    for kind, way in ways.items():
        if way.needs_symbol:
            wanted += [(kind, symbol) for symbol in symbols_of(session, kind, request)]
        else:
            wanted.append((kind, None))
    return wanted[:MOST_LANES], len(wanted) > MOST_LANES


async def _asked(
    session: VenueSession, looks: Looks, ways: Mapping[str, Way], step: _Step
) -> Looks:
    """Ask for one page of what is newest, and return where the walk stands then."""
    pending = [lane for lane in looks.lanes if lane.spans]
    lane = max(pending, key=lambda each: max(span.end for span in each.spans))
    way = ways.get(lane.kind)
    try:
        after = replace(lane, spans=()) if way is None else await _page(session, lane, way, step)
    except ConnectorFailure as failure:
        if lane.symbol is None or failure.kind is not FailureKind.UNEXPECTED_ANSWER:
            raise
        # One symbol that is not traded there any more must not end the walk.
        _log.warning("trades of a symbol not told", venue=session.venue.id, reason=str(failure))
        after, step.has_gaps = replace(lane, spans=()), True
    lanes = tuple(after if each is lane else each for each in looks.lanes)
    looks = replace(looks, lanes=lanes, has_gaps=looks.has_gaps or step.has_gaps)
    if all(span.end <= looks.floor for span in looks.spans):
        looks = replace(looks, known_until=looks.until)
    return looks


async def _page(session: VenueSession, lane: Lane, way: Way, step: _Step) -> Lane:
    span, *others = sorted(lane.spans, key=lambda each: -each.end)
    if not way.by_number and way.window is not None and span.end - span.start > way.window:
        start = Millis(span.end - way.window)
        others, span = [Span(span.start, start), *others], Span(start, span.end)
    rows = await _rows(session, lane, way, span)
    found = _understood(session, rows, step)
    is_full = max(len(rows), longest(session.heard.answer)) >= way.page
    if way.by_number:
        number = _next_number(rows, lane.next_number)
        is_on = is_full and number != lane.next_number
        step.has_gaps = step.has_gaps or (is_full and not is_on)
        return replace(lane, next_number=number, spans=lane.spans if is_on else ())
    rest = _rest(way, span, found, step) if is_full else ()
    return replace(lane, spans=(*rest, *others))


def _rest(way: Way, span: Span, found: Iterable[Trade], step: _Step) -> tuple[Span, ...]:
    """Return what is left of a span whose answer was full."""
    if way.window is not None:
        rest = halves(span)
        step.has_gaps = step.has_gaps or not rest
        return rest
    # Without an end there is no telling which part of the span the venue cut off.
    step.has_gaps = True
    last = max((trade.at for trade in found), default=span.start)
    is_on = span.start + SECOND < last < span.end
    return (Span(last, span.end),) if is_on else ()


async def _rows(session: VenueSession, lane: Lane, way: Way, span: Span) -> list[Mapping[str, Any]]:
    params: dict[str, object] = {}
    # Where there are contracts alone, that goes without saying, and some venues refuse it.
    if lane.kind != "spot" and lane.symbol is None and session.exchange.has.get("spot"):
        is_dated = lane.kind == DATED
        params = {"type": DATED} if is_dated else {"type": "swap", "subType": lane.kind}
    since: Millis | None = span.start
    if way.by_number:
        since, params = None, {**params, "fromId": lane.next_number}
    elif way.window is not None:
        params["until"] = span.end
    rows = await session.ask("fetch_my_trades", lane.symbol, since, way.limit, params)
    if not isinstance(rows, list) or not is_history(session.heard.answer):
        raise unexpected(session.venue, "it is no list of trades", "no_trades")
    return rows


def _understood(
    session: VenueSession, rows: Iterable[Mapping[str, Any]], step: _Step
) -> list[Trade]:
    found = []
    for row in rows:
        trade = trade_of(session, row)
        if trade is None:
            step.has_gaps = True
            continue
        found.append(trade)
        step.trades[trade.symbol, trade.trade_id] = trade
    return found


def _next_number(rows: Iterable[Mapping[str, Any]], before: str) -> str:
    numbers = [int(row["id"]) for row in rows if str(row.get("id") or "").isdigit()]
    return str(max([int(before), *(number + 1 for number in numbers)]))


def _brought(session: VenueSession, looks: Looks, step: _Step) -> FoundTrades:
    ahead, until = session.clock_ahead, looks.known_until
    old = [span.end for span in looks.spans if until is not None and span.end <= until]
    since = max([looks.origin, *old])
    trades = (replace(trade, at=Millis(trade.at + ahead)) for trade in step.trades.values())
    return FoundTrades(
        trades=tuple(sorted(trades, key=lambda trade: trade.at)),
        cursor=msgspec.json.encode(looks).decode(),
        known_since=None if until is None else Millis(since + ahead),
        known_until=None if until is None else Millis(until + ahead),
        is_resting=not looks.spans,
        has_gaps=looks.has_gaps,
        reaches_first=looks.reaches_first,
    )
