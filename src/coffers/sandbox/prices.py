"""Prices as a pure function of seed, venue, pair and moment; and those that a script has set.

Every asset wanders around its anchor in USD. A pair's price is the quotient of its two assets, so
that all pairs of a venue agree with each other within their spreads at every moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from coffers.sandbox.assets import Asset
from coffers.sandbox.noise import ONE, lattice, wander
from coffers.sandbox.pairs import Pair

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Period of a wander and its width in millionths at unrest 100. The widths add up to 29 %, so that
# the most restless asset (200) still stays well above zero.
_WANDERS: tuple[tuple[int, int], ...] = (
    (97 * DAY, 160_000),
    (17 * DAY, 75_000),
    (3 * DAY, 32_000),
    (9 * HOUR, 12_000),
    (70 * MINUTE, 5_000),
    (6 * MINUTE, 1_300),
    (23 * SECOND, 250),
)
_VENUE_OFFSET = 300
_MILLION = 1_000_000
_WEIGHT = 100 * _MILLION


@dataclass(frozen=True, slots=True)
class Book:
    """A pair's best prices and its last, on the tick. A halted pair has no bid nor ask."""

    last: Decimal
    bid: Decimal | None
    ask: Decimal | None


class Prices:
    """The prices of a world.

    Args:
        seed: the world's number; the same number gives the same prices for ever.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._set: dict[tuple[str, str], tuple[int, Decimal]] = {}
        self.version = 0
        # An asset is in several pairs, and all of them are asked at the same moments.
        self.usd = lru_cache(maxsize=2**14)(self._usd)
        self._moved = lru_cache(maxsize=2**14)(self._wandered)

    def set(self, pair: Pair, price: Decimal, since: int) -> None:
        """Hold a pair at this price from this moment on, until it is released."""
        self._set[pair.venue, pair.symbol] = (since, price)
        self.version += 1

    def release(self) -> None:
        """Let all pairs wander again."""
        self._set.clear()
        self.version += 1

    def _usd(self, asset: Asset, venue: str, at: int) -> int:
        """Return an asset's USD price at a venue and moment, in trillionths of a dollar."""
        if not asset.unrest:
            return int(asset.anchor * ONE)
        share = ONE + self._moved(asset, at) + self._offset(asset, venue)
        return int(asset.anchor * ONE) * share // ONE

    def _wandered(self, asset: Asset, at: int) -> int:
        """Return how far an asset is from its anchor at a moment, the same at every venue."""
        seed, moved = self._seed, 0
        for name, period, width in _walks(asset.code):
            moved += wander(seed, name, period, at) * width
        return moved * asset.unrest // _WEIGHT

    def _offset(self, asset: Asset, venue: str) -> int:
        """Return what a venue is dearer or cheaper by; none on money, whose pairs are tight."""
        if asset.is_pegged:
            return 0
        return lattice(self._seed, f"{venue}:{asset.code}", 0) * _VENUE_OFFSET // _MILLION

    def mid(self, pair: Pair, at: int) -> Decimal:
        """Return the middle of a pair's book at a moment, in the quote asset, not yet rounded."""
        if self._set:
            since, held = self._set.get((pair.venue, pair.symbol), (at + 1, Decimal(0)))
            if at >= since:
                return held
        quote = self.usd(pair.quote, pair.venue, at)
        return Decimal(self.usd(pair.base, pair.venue, at) * ONE // quote).scaleb(-12)

    def last(self, pair: Pair, at: int) -> Decimal:
        """Return the last trade's price at a moment, on the tick."""
        return _on_tick(pair, self.mid(pair, at))

    def extremes(self, pair: Pair, moments: Iterable[int]) -> tuple[Decimal, Decimal]:
        """Return the highest and the lowest last price of some moments."""
        mids = [self.mid(pair, at) for at in moments]
        return _on_tick(pair, max(mids)), _on_tick(pair, min(mids))

    def book(self, pair: Pair, at: int) -> Book:
        """Return bid, ask and last price at a moment; bid <= last <= ask and bid < ask."""
        last = self.last(pair, at)
        if pair.is_halted:
            return Book(last, None, None)
        ticks = int(last * pair.half_spread / _MILLION / pair.tick)
        bid = max(pair.tick, last - ticks * pair.tick)
        return Book(last, bid, last + max(1, ticks) * pair.tick)


@cache
def _walks(code: str) -> list[tuple[str, int, int]]:
    """Return name, period and width of what an asset's price is the sum of."""
    return [(f"{code}:{period}", period, width) for period, width in _WANDERS]


def _on_tick(pair: Pair, price: Decimal) -> Decimal:
    return max(pair.tick, (price / pair.tick).to_integral_value() * pair.tick)
