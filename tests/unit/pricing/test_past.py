from collections.abc import Sequence
from decimal import Decimal

from coffers.clock import Millis
from coffers.errors import CoffersError
from coffers.markets.quote import Quote
from coffers.pricing.past import CandlePrices
from factories import NOW
from unit.pricing.quoting import ticker


class Candles:
    """A venue whose candles say the same at every moment, or that fails."""

    def __init__(self, quotes: list[Quote] | None) -> None:
        self._quotes = quotes

    async def past_quotes(self, venue: str, asset: str, at: Millis) -> Sequence[Quote]:
        if self._quotes is None:
            raise CoffersError(f"{venue} has no candles of {asset} at {at}")
        return self._quotes


async def test_a_minutes_candles_price_an_asset_without_a_floor() -> None:
    candles = [
        ticker("ALGO/USDT", last="0.25", volume="3", age=30_000),
        ticker("BTC/USDT", last="100000", volume="70", age=30_000),
    ]

    price = await CandlePrices(Candles(candles)).price_at("binance", "ALGO", NOW)

    assert price is not None
    assert price.usd == Decimal("0.25")
    assert price.route == ("ALGO/USDT", "USDT~USD")


async def test_an_asset_without_candles_has_no_past_price() -> None:
    assert await CandlePrices(Candles([])).price_at("binance", "ALGO", NOW) is None


async def test_a_venue_that_fails_tells_no_past_price() -> None:
    assert await CandlePrices(Candles(None)).price_at("binance", "ALGO", NOW) is None
