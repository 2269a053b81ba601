"""The account entity as the OpenAPI document describes it, key by key in the order of the wire."""

from typing import Final

from coffers.api.schema_words import BOOLEAN, TEXT, TIME, Schema


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_INTEGER: Final[Schema] = {"type": "integer"}
_AMOUNT: Final[Schema] = {
    "type": ["string", "null"],
    "pattern": r"^-?\d+\.\d+$",
    "description": "Plain decimal notation, every digit; null where it is not known.",
}


def _money(amount: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["currency", "amount"],
        "properties": {"currency": TEXT, "amount": amount},
    }


_SHOWN: Final = _money(_AMOUNT)
_FIRST_HALF: Final[Schema] = {
    "id": _INTEGER,
    "auto_balance_period": {**_INTEGER, "description": "Hours."},
    "auto_balance_portfolio_id": _nullable(_INTEGER),
    "auto_balance_currency_change_limit": _nullable(_INTEGER),
    "autobalance_enabled": BOOLEAN,
    "hedge_mode_available": BOOLEAN,
    "hedge_mode_enabled": BOOLEAN,
    "is_locked": BOOLEAN,
    "smart_trading_supported": BOOLEAN,
    "smart_selling_supported": BOOLEAN,
    "available_for_trading": {"type": "object", "maxProperties": 0},
    "stats_supported": BOOLEAN,
    "trading_supported": BOOLEAN,
    "market_buy_supported": BOOLEAN,
    "market_sell_supported": BOOLEAN,
    "conditional_buy_supported": BOOLEAN,
    "bots_allowed": BOOLEAN,
    "bots_ttp_allowed": BOOLEAN,
    "bots_tsl_allowed": BOOLEAN,
    "gordon_bots_available": BOOLEAN,
    "multi_bots_allowed": BOOLEAN,
    "created_at": TIME,
    "updated_at": TIME,
    "last_auto_balance": _nullable(TIME),
    "fast_convert_available": BOOLEAN,
    "grid_bots_allowed": BOOLEAN,
    "api_key_invalid": BOOLEAN,
    "market_icon": {"type": "string", "format": "uri"},
    "deposit_enabled": BOOLEAN,
    "include_in_summary": BOOLEAN,
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
    "available_include_in_summary": BOOLEAN,
    "api_key": {**TEXT, "description": "The exchange's public key; empty for a wallet."},
    "name": TEXT,
    "auto_balance_method": {"enum": ["time", "currency_change", None]},
    "auto_balance_error": _nullable(TEXT),
    "customer_id": _nullable(TEXT),
    "subaccount_name": _nullable(TEXT),
    "lock_reason": _nullable(TEXT),
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
    "pretty_display_type": TEXT,
    "exchange_name": TEXT,
    "market_code": TEXT,
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
        "address": {**TEXT, "description": "Of wallets only."},
    },
    "additionalProperties": False,
}


PUBLISHED_PORTFOLIO: Final[Schema] = {
    "title": "Portfolio",
    "type": "object",
    "required": ["id", "name", "created_at", "portfolio_entries"],
    "properties": {
        "id": _INTEGER,
        "name": TEXT,
        "created_at": TIME,
        "portfolio_entries": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["target_percentage", "currency_code"],
                "properties": {"target_percentage": TEXT, "currency_code": TEXT},
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
