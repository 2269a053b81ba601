"""Where the dollar comes from: a venue's real dollar pair, else a stated assumption.

Venues such as Binance quote no dollars at all. A stablecoin must not silently become one there.
When no pair of real dollars and money (bitcoin, a stablecoin, another state's) passes the volume
floor on any venue, in a fresh ticker, the dollar is *defined* as the median of the stablecoins that
trade directly against the most traded one (that one included): the median is 1, and each of them is
worth what its pair says against it, so one that loses its peg still shows. The assumption is a pair
of its own, and stands in every route that relies on it as `USDT~USD`. With one stablecoin alone the
assumption is that it is worth 1.

A dollar pair of anything else tells no dollar: all prices would hang on the market of one token,
which may mean another one at its venue than elsewhere.
"""

from collections.abc import Sequence
from decimal import Decimal

from coffers import money
from coffers.pricing.consensus import median
from coffers.pricing.currencies import BITCOIN, DOLLAR, STABLECOINS, WITH_OWN_PAIR
from coffers.pricing.pairs import Pair

ASSUMED = "assumed"
"""Stands in the place of a venue where none says what is assumed."""

ONE = Decimal(1)

_MONEY = WITH_OWN_PAIR | {BITCOIN}


def with_dollar(pairs: Sequence[Pair], floor: Decimal) -> list[Pair]:
    """Return the pairs, with the assumed one added where no real dollar pair passes the floor."""
    real = [pair for pair in pairs if pair.is_fresh and _is_of_dollars(pair)]
    if any(_dollars(pair) >= floor for pair in real):
        return list(pairs)
    turnover: dict[str, Decimal] = {}
    for pair in pairs:
        if pair.quote in STABLECOINS and pair.volume is not None:
            turnover[pair.quote] = money.add(turnover.get(pair.quote, money.ZERO), pair.volume)
    if not turnover:
        return list(pairs)
    hub = max(turnover, key=lambda coin: (turnover[coin], coin))
    return [*pairs, _assumed_pair(hub, turnover[hub], pairs, floor)]


def _is_of_dollars(pair: Pair) -> bool:
    """Whether a pair joins the dollar to what is the same everywhere."""
    others = {pair.base, pair.quote} - {DOLLAR}
    return len(others) == 1 and others <= _MONEY


def _dollars(pair: Pair) -> Decimal:
    if pair.volume is None:
        return money.ZERO
    return pair.volume if pair.quote == DOLLAR else money.divide(pair.volume, pair.price)


def _assumed_pair(hub: str, turnover: Decimal, pairs: Sequence[Pair], floor: Decimal) -> Pair:
    direct = [pair for pair in pairs if _is_basket_pair(pair, hub, floor)]
    by_coin: dict[str, list[Decimal]] = {}
    for pair in direct:
        coin = pair.base if pair.quote == hub else pair.quote
        worth = pair.price if pair.quote == hub else money.divide(ONE, pair.price)
        by_coin.setdefault(coin, []).append(worth)
    dollar = median([ONE, *(median(worths) for worths in by_coin.values())])
    at = min((pair.at for pair in direct), default=max(pair.at for pair in pairs))
    return Pair(ASSUMED, hub, DOLLAR, f"{hub}~{DOLLAR}", money.divide(ONE, dollar), turnover, at)


def _is_basket_pair(pair: Pair, hub: str, floor: Decimal) -> bool:
    """Whether a pair tells a stablecoin's worth in the hub; its volume is taken as dollars."""
    others = {pair.base, pair.quote} - {hub}
    return len(others) == 1 and others <= STABLECOINS and (pair.volume or money.ZERO) >= floor
