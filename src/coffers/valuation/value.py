"""What positions are worth at given prices, and which of them have no price."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import mul

import msgspec

from coffers import money
from coffers.valuation.model import (
    NOTHING,
    UNCOUNTED,
    UNLISTED,
    Position,
    Price,
    Value,
    Worths,
    one_text,
    worths_of,
)

_APART = frozenset({*UNCOUNTED, UNLISTED})

Holdings = Mapping[str, Decimal]
"""Units owned per asset, over all wallets of an account; never zero."""


class Valuation(msgspec.Struct, frozen=True):
    """The worth of what could be priced. `value` is None where nothing held has a price."""

    value: Value | None
    unpriced: tuple[str, ...]


def holdings_of(positions: Iterable[Position]) -> dict[str, Decimal]:
    """Return the units owned per asset. Assets that come to nothing are left out.

    So are parts that count for nothing, and unlisted tokens, see `unlisted_of`.
    """
    return _summed(each for each in positions if each.wallet not in _APART)


def unlisted_of(positions: Iterable[Position]) -> dict[str, Decimal]:
    """Return the units owned of each unlisted token."""
    return _summed(each for each in positions if each.wallet == UNLISTED)


def agreed(unlisted: Holdings, prices: Mapping[str, Price]) -> dict[str, Decimal]:
    """Return those unlisted tokens that count: two sources agree on their price."""
    return {asset: amount for asset, amount in unlisted.items() if is_agreed(prices.get(asset))}


def is_agreed(price: Price | None) -> bool:
    """Return whether there is a price that an unlisted token counts with."""
    return price is not None and price.is_agreed


def together(one: Holdings, other: Holdings) -> dict[str, Decimal]:
    """Return two holdings as one."""
    owned = dict(one)
    for asset, amount in other.items():
        owned[asset] = money.add(owned.get(asset, money.ZERO), amount)
    return {asset: amount for asset, amount in owned.items() if amount}


def value_of(holdings: Holdings, prices: Mapping[str, Price]) -> Valuation:
    """Return what the holdings are worth in BTC and in USD, each summed on its own, exactly.

    An empty account is worth zero. A holding without a price counts in no total and is named; an
    account of which nothing has a price is worth an unknown amount, not zero.
    """
    return values_of((holdings,), (prices,))[0]


@money.exactly
def values_of(
    holdings: Iterable[Holdings], prices: Iterable[Mapping[str, Price]]
) -> list[Valuation]:
    """Return what the holdings of each account are worth at its prices, see `value_of`."""
    return [
        _valued(each, worths_of(told, each)) for each, told in zip(holdings, prices, strict=True)
    ]


def _valued(holdings: Holdings, worths: Worths) -> Valuation:
    if not holdings:
        return Valuation(NOTHING, ())
    try:
        return Valuation(_sum_of(holdings, worths), ())
    except KeyError:  # one has no price
        known = {asset: amount for asset, amount in holdings.items() if asset in worths.usd}
    unpriced = sorted(asset for asset in holdings if asset not in known)
    return Valuation(_sum_of(known, worths) if known else None, tuple(unpriced))


def _sum_of(holdings: Holdings, worths: Worths) -> Value:
    """Return the sum of amounts at what their units are worth."""
    amounts = holdings.values()
    return Value(
        sum(map(mul, amounts, map(worths.btc.__getitem__, holdings)), money.ZERO),
        sum(map(mul, amounts, map(worths.usd.__getitem__, holdings)), money.ZERO),
    )


def _summed(positions: Iterable[Position]) -> dict[str, Decimal]:
    owned: dict[str, Decimal] = {}
    for position in positions:
        owned[position.asset] = money.add(owned.get(position.asset, money.ZERO), position.owned)
    return {one_text(asset): amount for asset, amount in owned.items() if amount}
