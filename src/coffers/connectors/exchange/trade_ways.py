"""How venues tell trades: in what pages and spans, how old, and of which symbols.

Most of it is the exchange library's own knowledge, its `features`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coffers.clock import DAY, MINUTE, Millis
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.trades import TradesRequest
from coffers.markets.catalogue import Market

SMALLEST_PAGE = 50
"""So many rows are taken for a full answer where the venue's page is not known."""

MAIN_QUOTES = frozenset({"USDT", "USDC", "USD", "EUR", "BTC", "ETH", "BNB", "FDUSD", "BUSD"})
"""What most is traded against, whether or not any of it is left."""

CONTRACT_DAYS = 180
"""How long Binance tells trades of contracts; its documents say six months."""

_BY_NUMBER = {"binance", "binanceus", "binanceusdm", "binancecoinm"}
"""Venues that number the trades of a symbol."""

_ENDED = {"kraken"}
"""Venues that take an end of the span, without a longest span."""

DATED_APART = frozenset({"okx"})
"""Venues that tell trades and orders of contracts with an end apart from those without."""

DATED = "future"
"""The kind of contracts with an end, where they are asked for apart."""

KINDS = {"spot": ("spot",), "futures": ("linear", "inverse")}
"""The kinds of trades that each type of a market has."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a venue tells trades of one kind; `window` None where a call takes no end."""

    page: int
    limit: int | None
    window: int | None
    days_back: int | None
    needs_symbol: bool
    by_number: bool


def ways_of(session: VenueSession, market: Market) -> dict[str, Way]:
    """Return how a venue tells trades of each kind that a market has and the library knows."""
    kinds = [kind for each in market.market_types for kind in KINDS.get(each, ())]
    if "futures" in market.market_types and DATED_APART & set(session.venue.family):
        kinds.append(DATED)
    found = {kind: _way(session, kind) for kind in kinds}
    return {kind: way for kind, way in found.items() if way is not None}


def _way(session: VenueSession, kind: str) -> Way | None:
    features = session.exchange.features or {}
    name, sub_type = (DATED, "linear") if kind == DATED else ("swap", kind)
    told = features.get("spot") if kind == "spot" else (features.get(name) or {}).get(sub_type)
    rule = (told or {}).get("fetchMyTrades")
    if rule is None:
        return None
    limit, days = rule.get("limit"), rule.get("untilDays")
    is_ended, by_number = session.venue.id in _ENDED, session.venue.id in _BY_NUMBER
    return Way(
        page=int(limit or SMALLEST_PAGE),
        limit=None if limit is None else int(limit),
        window=10_000 * DAY if is_ended else None if days is None else int(days) * DAY,
        days_back=CONTRACT_DAYS if by_number and kind != "spot" else rule.get("daysBack"),
        needs_symbol=bool(rule.get("symbolRequired")),
        by_number=by_number,
    )


def told_since_of(ways: Mapping[str, Way], now: Millis) -> Millis:
    """Return from when on a venue tells trades of all kinds, 0 where it tells all."""
    days = [way.days_back for way in ways.values() if way.days_back is not None]
    return Millis(now - min(days) * DAY + MINUTE if days else 0)


def symbols_of(session: VenueSession, kind: str, request: TradesRequest) -> list[str]:
    """Return the symbols of one kind in which an account may have traded."""
    codes = {session.code(name) for name in request.assets} | set(request.assets)
    codes |= {session.asset(code) for code in codes}
    if kind == "spot":
        quotes = codes | MAIN_QUOTES
        return [
            symbol
            for symbol, market in session.exchange.markets.items()
            if market.get("spot") and market.get("base") in codes and market.get("quote") in quotes
        ]
    return [
        symbol
        for symbol, market in session.exchange.markets.items()
        if market.get("swap")
        and market.get(kind)
        and (symbol in request.symbols or market.get("base") in codes)
    ]
