"""Listing accounts: their records, holdings and past from the store, figures made on the spot.

What an account's figures are made of is kept in memory per account version, so that a new price
book costs arithmetic only. The cache may vanish at any time.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from coffers.clock import CLOCKS_DIFFER, HOUR, Clock, Millis, is_ahead
from coffers.portfolio.rates import RateTable
from coffers.portfolio.view import AccountView, Quality
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account, Mode
from coffers.valuation.choices import Choices
from coffers.valuation.figures import DisplayCurrency, Sheet, sheet_of
from coffers.valuation.history import History
from coffers.valuation.model import Position, Price, PriceBook
from coffers.valuation.transfers import as_one
from coffers.valuation.value import (
    Holdings,
    agreed,
    holdings_of,
    together,
    unlisted_of,
    values_of,
)
from coffers.valuation.worths import Amounts

KEPT_INPUTS = 12_000
"""Accounts whose inputs are kept in memory, some more than there is room for in ready lists. One of
20 positions takes some 16 KB."""


_NO_VERSION = -1


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which accounts are asked for: one user's of one mode, a page of them."""

    user_id: int
    mode: Mode
    page: int = 1
    per_page: int = 100
    api_key: str | None = None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of accounts in order of id, and how many there are in all."""

    accounts: tuple[Account, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the figures of one account version are made of.

    `amounts` are those of the holdings. `unlisted` are the tokens that count where two sources
    agree on their price.
    `history` holds the snapshots around the windows of every moment in `since`..`until`. What the
    user says of assets is applied to all but the prices; `choices` are for those. A change of them
    is a new version of the account.
    """

    holdings: Holdings
    amounts: Amounts
    unlisted: Holdings
    ignored: tuple[str, ...]
    choices: Choices
    history: History | None
    since: Millis
    until: Millis

    @classmethod
    def of(
        cls,
        counted: Sequence[Position],
        ignored: tuple[str, ...],
        choices: Choices,
        history: History | None,
        span: tuple[Millis, Millis],
    ) -> "Inputs":
        """Return the inputs of an account with these positions, for the moments of a span."""
        held = holdings_of(counted)
        amounts, unlisted = Amounts.of(held), unlisted_of(counted)
        return cls(held, amounts, unlisted, ignored, choices, history, *span)


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


