"""Prices from sources that are no venues, for what no venue tells, and as a second opinion."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from coffers import metrics, money
from coffers.clock import MINUTE, Clock, Millis, is_ahead
from coffers.logs import logger
from coffers.pricing.consensus import Voice, agree, verdict_of
from coffers.pricing.currencies import BITCOIN, DOLLAR
from coffers.pricing.sources.source import FallbackSource, SourceFailure, SourcePrice
from coffers.valuation.model import Price, PriceBook

SECONDS_WITHIN = Millis(10 * MINUTE)
"""An opinion that is older backs no venue's price: it may speak of another time."""

_log = logger("coffers.pricing")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the sources together say of an asset, in USD: who agrees, and the oldest moment."""

    usd: Decimal
    sources: tuple[str, ...]
    at: Millis


class Fallbacks:
    """Asks the sources, and keeps what each told for as long as that counts.

    So a source that fails, or that must not be asked yet, takes no price away. The first source
    counts most where two contradict each other, and alone where one passes on the other's word.
    """

    def __init__(self, sources: Sequence[FallbackSource], clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._told: dict[str, dict[str, SourcePrice]] = {source.name: {} for source in sources}
        self._failing: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether there is nobody to be asked."""
        return not self._sources

    def recall(self, book: PriceBook) -> None:
        """Take up what the sources told a process before this one, from its newest price book."""
        passed_on = {source.name: source.passes_on for source in self._sources}
        for asset, price in book.prices.items():
            if price.route == (route_of(asset),) and self._told.keys() >= set(price.sources):
                for name in price.sources:
                    # Of one that stands alone a book does not tell whose word it is.
                    of = passed_on[name] if len(price.sources) == 1 else None
                    self._told[name][asset] = SourcePrice(price.usd, price.at, of)

    async def opinions(self, wanted: Collection[str]) -> dict[str, Opinion]:
        """Ask the sources, all at once, and return what they say now or said lately."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._ask(source, wanted))
        now = self._clock.now()
        for source in self._sources:
            told = self._told[source.name]
            self._told[source.name] = {
                asset: each
                for asset, each in told.items()
                if now - each.at <= source.lasts and not is_ahead(each.at, now)
            }
        found = {asset: self._opinion(asset) for asset in wanted}
        return {asset: opinion for asset, opinion in found.items() if opinion is not None}

    async def _ask(self, source: FallbackSource, wanted: Collection[str]) -> None:
        told = self._told[source.name]
        longest_unheard = sorted(
            wanted, key=lambda asset: (told[asset].at if asset in told else 0, asset)
        )
        try:
            anew = await source.prices(longest_unheard, told.keys())
        except SourceFailure as failure:
            self._count_failure(source.name, str(failure))
            return
        told.update(anew)
        if anew and source.name in self._failing:
            self._failing.remove(source.name)
            _log.info("source_tells_again", source=source.name)

    def _count_failure(self, name: str, reason: str) -> None:
        metrics.price_failures.labels(name).inc()
        if name not in self._failing:
            self._failing.add(name)
            _log.warning("source_without_prices", source=name, reason=reason)

    def _opinion(self, asset: str) -> Opinion | None:
        voices: dict[str, tuple[str, SourcePrice]] = {}
        for source in self._sources:
            told = self._told[source.name].get(asset)
            if told is not None:
                voices.setdefault(told.of or source.name, (source.name, told))
        if not voices:
            return None
        heard = dict(voices.values())
        # The depth of a voice decides between two that contradict each other.
        verdict = verdict_of(
            [Voice(name, told.usd, Decimal(-n)) for n, (name, told) in enumerate(heard.items())]
        )
        return Opinion(
            verdict.price,
            tuple(voice.venue for voice in verdict.agreeing),
            min(heard[voice.venue].at for voice in verdict.spoken),
        )


def route_of(asset: str) -> str:
    """Return what stands in a route for a price that a source told and no pair of a venue."""
    return f"{asset}~{DOLLAR}"


def completed(
    found: Mapping[str, Price], opinions: Mapping[str, Opinion], now: Millis
) -> dict[str, Price]:
    """Return the venues' prices with the opinions in their places.

    An asset that no venue prices gets the opinion's price, its worth in BTC through BTC's own. One
    that a venue does price keeps that; where a young opinion agrees, its sources are named as well.
    Without a price of BTC there are no prices.
    """
    young = {
        asset: opinion for asset, opinion in opinions.items() if now - opinion.at <= SECONDS_WITHIN
    }
    prices = {asset: _seconded(price, young.get(asset)) for asset, price in found.items()}
    if BITCOIN not in prices:
        if BITCOIN not in opinions:
            return {}
        bitcoin = _told_price(BITCOIN, opinions[BITCOIN], None)
        per_dollar = money.divide(Decimal(1), bitcoin.usd)
        prices[BITCOIN] = bitcoin
        prices[DOLLAR] = replace(bitcoin, usd=Decimal(1), btc=per_dollar)
    for asset in opinions.keys() - prices.keys():
        prices[asset] = _told_price(asset, opinions[asset], prices[BITCOIN])
    return prices


def _seconded(price: Price, opinion: Opinion | None) -> Price:
    if opinion is None or not agree(price.usd, opinion.usd):
        return price
    return replace(price, sources=(*price.sources, *opinion.sources))


def _told_price(asset: str, opinion: Opinion, bitcoin: Price | None) -> Price:
    route = (route_of(asset),)
    if bitcoin is None:
        return Price(Decimal(1), opinion.usd, route, opinion.sources, opinion.at)
    worth = money.divide(opinion.usd, bitcoin.usd)
    at = min(opinion.at, bitcoin.at)
    return Price(worth, opinion.usd, route, opinion.sources, at)
