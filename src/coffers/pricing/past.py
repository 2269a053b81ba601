"""The price of a past moment, from the candles that a venue keeps."""

from collections.abc import Sequence
from typing import Protocol

from coffers import money
from coffers.clock import Millis
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.markets.quote import Quote
from coffers.pricing.graph import prices_of
from coffers.valuation.model import Price

_log = seldom("coffers.pricing")


class CandleSource(Protocol):
    """Where candles come from."""

    async def past_quotes(self, venue: str, asset: str, at: Millis) -> Sequence[Quote]:
        """Return the quotes of an asset's pairs at a past moment.

        Raises:
            CoffersError: when the venue told none.
        """
        ...


class CandlePrices:
    """Prices of past moments, by the same rules as those of the present."""

    def __init__(self, source: CandleSource) -> None:
        self._source = source

    async def price_at(self, venue: str, asset: str, at: Millis) -> Price | None:
        """Return what a unit of the asset was worth, None where the venue's candles do not tell."""
        try:
            quotes = await self._source.past_quotes(venue, asset, at)
        except CoffersError as error:
            _log.warning("no candles", venue=venue, asset=asset, reason=str(error))
            return None
        # One minute's volume says nothing of a day's: no floor.
        return prices_of(quotes, floor_usd=money.ZERO, now=at).get(asset)
