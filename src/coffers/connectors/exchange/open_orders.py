"""How many orders of an account wait at its exchange."""

from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.flow_pages import is_history
from coffers.connectors.exchange.session import VenueSession
from coffers.markets.catalogue import Market

_NEEDS_SYMBOL = {"mexc"}
"""Venues that tell open orders of one symbol only: what is open as a whole, they do not tell."""


async def count_open_orders(session: VenueSession, market: Market) -> int | None:
    """Return the number of open orders, None where the venue does not tell them.

    Raises:
        ConnectorFailure: when the venue gave no answer, or one that is no list.
    """
    kinds = [kind for kind in market.market_types if kind in {"spot", "futures"}]
    if not kinds or len(kinds) < len(market.market_types) or session.venue.id in _NEEDS_SYMBOL:
        return None
    if not session.can("fetchOpenOrders"):
        return None
    # ccxt refuses to ask Binance for all symbols at once before it is told that this is meant.
    session.exchange.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    found: set[tuple[str, str]] = set()
    for kind in kinds:
        for params in _asked(session, kind):
            rows = await session.ask("fetch_open_orders", None, None, None, params)
            if not isinstance(rows, list) or not is_history(session.heard.answer):
                raise unexpected(session.venue, "it is no list of orders", "no_orders")
            found |= {(str(row.get("symbol")), str(row.get("id"))) for row in rows}
    return len(found)


def _asked(session: VenueSession, kind: str) -> tuple[dict[str, str], ...]:
    if kind == "spot" or not session.exchange.has.get("spot"):
        return ({},)
    swap = (session.exchange.features or {}).get("swap") or {}
    subtypes = [name for name in ("linear", "inverse") if swap.get(name)]
    return tuple({"type": "swap", "subType": name} for name in subtypes)
