"""Prices that leap are held back until a second source agrees, they persist, or are accepted.

An exchange's broken ticker, or one trade in an empty order book, can make a holding worth a hundred
times as much for a minute. Such a price is not put into the totals, and neither is the one before:
that was true of another moment, and unknown is not old. The asset is unpriced meanwhile, visibly.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, MINUTE, Millis
from coffers.pricing.currencies import BITCOIN
from coffers.valuation.model import AGREEING, HeldBack, Price, PriceBook

REMEMBERED = Millis(10 * MINUTE)
"""How long a price that leapt away from the one that was believed must persist to be believed."""

KEPT = DAY
"""How old a price may be that one is compared with which comes after a time without any."""


_SEPARATORS = re.compile("[/~]")


@dataclass(frozen=True, slots=True)
class Believed:
    """The price of an asset that was believed last, and until when nothing spoke against it."""

    price: Price
    at: Millis


class SpikeWatch:
    """Remembers what was believed lately. `factor` is as in `suspects`."""

    def __init__(self, factor: Decimal) -> None:
        self._factor = factor
        self._believed: dict[str, Believed] = {}
        self._looked_at = Millis(0)

    @property
    def believed(self) -> Mapping[str, Believed]:
        """What was believed lately, by asset."""
        return self._believed

    def recall(self, book: PriceBook) -> None:
        """Take up what a process before this one believed, from its newest price book."""
        self._believed = believed_in(book)
        self._looked_at = book.at

    def wake(self, now: Millis) -> None:
        """Wait for what leaps from now on where nobody looked for so long that it would be over.

        What comes first after an outage is as likely to be broken as at any time.
        """
        if now - self._looked_at >= REMEMBERED:
            self._believed = _unopposed(self._believed, now)

    def carry_over(self, renamed: Iterable[tuple[str, str]]) -> None:
        """Compare an asset with what was believed of it under its key before: (before, now)."""
        for before, now in renamed:
            if before in self._believed and now not in self._believed:
                self._believed[now] = self._believed[before]

    def accept(self, accepted: Mapping[str, Price]) -> None:
        """Compare what comes with prices that were accepted by hand, each at its own time."""
        for asset, price in accepted.items():
            last = self._believed.get(asset)
            if last is None or last.at < price.at:
                self._believed[asset] = Believed(price, price.at)

    def suspects(
        self, prices: Mapping[str, Price], now: Millis, seconded: Collection[str] = frozenset()
    ) -> dict[str, HeldBack]:
        """Return the prices that are not to be believed yet."""
        return suspects(prices, self._believed, self._factor, now, seconded)

    def believe(
        self, prices: Mapping[str, Price], now: Millis, held_back: Collection[str] = ()
    ) -> None:
        """Remember the prices of a book, and what it tells no price of (`KEPT`).

        Of what it holds back that goes on being compared with what was believed; what a clock ahead
        believed, for as long from now on.
        """
        opposed = {
            asset: Believed(last.price, min(last.at, now))
            for asset, last in self._believed.items()
            if asset in held_back
        }
        anew = {asset: Believed(price, now) for asset, price in prices.items()}
        self._believed = _unopposed(self._believed, now) | opposed | anew
        self._looked_at = now


def _unopposed(believed: Mapping[str, Believed], now: Millis) -> dict[str, Believed]:
    """Return what is known still, of which nothing else was told until now."""
    return {
        asset: Believed(last.price, now)
        for asset, last in believed.items()
        if now - last.price.at < KEPT
    }


def believed_in(book: PriceBook) -> dict[str, Believed]:
    """Return what a book believes: its prices, and those before the ones that it holds back."""
    believed = {asset: Believed(price, book.at) for asset, price in book.prices.items()}
    for asset, held in book.held_back.items():
        believed[asset] = Believed(held.believed, Millis(held.until - REMEMBERED))
    return believed


def suspects(
    prices: Mapping[str, Price],
    believed: Mapping[str, Believed],
    factor: Decimal,
    now: Millis,
    seconded: Collection[str] = frozenset(),
) -> dict[str, HeldBack]:
    """Return the prices that are not to be believed yet.

    Those that lie more than `factor` times above or below the last believed one, in USD or in BTC,
    until they persisted (`REMEMBERED`), and that one source alone says. So do several whose
    ways all lead over one such price: each has it from there. Those of `seconded` were told by
    another way.
    """
    leaping = {
        asset: HeldBack(price, last.price, Millis(last.at + REMEMBERED))
        for asset, price in prices.items()
        if (last := believed.get(asset)) is not None
        and now - last.at < REMEMBERED
        and leaps(last.price, price, factor)
    }
    alone = {asset for asset, held in leaping.items() if len(held.price.sources) < AGREEING}
    return {
        asset: held
        for asset, held in leaping.items()
        if asset in alone or (asset not in seconded and not alone.isdisjoint(_over(held.price)))
    }


def _over(price: Price) -> set[str]:
    """Return what a price is made over: its route's assets, and bitcoin for its worth in BTC."""
    return {BITCOIN, *(asset for pair in price.route for asset in _SEPARATORS.split(pair))}


def leaps(before: Price, after: Price, factor: Decimal) -> bool:
    """Return whether a price is more than `factor` times another one, or less, in USD or in BTC."""
    return any(
        max(one, other) > money.multiply(min(one, other), factor)
        for one, other in ((before.usd, after.usd), (before.btc, after.btc))
    )


def distance(one: Price, other: Price) -> Decimal:
    """Return how many times the lower of two prices the higher one is, in USD or in BTC."""
    return max(
        money.divide(max(pair), min(pair)) for pair in ((one.usd, other.usd), (one.btc, other.btc))
    )
