"""All accounts of a user at one moment: each by itself, and what they are together."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import Millis
from coffers.portfolio.balances import parts_of
from coffers.portfolio.bookshelf import BookShelf
from coffers.portfolio.listing import Listing
from coffers.portfolio.worked import Worked
from coffers.store.engine import Store
from coffers.store.records import Account, User
from coffers.valuation.figures import CurrencyFigures, DisplayCurrency, summary_of
from coffers.valuation.model import Price, PriceBook, Value

MOST_KEPT: Final = 3_000
"""Accounts that are kept worked out, of all users together: about 6 KB each."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What counts of one asset over all accounts in the sum; without a price, `value` is None.

    The value of a debt is negative.
    """

    asset: str
    amount: Decimal
    price: Price | None
    value: Value | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A user's accounts of one mode by id, with their figures.

    `summed` are those in the sum, as they are when they are taken together, `sums` the figures of
    that in the display currency, `holdings` what it consists of, and `parts` which part of it each
    asset is in percent, see `parts_of`. `known` is what those accounts in the sum are worth of
    which that is known. `book` is as it counts for the user.
    """

    accounts: tuple[Worked, ...]
    summed: tuple[Worked, ...]
    sums: CurrencyFigures
    holdings: tuple[Holding, ...]
    parts: Mapping[str, Decimal]
    known: Decimal
    book: PriceBook | None
    display: DisplayCurrency

    @property
    def latest(self) -> Millis:
        """The latest of the moments that figures speak of."""
        return max((each.view.quality.as_of for each in self.accounts), default=Millis(0))

    @property
    def summed_ids(self) -> list[int]:
        """The accounts in the sum."""
        return [each.view.account.id for each in self.summed]


class Wholes:
    """Works out all accounts of users, and keeps the last of each for who looks again."""

    def __init__(self, store: Store, listing: Listing, shelf: BookShelf) -> None:
        self._store = store
        self._listing = listing
        self._shelf = shelf
        self._kept: OrderedDict[int, tuple[list[Account], int, Whole]] = OrderedDict()

    async def of(self, user: User) -> Whole:
        """Return the accounts of a user's mode at the newest prices.

        Raises:
            StoreUnavailable: when the database cannot be read.
        """
        book = await self._shelf.newest()
        async with self._store.reading() as tx:
            found = await tx.accounts.of_user(user.id)
        accounts = [account for account in found if account.mode == user.mode]
        epoch = 0 if book is None else book.epoch
        kept = self._kept.get(user.id)
        if kept is not None and kept[:2] == (accounts, epoch):
            whole = kept[2]
            if whole.display.code == user.display_currency and not self._is_ahead(whole):
                self._kept.move_to_end(user.id)
                return whole
        whole = await self._worked(user, accounts, book)
        # Once the clock has got there, more of it can be told.
        if not self._is_ahead(whole):
            self._keep(user.id, accounts, epoch, whole)
        return whole

    def _is_ahead(self, whole: Whole) -> bool:
        return self._listing.is_ahead(whole.latest)

    def _keep(self, user_id: int, accounts: list[Account], epoch: int, whole: Whole) -> None:
        self._kept.pop(user_id, None)
        self._kept[user_id] = accounts, epoch, whole
        while self._kept and sum(len(each[0]) for each in self._kept.values()) > MOST_KEPT:
            self._kept.popitem(last=False)

    async def _worked(
        self, user: User, accounts: Sequence[Account], book: PriceBook | None
    ) -> Whole:
        code = user.display_currency
        in_sum = [account for account in accounts if account.include_in_summary]
        alone = await self._listing.worked(user.id, accounts, book, code)
        summed = await self._listing.worked_together(user.id, in_sum, book, code)
        own = alone[0].book if alone else book
        display = await self._listing.display(code, book)
        sums = summary_of((each.view.figures for each in summed), code).display
        holdings = tuple(holdings_of(summed, own))
        parts = parts_of(holdings)
        worths = (each.view.figures.display.amount for each in summed)
        known = money.total(worth for worth in worths if worth is not None)
        return Whole(tuple(alone), tuple(summed), sums, holdings, parts, known, own, display)


def holdings_of(worked: Iterable[Worked], book: PriceBook | None) -> list[Holding]:
    """Return what accounts hold together, most worth first; what has no price is last."""
    prices = {} if book is None else book.prices
    owned: dict[str, Decimal] = {}
    for each in worked:
        for asset, amount in each.counted.items():
            owned[asset] = money.add(owned.get(asset, money.ZERO), amount)
    found = [
        Holding(asset, amount, price, None if price is None else _worth(amount, price))
        for asset, amount in owned.items()
        if amount
        for price in (prices.get(asset),)
    ]
    return sorted(found, key=_rank)


def _worth(amount: Decimal, price: Price) -> Value:
    return Value(money.multiply(amount, price.btc), money.multiply(amount, price.usd))


def _rank(holding: Holding) -> tuple[bool, Decimal, str]:
    value = holding.value
    return (value is None, money.ZERO if value is None else -value.usd, holding.asset)
