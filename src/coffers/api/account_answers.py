"""Single accounts and the summary: which ones a request speaks of, and the entity it gets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coffers.access.call import Caller
from coffers.api.entity import Frame, Presentation, entity, frame_of, unlisted
from coffers.api.paging import Header
from coffers.api.services import Services
from coffers.api.summary_entity import summary_entity
from coffers.api.trust import doubts, reading_headers, trust_headers
from coffers.clock import Millis
from coffers.markets.catalogue import Market
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.portfolios import PortfolioKeeping
from coffers.portfolio.summary import Summaries
from coffers.portfolio.users import Users
from coffers.portfolio.view import AccountView
from coffers.store.records import Account, Portfolio
from coffers.valuation.model import PriceBook


@dataclass(frozen=True, slots=True)
class Shown:
    """Accounts with their figures at one price book, and how far these can be trusted."""

    views: Sequence[AccountView]
    book: PriceBook | None
    trust: list[Header]


class AccountAnswers:
    """Finds what a caller asks for, and renders it. `account_id` None is the summary."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.keeping = AccountKeeping(services.store, services.clock)
        self._portfolios = PortfolioKeeping(services.store, services.clock)
        users = Users(services.store, services.clock)
        self._summaries = Summaries(self.keeping, users, services.listing)
        self._stale_after = Millis(round(services.settings.stale_age * 1000))

    async def shown(self, caller: Caller, account_id: int | None) -> Shown:
        """Return the account, or those that the summary is made of.

        Raises:
            NotFound: when the caller has no account of this id.
        """
        if account_id is None:
            accounts = await self.keeping.in_summary(caller.user_id, caller.mode)
        else:
            accounts = [await self.keeping.get(caller.user_id, account_id)]
        book = await self._services.shelf.at(caller.epoch)
        views = await self._services.listing.views(
            caller.user_id, accounts, book, caller.display_currency
        )
        return Shown(views, book, self._trust(views, book))

    async def single(self, caller: Caller, account_id: int, base_url: str) -> tuple[bytes, Shown]:
        """Return an account as it is shown by its id: with the key of its portfolio.

        Raises:
            NotFound: when the caller has no account of this id.
        """
        shown = await self._alone(caller, account_id)
        view = shown.views[0]
        portfolio = await self._portfolios.of_account(view.account)
        frame = self._frame(view, base_url, has_portfolio=True, portfolio=portfolio)
        return entity(frame, view.figures, self._market(view)), shown

    async def listed(self, caller: Caller, account: Account, base_url: str) -> tuple[bytes, Shown]:
        """Return an account as lists show it."""
        shown = await self._alone(caller, account.id)
        view = shown.views[0]
        return entity(self._frame(view, base_url), view.figures, self._market(view)), shown

    async def summary(self, caller: Caller, base_url: str) -> tuple[bytes, Shown]:
        """Return the accounts that the caller wants summed, as one."""
        book = await self._services.shelf.at(caller.epoch)
        summary = await self._summaries.of(
            caller.user_id, caller.mode, book, caller.display_currency
        )
        body = summary_entity(summary, self._services.catalogue, self._presentation(base_url))
        return body, Shown(summary.views, book, self._trust(summary.views, book))

    async def _alone(self, caller: Caller, account_id: int) -> Shown:
        shown = await self.shown(caller, account_id)
        return replace(shown, trust=[*shown.trust, *reading_headers(shown.views[0].account)])

    def _frame(
        self,
        view: AccountView,
        base_url: str,
        *,
        has_portfolio: bool = False,
        portfolio: Portfolio | None = None,
    ) -> Frame:
        return frame_of(
            view.account,
            self._market(view),
            self._presentation(base_url),
            has_portfolio=has_portfolio,
            portfolio=portfolio,
        )

    def _market(self, view: AccountView) -> Market:
        code = view.account.market_code
        return self._services.catalogue.get(code) or unlisted(code)

    def _presentation(self, base_url: str) -> Presentation:
        return Presentation(base_url, self._services.settings.mask_api_keys)

    def _trust(self, views: Sequence[AccountView], book: PriceBook | None) -> list[Header]:
        now = self._services.clock.now()
        reasons = [
            doubts(
                view.account.id,
                view.quality,
                now,
                self._stale_after,
                lacks_rate=view.figures.lacks_rate,
            )
            for view in views
        ]
        ignored = sum(len(view.quality.ignored) for view in views)
        return trust_headers(book, [reason for reason in reasons if reason], ignored)
