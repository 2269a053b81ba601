"""Which pairs there are between assets, and the currency that money best goes through."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.valuation.order_sizes import cost_of_one
from coffers.valuation.orders import PairLimits

_PREFERRED: Final = ("USDT", "USDC", "USD", "EUR", "BTC")
_ONE: Final = Decimal(1)


class Pairs:
    """The pairs that can be traded, found by their assets in either order."""

    def __init__(self, pairs: Iterable[PairLimits]) -> None:
        self._pairs = {(pair.base, pair.quote): pair for pair in pairs}

    @property
    def quotes(self) -> set[str]:
        """The assets that others are paid in."""
        return {quote for _, quote in self._pairs}

    def between(self, one: str, other: str) -> PairLimits | None:
        """Return the pair of two assets, None where there is none."""
        return self._pairs.get((one, other)) or self._pairs.get((other, one))

    def cost_of_one(self, asset: str, quote: str) -> Decimal:
        """Return what must be there of a quote currency to get an asset for one unit of it."""
        pair = self._pairs.get((asset, quote))
        return _ONE if pair is None else cost_of_one(pair)


def gone_round(
    pairs: Sequence[PairLimits],
    refused: Collection[tuple[str, str]],
    changes: Mapping[str, Decimal],
    prices: Mapping[str, Decimal],
) -> list[PairLimits]:
    """Return pairs without those that refused an order, where money can go another way.

    They are of two assets that are balanced, and the way leads through the currency by which most
    can be moved without them.
    """
    left = Pairs(pair for pair in pairs if (pair.base, pair.quote) not in refused)
    quote = best_quote(left, changes, prices)

    def is_needed(pair: PairLimits) -> bool:
        ends = pair.base, pair.quote
        if ends not in refused or quote is None:
            return True
        return any(end not in changes or left.between(end, quote) is None for end in ends)

    return [pair for pair in pairs if is_needed(pair)]


def best_quote(
    pairs: Pairs, changes: Mapping[str, Decimal], prices: Mapping[str, Decimal]
) -> str | None:
    """Return the currency through which most of the changes can be made, None where there is none.

    Of those that serve alike, one that is balanced itself, so that nothing is left over in it.
    """

    def rank(quote: str) -> tuple[Decimal, bool, int, str]:
        reached = money.total(
            usd.copy_abs()
            for asset, usd in changes.items()
            if asset == quote or pairs.between(asset, quote) is not None
        )
        place = _PREFERRED.index(quote) if quote in _PREFERRED else len(_PREFERRED)
        return -reached, quote not in changes, place, quote

    usable = [quote for quote in pairs.quotes if quote in prices]
    best = min(usable, key=rank, default=None)
    return None if best is None or not rank(best)[0] else best
