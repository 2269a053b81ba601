"""Own trades, what they come to, and what is open; forms and calls."""

from datetime import date, datetime
from decimal import Decimal

from msgspec.json import Decoder

from coffers.client.accounts import Amount, Answered
from coffers.client.call import Call, Moment, Parameter, moment


class Trade(Answered, frozen=True, kw_only=True):
    """An own trade, with its worth at its moment."""

    id: str
    symbol: str
    side: str
    price: Decimal
    amount: Decimal
    at: datetime
    order_id: str | None = None
    kind: str | None = None
    base: str | None = None
    quote: str | None = None
    cost: Amount = None
    cost_asset: str | None = None
    fee: Amount = None
    fee_asset: str | None = None
    btc_value: Amount = None
    usd_value: Amount = None


class TradeHistory(Answered, frozen=True, kw_only=True):
    """How far the trades of an account are known, and what may be missing."""

    known_since: datetime | None = None
    known_until: datetime | None = None
    is_complete: bool | None = None
    has_gaps: bool | None = None
    missing: tuple[str, ...] = ()
    steps: int | None = None
    last_error: str | None = None


class Trades(Answered, frozen=True, kw_only=True):
    """A page of trades, newest first."""

    trades: tuple[Trade, ...] = ()
    next_cursor: str | None = None
    history: TradeHistory | None = None


class Volume(Answered, frozen=True, kw_only=True):
    """What was traded in a day, a month, or ever; the reply's headers tell what is missing."""

    utc_date: str | None = None
    utc_month: str | None = None
    volume_btc: Amount = None
    volume_usd: Amount = None


class Entities(Answered, frozen=True, kw_only=True):
    """How many things are open."""

    active_bots_count: int | None = None
    active_deals_count: int | None = None
    active_smart_trades_count: int | None = None
    active_orders_count: int | None = None
    active_grid_bots_count: int | None = None


class ActiveEntities(Answered, frozen=True, kw_only=True):
    """What is open in an account."""

    data: Entities


_trades = Decoder(Trades).decode
_volume = Decoder(Volume).decode
_active = Decoder(ActiveEntities).decode


def trade_page(
    account_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    symbol: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Call[Trades]:
    """One page of own trades, newest first."""
    asked: dict[str, Parameter] = {"limit": limit, "cursor": cursor, "symbol": symbol}
    asked |= {"from": moment(since), "to": moment(until)}
    return Call("GET", f"/v1/accounts/{account_id}/trades", _trades, asked)


def daily_volume(account_id: int, day: date | None = None) -> Call[Volume]:
    """What was traded in a day in UTC, or today."""
    asked = {"date": None if day is None else f"{day:%Y-%m-%d}"}
    return Call("GET", f"/ver1/accounts/{account_id}/volume/daily", _volume, asked)


def monthly_volume(account_id: int, month: date | None = None) -> Call[Volume]:
    """What was traded in the month of a day, or in this one."""
    asked = {"month": None if month is None else f"{month:%Y-%m}"}
    return Call("GET", f"/ver1/accounts/{account_id}/volume/monthly", _volume, asked)


def total_volume(account_id: int) -> Call[Volume]:
    """What was ever traded."""
    return Call("GET", f"/ver1/accounts/{account_id}/volume/total", _volume)


def active_trading_entities(account_id: int) -> Call[ActiveEntities]:
    """What is open in an account; its exchange is asked."""
    return Call("GET", f"/ver1/accounts/{account_id}/active_trading_entities", _active)
