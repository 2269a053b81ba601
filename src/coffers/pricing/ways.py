"""The ways from every asset to one currency: at most three hops, the deepest first.

Each venue speaks once for an asset: over the pair of its own that leads deepest, on from whatever
the other asset of that pair is worth over all venues. The venues' voices become one price as told
in `consensus`. Three rounds of that give the ways of up to three hops. A hop only leads to an asset
that is joined more deeply to the currency than the one before: so no way goes round in a circle,
and no venue's price of a great coin hangs on a small one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from coffers.clock import Millis
from coffers.pricing.consensus import Voice, verdict_of
from coffers.pricing.depth import LIMITLESS, Step, Steps, ranks_of

MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class Way:
    """What an asset is worth in the currency aimed at, and how that was found.

    `depth` is the least USD volume along the way, `route` the pairs, `sources` the venues
    that agree, `at` the oldest quote of the route.
    """

    price: Decimal
    depth: Decimal
    route: tuple[str, ...]
    sources: tuple[str, ...]
    at: Millis | None


Ways = Mapping[str, Way]


def ways_to(
    currency: str, steps: Steps, by_own_pair: Collection[str] = frozenset()
) -> dict[str, Way]:
    """Return the way of each asset that has one; the currency's own way is the empty one.

    The assets of `by_own_pair` go by pairs with the currency itself alone where there is one.
    """
    inward = _inward(currency, steps)
    for asset in inward.keys() & by_own_pair:
        inward[asset] = [s for s in inward[asset] if s.to == currency] or inward[asset]
    known = start = {currency: Way(Decimal(1), LIMITLESS, (), (), None)}
    for _ in range(MOST_HOPS):
        found = {
            asset: _way_of(candidates)
            for asset, own_steps in inward.items()
            if (candidates := _candidates(own_steps, known))
        }
        known = start | found
    return known


def _inward(currency: str, steps: Steps) -> Steps:
    ranks = ranks_of(currency, steps)
    return {
        asset: [step for step in steps[asset] if ranks[step.to] < ranks[asset]]
        for asset in ranks.keys() & steps.keys()
    }


def _candidates(steps: list[Step], known: Ways) -> dict[str, tuple[Step, Way]]:
    """Return the deepest first hop of each venue; on equal depth the one with fewer hops.

    What only an old ticker tells is left out where there is a fresh one: a market that is halted
    keeps its depth for a day, and what was paid there before.
    """
    fresh = [step for step in steps if step.pair.is_fresh and step.to in known]
    best: dict[str, tuple[Step, Way]] = {}
    ranks: dict[str, tuple[Decimal, int, str]] = {}
    for step in fresh or steps:
        way = known.get(step.to)
        if way is None:
            continue
        venue = step.pair.venue
        rank = (min(step.depth, way.depth), -len(way.route), step.pair.name)
        if venue not in ranks or rank > ranks[venue]:
            ranks[venue] = rank
            best[venue] = (step, way)
    return best


def _way_of(candidates: Mapping[str, tuple[Step, Way]]) -> Way:
    voices = [
        Voice(venue, step.worth(way.price), min(step.depth, way.depth))
        for venue, (step, way) in candidates.items()
    ]
    verdict = verdict_of(voices)
    step, way = candidates[verdict.spoken[0].venue]
    return Way(
        verdict.price,
        max(voice.depth for voice in verdict.agreeing),
        (step.pair.name, *way.route),
        tuple(voice.venue for voice in verdict.agreeing),
        min(_oldest(*candidates[voice.venue]) for voice in verdict.spoken),
    )


def _oldest(step: Step, way: Way) -> Millis:
    return step.pair.at if way.at is None else min(step.pair.at, way.at)
