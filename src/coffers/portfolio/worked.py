"""Accounts worked out: their figures, made in columns of inputs that were read before."""

from collections.abc import Mapping, Sequence

import msgspec

from coffers.clock import CLOCKS_DIFFER, Millis
from coffers.portfolio.inputs import Inputs, as_of
from coffers.portfolio.view import AccountView, Quality
from coffers.store.records import Account
from coffers.valuation.figures import DisplayCurrency, Sheet, sheet_of
from coffers.valuation.model import Price, PriceBook
from coffers.valuation.value import (
    Holdings,
    agreed,
    together,
    values_of,
)
from coffers.valuation.worths import Amounts


class Worked(msgspec.Struct, frozen=True):
    """An account with its figures, and what they were made of.

    `book` is as it counts for the account; `counted` is what counts at its prices.
    """

    view: AccountView
    inputs: Inputs
    book: PriceBook | None
    counted: Holdings


class Table(msgspec.Struct, frozen=True):
    """Accounts with their figures in columns, in one order, and what these were made of.

    `books` are as they count for each account; `counted` is what counts at their prices.
    """

    accounts: Sequence[Account]
    inputs: Sequence[Inputs]
    books: Sequence[PriceBook | None]
    counted: Sequence[Holdings]
    sheet: Sheet
    qualities: Sequence[Quality]

    def worked(self) -> list[Worked]:
        """Return the accounts one by one."""
        rows = zip(
            self.accounts, self.qualities, self.inputs, self.books, self.counted, strict=True
        )
        return [
            Worked(AccountView(account, self.sheet.row(place), quality), inputs, book, counted)
            for place, (account, quality, inputs, book, counted) in enumerate(rows)
        ]


def table_of(
    accounts: Sequence[Account],
    inputs: Sequence[Inputs],
    books: Sequence[PriceBook | None],
    display: DisplayCurrency,
    now: Millis,
) -> Table:
    """Return accounts with their figures at prices as they count for each."""
    moments = [as_of(account, book) for account, book in zip(accounts, books, strict=True)]
    none: Mapping[str, Price] = {}
    prices = [none if book is None else book.prices for book in books]
    counted = [_counted(found, told) for found, told in zip(inputs, prices, strict=True)]
    amounts = [
        found.amounts if holdings is found.holdings else Amounts.of(holdings)
        for found, holdings in zip(inputs, counted, strict=True)
    ]
    valued = values_of(amounts, prices)
    values = [
        None if account.sync.read_at is None else valuation.value
        for account, valuation in zip(accounts, valued, strict=True)
    ]
    sheet = sheet_of(moments, values, [found.history for found in inputs], display)
    latest = now + CLOCKS_DIFFER
    ahead = [moment > latest for moment in moments]
    if any(ahead):
        sheet = sheet.without_gains(ahead)
    rows = zip(accounts, inputs, moments, valued, ahead, strict=True)
    qualities = [
        _quality(account, found, moment, valuation.unpriced, is_ahead=lies_ahead)
        for account, found, moment, valuation, lies_ahead in rows
    ]
    return Table(accounts, inputs, books, counted, sheet, qualities)


def _counted(inputs: Inputs, prices: Mapping[str, Price]) -> Holdings:
    if not inputs.unlisted:
        return inputs.holdings
    return together(inputs.holdings, agreed(inputs.unlisted, prices))


def _quality(
    account: Account, inputs: Inputs, moment: Millis, unpriced: tuple[str, ...], *, is_ahead: bool
) -> Quality:
    sync, history = account.sync, inputs.history
    is_valued = history is None or not history.has_unvalued_flows
    return Quality(
        moment,
        sync.read_at,
        unpriced,
        sync.missing_wallets,
        sync.flows_known and is_valued,
        inputs.ignored,
        is_ahead,
    )
