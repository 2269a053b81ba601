"""A venue's tickers -> quotes of its spot pairs."""

from collections.abc import Mapping
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.exchange.amounts import positive_of
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.session import VenueSession
from coffers.errors import InvalidAmount
from coffers.markets.quote import Quote


async def read_quotes(session: VenueSession) -> list[Quote]:
    """Return every spot pair's ticker, from one `fetch_tickers`; a broken ticker is left out.

    Raises:
        ConnectorFailure: when no usable ticker of a spot pair came.
    """
    now = session.now()
    tickers = await session.ask("fetch_tickers")
    quotes = [_quote(session, ticker, now) for ticker in tickers.values()]
    usable = [quote for quote in quotes if quote is not None]
    if not usable:
        raise unexpected(session.venue, "it quotes no spot pair", "no_quotes")
    return usable


def _quote(session: VenueSession, ticker: Mapping[str, object], now: Millis) -> Quote | None:
    market = session.exchange.markets.get(ticker.get("symbol"))
    if not market or not market.get("spot"):
        return None
    try:
        bid, ask, last = (positive_of(ticker.get(name)) for name in ("bid", "ask", "last"))
        volume = _volume(ticker, last)
    except (InvalidAmount, TypeError):
        return None
    return Quote(
        venue=session.venue.id,
        base=session.asset(market["base"]),
        quote=session.asset(market["quote"]),
        bid=bid,
        ask=ask,
        last=last,
        volume=volume,
        at=_moment(ticker.get("timestamp"), now),
    )


def _volume(ticker: Mapping[str, object], last: Decimal | None) -> Decimal | None:
    quoted = positive_of(ticker.get("quoteVolume"))
    if quoted is not None:
        return quoted
    base = positive_of(ticker.get("baseVolume"))
    return money.multiply(base, last) if base is not None and last is not None else None


def _moment(timestamp: object, now: Millis) -> Millis:
    """Return the venue's time of a ticker, never one that is yet to come."""
    return min(Millis(timestamp), now) if isinstance(timestamp, int) else now
