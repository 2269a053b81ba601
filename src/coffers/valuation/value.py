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
    places: dict[int, list[int]] = {}
    for place, told in enumerate(prices):
        places.setdefault(id(told), []).append(place)
    found: dict[int, Valuation] = {}
    for those in places.values():
        own = [amounts[place] for place in those]
        worths = worths_of(prices[those[0]], (asset for each in own for asset in each.assets))
        found.update(zip(those, _valued(own, worths), strict=True))
    return [found[place] for place in range(len(amounts))]


def _valued(accounts: Sequence[Amounts], worths: Worths) -> list[Valuation]:
    return [
        _partly_valued(amounts, worths)
        if total is None
        else Valuation(Value(*total) if amounts.assets else NOTHING, ())
        for amounts, total in zip(accounts, worths.totals(accounts), strict=True)
    ]


def _partly_valued(amounts: Amounts, worths: Worths) -> Valuation:
    """Return what an account is worth of which an asset has no price."""
    unpriced = sorted(asset for asset in amounts.assets if asset not in worths.both)
    known = amounts.only(worths.both)
    total = worths.totals((known,))[0] if known.assets else None
    return Valuation(None if total is None else Value(*total), tuple(unpriced))


def _summed(positions: Iterable[Position]) -> dict[str, Decimal]:
    owned: dict[str, Decimal] = {}
    for position in positions:
        owned[position.asset] = money.add(owned.get(position.asset, money.ZERO), position.owned)
    return {one_text(asset): amount for asset, amount in owned.items() if amount}
