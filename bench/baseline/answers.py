"""The answer as pydantic models: the 61 keys of an account."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, PlainSerializer

Amount = Annotated[Decimal, PlainSerializer(lambda number: f"{number:f}", return_type=str)]


class InCurrency(BaseModel):
    """An amount with its currency."""

    currency: str
    amount: Amount | None


class AccountAnswer(BaseModel):
    """An account, with its value at the newest prices; no profits are made."""

    id: int
    auto_balance_period: int
    auto_balance_portfolio_id: int | None
    auto_balance_currency_change_limit: int | None
    autobalance_enabled: bool
    hedge_mode_available: bool
    hedge_mode_enabled: bool
    is_locked: bool
    smart_trading_supported: bool
    smart_selling_supported: bool
    available_for_trading: dict[str, Any]
    stats_supported: bool
    trading_supported: bool
    market_buy_supported: bool
    market_sell_supported: bool
    conditional_buy_supported: bool
    bots_allowed: bool
    bots_ttp_allowed: bool
    bots_tsl_allowed: bool
    gordon_bots_available: bool
    multi_bots_allowed: bool
    created_at: str
    updated_at: str
    last_auto_balance: str | None
    fast_convert_available: bool
    grid_bots_allowed: bool
    api_key_invalid: bool
    market_icon: str
    deposit_enabled: bool
    include_in_summary: bool
    supported_market_types: list[str]
    primary_display_currency_profit_percentage: InCurrency
    primary_display_currency_profit: InCurrency
    day_profit_primary_display_currency_percentage: InCurrency
    day_profit_primary_display_currency: InCurrency
    primary_display_currency_amount: InCurrency
    total_primary_display_currency_profit: InCurrency
    available_include_in_summary: bool
    api_key: str
    name: str
    auto_balance_method: str | None
    auto_balance_error: str | None
    customer_id: str | None
    subaccount_name: str | None
    lock_reason: str | None
    btc_amount: Amount | None
    usd_amount: Amount | None
    day_profit_btc: Amount | None = None
    day_profit_usd: Amount | None = None
    day_profit_btc_percentage: Amount | None = None
    day_profit_usd_percentage: Amount | None = None
    btc_profit: Amount | None = None
    usd_profit: Amount | None = None
    usd_profit_percentage: Amount | None = None
    btc_profit_percentage: Amount | None = None
    total_btc_profit: Amount | None = None
    total_usd_profit: Amount | None = None
    pretty_display_type: str
    exchange_name: str
    market_code: str
    api_keys_state: str
