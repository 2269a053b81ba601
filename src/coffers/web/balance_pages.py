"""Auto-balance at the pages: what a run would do now, and having it done."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from coffers.clock import iso
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.markets.catalogue import PAPER
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.auto_balance import BalanceSettings
from coffers.portfolio.errand_forms import (
    PREVIEW,
    RUN,
    CannotBalance,
    PreviewAsked,
    RunAsked,
)
from coffers.portfolio.errands import Errands, NoErrand, Progress
from coffers.portfolio.portfolios import PortfolioKeeping
from coffers.store.records import Account, Portfolio
from coffers.web.account_settings import AccountSettings, typed_of, whole
from coffers.web.answers import Renderer, see_other
from coffers.web.faults import Faults, faults_of
from coffers.web.plans import PlanTold, RunTold, told_in
from coffers.web.progress import Awaited, progress_answer, progress_page
from coffers.web.rooms import Asked, OwnPage, Rooms

_REASONS: Final = {
    "no_pair": "no pair leads from it to where the money comes from or goes",
    "not_free": "what should be sold lies in orders, or under a code that is not traded",
    "too_small": "the order would be below what the exchange takes",
    "too_large": "it was cut to what the exchange takes at once; the rest comes with the next run",
    "unpriced": "it has no price, and is none of the portfolio's",
    "one_venue": "this exchange alone means it by its symbol: no other price checks its own",
    "refused": "its orders were refused in several runs of the last day; it is tried again later",
}
_PLANNING: Final = (
    "The account is read, and the exchange asked what it demands of orders. Nothing is placed."
)
_RUNNING: Final = (
    "The account is read and planned anew, and its orders are placed. Leaving this page does not "
    "stop that."
)
_ORDERS_OFF: Final = (
    "This server places no orders until its operator allows them (COFFERS_TRADING)."
)
_FORGOTTEN: Final = "no worker took this in time, or it is forgotten by now; ask for it anew"
_NOT_ITS_OWN: Final = (
    "The account is not set to this portfolio: save it at the settings, and a run can be made."
)
_CHANGED: Final = "The portfolio was changed since: look at what a run would do now."


class BalancePages:
    """Shows plans, and has them carried out by who says so."""

    def __init__(self, rooms: Rooms, renderer: Renderer, settings: AccountSettings) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._settings = settings
        self._accounts = AccountKeeping(rooms.store, rooms.clock)
        self._balancing = BalanceSettings(rooms.store, rooms.catalogue, rooms.clock)
        self._portfolios = PortfolioKeeping(rooms.store, rooms.clock)
        self._errands = Errands(rooms.store, rooms.vault, rooms.clock)
        here = "/accounts/{id:id}/auto-balance"
        self.own = (
            OwnPage(f"{here}/plan", self.to_settings, self.plan),
            OwnPage(f"{here}/plan/{{errand:id}}", self.planned),
            OwnPage(f"{here}/plan/{{errand:id}}/progress", self.progress),
            OwnPage(f"{here}/run", self.to_settings, self.run),
            OwnPage(f"{here}/run/{{errand:id}}", self.ran),
            OwnPage(f"{here}/run/{{errand:id}}/progress", self.progress),
        )

    async def to_settings(self, asked: Asked) -> Response:
        """Lead to the settings, whose form has plans made."""
        return see_other(f"/accounts/{asked.id}/settings")

    async def plan(self, asked: Asked) -> Response:
        """Have a plan made for a portfolio, and lead to it; nothing is placed.

        Raises:
            NotFound: when this user has no account of this id.
        """
        user_id = asked.who.user.id
        await self._accounts.get(user_id, asked.id)
        try:
            portfolio = await self._chosen(asked)
        except CoffersError as error:
            return await self._settings.refused_plan(asked, error)
        wanted = PreviewAsked(asked.id, portfolio.id)
        number = await self._errands.begin(user_id, PREVIEW, wanted)
        # The form may have more than is saved: it is shown again once the plan was looked at.
        return see_other(_typed(f"/accounts/{asked.id}/auto-balance/plan/{number}", asked.form))

    async def planned(self, asked: Asked) -> Response:
        """Return the plan, how far it has come, or why there is none.

        Raises:
            NotFound: when this user has no such account, or the number is of something else.
        """
        return await self._came_of(asked, PlanTold, "The plan", _PLANNING)

    async def run(self, asked: Asked) -> Response:
        """Have the account rebalanced now, if that was ticked; lead to a run that is under way.

        It must still go to the portfolio whose plan was looked at.

        Raises:
            NotFound: when this user has no account of this id.
        """
        user_id = asked.who.user.id
        account = await self._accounts.get(user_id, asked.id)
        try:
            if (why_not := await self._why_not(account, _seen(asked, None))) is not None:
                raise CannotBalance(why_not)
            if "confirm" not in asked.form:
                raise InvalidRecord({"confirm": ["tick it to have orders placed"]})
        except CoffersError as error:
            faults = faults_of(error, ("confirm",))
            return await self._page(asked, account, None, None, faults)
        number = await self._errands.begin_once(user_id, RUN, RunAsked(account.id))
        return see_other(f"/accounts/{account.id}/auto-balance/run/{number}")

    async def ran(self, asked: Asked) -> Response:
        """Return what came of a run, or how far it has come.

        Raises:
            NotFound: when this user has no such account, or the number is of something else.
        """
        return await self._came_of(asked, RunTold, "The run", _RUNNING)

    async def progress(self, asked: Asked) -> Response:
        """Tell a script how far it has come; once it is over, the page tells the rest.

        Raises:
            NotFound: when this user has no account of this id.
        """
        await self._accounts.get(asked.who.user.id, asked.id)
        try:
            return progress_answer(await self._look(asked))
        except NotFound:
            raise
        except CoffersError:
            return progress_answer(None)

    async def _came_of(
        self, asked: Asked, kind: type[PlanTold] | type[RunTold], title: str, about: str
    ) -> Response:
        """Return the page of what was asked for, how far it has come, or why it came to nothing."""
        account = await self._accounts.get(asked.who.user.id, asked.id)
        try:
            progress = await self._look(asked)
            if progress.told is None:
                return self._awaited(asked, account, title, about, progress)
            told = told_in(progress.told, kind)
        except NotFound:
            raise
        except CoffersError as error:
            return await self._page(asked, account, None, None, faults_of(error, ()))
        run = told if isinstance(told, RunTold) else None
        plan = told if isinstance(told, PlanTold) else told.plan
        if plan is not None and plan.account_id != account.id:
            raise NotFound(f"there is no such plan of account {account.id}")
        return await self._page(asked, account, plan, run, Faults())

    async def _look(self, asked: Asked) -> Progress:
        number: int = asked.request.path_params["errand"]
        try:
            return await self._errands.look(asked.who.user.id, number)
        except NoErrand:
            raise CannotBalance(_FORGOTTEN) from None

    async def _chosen(self, asked: Asked) -> Portfolio:
        """Return the portfolio of a form.

        Raises:
            InvalidRecord: where it names none of this user.
        """
        number = whole("portfolio_id", asked.form.get("portfolio_id", ""))
        try:
            return await self._portfolios.get(asked.who.user.id, number)
        except NotFound:
            raise InvalidRecord({"portfolio_id": ["choose one"]}) from None

    async def _why_not(self, account: Account, seen: tuple[str, str]) -> str | None:
        """Return why no run can be asked for, by what was seen of a plan; None where it can."""
        view = await self._balancing.get(account.user_id, account.id)
        portfolio_id, planned_at = seen
        if view.portfolio is None or portfolio_id != str(view.portfolio.id):
            return _NOT_ITS_OWN
        if planned_at < iso(view.portfolio.updated_at):
            return _CHANGED
        if account.market_code != PAPER and not self._rooms.settings.trading:
            return _ORDERS_OFF
        return None

    def _awaited(
        self, asked: Asked, account: Account, title: str, about: str, progress: Progress
    ) -> Response:
        above = f"/accounts/{account.id}"
        awaited = Awaited(
            title,
            about,
            asked.request.url.path,
            (("/", "Overview"), (above, account.name), (_back(asked), "Settings")),
        )
        return progress_page(self._renderer, asked, awaited, progress)

    async def _page(
        self,
        asked: Asked,
        account: Account,
        plan: PlanTold | None,
        run: RunTold | None,
        faults: Faults,
    ) -> Response:
        seen = _seen(asked, plan)
        why_not = await self._why_not(account, seen)
        has_orders = plan is not None and bool(plan.orders)
        is_offered = run is None and (has_orders or "confirm" in faults.fields)
        portfolio, typed = None, typed_of(asked.request.query_params)
        if plan is not None:
            try:
                portfolio = await self._portfolios.get(account.user_id, plan.portfolio_id)
            except NotFound:
                portfolio = None
        if portfolio is not None:
            typed["portfolio_id"] = str(portfolio.id)
        return self._renderer.page(
            asked.request,
            "plan.html",
            faults.status if asked.form else 200,
            who=asked.who,
            account=account,
            plan=plan,
            run=run,
            portfolio=portfolio,
            typed=typed,
            settings=_back(asked),
            told=faults,
            faults=faults.fields,
            reasons=_REASONS,
            is_paper=account.market_code == PAPER,
            seen=seen,
            can_run=is_offered and why_not is None,
            why_not=why_not if is_offered else None,
        )


def _seen(asked: Asked, plan: PlanTold | None) -> tuple[str, str]:
    """Return for which portfolio a plan is that is shown, or that a form tells, and of when."""
    if plan is not None:
        return str(plan.portfolio_id), plan.planned_at
    return asked.form.get("portfolio_id", ""), asked.form.get("planned_at", "")


def _back(asked: Asked) -> str:
    """Return where the settings are, with what was typed there."""
    return _typed(f"/accounts/{asked.id}/settings", asked.request.query_params)


def _typed(path: str, given: Mapping[str, str]) -> str:
    """Return an address with what was typed at the settings."""
    typed = urlencode(typed_of(given))
    return f"{path}?{typed}" if typed else path
