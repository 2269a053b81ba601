"""Symbols that mean another asset at one venue than at the others, told by what is paid for them.

Two tokens may have one ticker. A venue that pays a hundredth of what all others pay trades another
token, and what lies there is worth what is paid there. So the asset gets a key of its own
(`at_venue`), and the venue no voice in the price of the others'.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, MINUTE, Millis
from coffers.markets.assets import at_venue, is_of_one_venue
from coffers.markets.quote import Quote
from coffers.pricing.consensus import agree
from coffers.pricing.currencies import DOLLAR
from coffers.pricing.graph import prices_by
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
    quotes: Iterable[Quote],
    before: Told,
    believed: Mapping[str, Believed],
    *,
    floor_usd: Decimal,
    now: Millis,
) -> Told:
    """Return the prices of quotes, as `graph` finds them, with no two assets taken for one.

    A symbol is set apart at once where its venue is far off from the others (`CONTESTED`). One that
    agreed in the prices before, which the others still keep to, is waited for (`PATIENCE`). It
    means the others' asset again after a day in agreement (`SAME_AGAIN`).
    """
    usable = usable_pairs(quotes, now)
    pairs = _named(usable, before.apart)
    prices = prices_by(pairs, floor_usd)
    apart = _still_apart(before.apart, prices, now)
    is_changed = any(True for _ in changes(before.apart, apart))
    while True:
        if is_changed:
            pairs = _named(usable, apart)
            prices = prices_by(pairs, floor_usd)
        far_off = _far_off(pairs, prices)
        waiting = {
            at: since
            for at in far_off
            if (since := _waited_since(at, before, believed, prices, now)) is not None
            and now - since < PATIENCE
        }
        begun = [at for at in far_off if at not in waiting]
        if not begun:
            return Told(prices, apart, waiting)
        for venue, symbol in begun:
            apart.setdefault(venue, {})[symbol] = None
        is_changed = True


def changes(before: Apart, after: Apart) -> Iterator[tuple[str, str, str]]:
    """Return the venues whose assets are called otherwise from now on: (venue, old, new)."""
    for venue in sorted({*before, *after}):
        was, by_now = before.get(venue, {}), after.get(venue, {})
        for symbol in sorted(by_now.keys() - was.keys()):
            yield venue, symbol, at_venue(symbol, venue)
        for symbol in sorted(was.keys() - by_now.keys()):
            yield venue, at_venue(symbol, venue), symbol


def _still_apart(
    before: Apart, prices: Mapping[str, Price], now: Millis
) -> dict[str, dict[str, Millis | None]]:
    """Return what is apart, without what has agreed with the others for long enough."""
    apart: dict[str, dict[str, Millis | None]] = {}
    for venue, symbols in before.items():
        for symbol, since in symbols.items():
            own, others = prices.get(at_venue(symbol, venue)), prices.get(symbol)
            agrees = own is not None and others is not None and agree(own.usd, others.usd)
            began = (since or now) if agrees else None
            if began is None or now - began < SAME_AGAIN:
                apart.setdefault(venue, {})[symbol] = began
    return apart


def _waited_since(
    at: _At,
    before: Told,
    believed: Mapping[str, Believed],
    prices: Mapping[str, Price],
    now: Millis,
) -> Millis | None:
    """Return since when it is waited for a venue that is far off, None where it never agreed.

    What it agreed with must be what the others still say.
    """
    if at in before.waiting:
        return before.waiting[at]
    venue, asset = at
    last = believed.get(asset)
    if last is None or venue not in last.price.sources:
        return None
    return None if _is_far(last.price.usd, prices[asset].usd) else now


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


def _named(pairs: Sequence[Pair], apart: Apart) -> Sequence[Pair]:
    """Return pairs of the assets that their venues mean."""
    if not apart:
        return pairs
    none: Mapping[str, Millis | None] = {}
    return [
        _named_pair(pair, symbols)
        if pair.base in (symbols := apart.get(pair.venue, none)) or pair.quote in symbols
        else pair
        for pair in pairs
    ]


def _named_pair(pair: Pair, symbols: Mapping[str, Millis | None]) -> Pair:
    base, quote = (
        at_venue(asset, pair.venue) if asset in symbols else asset
        for asset in (pair.base, pair.quote)
    )
    return replace(pair, base=base, quote=quote, name=f"{base}/{quote}")
