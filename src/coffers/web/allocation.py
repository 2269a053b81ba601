"""What all consists of, by asset and by account, and which of it moved within a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from coffers import money
from coffers.portfolio.balances import parts_of, shown_in
from coffers.portfolio.daychange import day_change
from coffers.portfolio.whole import Holding, Whole
from coffers.valuation.model import PriceBook
from coffers.web.account_rows import share_of

MOST_SLICES: Final = 8
MOST_MOVERS: Final = 8
LEAST_MOVER: Final = Decimal("0.1")
"""The least share in percent of all that is worth telling that it moved."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the whole: an asset, or an account; `start` is the share of those before it.

    `href` leads to what the share is made of, None for several parts together.
    """

    name: str
    share: Decimal
    value: Decimal | None
    href: str | None
    start: Decimal = money.ZERO


@dataclass(frozen=True, slots=True)
class Mover:
    """An asset that is held whose price moved within a day, in percent.

    `moved` is by how much that changed what is held of it.
    """

    name: str
    change: Decimal
    value: Decimal | None
    moved: Decimal | None
    href: str


def by_asset(whole: Whole, names: Mapping[str, str]) -> list[Slice]:
    """Return what each asset is of the sum, the largest first."""
    parts = parts_of(whole.holdings)
    return _shortened(
        Slice(names.get(each.asset, each.asset), parts[each.asset], _worth(each, whole), _at(each))
        for each in whole.holdings
        if parts.get(each.asset)
    )


def by_account(whole: Whole) -> list[Slice]:
    """Return what each account is of the sum, the largest first."""
    found = [
        Slice(
            each.view.account.name,
            share,
            each.view.figures.display.amount,
            f"/accounts/{each.view.account.id}",
        )
        for each in whole.accounts
        if (share := share_of(each, whole))
    ]
    return _shortened(sorted(found, key=lambda each: -each.share))


def movers(whole: Whole, before: PriceBook | None, names: Mapping[str, str]) -> list[Mover]:
    """Return what moved most since the book of a day before."""
    parts = parts_of(whole.holdings)
    found: list[Mover] = []
    for each in whole.holdings:
        if abs(parts.get(each.asset, money.ZERO)) < LEAST_MOVER:
            continue
        change = day_change(each.asset, whole.book, before, whole.display).display
        if change:
            worth, name = _worth(each, whole), names.get(each.asset, each.asset)
            found.append(Mover(name, change, worth, _moved(worth, change), _at(each)))
    return sorted(found, key=lambda mover: -abs(mover.change))[:MOST_MOVERS]


def _moved(worth: Decimal | None, change: Decimal) -> Decimal | None:
    """Return how much of a worth came about by a change in percent."""
    hundred = Decimal(100)
    whole = money.add(hundred, change)
    if worth is None or not whole:
        return None
    return money.divide(money.multiply(worth, change), whole)


def _shortened(slices: Iterable[Slice]) -> list[Slice]:
    """Return the largest parts with where each begins, and the rest as one."""
    found = list(slices)
    if len(found) > MOST_SLICES:
        rest = found[MOST_SLICES - 1 :]
        share = money.total(each.share for each in rest)
        found[MOST_SLICES - 1 :] = [Slice(f"{len(rest)} others", share, _together(rest), None)]
    placed: list[Slice] = []
    start = money.ZERO
    for each in found:
        placed.append(Slice(each.name, each.share, each.value, each.href, start))
        start = money.add(start, max(money.ZERO, each.share))
    return placed


def _together(slices: Sequence[Slice]) -> Decimal | None:
    worths = [each.value for each in slices if each.value is not None]
    return money.total(worths) if len(worths) == len(slices) else None


def _worth(holding: Holding, whole: Whole) -> Decimal | None:
    if holding.value is None or whole.book is None:
        return None
    return shown_in(whole.display, holding.value, whole.book.at)


def _at(holding: Holding) -> str:
    return f"/explain#{quote(anchor_of(holding.asset))}"


def anchor_of(asset: str) -> str:
    """Return the name of the place where an asset's part of the sum is explained."""
    return f"asset-{asset}"
