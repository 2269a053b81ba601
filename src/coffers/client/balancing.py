"""Auto-balance: portfolios, how accounts are brought to them, plans and runs; forms and calls."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from msgspec.json import Decoder

from coffers.client.accounts import Amount, Answered
from coffers.client.call import Call, Parameter, texts


class Portfolio(Answered, frozen=True, kw_only=True):
    """Target shares in percent, by asset."""

    id: int
    name: str
    targets: Mapping[str, Decimal] = {}
    tolerance: Amount = None
    sells_others: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Portfolios(Answered, frozen=True, kw_only=True):
    """A page of portfolios, by id."""

    portfolios: tuple[Portfolio, ...] = ()
    next_cursor: str | None = None


class PortfolioEntry(Answered, frozen=True, kw_only=True):
    """The share of an asset."""

    currency_code: str
    target_percentage: Decimal


class PublishedPortfolio(Answered, frozen=True, kw_only=True):
    """A portfolio in the published form."""

    id: int
    name: str
    created_at: datetime | None = None
    portfolio_entries: tuple[PortfolioEntry, ...] = ()


class AutoBalance(Answered, frozen=True, kw_only=True):
    """How an account is rebalanced."""

    enabled: bool
    portfolio: Portfolio | None = None
    method: str | None = None
    period: int | None = None
    currency_change_limit: int | None = None
    last_run_at: datetime | None = None
    next_run_at: datetime | None = None
    is_running: bool | None = None
    failures: int | None = None
    error: str | None = None
    prices_at_last_run: Mapping[str, Decimal] | None = None


class PlannedAsset(Answered, frozen=True, kw_only=True):
    """An asset of a plan; shares are in percent."""

    asset: str
    amount: Amount = None
    free: Amount = None
    price_usd: Amount = None
    usd_amount: Amount = None
    share: Amount = None
    target: Amount = None
    share_after: Amount = None


class PlannedOrder(Answered, frozen=True, kw_only=True):
    """An order of a plan."""

    side: str
    base: str
    quote: str
    amount: Amount = None
    price: Amount = None
    usd_amount: Amount = None
    fee: Amount = None
    spent: Amount = None
    spent_asset: str | None = None
    received: Amount = None
    received_asset: str | None = None


class Unplanned(Answered, frozen=True, kw_only=True):
    """An asset that stays off its share."""

    asset: str
    reason: str
    points_off: Amount = None


class Plan(Answered, frozen=True, kw_only=True):
    """The orders that bring an account to its portfolio."""

    account_id: int
    portfolio_id: int
    verdict: str
    planned_at: datetime | None = None
    read_at: datetime | None = None
    prices_at: datetime | None = None
    usd_amount: Amount = None
    tolerance: Amount = None
    quote: str | None = None
    assets: tuple[PlannedAsset, ...] = ()
    orders: tuple[PlannedOrder, ...] = ()
    unplanned: tuple[Unplanned, ...] = ()


class Run(Answered, frozen=True, kw_only=True):
    """What came of a run: `done`, `partly`, `failed`, or `running` where it goes on by itself."""

    state: str
    planned_at: datetime | None = None
    operation_id: int | None = None
    error: str | None = None
    plan: Plan | None = None


_true = Decoder(bool).decode
_portfolio = Decoder(Portfolio).decode
_portfolios = Decoder(Portfolios).decode
_published = Decoder(PublishedPortfolio).decode
_all_published = Decoder(list[PublishedPortfolio]).decode
_auto_balance = Decoder(AutoBalance).decode
_plan = Decoder(Plan).decode
_run = Decoder(Run).decode

_P = "/v1/auto_balance/portfolios"


def portfolio_page(*, limit: int | None = None, cursor: str | None = None) -> Call[Portfolios]:
    """One page of portfolios, by id."""
    return Call("GET", _P, _portfolios, {"limit": limit, "cursor": cursor})


def portfolio(portfolio_id: int) -> Call[Portfolio]:
    """A portfolio."""
    return Call("GET", f"{_P}/{portfolio_id}", _portfolio)


def create_portfolio(
    name: str,
    targets: Mapping[str, Decimal],
    *,
    tolerance: Decimal | None = None,
    sells_others: bool | None = None,
) -> Call[Portfolio]:
    """Make a portfolio of target shares in percent, 100 together."""
    asked = _said(name, targets, tolerance) | {"sells_others": sells_others}
    return Call("POST", _P, _portfolio, asked)


def replace_portfolio(
    portfolio_id: int,
    name: str,
    targets: Mapping[str, Decimal],
    *,
    tolerance: Decimal | None = None,
    sells_others: bool | None = None,
) -> Call[Portfolio]:
    """Say anew what a portfolio is."""
    asked = _said(name, targets, tolerance) | {"sells_others": sells_others}
    return Call("PUT", f"{_P}/{portfolio_id}", _portfolio, asked)


def remove_portfolio(portfolio_id: int) -> Call[bool]:
    """Remove a portfolio that no account has."""
    return Call("DELETE", f"{_P}/{portfolio_id}", _true)


def published_portfolios(
    page: int | None = None, per_page: int | None = None
) -> Call[list[PublishedPortfolio]]:
    """A page of portfolios in the published form."""
    asked = {"page": page, "per_page": per_page}
    return Call("GET", "/ver1/portfolios", _all_published, asked)


def published_portfolios_by_offset(
    limit: int | None = None, offset: int | None = None
) -> Call[list[PublishedPortfolio]]:
    """Return the same by its older name."""
    asked = {"limit": limit, "offset": offset}
    return Call("GET", "/ver1/portfolios/portfolios", _all_published, asked)


def published_portfolio(portfolio_id: int) -> Call[PublishedPortfolio]:
    """A portfolio in the published form."""
    return Call("GET", f"/ver1/portfolios/{portfolio_id}", _published)


def auto_balance(account_id: int) -> Call[AutoBalance]:
    """How an account is rebalanced."""
    return Call("GET", f"/v1/accounts/{account_id}/auto_balance", _auto_balance)


def set_auto_balance(account_id: int, **said: str | int | bool) -> Call[AutoBalance]:
    """Say how: `portfolio_id`, `method`, `period`, `currency_change_limit`, `enabled`."""
    return Call("PUT", f"/v1/accounts/{account_id}/auto_balance", _auto_balance, said)


def remove_auto_balance(account_id: int) -> Call[bool]:
    """Forget how an account was rebalanced."""
    return Call("DELETE", f"/v1/accounts/{account_id}/auto_balance", _true)


def preview_auto_balance(account_id: int, portfolio_id: int | None = None) -> Call[Plan]:
    """Plan, and place nothing."""
    path = f"/v1/accounts/{account_id}/auto_balance/preview"
    return Call("POST", path, _plan, {"portfolio_id": portfolio_id})


def run_auto_balance(account_id: int) -> Call[Run]:
    """Plan, and place the orders."""
    return Call("POST", f"/v1/accounts/{account_id}/auto_balance/run", _run)


def _said(
    name: str, targets: Mapping[str, Decimal], tolerance: Decimal | None
) -> dict[str, Parameter]:
    return {"name": name, "targets": texts(targets), "tolerance": tolerance}
