"""The table of accounts: a row for each, in the order that was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import Millis
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.account_forms import kind_of
from coffers.portfolio.balances import shown_in
from coffers.portfolio.whole import Whole
from coffers.portfolio.worked import Worked
from coffers.store.records import Account
from coffers.valuation.figures import CurrencyFigures, DisplayCurrency, Gain
from coffers.valuation.model import Snapshot
from coffers.web.addresses import Address
from coffers.web.drawing import Mark, spark
from coffers.web.trust import Trust, trust_of

USUAL: Final = "worth"


@dataclass(frozen=True, slots=True)
class Row:
    """An account in the table; `share` is in percent of what is known of all that is in the sum.

    It is None where the account is not in it, and where it is not known.
    """

    account: Account
    kind: str
    market: str
    figures: CurrencyFigures
    share: Decimal | None
    trust: Trust
    read_at: Millis | None
    spark: str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, which leads to the table in the order of it."""

    name: str
    title: str
    href: str
    order: str | None
    is_number: bool


def _gained(gain: Gain | None) -> Decimal | None:
    return None if gain is None else gain.profit


def _shown(worked: Worked) -> CurrencyFigures:
    return worked.view.figures.display


_Key = Decimal | int | str | None
_ORDERS: Final[dict[str, tuple[str, bool, Callable[[Worked], _Key]]]] = {
    "name": ("Account", False, lambda each: each.view.account.name.casefold()),
    "worth": ("Worth", True, lambda each: _shown(each).amount),
    "day": ("A day", True, lambda each: _gained(_shown(each).day)),
    "month": ("30 days", True, lambda each: _gained(_shown(each).month)),
    "total": ("In all", True, lambda each: _shown(each).total),
    "read": ("State", False, lambda each: each.view.quality.read_at),
}
"""By name: the heading, whether the largest comes first, and what the order is of."""


def in_order(accounts: Sequence[Worked], asked: str) -> list[Worked]:
    """Return accounts in an order: a name of one, with a minus the other way round.

    What is not known comes last either way.
    """
    name, is_reversed = _order(asked)
    _, is_falling, key = _ORDERS[name]
    known = [each for each in accounts if key(each) is not None]
    unknown = [each for each in accounts if key(each) is None]
    # The kinds of keys differ from order to order, and are alike within each.
    known.sort(key=key, reverse=is_falling is not is_reversed)  # type: ignore[arg-type]
    return [*known, *unknown]


def columns(address: Address) -> dict[str, Column]:
    """Return the headings by their names; that of the order which is shown turns it round."""
    name, is_reversed = _order(address.chosen.get("sort", ""))
    found: dict[str, Column] = {}
    for each, (title, is_falling, _) in _ORDERS.items():
        is_chosen = each == name
        wanted = f"-{each}" if is_chosen and not is_reversed else each
        order = None
        if is_chosen:
            order = "descending" if is_falling is not is_reversed else "ascending"
        sort = None if wanted == USUAL else wanted
        href = f"{address.to(sort=sort, page=None)}#accounts"
        found[each] = Column(each, title, href, order, is_number=is_falling)
    return found


def _order(asked: str) -> tuple[str, bool]:
    name = asked.removeprefix("-")
    return (name, asked.startswith("-")) if name in _ORDERS else (USUAL, False)


class Rows:
    """Makes rows of a user's accounts."""

    def __init__(
        self, whole: Whole, catalogue: Catalogue, now: Millis, stale_after: Millis
    ) -> None:
        self._whole = whole
        self._catalogue = catalogue
        self._now = now
        self._stale_after = stale_after

    def of(self, worked: Worked, days: Sequence[Snapshot]) -> Row:
        """Return the row of an account with what it was worth day by day."""
        account, figures = worked.view.account, _shown(worked)
        market = self._catalogue.get(account.market_code)
        return Row(
            account,
            kind_of(account),
            account.market_code if market is None else market.name,
            figures,
            share_of(worked, self._whole),
            trust_of(worked, self._now, self._stale_after),
            worked.view.quality.read_at,
            self._spark(days, figures.amount, self._whole.display),
        )

    def _spark(
        self, days: Sequence[Snapshot], amount: Decimal | None, display: DisplayCurrency
    ) -> str | None:
        marks = [Mark(each.at, shown_in(display, each.value, each.at)) for each in days]
        return spark([*marks, Mark(self._now, amount)])


def share_of(worked: Worked, whole: Whole) -> Decimal | None:
    """Return an account's share of what is known of the sum, in percent; None where it has none."""
    amount = _shown(worked).amount
    if not worked.view.account.include_in_summary or not whole.known or amount is None:
        return None
    return money.percentage(amount, whole.known)
