"""Symbols that mean another asset at one venue than at the others, told by what is paid for them.

Two tokens may have one ticker. A venue that pays a hundredth of what all others pay trades another
token, and what lies there is worth what is paid there. So the asset gets a key of its own
(`at_venue`), and the venue no voice in the price of the others'. Where that is not sure yet it has
the key already, and no price: unknown is better than what is maybe another asset's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from coffers.clock import DAY, MINUTE, Millis
from coffers.markets.assets import at_venue, is_of_one_venue
from coffers.markets.quote import Quote
from coffers.pricing.consensus import agree
from coffers.pricing.graph import prices_by
from coffers.pricing.owns import At, Own, Owns, Sign, is_far, owns_of, signs_of
from coffers.pricing.pairs import Pair, usable_pairs
from coffers.pricing.spikes import Believed
from coffers.valuation.model import Apart, Meanings, Price

PATIENCE = Millis(10 * MINUTE)
"""How long a venue that was there before has to be far off: a market's crash is no other asset."""

KNOWN_FOR = DAY
"""How long a venue that tells nothing is known still: an outage makes no new venue of it."""

SAME_AGAIN = DAY
"""How long a venue has to agree without a break before it means the others' asset again.

Prices of two assets may cross, and would from then on be taken for one.
"""

_Named = TypeVar("_Named", Pair, Sign)


def told_apart(
    quotes: Sequence[Quote],
    before: Meanings,
    believed: Mapping[str, Believed],
    *,
    floor_usd: Decimal,
    now: Millis,
    told: Mapping[str, Decimal] | None = None,
) -> tuple[dict[str, Price], Meanings]:
    """Return the prices of quotes, as `graph` finds them, with no two assets taken for one.

    A symbol is set apart where its venue is far off from the others (`CONTESTED`): at once where
    the venue is new, or where others that were not there before brought another price; else once
    that has lasted (`PATIENCE`). Somebody has to stand ready to trade far off, in a market that is
    not dead. Until all that is so the symbol is in doubt: apart, without a price, until it agrees.
    But one that agreed until now goes on being the others' asset meanwhile.

    What was set apart means the others' asset again after a day in agreement (`SAME_AGAIN`).

    `before` are the meanings of the book before, `believed` its prices. `told` is what sources that
    are no venues say in USD of assets that no venue prices.
    """
    market = _Market(usable_pairs(quotes, now), signs_of(quotes, now), floor_usd, told or {})
    watch = _Watch(before, believed, now)
    watch.look(market)
    while watch.looks_on(market):
        pass
    return market.prices, watch.meanings(market)


def changes(before: Apart, after: Apart) -> Iterator[tuple[str, str, str]]:
    """Return the venues whose assets are called otherwise from now on: (venue, old, new)."""
    for venue in sorted({*before, *after}):
        was, by_now = before.get(venue, {}), after.get(venue, {})
        for symbol in sorted(by_now.keys() - was.keys()):
            yield venue, symbol, at_venue(symbol, venue)
        for symbol in sorted(was.keys() - by_now.keys()):
            yield venue, at_venue(symbol, venue), symbol


