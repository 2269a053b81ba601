"""All prices of one moment from the quotes of several venues: pure, without clock and I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.markets.quote import Quote
from coffers.pricing.currencies import BITCOIN, DOLLAR, WITH_OWN_PAIR
from coffers.pricing.depth import steps_above
from coffers.pricing.dollar import with_dollar
from coffers.pricing.pairs import Pair, usable_pairs
from coffers.pricing.ways import Way, ways_to
from coffers.valuation.model import Price


def prices_of(quotes: Iterable[Quote], *, floor_usd: Decimal, now: Millis) -> dict[str, Price]:
    """Return what each asset is worth by quotes.

    Of a pair the middle of bid and ask counts where they are close, else a fresh last trade, see
    `pairs`. The order of the quotes does not matter.
    """
    return prices_by(usable_pairs(quotes, now), floor_usd)


def prices_by(usable: Sequence[Pair], floor_usd: Decimal) -> dict[str, Price]:
    """Return what each asset is worth in BTC and in USD, found independently of each other.

    Pairs with less than `floor_usd` of volume a day are ignored (`depth`). Ways: at most three
    hops, the deepest first (by the least USD volume along the way, then fewer hops), the median
    over the venues (`ways`, `consensus`). Stablecoins and states' money go by their own dollar pair
    alone where there is one, so that a lost peg shows. Without any dollar pair the dollar is
    assumed, as told in `dollar`, and the route says so.

    An asset without a way is absent. One that has a way to only one of BTC and USD gets the other
    through BTC's own price. `Price.route` is the way to USD (for USD itself: to BTC), `sources` the
    venues that agree on the price in USD, and `at` the oldest quote of both ways.
    """
    pairs = with_dollar(usable, floor_usd)
    steps = steps_above(pairs, floor_usd)
    usd = ways_to(DOLLAR, steps, by_own_pair=WITH_OWN_PAIR)
    btc = ways_to(BITCOIN, steps)
    if BITCOIN not in usd:
        return {}
    _complete(usd, btc)
    return {asset: _price(usd[asset], btc[asset]) for asset in sorted(usd)}


def _complete(usd: dict[str, Way], btc: dict[str, Way]) -> None:
    """Give each asset both of its ways; the one that is too long goes through BTC's own price."""
    bitcoin = usd[BITCOIN]
    for asset in usd.keys() - btc.keys():
        btc[asset] = _led_on(usd[asset], bitcoin, money.divide(usd[asset].price, bitcoin.price))
    for asset in btc.keys() - usd.keys():
        usd[asset] = _led_on(btc[asset], bitcoin, money.multiply(btc[asset].price, bitcoin.price))


def _led_on(way: Way, bitcoin: Way, price: Decimal) -> Way:
    """Return a way that goes on over bitcoin's; that of the dollar itself is bitcoin's alone."""
    moments = [each.at for each in (way, bitcoin) if each.at is not None]
    route, sources = way.route or bitcoin.route, way.sources or bitcoin.sources
    return replace(way, price=price, route=route, sources=sources, at=min(moments))


def _price(usd: Way, btc: Way) -> Price:
    shown = usd if usd.route else btc
    at = min(moment for moment in (usd.at, btc.at) if moment is not None)
    return Price(btc.price, usd.price, shown.route, shown.sources, at)
