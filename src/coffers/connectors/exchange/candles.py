"""A venue's candles of one past minute -> quotes of that moment, for what an asset was worth."""

from coffers import money
from coffers.clock import MINUTE, Millis
from coffers.connectors.exchange.amounts import positive_of
from coffers.connectors.exchange.session import VenueSession
from coffers.errors import InvalidAmount
from coffers.markets.quote import Quote

QUOTED_IN = ("USDT", "USD", "USDC", "BTC", "EUR")
"""What an asset's own pairs are looked for in."""

ANCHORS = ("BTC/USDT", "BTC/USD", "BTC/USDC", "USDT/USD", "USDC/USD", "USDC/USDT")
"""The pairs that join those currencies with each other."""


async def read_past_quotes(session: VenueSession, asset: str, at: Millis) -> list[Quote]:
    """Return what the venue's one-minute candles say of an asset's pairs at a past moment.

    A pair without a candle of that minute is left out; without candles at all it is an empty list.

    Raises:
        ConnectorFailure: when the venue gave no usable answer.
    """
    if not session.can("fetchOHLCV"):
        return []
    wanted = dict.fromkeys([*(f"{asset}/{quote}" for quote in QUOTED_IN), *ANCHORS])
    listed = [symbol for symbol in wanted if symbol in session.exchange.markets]
    if not any(asset in symbol.split("/") for symbol in listed):
        # Without a pair of its own, what joins the others is not worth asking for at every reading.
        return []
    found = [await _quote(session, symbol, at) for symbol in listed]
    return [quote for quote in found if quote is not None]


async def _quote(session: VenueSession, symbol: str, at: Millis) -> Quote | None:
    minute = Millis(at - at % MINUTE)
    candles = await session.ask("fetch_ohlcv", symbol, "1m", minute, 1)
    market = session.exchange.markets[symbol]
    if not candles or candles[0][0] != minute:
        return None
    try:
        opened, volume = positive_of(candles[0][1]), positive_of(candles[0][5])
    except (InvalidAmount, TypeError):
        return None
    if opened is None:
        return None
    return Quote(
        venue=session.venue.id,
        base=session.asset(market["base"]),
        quote=session.asset(market["quote"]),
        bid=None,
        ask=None,
        last=opened,
        volume=money.multiply(volume or money.ZERO, opened),
        at=minute,
    )
