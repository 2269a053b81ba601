"""Symbols that mean another asset at one venue than at the others, told by what is paid for them.

Two tokens may have one ticker. A venue that pays a hundredth of what all others pay trades another
token, and what lies there is worth what is paid there. So the asset gets a key of its own
(`at_venue`), and the venue no voice in the price of the others'.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from coffers.valuation.model import Apart, Meanings, Price

CONTESTED = Decimal(3)
"""A venue that pays more than so many times what the others do, or less, means another asset."""

PATIENCE = Millis(10 * MINUTE)
"""How long a venue that was not far off before has to be so: a market's crash is no other asset."""

KNOWN_FOR = DAY
"""How long a venue that tells nothing is known still: an outage makes no new venue of it."""

SAME_AGAIN = DAY
"""How long a venue has to agree without a break before it means the others' asset again.

Prices of two assets may cross, and would from then on be taken for one.
"""

FEW = 3
"""So many pairs in one currency can show that it is the currency that differs."""

_At = tuple[str, str]
"""A venue, and an asset there."""

_Apart = dict[str, dict[str, Millis | None]]


@dataclass(frozen=True, slots=True)
class _Own:
    """What a venue pays for an asset, in USD, by its pair of the most volume."""

    depth: Decimal
    name: str
    worth: Decimal
    quote: str
    is_live: bool


_Owns = Mapping[_At, _Own]


def told_apart(
    quotes: Iterable[Quote],
    before: Meanings,
    believed: Mapping[str, Believed],
    *,
    floor_usd: Decimal,
    now: Millis,
) -> tuple[dict[str, Price], Meanings]:
    """Return the prices of quotes, as `graph` finds them, with no two assets taken for one.

    A symbol is set apart where its venue is far off from the others (`CONTESTED`): at once where
    the venue is new, or where others that were not there before brought another price; else once
    that has lasted (`PATIENCE`). Somebody has to stand ready to trade at its price. It means the
    others' asset again after a day in agreement (`SAME_AGAIN`).

    `before` are the meanings of the book before, `believed` its prices.
    """
    usable = usable_pairs(quotes, now)
    apart: _Apart = {venue: dict(told) for venue, told in before.apart.items()}
    prices, owns = _priced(usable, apart, floor_usd)
    if _reunite(apart, owns, prices, now):
        prices, owns = _priced(usable, apart, floor_usd)
    watch = _Watch(before, believed, now)
    while True:
        far_off = watch.waiting(_far_off(owns, prices), owns, prices)
        begun = [at for at, since in far_off.items() if since is None]
        if not begun:
            venues = {**watch.venues, **{pair.venue: now for pair in usable}}
            return prices, Meanings(apart, _by_venue(far_off), venues)
        for venue, symbol in begun:
            apart.setdefault(venue, {})[symbol] = None
        prices, owns = _priced(usable, apart, floor_usd)


def changes(before: Apart, after: Apart) -> Iterator[tuple[str, str, str]]:
    """Return the venues whose assets are called otherwise from now on: (venue, old, new)."""
    for venue in sorted({*before, *after}):
        was, by_now = before.get(venue, {}), after.get(venue, {})
        for symbol in sorted(by_now.keys() - was.keys()):
            yield venue, symbol, at_venue(symbol, venue)
        for symbol in sorted(was.keys() - by_now.keys()):
            yield venue, at_venue(symbol, venue), symbol


