"""The settings of an account: its name, its key, how it is rebalanced, and its removal."""

from collections.abc import Mapping
from dataclasses import replace

from starlette.responses import Response

from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.markets.catalogue import PAPER, Market
from coffers.markets.fields import SECRET_FIELDS
from coffers.portfolio.account_forms import kind_of
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.auto_balance import (
    USUAL_PERIOD,
    BalanceSettings,
    BalanceView,
    BalanceWanted,
    Look,
)
from coffers.portfolio.errand_forms import CheckAsked, ReconnectAsked
from coffers.portfolio.pending import Pending
from coffers.portfolio.portfolios import MOST_PORTFOLIOS, PortfolioKeeping
from coffers.store.records import Account, AutoBalance
from coffers.web.answers import Renderer, see_other
from coffers.web.credential_fields import FormField, fields_of
from coffers.web.faults import Faults, faults_of
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.rows import CHANGED_ELSEWHERE, mark_of

_BALANCE = ("portfolio_id", "method", "period", "currency_change_limit")
_LONGEST = len("currency_change")
_WRONG_NAME = "is not the name of this account"


class AccountSettings:
    """Changes how an account is kept."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._keeping = AccountKeeping(rooms.store, rooms.clock)
        self._balancing = BalanceSettings(rooms.store, rooms.catalogue, rooms.clock)
        self._portfolios = PortfolioKeeping(rooms.store, rooms.clock)
        self._pending = Pending(rooms.store, rooms.vault, rooms.clock)
        here = "/accounts/{id:id}/settings"
        self.own = (
            OwnPage(here, self.show, self.change),
            OwnPage(f"{here}/key", sent=self.reconnect),
            OwnPage(f"{here}/auto-balance", sent=self.balance),
            OwnPage(f"{here}/remove", sent=self.remove),
        )

    async def show(self, asked: Asked) -> Response:
        """Return the settings of an account, with what was typed before a plan was looked at.

        Raises:
            NotFound: when this user has none of this id.
        """
        typed = typed_of(asked.request.query_params)
        part = "balance" if typed else ""
        return await self._page(replace(asked, form=typed), part, Faults(status=200))

    async def change(self, asked: Asked) -> Response:
        """Change the name, and whether the account is in the sum.

        Raises:
            NotFound: when this user has no account of this id.
        """
        form, user_id = asked.form, asked.who.user.id
        name, in_summary = form.get("name", ""), "include_in_summary" in form
        try:
            await self._keeping.change(user_id, asked.id, name=name, in_summary=in_summary)
        except CoffersError as error:
            return await self._page(asked, "change", faults_of(error, ()))
        return see_other(f"/accounts/{asked.id}/settings", "changed")

    async def reconnect(self, asked: Asked) -> Response:
        """Have another key of the account checked, and lead to what was found.

        Raises:
            NotFound: when this user has no account of this id.
        """
        account = await self._keeping.get(asked.who.user.id, asked.id)
        names = [each.name for each in self._fields(account)]
        given = {name: asked.form[name] for name in names if asked.form.get(name)}
        wanted = CheckAsked(reconnect=ReconnectAsked(account.id, given))
        try:
            if not given:
                raise InvalidRecord({"key": ["give what has changed: a key and its secret"]})
            number = await self._pending.begin(asked.who.user.id, wanted)
        except CoffersError as error:
            return await self._page(asked, "key", faults_of(error, names))
        return see_other(f"/connect/checked/{number}")

    async def balance(self, asked: Asked) -> Response:
        """Set how the account is rebalanced, or let it be.

        Raises:
            NotFound: when this user has no account of this id.
        """
        form, user_id = asked.form, asked.who.user.id
        try:
            if "unset" in form:
                await self._balancing.unset(user_id, asked.id)
            else:
                await self._balancing.set(user_id, asked.id, _wanted(form), _as_seen(form))
        except CoffersError as error:
            return await self._page(asked, "balance", faults_of(error, _BALANCE))
        return see_other(f"/accounts/{asked.id}/settings", "balance")

    async def remove(self, asked: Asked) -> Response:
        """Remove the account, if its name was typed; one that is removed already is.

        Raises:
            NotFound: when this user has no account of this id.
        """
        user_id = asked.who.user.id
        try:
            account = await self._keeping.get(user_id, asked.id)
            if _as_shown(asked.form.get("confirm", "")) != _as_shown(account.name):
                raise InvalidRecord({"confirm": [_WRONG_NAME]})
            await self._keeping.remove(user_id, account.id)
        except NotFound:
            if not await self._keeping.was_removed(user_id, asked.id):
                raise
        except CoffersError as error:
            return await self._page(asked, "remove", faults_of(error, ("confirm",)))
        return see_other("/", "removed")

    async def refused_key(
        self, asked: Asked, wanted: ReconnectAsked, error: CoffersError
    ) -> Response:
        """Return the settings of an account whose new key did not pass its check, with why.

        Raises:
            NotFound: when this user has no account of this id.
        """
        account = await self._keeping.get(asked.who.user.id, wanted.account_id)
        names = [each.name for each in self._fields(account)]
        faults = replace(faults_of(error, names), status=200)
        return await self._page(replace(asked, form=wanted.given), "key", faults, account.id)

    async def refused_plan(self, asked: Asked, error: CoffersError) -> Response:
        """Return the settings of an account of which no plan can be made, with why."""
        return await self._page(asked, "balance", faults_of(error, _BALANCE))

    def _market(self, account: Account) -> Market | None:
        return self._rooms.catalogue.get(account.market_code)

    def _fields(self, account: Account) -> list[FormField]:
        """Return what may be given anew: nothing where there is no key."""
        market = self._market(account)
        if market is None or market.venue is None:
            return []
        return fields_of(market)

    async def _page(
        self, asked: Asked, part: str, faults: Faults, account_id: int | None = None
    ) -> Response:
        """Return the page; `part` is the form that was sent, with what is wrong with it."""
        user_id, rooms = asked.who.user.id, self._rooms
        account = await self._keeping.get(user_id, account_id or asked.id)
        market = self._market(account)
        view = await self._balancing.get(user_id, account.id)
        portfolios = await self._portfolios.page(user_id, limit=MOST_PORTFOLIOS)
        own = {"name": account.name, "include_in_summary": "1"}
        if not account.include_in_summary:
            del own["include_in_summary"]
        typed = {name: text for name, text in asked.form.items() if name not in SECRET_FIELDS}
        return self._renderer.page(
            asked.request,
            "account_settings.html",
            faults.status,
            who=asked.who,
            account=account,
            kind=kind_of(account),
            market=market,
            fields=self._fields(account),
            forms={"change": own, "key": {}, "balance": _settings(view), "remove": {}}
            | ({part: typed} if part else {}),
            faults={part: faults.fields},
            told={part: faults},
            none=Faults(),
            balance=view,
            before=_mark(view.settings),
            is_unsaved=part == "balance" and typed != _settings(view),
            is_set=view.settings != AutoBalance() or view.state is not None,
            portfolios=portfolios.portfolios,
            can_balance=_can_balance(account, market),
            is_trading_on=rooms.settings.trading,
            refuses_withdraw=rooms.settings.key_policy == "refuse_withdraw",
        )


def _as_shown(name: str) -> str:
    """Return a name as a page shows it: browsers make one blank of several."""
    return " ".join(name.split())


def _can_balance(account: Account, market: Market | None) -> bool:
    """Return whether accounts of this kind are rebalanced at all."""
    if account.market_code == PAPER:
        return True
    return market is not None and market.trading_supported and "spot" in market.market_types


def _settings(view: BalanceView) -> Mapping[str, str]:
    """Return the settings as their form has them."""
    settings = view.settings
    limit = settings.currency_change_limit
    found = {
        "portfolio_id": "" if settings.portfolio_id is None else str(settings.portfolio_id),
        "method": settings.method or "time",
        "period": str(settings.period_hours or USUAL_PERIOD),
        "currency_change_limit": "" if limit is None else str(limit),
    }
    return found | ({"enabled": "1"} if settings.enabled else {})


def _mark(settings: AutoBalance) -> str:
    """Return what is another one once the settings are others, or a run tells something else."""
    # A good run alone changes nothing that a form says.
    return mark_of({}, str(replace(settings, last_at=None)))


def _as_seen(form: Mapping[str, str]) -> Look:
    """Return what refuses a form that was drawn of other settings than there are by now."""

    def look(settings: AutoBalance) -> None:
        if form.get("before") != _mark(settings):
            raise InvalidRecord({"before": [CHANGED_ELSEWHERE]})

    return look


def _wanted(form: Mapping[str, str]) -> BalanceWanted:
    """Return what a form says.

    Raises:
        InvalidRecord: for what is no number.
    """
    limit = form.get("currency_change_limit", "").strip()
    method = form.get("method", "")
    return BalanceWanted(
        portfolio_id=whole("portfolio_id", form.get("portfolio_id", "")),
        method=method,
        period=whole("period", form.get("period", "")),
        currency_change_limit=whole("currency_change_limit", limit) if limit else None,
        enabled="enabled" in form,
    )


def typed_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the form of rebalancing says, as far as it may stand in an address.

    What is longer than any good value may be a secret that was put in the wrong field. A portfolio
    alone is not that form: what is ticked there would be shown as if it was not.
    """
    if "period" not in given:
        return {}
    names = (*_BALANCE, "enabled")
    return {name: given[name] for name in names if name in given and len(given[name]) <= _LONGEST}


def whole(name: str, text: str) -> int:
    """Return the number in a field.

    Raises:
        InvalidRecord: for what is none.
    """
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > len("999999999"):
        told = "choose one" if name == "portfolio_id" else "must be a whole number"
        raise InvalidRecord({name: [told]})
    return int(digits)
