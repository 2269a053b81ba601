"""Pairs, rates, leverage, networks and deposits as clients see them, and as OpenAPI tells."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from coffers import money
from coffers.api.balance_schema import array_of
from coffers.api.schema_words import TEXT, Schema
from coffers.markets.catalogue import Market
from coffers.markets.pairs import Network, Rate, VenueCurrency, VenuePair
from coffers.portfolio.venue_account import DepositData

_BY_ORDERBOOK: Final = "orderbook_price"
"""What the published API calls a price that is the venue's own."""

_MARGINS: Final = {"cross": "Cross", "isolated": "Isolated"}


def rate_entity(
    pair: VenuePair, rate: Rate, leverage: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return a pair's rate with what the venue demands of orders; null is what is not known."""
    last, bid, ask = (_text(price) for price in (rate.last, rate.bid, rate.ask))
    return {
        "last": last,
        "bid": bid,
        "ask": ask,
        "orderbook_ask": ask,
        "orderbook_bid": bid,
        "orderbook_last": last,
        "orderbook_price_currency": pair.quote,
        "strategy_name": _BY_ORDERBOOK,
        "contract_strategy_name": _BY_ORDERBOOK,
        **({} if leverage is None else {"leverage_data": leverage}),
        "instrumentKind": pair.kind,
        "minPrice": _text(pair.min_price),
        "maxPrice": _text(pair.max_price),
        "priceStep": _text(pair.step_at(rate.last or rate.bid or rate.ask)),
        "minLotSize": _text(pair.min_amount),
        "maxLotSize": _text(pair.max_amount),
        "lotStep": _text(pair.amount_step),
        "minMarketBuyAmount": _text(_first(pair.min_market_amount, pair.min_amount)),
        "minMarketSellAmount": _text(_first(pair.min_market_amount, pair.min_amount)),
        "maxMarketBuyAmount": _text(_first(pair.max_market_amount, pair.max_amount)),
        "maxMarketSellAmount": _text(_first(pair.max_market_amount, pair.max_amount)),
        "bidMultiplierDown": None,
        "bidMultiplierUp": None,
        "askMultiplierUp": None,
        "askMultiplierDown": None,
        "minTotal": _text(pair.min_cost),
        "minMarketTotal": _text(pair.min_cost),
        "maxTotal": _text(pair.max_cost),
    }


def leverage_entity(market: Market, pair: VenuePair) -> list[dict[str, Any]]:
    """Return the kinds of leverage that a pair is traded with in accounts of a market."""
    none = {
        "code": "none",
        "name": "Not specified",
        "can_set_leverage_value": False,
        "available_leverage_values": [],
        "max_leverage": None,
        "valid": {},
    }
    if pair.kind == "spot" and "margin" not in market.market_types:
        return [none]
    there = {"cross": pair.cross, "isolated": pair.isolated}
    return [
        none,
        *(_leverage(code, pair) for code, is_there in there.items() if is_there is not False),
    ]


def _leverage(code: str, pair: VenuePair) -> dict[str, Any]:
    return {
        "code": code,
        "name": _MARGINS[code],
        "can_set_leverage_value": True,
        "available_leverage_values": [],
        "max_leverage": _text(pair.max_leverage),
        "valid": {"min": _text(pair.min_leverage), "max": _text(pair.max_leverage)},
    }


def currency_entity(currency: VenueCurrency) -> dict[str, Any]:
    """Return a currency with its networks; null is what the venue does not tell."""
    return {
        "currency": currency.code,
        "name": currency.name,
        "deposit_enable": currency.deposits,
        "withdraw_enable": currency.withdrawals,
        "network_list": [_network(each) for each in currency.networks],
    }


def _network(network: Network) -> dict[str, Any]:
    return {
        "network": network.code,
        "default": network.is_default,
        "deposit_enable": network.deposits,
        "withdraw_enable": network.withdrawals,
        "deposit_tip": network.deposit_note,
        "withdraw_tip": network.withdrawal_note,
        "special_tip": network.note,
        "network_name": network.name,
        "network_url": None,
        "address_regexp": network.address_form,
        "withdraw_fee": _text(network.fee),
        "withdraw_min": _text(network.min_withdrawal),
        "withdrawMax": _text(network.max_withdrawal),
        "withdrawMultiple": _text(network.withdrawal_step),
        "memo_regexp": network.tag_form,
        "label": None,
        "require_address_tag": None,
    }


def deposit_entity(deposit: DepositData) -> dict[str, Any]:
    """Return where deposits are taken, and what is there already."""
    return {
        "address": deposit.address.address,
        "address_tag": deposit.address.tag,
        "available_balance": _text(deposit.free),
        "in_orders": _text(deposit.in_orders),
        "total_balance": _text(deposit.total),
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else money.plain(number)


def _first(own: Decimal | None, general: Decimal | None) -> Decimal | None:
    """Return the bound of market orders, or all orders' where they have none of their own."""
    return general if own is None else own


_NUMBER: Final[Schema] = {"type": ["string", "null"], "description": "A decimal number."}
_MAYBE: Final[Schema] = {"type": ["string", "null"]}
_FLAG: Final[Schema] = {"type": ["boolean", "null"]}

_LEVERAGE_FIELDS: Final[Mapping[str, Schema]] = {
    "code": {"enum": ["none", "cross", "isolated"]},
    "name": TEXT,
    "can_set_leverage_value": {"type": "boolean"},
    "available_leverage_values": {"type": "array", "items": TEXT},
    "max_leverage": _NUMBER,
    "valid": {"type": "object", "properties": {"min": _NUMBER, "max": _NUMBER}},
}
_RATE_FIELDS: Final[Mapping[str, Schema]] = {
    **dict.fromkeys(("last", "bid", "ask"), _NUMBER),
    **dict.fromkeys(("orderbook_ask", "orderbook_bid", "orderbook_last"), _NUMBER),
    **dict.fromkeys(("orderbook_price_currency", "strategy_name", "contract_strategy_name"), TEXT),
    "instrumentKind": {"enum": ["spot", "linear_futures", "inverse_futures"]},
    **dict.fromkeys(("minPrice", "maxPrice", "priceStep"), _NUMBER),
    **dict.fromkeys(("minLotSize", "maxLotSize", "lotStep"), _NUMBER),
    **dict.fromkeys(("minMarketBuyAmount", "minMarketSellAmount"), _NUMBER),
    **dict.fromkeys(("maxMarketBuyAmount", "maxMarketSellAmount"), _NUMBER),
    **dict.fromkeys(("bidMultiplierDown", "bidMultiplierUp"), _NUMBER),
    **dict.fromkeys(("askMultiplierUp", "askMultiplierDown"), _NUMBER),
    **dict.fromkeys(("minTotal", "minMarketTotal", "maxTotal"), _NUMBER),
}
_NETWORK_FIELDS: Final[Mapping[str, Schema]] = {
    "network": TEXT,
    **dict.fromkeys(("default", "deposit_enable", "withdraw_enable"), _FLAG),
    **dict.fromkeys(("deposit_tip", "withdraw_tip", "special_tip"), _MAYBE),
    **dict.fromkeys(("network_name", "network_url", "address_regexp"), _MAYBE),
    **dict.fromkeys(("withdraw_fee", "withdraw_min"), _NUMBER),
    **dict.fromkeys(("withdrawMax", "withdrawMultiple"), _NUMBER),
    **dict.fromkeys(("memo_regexp", "label"), _MAYBE),
    "require_address_tag": _FLAG,
}


def _object(fields: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "required": list(fields), "properties": dict(fields)}


PAIR_NAMES: Final[Schema] = {"type": "array", "items": TEXT}
"""What `market_pairs` answers."""

LEVERAGE: Final = array_of(dict(_LEVERAGE_FIELDS))
"""What `leverage_data` answers."""

RATE: Final = _object(_RATE_FIELDS)
"""What `currency_rates` answers."""

RATE_WITH_LEVERAGE: Final = _object({**_RATE_FIELDS, "leverage_data": LEVERAGE})
"""What `currency_rates_with_leverage_data` answers."""

NETWORKS: Final = array_of(
    {
        "currency": TEXT,
        "name": _MAYBE,
        "deposit_enable": _FLAG,
        "withdraw_enable": _FLAG,
        "network_list": array_of(dict(_NETWORK_FIELDS)),
    }
)
"""What `networks_info` answers."""

DEPOSIT: Final = _object(
    {
        "address": TEXT,
        "address_tag": TEXT,
        **dict.fromkeys(("available_balance", "in_orders", "total_balance"), _NUMBER),
    }
)
"""What `deposit_data` answers."""
