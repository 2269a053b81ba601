"""Listing accounts: their records, holdings and past from the store, figures made on the spot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from coffers.clock import Clock, Millis, is_ahead
from coffers.portfolio.inputs import Inputs, KeptInputs
from coffers.portfolio.rates import RateTable
from coffers.portfolio.view import AccountView
from coffers.portfolio.worked import Table, Worked, table_of
from coffers.store.engine import Store, Transaction
from coffers.store.pasts import Counted
from coffers.store.records import Account, Mode
from coffers.valuation.choices import NO_CHOICES, Choices
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.history import History
from coffers.valuation.model import PriceBook
from coffers.valuation.transfers import Together


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


class Listing:
    """Lists accounts with their figures.

    Of one whose figures speak of a moment that lies ahead of the clock no gain of a day or a month
    is told: the past is behind that moment, and not behind now.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._inputs = KeptInputs(store)
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
        seen, inputs = await self._inputs.of(user_id, accounts, book, display.amount)
        return table_of(seen, inputs, _books_of(inputs, book), display, self._clock.now())

    async def worked_together(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, currency: str
    ) -> list[Worked]:
        """Return what `joined` does, with what the figures were made of."""
        display = await self.display(currency, book)
        shown = display.amount
        async with self._store.reading() as tx:
            seen, inputs = await self._inputs.seen_by(tx, user_id, accounts, book, shown)
            pasts = {
                account.id: found.history
                for account, found in zip(seen, inputs, strict=True)
                if found.history is not None
            }
            counted = Counted(_choices_of_sums(inputs), shown)
            joined = await joined_in(tx, user_id, pasts, counted)
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


async def joined_in(
    tx: Transaction, user_id: int, pasts: Mapping[int, History], counted: Counted
) -> dict[int, History]:
    """Return pasts that a transaction sees as they are when their accounts are taken together."""
    if len(pasts) < 2:  # noqa: PLR2004 - a transfer is between two
        return dict(pasts)
    together = Together(pasts, counted.shown, counted.choices.counts)
    summed = together.summed
    together.take_known(await tx.transfers.of_user(user_id, without=summed))
    if summed:
        async for moved in tx.transfers.moved(user_id, summed):
            together.take(moved)
    return together.pasts()


def _choices_of_sums(inputs: Iterable[Inputs]) -> Choices:
    """Return the choices by which flows were summed up: the same for all, as one moment has them.

    What is kept of an account without sums may be of before the last change of them.
    """
    summed = (found for found in inputs if found.history is not None and found.history.earlier)
    return next((found.choices for found in summed), NO_CHOICES)


def _books_of(inputs: Sequence[Inputs], book: PriceBook | None) -> list[PriceBook | None]:
    """Return the book as it counts for each account, by what its user says of assets."""
    if book is None:
        return [None] * len(inputs)
    distinct = {id(found.choices): found.choices for found in inputs}
    books = {key: choices.book(book) for key, choices in distinct.items()}
    return [books[id(found.choices)] for found in inputs]
