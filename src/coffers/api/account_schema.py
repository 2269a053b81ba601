"""The account entity as the OpenAPI document describes it, key by key in the order of the wire."""

from typing import Any, Final

Schema = dict[str, Any]


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_BOOLEAN: Final[Schema] = {"type": "boolean"}
_INTEGER: Final[Schema] = {"type": "integer"}
_STRING: Final[Schema] = {"type": "string"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_AMOUNT: Final[Schema] = {
    "type": ["string", "null"],
    "pattern": r"^-?\d+\.\d+$",
    "description": "Plain decimal notation, every digit; null where it is not known.",
}


def _money(amount: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["currency", "amount"],
        "properties": {"currency": _STRING, "amount": amount},
    }


_SHOWN: Final = _money(_AMOUNT)
_FIRST_HALF: Final[Schema] = {
    "id": _INTEGER,
    "auto_balance_period": {**_INTEGER, "description": "Hours."},
    "auto_balance_portfolio_id": _nullable(_INTEGER),
    "auto_balance_currency_change_limit": _nullable(_INTEGER),
    "autobalance_enabled": _BOOLEAN,
    "hedge_mode_available": _BOOLEAN,
    "hedge_mode_enabled": _BOOLEAN,
    "is_locked": _BOOLEAN,
    "smart_trading_supported": _BOOLEAN,
    "smart_selling_supported": _BOOLEAN,
    "available_for_trading": {"type": "object", "maxProperties": 0},
    "stats_supported": _BOOLEAN,
    "trading_supported": _BOOLEAN,
    "market_buy_supported": _BOOLEAN,
    "market_sell_supported": _BOOLEAN,
    "conditional_buy_supported": _BOOLEAN,
    "bots_allowed": _BOOLEAN,
    "bots_ttp_allowed": _BOOLEAN,
    "bots_tsl_allowed": _BOOLEAN,
    "gordon_bots_available": _BOOLEAN,
    "multi_bots_allowed": _BOOLEAN,
    "created_at": _TIME,
    "updated_at": _TIME,
    "last_auto_balance": _nullable(_TIME),
    "fast_convert_available": _BOOLEAN,
    "grid_bots_allowed": _BOOLEAN,
    "api_key_invalid": _BOOLEAN,
    "market_icon": {"type": "string", "format": "uri"},
    "deposit_enabled": _BOOLEAN,
    "include_in_summary": _BOOLEAN,
    "supported_market_types": {
        "type": "array",
        "items": {"enum": ["spot", "margin", "futures", "options"]},
    },
}
_SECOND_HALF: Final[Schema] = {
    "primary_display_currency_profit_percentage": _SHOWN,
    "primary_display_currency_profit": _SHOWN,
    "day_profit_primary_display_currency_percentage": _SHOWN,
    "day_profit_primary_display_currency": _SHOWN,
    "primary_display_currency_amount": _SHOWN,
    "total_primary_display_currency_profit": _money({"type": ["number", "null"]}),
    "available_include_in_summary": _BOOLEAN,
    "api_key": {**_STRING, "description": "The exchange's public key; empty for a wallet."},
    "name": _STRING,
    "auto_balance_method": {"enum": ["time", "currency_change", None]},
    "auto_balance_error": _nullable(_STRING),
    "customer_id": _nullable(_STRING),
    "subaccount_name": _nullable(_STRING),
    "lock_reason": _nullable(_STRING),
    "btc_amount": _AMOUNT,
    "usd_amount": _AMOUNT,
    "day_profit_btc": _AMOUNT,
    "day_profit_usd": _AMOUNT,
    "day_profit_btc_percentage": _AMOUNT,
    "day_profit_usd_percentage": _AMOUNT,
    "btc_profit": _AMOUNT,
    "usd_profit": _AMOUNT,
    "usd_profit_percentage": _AMOUNT,
    "btc_profit_percentage": _AMOUNT,
    "total_btc_profit": _AMOUNT,
    "total_usd_profit": _AMOUNT,
    "pretty_display_type": _STRING,
    "exchange_name": _STRING,
    "market_code": _STRING,
    "api_keys_state": {"enum": ["ok", "expire_soon", "expired"]},
}

ACCOUNT_KEYS: Final = (*_FIRST_HALF, *_SECOND_HALF)
"""The 61 keys that every account has, in order."""

ACCOUNT: Final[Schema] = {
    "title": "Account",
    "type": "object",
    "required": list(ACCOUNT_KEYS),
    "properties": {
        **_FIRST_HALF,
        **_SECOND_HALF,
        "address": {**_STRING, "description": "Of wallets only."},
    },
    "additionalProperties": False,
}


PUBLISHED_PORTFOLIO: Final[Schema] = {
    "title": "Portfolio",
    "type": "object",
    "required": ["id", "name", "created_at", "portfolio_entries"],
    "properties": {
        "id": _INTEGER,
        "name": _STRING,
        "created_at": _TIME,
        "portfolio_entries": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["target_percentage", "currency_code"],
                "properties": {"target_percentage": _STRING, "currency_code": _STRING},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""A portfolio in the form of the published API."""


def _with_portfolio() -> Schema:
    told = {"description": "What it is rebalanced to; null where it is not."}
    portfolio = {**told, "anyOf": [PUBLISHED_PORTFOLIO, {"type": "null"}]}
    return {
        **ACCOUNT,
        "title": "SingleAccount",
        "required": [*ACCOUNT_KEYS, "auto_balance_portfolio"],
        "properties": {**ACCOUNT["properties"], "auto_balance_portfolio": portfolio},
    }


SINGLE_ACCOUNT: Final = _with_portfolio()
"""An account that was asked for by its id: it has one key more."""
