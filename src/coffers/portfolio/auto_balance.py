"""The rebalancing settings of accounts: to which portfolio, when, and how it went."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from coffers.clock import HOUR, Clock, Millis, iso
from coffers.errors import InvalidRecord, NotFound
from coffers.markets.catalogue import PAPER, Catalogue
from coffers.money import plain
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.portfolios import PortfolioKeeping, found_portfolio, plain_portfolio
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account, AuditEvent, AutoBalance, BalanceState, Portfolio
from coffers.valuation.model import PriceBook

USUAL_PERIOD: Final = 12
PERIODS: Final = range(1, 24 * 366 + 1)
"""Hours."""

LIMITS: Final = range(1, 101)
"""Percent."""

Method = Literal["time", "currency_change"]
_METHODS: Final[dict[str, Method]] = {"time": "time", "currency_change": "currency_change"}


Look = Callable[[AutoBalance], None]
"""Looks at the settings right before they change, and raises where that shall not be."""


@dataclass(frozen=True, slots=True)
class BalanceWanted:
    """What a user says of the rebalancing of an account; the period is in hours."""

    portfolio_id: int
    method: str = "time"
    period: int = USUAL_PERIOD
    currency_change_limit: int | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class BalanceView:
    """The settings of an account with its portfolio, and how far it has come."""

    settings: AutoBalance
    portfolio: Portfolio | None
    state: BalanceState | None


class BalanceSettings:
    """Shows and changes how accounts are rebalanced."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Clock) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._accounts = AccountKeeping(store, clock)
        self._portfolios = PortfolioKeeping(store, clock)
        self._newest = NewestBook()

    async def get(self, user_id: int, account_id: int) -> BalanceView:
        """Return how an account is rebalanced.

        Raises:
            NotFound: when this user has no account of this id.
        """
        account = await self._accounts.get(user_id, account_id)
        portfolio = await self._portfolios.of_account(account)
        async with self._store.reading() as tx:
            state = await tx.balancing.get(user_id, account_id)
        return BalanceView(account.auto_balance, portfolio, state)

    async def set(
        self, user_id: int, account_id: int, wanted: BalanceWanted, look: Look | None = None
    ) -> BalanceView:
        """Put settings in the place of those that an account has; its errors are forgotten.

        Where it was not switched on before, the first run is a whole period away.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted, or as `look` does.
            NotFound: when this user has no account of this id.
        """
        account = await self._accounts.get(user_id, account_id)
        self._check_tradable(account)
        method = _checked_method(wanted)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            portfolio = await _chosen(tx, user_id, wanted.portfolio_id)
            known = await tx.accounts.held(user_id, account_id)
            if known is None:
                raise NotFound(f"there is no account {account_id}")
            before = known.auto_balance
            if look is not None:
                look(before)
            settings = AutoBalance(
                enabled=wanted.enabled,
                period_hours=wanted.period,
                portfolio_id=portfolio.id,
                currency_change_limit=wanted.currency_change_limit,
                method=method,
                last_at=before.last_at,
            )
            state = BalanceState(
                next_run(settings, now, was_on=before.enabled),
                prices=target_prices(portfolio, await self._own_book(tx, user_id)),
            )
            await tx.accounts.set_auto_balance(user_id, account_id, settings, now)
            await tx.balancing.put(user_id, account_id, state)
            told = f"portfolio {portfolio.id}, {method}, {'on' if wanted.enabled else 'off'}"
            await _note(tx, (user_id, account_id), now, "auto_balance_set", told)
        return await self.get(user_id, account_id)

    async def unset(self, user_id: int, account_id: int) -> None:
        """Let an account be as one that never was rebalanced.

        Raises:
            NotFound: when this user has no account of this id, or it has no such settings.
        """
        await self._accounts.get(user_id, account_id)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.accounts.held(user_id, account_id)
            if not await tx.balancing.remove(user_id, account_id):
                raise NotFound(f"account {account_id} is not rebalanced")
            await tx.accounts.set_auto_balance(user_id, account_id, AutoBalance(), now)
            await _note(tx, (user_id, account_id), now, "auto_balance_removed", "")

    async def _own_book(self, tx: Transaction, user_id: int) -> PriceBook | None:
        book = await self._newest.read(tx)
        return None if book is None else (await tx.choices.of(user_id)).book(book)

    def _check_tradable(self, account: Account) -> None:
        market = self._catalogue.get(account.market_code)
        is_spot = market is not None and market.trading_supported and "spot" in market.market_types
        if account.market_code != PAPER and not is_spot:
            told = "cannot be rebalanced: only spot accounts at exchanges and paper accounts can"
            raise InvalidRecord({"account_id": [told]})
        if account.market_code != PAPER and account.rights.trade is False:
            raise InvalidRecord({"account_id": ["cannot be rebalanced: its key may not trade"]})


def next_run(settings: AutoBalance, now: Millis, *, was_on: bool) -> Millis | None:
    """Return from when on an account may be run; None while it is switched off."""
    if not settings.enabled:
        return None
    if settings.method == "currency_change":
        return now
    # A last run that is still to come is one of a clock that was ahead.
    since = min(now, settings.last_at) if was_on and settings.last_at is not None else now
    return Millis(max(now, since + settings.period_hours * HOUR))


def target_prices(portfolio: Portfolio, book: PriceBook | None) -> dict[str, Decimal]:
    """Return what the targets are worth in a book, in USD; what has no price is absent."""
    prices = {} if book is None else book.prices
    return {asset: prices[asset].usd for asset in portfolio.targets if asset in prices}


def plain_settings(view: BalanceView) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    settings, state = view.settings, view.state
    next_at = None if state is None else state.next_at
    return {
        "enabled": settings.enabled,
        "portfolio": None if view.portfolio is None else plain_portfolio(view.portfolio),
        "method": settings.method,
        "period": settings.period_hours,
        "currency_change_limit": settings.currency_change_limit,
        "last_run_at": None if settings.last_at is None else iso(settings.last_at),
        "next_run_at": None if next_at is None or settings.method != "time" else iso(next_at),
        "is_running": state is not None and state.planned_at is not None,
        "failures": 0 if state is None else state.failures,
        "error": settings.error,
        "prices_at_last_run": {}
        if state is None
        else {asset: plain(price) for asset, price in sorted(state.prices.items())},
    }


def _checked_method(wanted: BalanceWanted) -> Method:
    method = _METHODS.get(wanted.method)
    limit = wanted.currency_change_limit
    faults: dict[str, list[str]] = {}
    if method is None:
        faults["method"] = ["does not have a valid value"]
    if method == "currency_change" and limit is None:
        faults["currency_change_limit"] = ["is missing"]
    if limit is not None and limit not in LIMITS:
        faults["currency_change_limit"] = ["does not have a valid value"]
    if wanted.period not in PERIODS:
        faults["period"] = ["does not have a valid value"]
    if method is None or faults:
        raise InvalidRecord(faults)
    return method


async def _chosen(tx: Transaction, user_id: int, portfolio_id: int) -> Portfolio:
    try:
        return await found_portfolio(tx, user_id, portfolio_id, is_held=True)
    except NotFound:
        raise InvalidRecord({"portfolio_id": ["does not have a valid value"]}) from None


async def _note(tx: Transaction, owned: tuple[int, int], now: Millis, kind: str, told: str) -> None:
    await tx.audit.add(AuditEvent(owned[0], now, kind, str(owned[1]), told))
