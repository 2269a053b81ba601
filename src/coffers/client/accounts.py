"""The forms of what the API answers of accounts and their balances.

Money is `Decimal`, a moment `datetime` in UTC, and what is not known is None. Keys that are not
named here are ignored, so that a newer server can send more; one that a server does not send is
None too.
"""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

Amount = Decimal | None
"""An amount; None while it is not known, which is not zero."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The root of all forms."""


class InCurrency(Answered, frozen=True, kw_only=True):
    """An amount in the user's display currency."""

    currency: str
    amount: Amount = None


class Account(Answered, frozen=True, kw_only=True):
    """An account, or the summary of all (its id is 0); docs/api.md tells what each key means."""

    id: int
    name: str
    market_code: str | None = None
    exchange_name: str | None = None
    pretty_display_type: str | None = None
    market_icon: str | None = None
    api_key: str | None = None
    address: str | None = None
    customer_id: str | None = None
    subaccount_name: str | None = None
    include_in_summary: bool | None = None
    available_include_in_summary: bool | None = None
    is_locked: bool | None = None
    lock_reason: str | None = None
    api_key_invalid: bool | None = None
    api_keys_state: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    usd_amount: Amount = None
    btc_amount: Amount = None
    day_profit_usd: Amount = None
    day_profit_btc: Amount = None
    day_profit_usd_percentage: Amount = None
    day_profit_btc_percentage: Amount = None
    usd_profit: Amount = None
    btc_profit: Amount = None
    usd_profit_percentage: Amount = None
    btc_profit_percentage: Amount = None
    total_usd_profit: Amount = None
    total_btc_profit: Amount = None
    primary_display_currency_amount: InCurrency | None = None
    primary_display_currency_profit: InCurrency | None = None
    primary_display_currency_profit_percentage: InCurrency | None = None
    day_profit_primary_display_currency: InCurrency | None = None
    day_profit_primary_display_currency_percentage: InCurrency | None = None
    total_primary_display_currency_profit: InCurrency | None = None
    supported_market_types: tuple[str, ...] | None = None
    stats_supported: bool | None = None
    trading_supported: bool | None = None
    smart_trading_supported: bool | None = None
    smart_selling_supported: bool | None = None
    market_buy_supported: bool | None = None
    market_sell_supported: bool | None = None
    conditional_buy_supported: bool | None = None
    fast_convert_available: bool | None = None
    deposit_enabled: bool | None = None
    bots_allowed: bool | None = None
    bots_ttp_allowed: bool | None = None
    bots_tsl_allowed: bool | None = None
    gordon_bots_available: bool | None = None
    multi_bots_allowed: bool | None = None
    grid_bots_allowed: bool | None = None
    hedge_mode_available: bool | None = None
    hedge_mode_enabled: bool | None = None
    autobalance_enabled: bool | None = None
    auto_balance_period: int | None = None
    auto_balance_portfolio_id: int | None = None
    auto_balance_currency_change_limit: Amount = None
    auto_balance_method: str | None = None
    auto_balance_error: str | None = None
    last_auto_balance: datetime | None = None


class Slice(Answered, frozen=True, kw_only=True):
    """An asset of a pie."""

    code: str
    name: str | None = None
    percentage: Amount = None
    amount: Amount = None
    btc_value: Amount = None
    usd_value: Amount = None
    primary_display_currency: InCurrency | None = None
    account_id: int | None = None


class Row(Answered, frozen=True, kw_only=True):
    """An asset of a table."""

    currency_code: str
    currency_name: str | None = None
    currency_slug: str | None = None
    currency_icon: str | None = None
    percentage: Amount = None
    position: Amount = None
    position_available: Amount = None
    on_orders: Amount = None
    on_orders_with_leverage: Amount = None
    on_orders_long: Amount = None
    on_orders_short: Amount = None
    borrowed: Amount = None
    equity: Amount = None
    current_price: Amount = None
    current_price_usd: Amount = None
    day_change_percent: Amount = None
    day_change_percent_btc: Amount = None
    day_change_percent_usd: Amount = None
    btc_value: Amount = None
    usd_value: Amount = None
    available_long: Amount = None
    available_short: Amount = None
    available_with_leverage_long: Amount = None
    available_with_leverage_short: Amount = None
    account_id: int | None = None
    is_wallet: bool | None = None


class Point(Answered, frozen=True, kw_only=True):
    """What accounts were worth at a moment; `date` is in Unix seconds."""

    date: int
    usd: Amount = None
    btc: Amount = None
    usd_deposit_amount: Amount = None
    btc_deposit_amount: Amount = None

    @property
    def at(self) -> datetime:
        """The moment."""
        return datetime.fromtimestamp(self.date, UTC)


class FormField(Answered, frozen=True, kw_only=True):
    """A credential that a market asks for."""

    field: str
    localized_name: str | None = None


class FormFields(Answered, frozen=True, kw_only=True):
    """The credentials of a market."""

    required: tuple[FormField, ...] = ()
    optional: tuple[FormField, ...] = ()


class Market(Answered, frozen=True, kw_only=True):
    """A market that accounts can be connected to."""

    market_code: str
    market_name: str | None = None
    market_icon: str | None = None
    form_fields: FormFields = FormFields()
    connection_type: str | None = None
    available_connection_flows: tuple[str, ...] = ()
    market_trust_message: str | None = None


class ConnectType(Answered, frozen=True, kw_only=True):
    """A market that an exchange key opens."""

    type: str
    connected: bool | None = None
    available: bool | None = None
    unified: bool | None = None


class LooseAccount(Answered, frozen=True, kw_only=True):
    """A hand-kept account."""

    id: int
    name: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    type: str | None = None
    is_deleted: bool | None = None
    is_locked: bool | None = None


class Currency(Answered, frozen=True, kw_only=True):
    """An asset that has a price."""

    code: str
    name: str | None = None
