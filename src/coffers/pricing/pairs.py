"""From what venues quote to pairs with one price each; quotes that tell no price are left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, HOUR, Millis
from coffers.markets.quote import Quote

CLOSE = Decimal("0.02")
"""Bid and ask are close when they lie within this share of their middle."""

FRESH = HOUR
"""The age up to which a ticker's last trade is a price, and bid and ask are sure to stand."""

OLDEST = DAY
"""A ticker older than this tells nothing, whatever its bid and ask."""

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Pair:
    """One venue's price of a pair: units of `quote` per unit of `base`, always above zero.

    `volume` is the day's, in units of `quote`; None where the venue does not tell it. `name` is
    how routes show the pair. `is_live` tells whether somebody stands ready to trade at the price,
    which a last trade alone does not show, nor bid and ask of an old ticker: many venues date it by
    the last trade, and others leave it as it was when a market is halted. `is_fresh` tells that the
    ticker is young.
    """

    venue: str
    base: str
    quote: str
    name: str
    price: Decimal
    volume: Decimal | None
    at: Millis
    is_live: bool = True
    is_fresh: bool = True


def usable_pairs(quotes: Iterable[Quote], now: Millis) -> list[Pair]:
    """Return the pairs that have a price, in one order whatever the order of the quotes.

    Where a venue quotes a pair twice the newer one counts.
    """
    found: dict[tuple[str, str, str], Pair] = {}
    for quote in quotes:
        found_price = price_of(quote, now)
        if found_price is None or quote.base == quote.quote:
            continue
        price, is_live = found_price
        key = (quote.venue, quote.base, quote.quote)
        name, is_young = f"{quote.base}/{quote.quote}", is_fresh(quote, now)
        pair = Pair(*key, name, price, quote.volume, quote.at, is_live, is_young)
        known = found.get(key)
        if known is None or _precedence(pair) > _precedence(known):
            found[key] = pair
    return [found[key] for key in sorted(found)]


def price_of(quote: Quote, now: Millis) -> tuple[Decimal, bool] | None:
    """Return the price that a ticker tells and whether bid and ask of now tell it, or None.

    The middle of bid and ask where they are close (`CLOSE`). Else the last trade, where the
    ticker is fresh (`FRESH`) and the trade lies within what bid and ask are known: outside
    of them the market has moved away from it.
    """
    bid, ask, last = quote.bid, quote.ask, quote.last
    if not is_usable(quote, now):
        return None
    if bid is not None and ask is not None:
        middle = money.multiply(money.add(bid, ask), HALF)
        if money.subtract(ask, bid) <= money.multiply(middle, CLOSE):
            return middle, is_fresh(quote, now)
    if last is None or not is_fresh(quote, now):
        return None
    is_within = (bid is None or bid <= last) and (ask is None or last <= ask)
    return (last, False) if is_within else None


def is_usable(quote: Quote, now: Millis) -> bool:
    """Return whether a ticker tells anything: a price, or at least who buys and sells at what.

    It does not once it is too old (`OLDEST`). A number that is zero or negative, or a bid above the
    ask, shows a broken or empty market.
    """
    bid, ask = quote.bid, quote.ask
    numbers = [each for each in (bid, ask, quote.last) if each is not None]
    is_crossed = bid is not None and ask is not None and bid > ask
    return now - quote.at <= OLDEST and not is_crossed and all(each > 0 for each in numbers)


def is_fresh(quote: Quote, now: Millis) -> bool:
    """Return whether a ticker is so young that what stands in it stands now (`FRESH`)."""
    return now - quote.at <= FRESH


def _precedence(pair: Pair) -> tuple[Millis, Decimal, Decimal]:
    return pair.at, pair.volume or money.ZERO, pair.price
