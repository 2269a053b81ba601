"""How many orders of an account wait at its exchange."""

from collections.abc import Mapping
from typing import Any

from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.flow_pages import is_history, longest
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.trade_ways import DATED_APART
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.catalogue import Market


async def count_open_orders(session: VenueSession, market: Market) -> int | None:
    """Return the number of open orders, None where the venue does not tell them all.

    Raises:
        ConnectorFailure: when the venue gave no answer, or one that is no list.
    """
    kinds = [kind for kind in market.market_types if kind in {"spot", "futures"}]
    if not kinds or len(kinds) < len(market.market_types) or not session.can("fetchOpenOrders"):
        return None
    # ccxt refuses to ask Binance for all symbols at once before it is told that this is meant.
    session.exchange.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    found: set[tuple[str, str]] = set()
    for kind in kinds:
        for params in _asked(session, kind):
            rule = _rule(session, kind, params)
            # Deribit would be asked for one currency's alone.
            is_told = not rule.get("symbolRequired")
            told = await _told(session, rule.get("limit"), params) if is_told else None
            if told is None:
                return None
            found |= told
    return len(found)


async def _told(
    session: VenueSession, limit: int | None, params: dict[str, str]
) -> set[tuple[str, str]] | None:
    """Return the open orders of one kind, None where there may be more than one answer holds."""
    try:
        rows = await session.ask("fetch_open_orders", None, None, limit, params)
    except ConnectorFailure:
        # What the library refuses to ask for all symbols at once, the venue does not tell so.
        if "ArgumentsRequired" in session.raised:
            return None
        raise
    if not isinstance(rows, list) or not is_history(session.heard.answer):
        raise unexpected(session.venue, "it is no list of orders", "no_orders")
    if limit is not None and max(len(rows), longest(session.heard.answer)) >= limit:
        return None
    return {(str(row.get("symbol")), str(row.get("id"))) for row in rows}


def _rule(session: VenueSession, kind: str, params: dict[str, str]) -> Mapping[str, Any]:
    """Return what the library knows of the call: `limit` is how many orders one answer holds.

    Without being asked for so many, Bybit tells twenty.
    """
    features = session.exchange.features or {}
    swap = features.get("swap") or {}
    of_kind = features.get("spot") if kind == "spot" else swap.get(params.get("subType", "linear"))
    rule: Mapping[str, Any] = (of_kind or {}).get("fetchOpenOrders") or {}
    return rule


def _asked(session: VenueSession, kind: str) -> tuple[dict[str, str], ...]:
    if kind == "spot" or not session.exchange.has.get("spot"):
        return ({},)
    swap = (session.exchange.features or {}).get("swap") or {}
    subtypes = [name for name in ("linear", "inverse") if swap.get(name)]
    asked = [{"type": "swap", "subType": name} for name in subtypes]
    if DATED_APART & set(session.venue.family):
        asked.append({"type": "future"})
    return tuple(asked)
