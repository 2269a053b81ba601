"""How deep each pair is, in USD a day, and which pairs are too thin to tell a price."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.pricing.currencies import DOLLAR
from coffers.pricing.pairs import Pair

ONE = Decimal(1)
LIMITLESS = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Step:
    """A pair walked from one of its assets to the other: one hop of a way.

    One unit of the asset it starts from is worth `price` units of `to`, or with `is_inverse`
    1 / `price` of them. `depth` is the pair's volume in USD.
    """

    pair: Pair
    to: str
    is_inverse: bool
    depth: Decimal

    def worth(self, of_other: Decimal) -> Decimal:
        """Return what the asset is worth in a currency, from what one unit of `to` is."""
        if self.is_inverse:
            return money.divide(of_other, self.pair.price)
        return money.multiply(self.pair.price, of_other)


Steps = dict[str, list[Step]]
"""The hops that start from each asset."""


def steps_above(pairs: Sequence[Pair], floor: Decimal) -> Steps:
    """Return the hops over the pairs whose day's volume is worth at least `floor` USD.

    A pair of unknown volume shows no depth, so it counts as one without.
    """
    worths = rough_worths(pairs)
    steps: Steps = {}
    for pair in pairs:
        worth = worths.get(pair.quote)
        if worth is None or pair.volume is None:
            depth = money.ZERO
        else:
            depth = money.multiply(pair.volume, worth)
        if depth >= floor:
            steps.setdefault(pair.base, []).append(Step(pair, pair.quote, False, depth))
            steps.setdefault(pair.quote, []).append(Step(pair, pair.base, True, depth))
    return steps


def ranks_of(currency: str, steps: Steps) -> dict[str, int]:
    """Return the rank of each asset by how deeply it is joined to a currency, which has rank 0.

    The deepness is the least volume along the deepest way between them, of any length.
    """
    ranks: dict[str, int] = {}
    heap: list[tuple[Decimal, int, str]] = [(-LIMITLESS, 0, currency)]
    while heap:
        negative_depth, hops, asset = heapq.heappop(heap)
        if asset in ranks:
            continue
        ranks[asset] = len(ranks)
        for step in steps.get(asset, ()):
            if step.to not in ranks:
                heapq.heappush(heap, (max(negative_depth, -step.depth), hops + 1, step.to))
    return ranks


def rough_worths(pairs: Iterable[Pair]) -> dict[str, Decimal]:
    """Return about what a unit of each asset is worth in USD, to measure volumes with.

    Grows outward from the dollar, always over the pair that keeps the way deepest: a pair's
    volume can be valued as soon as one of its two assets is. Assets that no pair joins to the
    dollar are absent.
    """
    adjacent = _adjacent(pairs)
    worths: dict[str, Decimal] = {}
    # The names after the depth make the order total, so that equal depths settle alike each time.
    heap: list[tuple[Decimal, str, str, str, Decimal]] = [(-LIMITLESS, DOLLAR, "", "", ONE)]
    while heap:
        negative_depth, asset, _, _, worth = heapq.heappop(heap)
        if asset in worths:
            continue
        # Rounded to a quotient's digits: long chains would else grow without bound.
        worths[asset] = worth = money.divide(worth, ONE)
        for pair in adjacent.get(asset, ()):
            other = pair.base if pair.quote == asset else pair.quote
            if other not in worths:
                depth, other_worth = _across(pair, asset, worth)
                key = max(negative_depth, -depth)
                heapq.heappush(heap, (key, other, pair.name, pair.venue, other_worth))
    return worths


def _adjacent(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    adjacent: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair.volume:
            adjacent.setdefault(pair.base, []).append(pair)
            adjacent.setdefault(pair.quote, []).append(pair)
    return adjacent


def _across(pair: Pair, asset: str, worth: Decimal) -> tuple[Decimal, Decimal]:
    """Return the pair's volume in USD and its other asset's worth, from one asset's worth."""
    volume = pair.volume or money.ZERO
    if pair.quote == asset:
        return money.multiply(volume, worth), money.multiply(pair.price, worth)
    per_quote = money.divide(worth, pair.price)
    return money.multiply(volume, per_quote), per_quote
