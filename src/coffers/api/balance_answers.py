"""Pies, tables and charts for a request: read, and rendered. `account_id` None is the summary."""

from collections.abc import Sequence

from coffers.access.call import Caller
from coffers.api.account_answers import AccountAnswers, Shown
from coffers.api.balance_bodies import Books, Whose, chart, pie, table
from coffers.api.given import Given
from coffers.api.moments import begin_of, end_of
from coffers.api.services import Services
from coffers.api.summary_entity import SUMMARY_ID
from coffers.errors import InvalidRecord
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.balances import AssetBalance, Balances
from coffers.portfolio.charts import Charts
from coffers.portfolio.daychange import DayBefore
from coffers.portfolio.view import AccountView
from coffers.valuation.model import PriceBook

_SPOT_ONLY = ("spot",)


class BalanceAnswers:
    """Tells what accounts hold and were worth."""

    def __init__(self, services: Services, accounts: AccountAnswers) -> None:
        self._services = services
        self._accounts = accounts
        self._balances = Balances(services.store)
        self._day_before = DayBefore(services.store)
        self._charts = Charts(services.store, services.clock)

    async def pie(self, caller: Caller, account_id: int | None) -> tuple[bytes, Shown]:
        """Return what is held by parts of its worth.

        Raises:
            NotFound: when the caller has no account of this id.
        """
        shown = await self._accounts.shown(caller, account_id)
        display = await self._services.listing.display(caller.display_currency, shown.book)
        balances = await self._held(caller, shown)
        at = self._services.clock.now() if shown.book is None else shown.book.at
        return pie(balances, at, display, self._whose(account_id, shown.views)), shown

    async def table(
        self, caller: Caller, account_id: int | None, base_url: str
    ) -> tuple[bytes, Shown]:
        """Return what is held asset by asset.

        Raises:
            NotFound: when the caller has no account of this id.
        """
        shown = await self._accounts.shown(caller, account_id)
        display = await self._services.listing.display(caller.display_currency, shown.book)
        books = Books(
            await self._own(caller, shown.book),
            await self._own(caller, await self._day_before.of(shown.book)),
        )
        balances = await self._held(caller, shown)
        whose = self._whose(account_id, shown.views)
        return table(balances, books, display, whose, base_url), shown

    async def chart(
        self, caller: Caller, account_id: int | None, given: Given
    ) -> tuple[bytes, Shown]:
        """Return what was held from `date_from` to `date_to`.

        Raises:
            InvalidRecord: for a span that cannot be meant.
            NotFound: when the caller has no account of this id.
        """
        since = begin_of("date_from", given.required("date_from"))
        text = given.text("date_to")
        until = None if text is None else end_of("date_to", text)
        if until is not None and until < since:
            raise InvalidRecord({"date_to": ["does not have a valid value"]})
        shown = await self._accounts.shown(caller, account_id)
        points = await self._charts.draw(caller.user_id, _ids(shown.views), since, until)
        return chart(points), shown

    async def _held(self, caller: Caller, shown: Shown) -> list[AssetBalance]:
        book = await self._own(caller, shown.book)
        return await self._balances.of(caller.user_id, _ids(shown.views), book)

    async def _own(self, caller: Caller, book: PriceBook | None) -> PriceBook | None:
        return await self._services.shelf.own(caller.user_id, book)

    def _whose(self, account_id: int | None, views: Sequence[AccountView]) -> Whose:
        return Whose(
            account_id=SUMMARY_ID if account_id is None else account_id,
            is_wallet=account_id is not None and views[0].account.address is not None,
            has_leverage=any(
                _has_leverage(self._services.catalogue, view.account.market_code) for view in views
            ),
        )


def _has_leverage(catalogue: Catalogue, code: str) -> bool:
    market = catalogue.get(code)
    return market is None or market.market_types != _SPOT_ONLY


def _ids(views: Sequence[AccountView]) -> list[int]:
    return [view.account.id for view in views]
