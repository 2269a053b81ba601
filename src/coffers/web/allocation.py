"""What all consists of, by asset and by account, and which of it moved within a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from coffers import money
from coffers.portfolio.balances import shown_in
from coffers.portfolio.daychange import day_change
from coffers.portfolio.whole import Holding, Whole
from coffers.valuation.model import PriceBook
from coffers.web.account_rows import share_of

MOST_SLICES: Final = 8
LEAST_SLICE: Final = Decimal("0.1")
"""The least share in percent that is told by itself."""

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
    found = [each for each in whole.holdings if whole.parts.get(each.asset)]
    shown = found[: _told_apart([whole.parts[each.asset] for each in found])]
    slices = [
        Slice(
            names.get(each.asset, each.asset),
            whole.parts[each.asset],
            _worth(each, whole),
            _at(each),
        )
        for each in shown
    ]
    if rest := found[len(shown) :]:
        share = money.total(whole.parts[each.asset] for each in rest)
        slices.append(_others(len(rest), share, [_worth(each, whole) for each in rest]))
    return _placed(slices)


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
    found.sort(key=lambda each: -each.share)
    shown = found[: _told_apart([each.share for each in found])]
    if rest := found[len(shown) :]:
        share = money.total(each.share for each in rest)
        shown.append(_others(len(rest), share, [each.value for each in rest]))
    return _placed(shown)


def movers(whole: Whole, before: PriceBook | None, names: Mapping[str, str]) -> list[Mover]:
    """Return what moved most since the book of a day before."""
    found: list[Mover] = []
    for each in whole.holdings:
        if abs(whole.parts.get(each.asset, money.ZERO)) < LEAST_MOVER:
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


def _told_apart(shares: Sequence[Decimal]) -> int:
    """Return how many parts of these shares, largest first, are told each by itself."""
    large = sum(abs(share) >= LEAST_SLICE for share in shares[:MOST_SLICES])
    shown = len(shares) if large == len(shares) else min(large, MOST_SLICES - 1)
    # A single one that is left takes no more room by its name.
    return shown + (len(shares) - shown == 1)


def _others(count: int, share: Decimal, worths: Sequence[Decimal | None]) -> Slice:
    known = [worth for worth in worths if worth is not None]
    value = money.total(known) if len(known) == len(worths) else None
    return Slice(f"{count} others", share, value, None)


def _placed(slices: Iterable[Slice]) -> list[Slice]:
    """Return parts with where each begins."""
    placed: list[Slice] = []
    start = money.ZERO
    for each in slices:
        placed.append(replace(each, start=start))
        start = money.add(start, max(money.ZERO, each.share))
    return placed


def _worth(holding: Holding, whole: Whole) -> Decimal | None:
    if holding.value is None or whole.book is None:
        return None
    return shown_in(whole.display, holding.value, whole.book.at)


def _at(holding: Holding) -> str:
    return f"/explain#{quote(anchor_of(holding.asset))}"


def anchor_of(asset: str) -> str:
    """Return the name of the place where an asset's part of the sum is explained."""
    return f"asset-{asset}"