class _Watch:
    """Tells since when venues are far off, by what was known before.

    `venues` are those that are known, and when they told a price last.
    """

    def __init__(self, before: Meanings, believed: Mapping[str, Believed], now: Millis) -> None:
        self.venues = {each: at for each, at in before.venues.items() if now - at < KNOWN_FOR}
        self._far_off = before.far_off
        self._believed = believed
        self._now = now

    def waiting(
        self, far_off: Iterable[_At], owns: _Owns, prices: Mapping[str, Price]
    ) -> dict[_At, Millis | None]:
        """Return since when what is far off is waited for; None where that is over."""
        with_books = {venue for (venue, _), own in owns.items() if own.is_live}
        found: dict[_At, Millis | None] = {}
        for at in far_off:
            venue, symbol = at
            since = self._far_off.get(venue, {}).get(symbol)
            is_new = venue not in self.venues
            if since is None:
                is_over, since = is_new or self._others_came(symbol, owns, prices), self._now
            else:
                # A clock that was ahead when it began would have it wait until then.
                since = Millis(min(since, self._now))
                is_over = is_new or self._now - since >= PATIENCE
            # A last trade alone may be of before a market was halted, unless its venue tells no
            # bids at all.
            is_shown = owns[at].is_live or venue not in with_books
            found[at] = None if is_over and is_shown else since
        return found

    def _others_came(self, symbol: str, owns: _Owns, prices: Mapping[str, Price]) -> bool:
        """Return whether all who told a price before still do, and it is far off now."""
        last = self._believed.get(symbol)
        if last is None or not _is_far(last.price.usd, prices[symbol].usd):
            return False
        still = [owns[at].worth for venue in last.price.sources if (at := (venue, symbol)) in owns]
        return bool(still) and all(agree(worth, last.price.usd) for worth in still)


def _priced(
    usable: Sequence[Pair], apart: Apart, floor_usd: Decimal
) -> tuple[dict[str, Price], dict[_At, _Own]]:
    pairs = _named(usable, apart)
    prices = prices_by(pairs, floor_usd)
    return prices, _owns(pairs, prices)


def _reunite(apart: _Apart, owns: _Owns, prices: Mapping[str, Price], now: Millis) -> bool:
    """Note who agrees with the others; give up what did for long enough, and tell whether any."""
    is_less = False
    for venue, symbols in list(apart.items()):
        for symbol, since in list(symbols.items()):
            own, others = owns.get((venue, at_venue(symbol, venue))), prices.get(symbol)
            agrees = own is not None and others is not None and agree(own.worth, others.usd)
            symbols[symbol] = began = Millis(min(since or now, now)) if agrees else None
            if began is not None and now - began >= SAME_AGAIN:
                del symbols[symbol]
                is_less = True
        if not symbols:
            del apart[venue]
    return is_less


def _owns(pairs: Iterable[Pair], prices: Mapping[str, Price]) -> dict[_At, _Own]:
    """Return what each venue pays for its assets.

    Where most pairs in a currency are far off it is the currency that is worth something else
    there: they tell nothing of what is traded in it.
    """
    by_currency: dict[_At, list[tuple[_At, _Own]]] = {}
    for pair in pairs:
        if pair.volume and pair.base != DOLLAR and pair.quote in prices:
            unit = prices[pair.quote].usd
            depth, worth = money.multiply(pair.volume, unit), money.multiply(pair.price, unit)
            own = _Own(depth, pair.name, worth, pair.quote, pair.is_live)
            told = by_currency.setdefault((pair.venue, pair.quote), [])
            told.append(((pair.venue, pair.base), own))
    found: dict[_At, _Own] = {}
    for told in by_currency.values():
        far = sum(_is_off(at, own, prices) for at, own in told)
        if len(told) >= FEW and 2 * far > len(told):
            continue
        for at, own in told:
            known = found.get(at)
            if known is None or (own.depth, own.name) > (known.depth, known.name):
                found[at] = own
    return found


def _far_off(owns: _Owns, prices: Mapping[str, Price]) -> list[_At]:
    """Return what venues pay far more or less for than the prices.

    Not what they pay in something that is far off itself: that is judged once it has its own key.
    """
    far = [at for at, own in owns.items() if _is_off(at, own, prices)]
    unsure = set(far)
    return [at for at in far if (at[0], owns[at].quote) not in unsure]


def _is_off(at: _At, own: _Own, prices: Mapping[str, Price]) -> bool:
    _, asset = at
    price = prices.get(asset)
    return price is not None and not is_of_one_venue(asset) and _is_far(own.worth, price.usd)


def _is_far(one: Decimal, other: Decimal) -> bool:
    return max(one, other) > money.multiply(min(one, other), CONTESTED)


def _by_venue(far_off: Mapping[_At, Millis | None]) -> dict[str, dict[str, Millis]]:
    found: dict[str, dict[str, Millis]] = {}
    for (venue, symbol), since in sorted(far_off.items()):
        if since is not None:
            found.setdefault(venue, {})[symbol] = since
    return found


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
