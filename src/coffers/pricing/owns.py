"""What each venue by itself shows an asset to be worth, whether or not that makes it a price."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.markets.quote import Quote
from coffers.pricing.consensus import agree
from coffers.pricing.currencies import DOLLAR
from coffers.pricing.pairs import is_fresh, is_usable, price_of

CONTESTED = Decimal(3)
"""A venue that pays more than so many times what the others do, or less, means another asset."""

FEW = 3
"""So many pairs in one currency can show that it is the currency that differs."""

At = tuple[str, str]
"""A venue, and an asset there."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a venue shows of a pair, in units of `quote`.

    Nobody there pays more than `high` (None: nobody sells), nor has to take less than `low` (zero:
    nobody buys); both are the price where bid and ask tell one. `last` is what tells the price
    without them: a last trade, or bid and ask of an old ticker. `volume` is the day's, zero where
    it is not told.
    """

    venue: str
    base: str
    quote: str
    low: Decimal
    high: Decimal | None
    last: Decimal | None
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Own:
    """What a venue shows of an asset by its pair of the most volume, in USD; see `Sign`."""

    depth: Decimal
    quote: str
    low: Decimal
    high: Decimal | None
    last: Decimal | None

    @property
    def worth(self) -> Decimal | None:
        """What is paid for it, None where only bounds are known."""
        return self.low if self.is_live else self.last

    @property
    def is_live(self) -> bool:
        """Whether somebody stands ready to buy and to sell at one price."""
        return self.low == self.high

    def is_far(self, price: Decimal) -> bool:
        """Return whether a price is another asset's, by all that the venue shows."""
        return self.offers_far(price) or (self.last is not None and is_far(self.last, price))

    def offers_far(self, price: Decimal) -> bool:
        """Return whether somebody stands ready to trade far off from a price."""
        is_below = self.high is not None and price > money.multiply(self.high, CONTESTED)
        return is_below or self.low > money.multiply(price, CONTESTED)


Owns = Mapping[At, Own]


def is_far(one: Decimal, other: Decimal) -> bool:
    """Return whether two prices are of two assets (`CONTESTED`)."""
    return max(one, other) > money.multiply(min(one, other), CONTESTED)


def signs_of(quotes: Iterable[Quote], now: Millis) -> list[Sign]:
    """Return what venues show of their pairs, of wide and dead markets too, in one order."""
    found: dict[tuple[str, str, str], tuple[Millis, Sign]] = {}
    for quote in quotes:
        key = quote.venue, quote.base, quote.quote
        sign = _sign(quote, now)
        if sign is not None and (key not in found or found[key][0] < quote.at):
            found[key] = quote.at, sign
    return [found[key][1] for key in sorted(found)]


def owns_of(signs: Iterable[Sign], prices: Mapping[str, Decimal]) -> dict[At, Own]:
    """Return what each venue shows of its assets; `prices` are those of the others, in USD.

    Where most pairs in a currency are as far off it is the currency that is worth something else
    there: they tell nothing of what is traded in it.
    """
    by_currency: dict[At, list[tuple[At, Own]]] = {}
    for sign in signs:
        unit = prices.get(sign.quote)
        if sign.base != DOLLAR and unit is not None:
            told = by_currency.setdefault((sign.venue, sign.quote), [])
            told.append(((sign.venue, sign.base), _own(sign, unit)))
    found: dict[At, Own] = {}
    for told in by_currency.values():
        if not _is_other_currency(told, prices):
            _keep_deepest(found, told)
    return found


def _is_other_currency(told: Sequence[tuple[At, Own]], prices: Mapping[str, Decimal]) -> bool:
    """Return whether most pairs are off by one ratio; those of other assets have each their own."""
    sure, ratios = 0, []
    for (_, asset), own in told:
        price = prices.get(asset)
        is_off = price is not None and own.is_far(price)
        sure += is_off or own.worth is not None
        if is_off and price is not None and own.worth is not None:
            ratios.append(money.divide(own.worth, price))
    if sure < FEW or 2 * len(ratios) <= sure:
        return False
    middle = sorted(ratios)[len(ratios) // 2]
    return 2 * sum(agree(ratio, middle) for ratio in ratios) > sure


def _keep_deepest(found: dict[At, Own], told: Iterable[tuple[At, Own]]) -> None:
    for at, own in told:
        known = found.get(at)
        if known is None or _rank(own) > _rank(known):
            found[at] = own


def _sign(quote: Quote, now: Millis) -> Sign | None:
    if not is_usable(quote, now):
        return None
    names = quote.venue, quote.base, quote.quote
    volume = quote.volume or money.ZERO
    price, is_live = price_of(quote, now) or (None, False)
    if price is not None and is_live:
        return Sign(*names, price, price, None, volume)
    bid, ask = (quote.bid, quote.ask) if is_fresh(quote, now) else (None, None)
    if bid is None and ask is None and price is None:
        return None
    return Sign(*names, bid or money.ZERO, ask, price, volume)


def _own(sign: Sign, unit: Decimal) -> Own:
    high, last = (
        None if each is None else money.multiply(each, unit) for each in (sign.high, sign.last)
    )
    depth, low = money.multiply(sign.volume, unit), money.multiply(sign.low, unit)
    return Own(depth, sign.quote, low, high, last)


def _rank(own: Own) -> tuple[Decimal, bool, bool, str]:
    return own.depth, own.is_live, own.worth is not None, own.quote
