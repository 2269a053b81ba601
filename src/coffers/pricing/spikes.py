"""Prices that leap are held back until a second source agrees, they persist, or are accepted.

An exchange's broken ticker, or one trade in an empty order book, can make a holding worth a hundred
times as much for a minute. Such a price is not put into the totals, and neither is the one before:
that was true of another moment, and unknown is not old. The asset is unpriced meanwhile, visibly.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import MINUTE, Millis
from coffers.valuation.model import HeldBack, Price, PriceBook

REMEMBERED = Millis(10 * MINUTE)
"""How long a price that was believed is what later ones are compared with.

So it is also how long one that leapt away from it must persist to be believed by itself.
"""


@dataclass(frozen=True, slots=True)
class Believed:
    """The price of an asset that was believed last, and when that was."""

    price: Price
    at: Millis


class SpikeWatch:
    """Remembers what was believed lately. `factor` is as in `suspects`."""

    def __init__(self, factor: Decimal) -> None:
        self._factor = factor
        self._believed: dict[str, Believed] = {}

    @property
    def believed(self) -> Mapping[str, Believed]:
        """What was believed lately, by asset."""
        return self._believed

    def recall(self, book: PriceBook) -> None:
        """Take up what a process before this one believed, from its newest price book."""
        self._believed = believed_in(book)

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

    def suspects(self, prices: Mapping[str, Price], now: Millis) -> dict[str, HeldBack]:
        """Return the prices that are not to be believed yet."""
        return suspects(prices, self._believed, self._factor, now)

    def believe(self, prices: Mapping[str, Price], now: Millis) -> None:
        """Remember the prices of a book; what a clock ahead believed, for as long from now on."""
        anew = {asset: Believed(price, now) for asset, price in prices.items()}
        known = self._believed | anew
        self._believed = {
            asset: Believed(last.price, min(last.at, now))
            for asset, last in known.items()
            if now - last.at < REMEMBERED
        }


def believed_in(book: PriceBook) -> dict[str, Believed]:
    """Return what a book believes: its prices, and those before the ones that it holds back."""
    believed = {asset: Believed(price, book.at) for asset, price in book.prices.items()}
    for asset, held in book.held_back.items():
        believed[asset] = Believed(held.believed, Millis(held.until - REMEMBERED))
    return believed


def suspects(
    prices: Mapping[str, Price], believed: Mapping[str, Believed], factor: Decimal, now: Millis
) -> dict[str, HeldBack]:
    """Return the prices that are not to be believed yet.

    Those that lie more than `factor` times above or below the last believed one, in USD or in BTC,
    while that is remembered (`REMEMBERED`), and that one source alone says.
    """
    return {
        asset: HeldBack(price, last.price, Millis(last.at + REMEMBERED))
        for asset, price in prices.items()
        if (last := believed.get(asset)) is not None
        and now - last.at < REMEMBERED
        and len(price.sources) < 2  # noqa: PLR2004 - two sources
        and _leaps(last.price, price, factor)
    }


def _leaps(before: Price, after: Price, factor: Decimal) -> bool:
    return any(
        max(one, other) > money.multiply(min(one, other), factor)
        for one, other in ((before.usd, after.usd), (before.btc, after.btc))
    )
