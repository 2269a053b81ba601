"""From what venues quote to pairs with one price each; quotes that tell no price are left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, HOUR, Millis
from coffers.markets.quote import Quote

CLOSE = Decimal("0.02")
"""Bid and ask are close when they lie within this share of their middle."""

LAST_IS_FRESH = HOUR
"""The age up to which a ticker's last trade is a price."""

OLDEST = DAY
"""A ticker older than this tells nothing, whatever its bid and ask."""

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Pair:
    """One venue's price of a pair: units of `quote` per unit of `base`, always above zero.

    `volume` is the day's, in units of `quote`; None where the venue does not tell it. `name` is
    how routes show the pair. `is_live` tells whether somebody stands ready to trade at the price,
    which a last trade alone does not show.
    """

    venue: str
    base: str
    quote: str
    name: str
    price: Decimal
    volume: Decimal | None
    at: Millis
    is_live: bool = True


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
        pair = Pair(*key, f"{quote.base}/{quote.quote}", price, quote.volume, quote.at, is_live)
        known = found.get(key)
        if known is None or _precedence(pair) > _precedence(known):
            found[key] = pair
    return [found[key] for key in sorted(found)]


def price_of(quote: Quote, now: Millis) -> tuple[Decimal, bool] | None:
    """Return the price that a ticker tells and whether bid and ask tell it, or None.

    The middle of bid and ask where they are close (`CLOSE`). Else the last trade, where the
    ticker is fresh (`LAST_IS_FRESH`) and the trade lies within what bid and ask are known: outside
    of them the market has moved away from it. A number that is zero or negative, or a bid above
    the ask, shows a broken or empty market: no price at all.
    """
    bid, ask, last = quote.bid, quote.ask, quote.last
    if now - quote.at > OLDEST or any(side is not None and side <= 0 for side in (bid, ask, last)):
        return None
    if bid is not None and ask is not None:
        middle = money.multiply(money.add(bid, ask), HALF)
        spread = money.subtract(ask, bid)
        if spread < 0:
            return None
        if spread <= money.multiply(middle, CLOSE):
            return middle, True
    if last is None or now - quote.at > LAST_IS_FRESH:
        return None
    is_within = (bid is None or bid <= last) and (ask is None or last <= ask)
    return (last, False) if is_within else None


def _precedence(pair: Pair) -> tuple[Millis, Decimal, Decimal]:
    return pair.at, pair.volume or money.ZERO, pair.price
