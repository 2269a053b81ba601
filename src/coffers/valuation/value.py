"""What positions are worth at given prices, and which of them have no price."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from coffers import money
from coffers.valuation.model import (
    NOTHING,
    UNCOUNTED,
    UNLISTED,
    Position,
    Price,
    Value,
    one_text,
    worths_of,
)
from coffers.valuation.worths import Amounts, Worths

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
    return values_of((Amounts.of(holdings),), (prices,))[0]


def values_of(amounts: Sequence[Amounts], prices: Sequence[Mapping[str, Price]]) -> list[Valuation]:
    """Return what the amounts of each account are worth at its prices, see `value_of`."""
    worths = {
        key: worths_of(
            told,
            (
                asset
                for each, own in zip(amounts, prices, strict=True)
                if own is told
                for asset in each.assets
            ),
        )
        for key, told in {id(told): told for told in prices}.items()
    }
    return [_valued(each, worths[id(told)]) for each, told in zip(amounts, prices, strict=True)]


def _valued(amounts: Amounts, worths: Worths) -> Valuation:
    if not amounts.assets:
        return Valuation(NOTHING, ())
    try:
        return Valuation(Value(*worths.total(amounts)), ())
    except KeyError:  # one has no price
        unpriced = sorted(asset for asset in amounts.assets if asset not in worths.both)
    known = amounts.only(worths.both)
    value = Value(*worths.total(known)) if known.assets else None
    return Valuation(value, tuple(unpriced))


def _summed(positions: Iterable[Position]) -> dict[str, Decimal]:
    owned: dict[str, Decimal] = {}
    for position in positions:
        owned[position.asset] = money.add(owned.get(position.asset, money.ZERO), position.owned)
    return {one_text(asset): amount for asset, amount in owned.items() if amount}