class _Market:
    """What quotes tell by what is apart and what is in doubt: prices, and what each venue shows.

    `others` are the prices of the venues together and of sources that are none, in USD.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        signs: Sequence[Sign],
        floor: Decimal,
        told: Mapping[str, Decimal],
    ) -> None:
        self._pairs = pairs
        self._signs = signs
        self._floor = floor
        self._told = told
        self.venues = {pair.venue for pair in pairs}
        self.with_books = {pair.venue for pair in pairs if pair.is_live}
        self.prices: dict[str, Price] = {}
        self.others: dict[str, Decimal] = {}
        self.owns: Owns = {}

    def price(self, apart: Apart, doubts: Iterable[At]) -> None:
        """Find all anew; nothing goes by what is in doubt."""
        doubted = {at_venue(symbol, venue) for venue, symbol in doubts}
        pairs = _named(self._pairs, apart)
        if doubted:
            pairs = [pair for pair in pairs if doubted.isdisjoint((pair.base, pair.quote))]
        self.prices = prices_by(pairs, self._floor)
        self.others = {**self._told, **{asset: each.usd for asset, each in self.prices.items()}}
        self.owns = owns_of(_named(self._signs, apart), self.others)

    def far_off(self) -> list[At]:
        """Return what venues show to be another asset than the others'.

        Not what they pay in something that is far off itself: that is judged once it has its own
        key.
        """
        far = [at for at, own in self.owns.items() if self._is_off(at, own)]
        unsure = set(far)
        return [at for at in far if (at[0], self.owns[at].quote) not in unsure]

    def shows(self, at: At, own: Own) -> bool:
        """Return whether it is shown that a venue's asset is another one than the others'.

        A last trade alone may be of before a market was halted, unless its venue tells no bids at
        all. Where nothing was traded for a day nobody may look at what stands there. Once the
        others tell nothing any more it is worth what its venue pays, whatever it is.
        """
        venue, symbol = at
        price = self.others.get(symbol)
        if price is None:
            return bool(own.depth) and own.worth is not None
        return bool(own.depth) and (own.offers_far(price) or venue not in self.with_books)

    def _is_off(self, at: At, own: Own) -> bool:
        venue, asset = at
        price, found = self.others.get(asset), self.prices.get(asset)
        # It may be one pair of a venue alone that is off, such as a halted one: of another asset
        # no pair there would agree.
        agrees = found is not None and venue in found.sources
        is_off = price is not None and own.is_far(price)
        return is_off and not agrees and not is_of_one_venue(asset)


class _Watch:
    """Decides what is apart, by what was known before, and since when it is waited for.

    `waits` are symbols that are far off and were not before, which may be a crash; `doubts` those
    that are apart and have no price.
    """

    def __init__(self, before: Meanings, believed: Mapping[str, Believed], now: Millis) -> None:
        self._apart: dict[str, dict[str, Millis | None]] = {
            venue: dict(told) for venue, told in before.apart.items()
        }
        # A clock that was ahead when it began would have it wait until then.
        self._since: dict[At, Millis] = {
            (venue, symbol): Millis(min(since, now))
            for venue, told in before.far_off.items()
            for symbol, since in told.items()
        }
        self._waits: dict[At, Millis] = {}
        self._doubts = {at: since for at, since in self._since.items() if self._is_apart(at)}
        self._known = {each: at for each, at in before.venues.items() if now - at < KNOWN_FOR}
        self._believed = believed
        self._now = now

    def look(self, market: _Market) -> None:
        """Price by what is known, and decide anew on what is apart."""
        market.price(self._apart, self._doubts)
        judged = [self._judge(at, market) for at in self._all_apart()]
        if any(judged):
            market.price(self._apart, self._doubts)

    def looks_on(self, market: _Market) -> bool:
        """Set apart what is far off by the prices; tell whether there was anything."""
        self._waits = {}
        begun = [at for at in market.far_off() if not self._is_waited_for(at, market)]
        for venue, symbol in begun:
            self._apart.setdefault(venue, {})[symbol] = None
        if begun:
            market.price(self._apart, self._doubts)
        return bool(begun)

    def meanings(self, market: _Market) -> Meanings:
        """Return what is known by now."""
        far_off: dict[str, dict[str, Millis]] = {}
        for (venue, symbol), since in sorted({**self._waits, **self._doubts}.items()):
            far_off.setdefault(venue, {})[symbol] = since
        venues = {**self._known, **dict.fromkeys(market.venues, self._now)}
        apart = {venue: symbols for venue, symbols in self._apart.items() if symbols}
        return Meanings(apart, far_off, venues)

    def _judge(self, at: At, market: _Market) -> bool:
        """Decide on what is apart; return whether prices change with it."""
        venue, symbol = at
        own, price = market.owns.get((venue, at_venue(symbol, venue))), market.others.get(symbol)
        agrees = own is not None and price is not None and _agree(own, price)
        if at not in self._doubts:
            since = self._apart[venue][symbol]
            self._apart[venue][symbol] = began = (
                Millis(min(since or self._now, self._now)) if agrees else None
            )
            is_over = began is not None and self._now - began >= SAME_AGAIN
        elif agrees:
            is_over = True
        elif own is not None and (price is None or own.is_far(price)):
            is_sure = self._is_over(at, self._doubts[at]) and market.shows(at, own)
            if is_sure:
                del self._doubts[at]
            return is_sure
        else:
            is_over = False
        if is_over:
            del self._apart[venue][symbol]
            self._doubts.pop(at, None)
        return is_over

    def _is_waited_for(self, at: At, market: _Market) -> bool:
        """Return whether something that is far off goes on as the others' asset for now."""
        own, since = market.owns[at], self._since.get(at)
        if since is None:
            is_over = at[0] not in self._known or self._others_came(at[1], market)
        else:
            is_over = self._is_over(at, since)
        if is_over and market.shows(at, own):
            return False
        began = self._now if since is None else since
        if since is None and not self._agreed(at):
            self._doubts[at] = began
            return False
        self._waits[at] = began
        return True

    def _is_over(self, at: At, since: Millis) -> bool:
        return at[0] not in self._known or self._now - since >= PATIENCE

    def _agreed(self, at: At) -> bool:
        """Return whether a venue agreed with the last price that was believed."""
        venue, symbol = at
        last = self._believed.get(symbol)
        return last is not None and venue in last.price.sources

    def _others_came(self, symbol: str, market: _Market) -> bool:
        """Return whether all who told a price before still do, and it is far off now."""
        last = self._believed.get(symbol)
        if last is None or not is_far(last.price.usd, market.others[symbol]):
            return False
        still = [
            own
            for venue in last.price.sources
            if (own := market.owns.get((venue, symbol))) is not None
        ]
        return bool(still) and all(_agree(own, last.price.usd) for own in still)

    def _is_apart(self, at: At) -> bool:
        venue, symbol = at
        return symbol in self._apart.get(venue, ())

    def _all_apart(self) -> list[At]:
        return [(venue, symbol) for venue, told in self._apart.items() for symbol in told]


def _agree(own: Own, price: Decimal) -> bool:
    return own.worth is not None and agree(own.worth, price)


def _named(told: Sequence[_Named], apart: Apart) -> Sequence[_Named]:
    """Return what was told by the keys of the assets that venues mean."""
    if not apart:
        return told
    none: Mapping[str, Millis | None] = {}
    return [
        _renamed(each, symbols)
        if each.base in (symbols := apart.get(each.venue, none)) or each.quote in symbols
        else each
        for each in told
    ]


def _renamed(told: _Named, symbols: Mapping[str, Millis | None]) -> _Named:
    base, quote = (
        at_venue(asset, told.venue) if asset in symbols else asset
        for asset in (told.base, told.quote)
    )
    if isinstance(told, Pair):
        return replace(told, base=base, quote=quote, name=f"{base}/{quote}")
    return replace(told, base=base, quote=quote)
