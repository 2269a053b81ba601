"""Symbols that mean another asset at one venue than at the others, told by what is paid for them.

Two tokens may have one ticker. A venue that pays a hundredth of what all others pay trades another
token, and what lies there is worth what is paid there. So the asset gets a key of its own
(`at_venue`), and the venue no voice in the price of the others'.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, MINUTE, Millis
from coffers.markets.assets import at_venue, is_of_one_venue
from coffers.markets.quote import Quote
from coffers.pricing.consensus import agree
from coffers.pricing.currencies import DOLLAR
from coffers.pricing.pairs import Pair, usable_pairs
from coffers.pricing.spikes import Believed
from coffers.valuation.model import Apart, Price

CONTESTED = Decimal(3)
"""A venue that pays more than so many times what the others do, or less, means another asset."""

PATIENCE = Millis(10 * MINUTE)
"""How long a venue that agreed just before may be far off: a market's crash is no other asset."""

SAME_AGAIN = DAY
"""How long a venue has to agree without a break before it means the others' asset again.

Prices of two assets may cross, and would from then on be taken for one.
"""

FEW = 3
"""So many pairs in one currency can show that it is the currency that differs."""

_At = tuple[str, str]
"""A venue, and an asset there."""


@dataclass(frozen=True, slots=True)
class Told:
    """Prices, with what each venue means by symbols that mean another asset elsewhere.

    `waiting` tells since when a venue is far off that agreed before, by venue and asset.
    """

    prices: dict[str, Price]
    apart: Apart = field(default_factory=dict)
    waiting: Mapping[_At, Millis] = field(default_factory=dict)


def told_apart(
    quotes: Sequence[Quote],
    before: Told,
    believed: Mapping[str, Believed],
    price: Callable[[Sequence[Quote]], dict[str, Price]],
    now: Millis,
) -> Told:
    """Return the prices of quotes, found by `price`, in which no two assets are taken for one.

    A symbol is set apart at once where its venue is far off from the others (`CONTESTED`). One that
    agreed in the prices before, which the others still keep to, is waited for (`PATIENCE`). It
    means the others' asset again after a day in agreement (`SAME_AGAIN`).
    """
    told = _without_reunited(quotes, before, price, now)
    while True:
        far_off = _far_off(usable_pairs(_named(quotes, told.apart), now), told.prices)
        waiting = {
            at: before.waiting.get(at, now)
            for at in far_off
            if at in before.waiting or _agreed(at, believed, told.prices)
        }
        waiting = {at: since for at, since in waiting.items() if now - since < PATIENCE}
        begun = [at for at in far_off if at not in waiting]
        if not begun:
            return replace(told, waiting=waiting)
        apart = {venue: dict(symbols) for venue, symbols in told.apart.items()}
        for venue, symbol in begun:
            apart.setdefault(venue, {})[symbol] = None
        told = Told(price(_named(quotes, apart)), apart)


def changes(before: Apart, after: Apart) -> Iterator[tuple[str, str, str]]:
    """Return the venues whose assets are called otherwise from now on: (venue, old, new)."""
    for venue in sorted({*before, *after}):
        was, by_now = before.get(venue, {}), after.get(venue, {})
        for symbol in sorted(by_now.keys() - was.keys()):
            yield venue, symbol, at_venue(symbol, venue)
        for symbol in sorted(was.keys() - by_now.keys()):
            yield venue, at_venue(symbol, venue), symbol


def _without_reunited(
    quotes: Sequence[Quote],
    before: Told,
    price: Callable[[Sequence[Quote]], dict[str, Price]],
    now: Millis,
) -> Told:
    """Return prices by what was apart before, without what agreed with the others for long."""
    prices = price(_named(quotes, before.apart))
    apart: dict[str, dict[str, Millis | None]] = {}
    for venue, symbols in before.apart.items():
        for symbol, since in symbols.items():
            own, others = prices.get(at_venue(symbol, venue)), prices.get(symbol)
            agrees = own is not None and others is not None and agree(own.usd, others.usd)
            began = (since or now) if agrees else None
            if began is None or now - began < SAME_AGAIN:
                apart.setdefault(venue, {})[symbol] = began
    is_less = any(True for _ in changes(before.apart, apart))
    return Told(price(_named(quotes, apart)) if is_less else prices, apart)


def _agreed(at: _At, believed: Mapping[str, Believed], prices: Mapping[str, Price]) -> bool:
    """Return whether a venue agreed just before with what the others still say."""
    venue, asset = at
    last = believed.get(asset)
    return (
        last is not None
        and venue in last.price.sources
        and not _is_far(last.price.usd, prices[asset].usd)
    )


def _far_off(pairs: Iterable[Pair], prices: Mapping[str, Price]) -> list[_At]:
    """Return what venues price far off from the prices, each by its pair of the most volume.

    Where most pairs in a currency are far off it is the currency that is worth something else
    there: they tell nothing of what is traded in it.
    """
    by_currency: dict[_At, list[tuple[Pair, Decimal]]] = {}
    for pair in pairs:
        is_told = pair.volume and {pair.base, pair.quote} <= prices.keys()
        if is_told and pair.base != DOLLAR and not is_of_one_venue(pair.base):
            worth = money.multiply(pair.price, prices[pair.quote].usd)
            by_currency.setdefault((pair.venue, pair.quote), []).append((pair, worth))
    best: dict[_At, tuple[Decimal, str, bool]] = {}
    for (venue, quote), found in by_currency.items():
        far = [_is_far(worth, prices[pair.base].usd) for pair, worth in found]
        if len(found) >= FEW and 2 * sum(far) > len(found):
            continue
        for (pair, _), is_far in zip(found, far, strict=True):
            depth = money.multiply(pair.volume or money.ZERO, prices[quote].usd)
            own = depth, pair.name, is_far
            best[venue, pair.base] = max(best.get((venue, pair.base), own), own)
    return [at for at, (_, _, is_far) in best.items() if is_far]


def _is_far(one: Decimal, other: Decimal) -> bool:
    return max(one, other) > money.multiply(min(one, other), CONTESTED)


def _named(quotes: Sequence[Quote], apart: Apart) -> Sequence[Quote]:
    """Return quotes of the assets that their venues mean."""
    if not apart:
        return quotes
    return [
        _named_quote(quote, apart[quote.venue]) if quote.venue in apart else quote
        for quote in quotes
    ]


def _named_quote(quote: Quote, symbols: Mapping[str, Millis | None]) -> Quote:
    if quote.base not in symbols and quote.quote not in symbols:
        return quote
    base, other = (
        at_venue(asset, quote.venue) if asset in symbols else asset
        for asset in (quote.base, quote.quote)
    )
    return replace(quote, base=base, quote=other)
