"""The account list as the frameworks' own documentation leads one to write it.

Where there was a choice it is the quicker one: statements in the event loop on SQLite, secrets and
the price book decoded once, no limit of calls, no check of addresses, no entity tag, and of the
figures the value alone. The values must equal those of Coffers, or the benchmark fails.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator
from decimal import Decimal, localcontext
from typing import Annotated

from bench.baseline.answers import AccountAnswer, InCurrency
from bench.baseline.tables import Account, ApiToken, Book
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, joinedload, selectinload, sessionmaker

from coffers.access.proofs import secret_context
from coffers.clock import Millis, iso
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.prices import book_of
from coffers.valuation.model import Value
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault

_DIGITS = 4000


class _Books:
    """The newest price book, decoded once."""

    def __init__(self) -> None:
        self._epoch = -1
        self._prices: dict[str, Value] = {}

    def newest(self, session: Session) -> dict[str, Value]:
        epoch = session.scalar(select(func.max(Book.epoch)))
        if epoch != self._epoch:
            stored = session.scalars(select(Book).where(Book.epoch == epoch)).one()
            prices = book_of(stored.epoch, stored.at, stored.body).prices
            self._prices = {asset: Value(price.btc, price.usd) for asset, price in prices.items()}
            self._epoch = epoch
        return self._prices


class _Secrets:
    """The secrets of tokens, opened once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[int, bytes] = {}

    def of(self, token: ApiToken) -> bytes:
        if token.id not in self._opened:
            sealed = Sealed(token.secret_key_id, token.secret_blob)
            secret = self._vault.open(sealed, secret_context(token.user_id, token.id))
            self._opened[token.id] = secret.reveal().encode()
        return self._opened[token.id]


def make_app(engine: Engine, vault: Vault, catalogue: Catalogue) -> FastAPI:
    """Return the application on a database that is filled."""
    app = FastAPI()
    sessions = sessionmaker(engine)
    secrets, books = _Secrets(vault), _Books()

    async def session_of() -> AsyncIterator[Session]:
        with sessions() as session:
            yield session

    Database = Annotated[Session, Depends(session_of)]  # noqa: N806 - a type

    async def signed(request: Request, session: Database) -> ApiToken:
        key = request.headers.get("apikey", "")
        statement = select(ApiToken).where(ApiToken.api_key == key)
        token = session.scalar(statement.options(joinedload(ApiToken.user)))
        if token is None or token.revoked_at is not None:
            raise HTTPException(401, "api_key_invalid_or_expired")
        text = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        wanted = hmac.new(secrets.of(token), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, request.headers.get("signature", "")):
            raise HTTPException(401, "signature_invalid")
        return token

    @app.get("/public/api/ver1/accounts", response_model=list[AccountAnswer])
    async def accounts(
        request: Request,
        session: Database,
        token: Annotated[ApiToken, Depends(signed)],
        page: Annotated[int, Query(ge=1)] = 1,
        per_page: Annotated[int, Query(ge=1, le=100)] = 100,
    ) -> list[AccountAnswer]:
        prices = books.newest(session)
        statement = (
            select(Account)
            .where(Account.user_id == token.user_id, Account.mode == token.user.mode)
            .options(selectinload(Account.positions))
            .order_by(Account.id)
            .offset((page - 1) * per_page)
            .limit(per_page)
        )
        base_url, currency = str(request.base_url).rstrip("/"), token.user.display_currency
        return [
            _answer(account, catalogue.get(account.market_code), prices, base_url, currency)
            for account in session.scalars(statement)
        ]

    return app


def _answer(
    account: Account, market: Market | None, prices: dict[str, Value], base_url: str, currency: str
) -> AccountAnswer:
    if market is None:
        raise HTTPException(500)
    btc, usd = _value(account, prices)
    may_trade = account.may_trade is not False
    unknown = InCurrency(currency=currency, amount=None)
    return AccountAnswer(
        id=account.id,
        auto_balance_period=account.auto_balance_period,
        auto_balance_portfolio_id=account.auto_balance_portfolio_id,
        auto_balance_currency_change_limit=account.auto_balance_currency_change_limit,
        autobalance_enabled=account.auto_balance_enabled,
        hedge_mode_available=market.hedge_mode_available,
        hedge_mode_enabled=account.hedge_mode,
        is_locked=account.is_locked,
        smart_trading_supported=market.smart_trading_supported and may_trade,
        smart_selling_supported=market.smart_trading_supported and may_trade,
        available_for_trading={},
        stats_supported=market.stats_supported,
        trading_supported=market.trading_supported and may_trade,
        market_buy_supported=market.market_buy_supported and may_trade,
        market_sell_supported=market.market_sell_supported and may_trade,
        conditional_buy_supported=market.conditional_buy_supported and may_trade,
        bots_allowed=market.bots_allowed and may_trade,
        bots_ttp_allowed=market.bots_ttp_allowed and may_trade,
        bots_tsl_allowed=market.bots_tsl_allowed and may_trade,
        gordon_bots_available=market.gordon_bots_available and may_trade,
        multi_bots_allowed=market.multi_bots_allowed and may_trade,
        created_at=iso(Millis(account.created_at)),
        updated_at=iso(Millis(account.updated_at)),
        last_auto_balance=None,
        fast_convert_available=market.fast_convert_available and may_trade,
        grid_bots_allowed=market.grid_bots_allowed and may_trade,
        api_key_invalid=account.key_state == "expired",
        market_icon=f"{base_url}/img/exchanges/{market.code}.svg",
        deposit_enabled=market.deposit_enabled,
        include_in_summary=account.include_in_summary,
        supported_market_types=list(market.market_types),
        primary_display_currency_profit_percentage=unknown,
        primary_display_currency_profit=unknown,
        day_profit_primary_display_currency_percentage=unknown,
        day_profit_primary_display_currency=unknown,
        primary_display_currency_amount=InCurrency(currency=currency, amount=usd),
        total_primary_display_currency_profit=unknown,
        available_include_in_summary=market.available_include_in_summary,
        api_key=account.api_key,
        name=account.name,
        auto_balance_method=account.auto_balance_method,
        auto_balance_error=account.auto_balance_error,
        customer_id=account.customer_id,
        subaccount_name=account.subaccount_name,
        lock_reason=account.lock_reason,
        btc_amount=btc,
        usd_amount=usd,
        pretty_display_type=market.pretty_display_type,
        exchange_name=market.exchange_name,
        market_code=market.code,
        api_keys_state=account.key_state,
    )


def _value(account: Account, prices: dict[str, Value]) -> tuple[Decimal, Decimal]:
    btc = usd = Decimal(0)
    with localcontext() as context:
        context.prec = _DIGITS
        for held in account.positions:
            owned = held.free + held.in_orders + held.unrealised - held.borrowed - held.interest
            btc += owned * prices[held.asset].btc
            usd += owned * prices[held.asset].usd
    return btc, usd