class Listing:
    """Lists accounts with their figures.

    Of one whose figures speak of a moment that lies ahead of the clock no gain of a day or a month
    is told: the past is behind that moment, and not behind now.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._inputs: OrderedDict[tuple[int, int], Inputs] = OrderedDict()
        self._rates = RateTable(store)

    async def page(self, request: PageRequest, known: Iterable[Account] = ()) -> AccountPage:
        """Return one page of a user's accounts, without figures.

        Those of the `known` ones that show what they showed are in it as they are; what no list
        shows of them may be older.
        """
        async with self._store.reading() as tx:
            accounts = await tx.accounts.page(
                request.user_id,
                request.mode,
                offset=(request.page - 1) * request.per_page,
                limit=request.per_page,
                api_key=request.api_key,
                known=known,
            )
            total = await tx.accounts.count(request.user_id, request.mode, request.api_key)
        return AccountPage(tuple(accounts), total)

    async def views(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, currency: str
    ) -> list[AccountView]:
        """Return the accounts with their figures at this price book, in a display currency."""
        return [each.view for each in await self.worked(user_id, accounts, book, currency)]

    async def joined(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, currency: str
    ) -> list[AccountView]:
        """Return accounts as `views` does, but as they are when they are taken together.

        A transfer from one of them to another is nothing put in and nothing taken out.
        """
        worked = await self.worked_together(user_id, accounts, book, currency)
        return [each.view for each in worked]

    async def worked(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, currency: str
    ) -> list[Worked]:
        """Return what `views` does, with what the figures were made of."""
        return (await self.table(user_id, accounts, book, currency)).worked()

    async def table(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, currency: str
    ) -> Table:
        """Return what `worked` does, in columns."""
        display = await self.display(currency, book)
        seen, inputs = await self._inputs_of(user_id, accounts, book)
        return table_of(seen, inputs, _books_of(inputs, book), display, self._clock.now())

    async def worked_together(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, currency: str
    ) -> list[Worked]:
        """Return what `joined` does, with what the figures were made of."""
        display = await self.display(currency, book)
        seen, inputs = await self._inputs_of(user_id, accounts, book)
        async with self._store.reading() as tx:
            transfers = await tx.transfers.of_user(user_id)
        pasts = {
            account.id: found.history
            for account, found in zip(seen, inputs, strict=True)
            if found.history is not None
        }
        joined = as_one(pasts, transfers)
        together = [
            replace(found, history=joined.get(account.id))
            for account, found in zip(seen, inputs, strict=True)
        ]
        books, now = _books_of(together, book), self._clock.now()
        return table_of(seen, together, books, display, now).worked()

    def is_ahead(self, moment: Millis) -> bool:
        """Return whether a moment that figures speak of lies ahead of the clock."""
        return is_ahead(moment, self._clock.now())

    async def display(self, currency: str, book: PriceBook | None) -> DisplayCurrency:
        """Return a display currency with its rates up to this price book."""
        return await self._rates.of(currency, book)

    async def _inputs_of(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None
    ) -> tuple[list[Account], list[Inputs]]:
        """Return accounts with their inputs, each as it is by now where those had to be read.

        It may have changed since it was listed: the amounts of a later reading with the moment of
        an earlier one would take what was deposited in between for profit.
        """
        kept = [self._kept(account, book) for account in accounts]
        missing = [account for account, found in zip(accounts, kept, strict=True) if found is None]
        newer: dict[int, Account] = {}
        loaded: dict[int, Inputs] = {}
        if missing:
            async with self._store.reading() as tx:
                newer = await _newer(tx, user_id, missing)
                missing = [newer.get(account.id, account) for account in missing]
                loaded = await self._load(tx, user_id, missing, book)
            for account in missing:
                self._inputs[account.id, account.version] = loaded[account.id]
            while len(self._inputs) > KEPT_INPUTS:
                self._inputs.popitem(last=False)
        return [newer.get(account.id, account) for account in accounts], [
            loaded[account.id] if found is None else found
            for account, found in zip(accounts, kept, strict=True)
        ]

    def _kept(self, account: Account, book: PriceBook | None) -> Inputs | None:
        key = account.id, account.version
        found = self._inputs.get(key)
        if found is None or not found.since <= _as_of(account, book) <= found.until:
            return None
        self._inputs.move_to_end(key)
        return found

    async def _load(
        self, tx: Transaction, user_id: int, accounts: list[Account], book: PriceBook | None
    ) -> dict[int, Inputs]:
        ids = [account.id for account in accounts]
        since = min(_as_of(account, book) for account in accounts)
        until = max(_as_of(account, book) for account in accounts)
        positions = await tx.holdings.of_accounts(user_id, ids)
        histories = await tx.history.windows(user_id, ids, since, Millis(until + HOUR))
        choices = await tx.choices.of(user_id)
        loaded: dict[int, Inputs] = {}
        for account in accounts:
            held, history = positions.get(account.id, ()), histories.get(account.id)
            counted = choices.counted(account.id, held)
            loaded[account.id] = Inputs.of(
                counted,
                choices.left_out(account.id, held),
                choices,
                None if history is None else choices.history(account.id, history),
                (since, Millis(until + HOUR)),
            )
        return loaded


async def _newer(tx: Transaction, user_id: int, accounts: Sequence[Account]) -> dict[int, Account]:
    """Return those of the accounts that have changed, as they are now.

    Of one that was removed nothing is known: it is as one that was never read.
    """
    versions = await tx.accounts.versions(user_id, [account.id for account in accounts])
    newer = {}
    for account in accounts:
        if versions.get(account.id) != account.version:
            found = await tx.accounts.get(user_id, account.id)
            newer[account.id] = found or _removed(account)
    return newer


def _removed(account: Account) -> Account:
    return replace(account, version=_NO_VERSION, sync=replace(account.sync, read_at=None))


def _books_of(inputs: Sequence[Inputs], book: PriceBook | None) -> list[PriceBook | None]:
    """Return the book as it counts for each account, by what its user says of assets."""
    if book is None:
        return [None] * len(inputs)
    distinct = {id(found.choices): found.choices for found in inputs}
    books = {key: choices.book(book) for key, choices in distinct.items()}
    return [books[id(found.choices)] for found in inputs]


def _as_of(account: Account, book: PriceBook | None) -> Millis:
    read_at = account.sync.read_at or account.created_at
    return read_at if book is None or read_at > book.at else book.at


def table_of(
    accounts: Sequence[Account],
    inputs: Sequence[Inputs],
    books: Sequence[PriceBook | None],
    display: DisplayCurrency,
    now: Millis,
) -> Table:
    """Return accounts with their figures at prices as they count for each."""
    moments = [_as_of(account, book) for account, book in zip(accounts, books, strict=True)]
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
    ahead = [as_of > latest for as_of in moments]
    if any(ahead):
        sheet = sheet.without_gains(ahead)
    rows = zip(accounts, inputs, moments, valued, ahead, strict=True)
    qualities = [
        _quality(account, found, as_of, valuation.unpriced, is_ahead=lies_ahead)
        for account, found, as_of, valuation, lies_ahead in rows
    ]
    return Table(accounts, inputs, books, counted, sheet, qualities)


def _counted(inputs: Inputs, prices: Mapping[str, Price]) -> Holdings:
    if not inputs.unlisted:
        return inputs.holdings
    return together(inputs.holdings, agreed(inputs.unlisted, prices))


def _quality(
    account: Account, inputs: Inputs, as_of: Millis, unpriced: tuple[str, ...], *, is_ahead: bool
) -> Quality:
    sync, history = account.sync, inputs.history
    is_valued = history is None or not history.has_unvalued_flows
    return Quality(
        as_of,
        sync.read_at,
        unpriced,
        sync.missing_wallets,
        sync.flows_known and is_valued,
        inputs.ignored,
        is_ahead,
    )
