"""Pies, tables and charts of what accounts hold, as clients expect them: bare arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import quote

import msgspec

from coffers import money
from coffers.api.numbers import number, rounded_number
from coffers.clock import SECOND, Millis
from coffers.portfolio.balances import AssetBalance, parts_of, shown_in
from coffers.portfolio.charts import Point
from coffers.portfolio.daychange import day_change
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import PriceBook, Value

_PIE_PLACES: Final = 2
_TABLE_PLACES: Final = 4
_BTC_PLACES: Final = 8
_USD_PLACES: Final = 2
# A chart is drawn, and hundreds of points with 60 digits each would be most of its bytes.
_CHART_BTC_PLACES: Final = 12
_CHART_USD_PLACES: Final = 8

_ON_ORDERS: Final = ("on_orders_with_leverage", "on_orders_long", "on_orders_short")
_AVAILABLE: Final = (
    "available_long",
    "available_short",
    "available_with_leverage_long",
    "available_with_leverage_short",
)
_encode = msgspec.json.Encoder().encode
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose balances they are. `has_leverage` is False where nothing can be leveraged there."""

    account_id: int
    is_wallet: bool
    has_leverage: bool


@dataclass(frozen=True, slots=True)
class Books:
    """The present prices, and those of a day before."""

    now: PriceBook | None
    before: PriceBook | None


def pie(
    balances: Sequence[AssetBalance], at: Millis, display: DisplayCurrency, whose: Whose
) -> bytes:
    """Return the assets that are worth something: BTC with 8 places and USD with 2, as texts."""
    parts = parts_of(balances)
    return _encode(
        [
            _slice(balance, value, parts[balance.asset])
            | {"primary_display_currency": _shown(display, value, at)}
            | {"account_id": whose.account_id}
            for balance in balances
            if (value := balance.value) is not None and value.usd > 0
        ]
    )


def table(
    balances: Sequence[AssetBalance],
    books: Books,
    display: DisplayCurrency,
    whose: Whose,
    base_url: str,
) -> bytes:
    """Return all assets with their amounts, prices and values, as numbers."""
    parts = parts_of(balances)
    leveraged = None if whose.has_leverage else 0
    return _encode(
        [
            _asset(balance, base_url)
            | {"percentage": rounded_number(parts.get(balance.asset), _TABLE_PLACES)}
            | _amounts(balance, leveraged)
            | _prices(balance, books, display)
            | dict.fromkeys(_AVAILABLE, leveraged)
            | {"account_id": whose.account_id, "is_wallet": whose.is_wallet}
            for balance in balances
        ]
    )


def chart(points: Iterable[Point]) -> bytes:
    """Return the points in order of time, their moments in Unix seconds."""
    return _encode(
        [
            {
                "date": point.at // SECOND,
                "usd": rounded_number(point.value.usd, _CHART_USD_PLACES),
                "btc": rounded_number(point.value.btc, _CHART_BTC_PLACES),
                **_deposited(point.deposited),
            }
            for point in points
        ]
    )


def _deposited(value: Value | None) -> Row:
    btc, usd = (None, None) if value is None else (value.btc, value.usd)
    return {
        "btc_deposit_amount": rounded_number(btc, _CHART_BTC_PLACES),
        "usd_deposit_amount": rounded_number(usd, _CHART_USD_PLACES),
    }


def _slice(balance: AssetBalance, value: Value, part: Decimal) -> Row:
    percentage = rounded_number(part, _PIE_PLACES)
    return {
        "code": balance.symbol,
        "coinmarketcapid": None,
        "name": balance.name,
        "y": percentage,
        "percentage": percentage,
        "amount": number(balance.owned),
        "btc_value": money.plain(money.rounded(value.btc, _BTC_PLACES)),
        "usd_value": money.plain(money.rounded(value.usd, _USD_PLACES)),
    }


def _shown(display: DisplayCurrency, value: Value, at: Millis) -> Row:
    amount = shown_in(display, value, at)
    return {
        "currency": display.code,
        "amount": None if amount is None else money.plain(amount),
    }


def _asset(balance: AssetBalance, base_url: str) -> Row:
    return {
        # Programs take it for the asset, and a user's symbol may be another asset's code.
        "currency_code": balance.asset,
        "currency_name": balance.name,
        "currency_icon": f"{base_url}/img/currencies/{quote(balance.asset, safe='')}.svg",
        "currency_slug": balance.asset.lower(),
    }


def _amounts(balance: AssetBalance, leveraged: int | None) -> Row:
    return {
        "position": number(balance.held),
        "position_available": number(balance.free),
        "position_type": 0,
        "borrowed": number(balance.borrowed),
        "on_orders": number(balance.in_orders),
        **dict.fromkeys(_ON_ORDERS, leveraged),
        "equity": number(balance.owned),
    }


def _prices(balance: AssetBalance, books: Books, display: DisplayCurrency) -> Row:
    price, value = balance.price, balance.value
    change = day_change(balance.asset, books.now, books.before, display)
    return {
        "current_price": number(None if price is None else price.btc),
        "current_price_usd": number(None if price is None else price.usd),
        "day_change_percent": rounded_number(change.display, _TABLE_PLACES),
        "day_change_percent_btc": rounded_number(change.btc, _TABLE_PLACES),
        "day_change_percent_usd": rounded_number(change.usd, _TABLE_PLACES),
        "btc_value": number(None if value is None else value.btc),
        "usd_value": number(None if value is None else value.usd),
    }
