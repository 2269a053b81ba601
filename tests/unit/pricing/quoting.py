"""Quotes made by hand, for the tests of prices."""

from collections.abc import Iterable
from decimal import Decimal

from coffers.clock import Millis
from coffers.markets.quote import Quote
from coffers.pricing.graph import prices_of
from coffers.valuation.model import Price
from factories import NOW

FLOOR = Decimal(10_000)
DEEP = "1e9"


def quote(
    pair: str,
    price: str,
    *,
    venue: str = "kraken",
    volume: str | None = DEEP,
    age: int = 0,
) -> Quote:
    """Return a quote whose bid, ask and last are all this price. `volume` is in quote units."""
    return ticker(pair, bid=price, ask=price, last=price, venue=venue, volume=volume, age=age)


def ticker(
    pair: str,
    *,
    bid: str | None = None,
    ask: str | None = None,
    last: str | None = None,
    venue: str = "kraken",
    volume: str | None = DEEP,
    age: int = 0,
) -> Quote:
    """Return a quote that tells only what is given."""
    base, _, quoted = pair.partition("/")
    numbers = [None if text is None else Decimal(text) for text in (bid, ask, last, volume)]
    return Quote(venue, base, quoted, *numbers, Millis(NOW - age))


def priced(quotes: Iterable[Quote], floor: Decimal = FLOOR) -> dict[str, Price]:
    """Return the prices of these quotes at `NOW`."""
    return prices_of(quotes, floor_usd=floor, now=NOW)


BITCOIN = quote("BTC/USD", "100000")
"""What most scenarios need: a deep pair of real dollars."""
