"""What lies in an account: position by position, the largest alone where there are very many."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.portfolio.balances import shown_in
from coffers.portfolio.daychange import day_change
from coffers.portfolio.explaining import not_counted_as
from coffers.portfolio.worked import Worked
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Position, Price, PriceBook, Value
from coffers.web.addresses import Address, Paged, paged

FEW: Final = 30
"""Positions that are shown unless somebody asks for more: the largest, and beside them as many of
those that count and whose worth is not known, since these may be larger."""

PAGE_SIZE: Final = 250
"""Positions on a page of all of them."""

NOT_COUNTED: Final = {
    "ignored": "left out by you",
    "spam": "looks like spam",
    "unlisted": "on no list",
    "pending": "not confirmed yet",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A position as a row; what is unknown is None. `share` is in percent of the account.

    `why_not` says why it counts for nothing, and has no share.
    """

    asset: str
    wallet: str
    amount: Decimal
    free: Decimal
    in_orders: Decimal
    price: Decimal | None
    priced: Price | None
    value: Decimal | None
    change: Decimal | None
    share: Decimal | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows that are shown of `total`, found by `sought`.

    `folded` are left out since they are small, and worth `folded_worth` together; so are
    `folded_unknown` whose worth is not known, since there are very many of them.
    """

    rows: Paged[Held]
    total: int
    sought: str
    folded: int = 0
    folded_worth: Decimal = money.ZERO
    folded_unknown: int = 0


def shown_of(rows: list[Held], address: Address) -> Shown:
    """Return the rows that an address asks for: by a text, all of them, or the largest alone."""
    sought = address.chosen.get("q", "").strip()
    if sought:
        text = sought.casefold()
        found = [each for each in rows if text in f"{each.asset} {each.wallet}".casefold()]
        return Shown(paged(found, address, PAGE_SIZE, "held"), len(rows), sought)
    if "all" in address.chosen or len(rows) <= FEW:
        return Shown(paged(rows, address, PAGE_SIZE, "held"), len(rows), "")
    rest = rows[FEW:]
    unknown = [each for each in rest if each.value is None and each.why_not is None]
    worth = money.total(each.value for each in rest if each.value is not None)
    shown = [*rows[:FEW], *unknown[:FEW]]
    first = Paged(shown, 1, len(shown), None, None)
    return Shown(first, len(rows), "", len(rest) - len(unknown), worth, max(0, len(unknown) - FEW))


def rows_of(
    worked: Worked,
    positions: Sequence[Position],
    before: PriceBook | None,
    display: DisplayCurrency,
) -> list[Held]:
    """Return what lies in an account, most worth first; what counts for nothing comes last."""
    rows = [_row(worked, each, before, display) for each in positions]
    return sorted(
        rows,
        key=lambda row: (row.value is None, row.why_not or "", -(row.value or 0), row.asset),
    )


def _row(
    worked: Worked, position: Position, before: PriceBook | None, display: DisplayCurrency
) -> Held:
    account_id, choices, book = worked.view.account.id, worked.inputs.choices, worked.book
    asset = choices.asset_of(account_id, position)
    counted = choices.counted(account_id, [position])
    why = not_counted_as(counted[0], book) if counted else "ignored"
    price = None if book is None else book.prices.get(asset)
    value = None if why else _worth(price, position.owned, book, display)
    whole = worked.view.figures.display.amount
    return Held(
        asset,
        position.wallet,
        position.owned,
        position.free,
        position.in_orders,
        _worth(price, Decimal(1), book, display),
        price,
        value,
        day_change(asset, book, before, display).display,
        None if value is None or not whole else money.percentage(value, whole),
        None if why is None else NOT_COUNTED.get(why, why),
    )


def _worth(
    price: Price | None, amount: Decimal, book: PriceBook | None, display: DisplayCurrency
) -> Decimal | None:
    if price is None or book is None:
        return None
    value = Value(money.multiply(amount, price.btc), money.multiply(amount, price.usd))
    return shown_in(display, value, book.at)
