"""Pies, tables and charts as the OpenAPI document describes them."""

from typing import Final

from coffers.api.schema_words import TEXT, Schema

_NUMBER: Final[Schema] = {"type": "number"}
_UNKNOWABLE: Final[Schema] = {"type": ["number", "null"]}
_AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?\d+\.\d+$"}
_ID: Final[Schema] = {"type": "integer", "description": "The account's id; of the summary 0."}


def array_of(properties: Schema) -> Schema:
    """Return the schema of a bare array of objects with exactly these keys."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "required": list(properties),
            "properties": properties,
            "additionalProperties": False,
        },
    }


_PERCENTAGE: Final[Schema] = {"type": "number", "description": "Percent, 2 places."}

PIE: Final = array_of(
    {
        "code": TEXT,
        "coinmarketcapid": {"type": "null", "description": "No such list is kept here."},
        "name": {"type": "string", "description": "The code where none is known."},
        "y": _PERCENTAGE,
        "percentage": _PERCENTAGE,
        "amount": _NUMBER,
        "btc_value": {**_AMOUNT, "description": "8 places at most."},
        "usd_value": {**_AMOUNT, "description": "2 places at most."},
        "primary_display_currency": {
            "type": "object",
            "required": ["currency", "amount"],
            "properties": {"currency": TEXT, "amount": {**_AMOUNT, "type": ["string", "null"]}},
            "additionalProperties": False,
        },
        "account_id": _ID,
    }
)
"""The slices of a pie."""

TABLE: Final = array_of(
    {
        "currency_code": {**TEXT, "description": "The asset, whatever its owner shows it as."},
        "currency_name": {"type": "string", "description": "The code where none is known."},
        "currency_icon": {"type": "string", "format": "uri"},
        "currency_slug": TEXT,
        "percentage": _UNKNOWABLE,
        "position": _NUMBER,
        "position_available": _NUMBER,
        "position_type": {"const": 0},
        "borrowed": _NUMBER,
        "on_orders": _NUMBER,
        "on_orders_with_leverage": _UNKNOWABLE,
        "on_orders_long": _UNKNOWABLE,
        "on_orders_short": _UNKNOWABLE,
        "equity": {"type": "number", "description": "What counts for the value."},
        "current_price": {**_UNKNOWABLE, "description": "In BTC."},
        "current_price_usd": _UNKNOWABLE,
        "day_change_percent": {**_UNKNOWABLE, "description": "In the display currency."},
        "day_change_percent_btc": _UNKNOWABLE,
        "day_change_percent_usd": _UNKNOWABLE,
        "btc_value": _UNKNOWABLE,
        "usd_value": _UNKNOWABLE,
        "available_long": _UNKNOWABLE,
        "available_short": _UNKNOWABLE,
        "available_with_leverage_long": _UNKNOWABLE,
        "available_with_leverage_short": _UNKNOWABLE,
        "account_id": _ID,
        "is_wallet": {"type": "boolean"},
    }
)
"""The rows of a table."""

CHART: Final = array_of(
    {
        "date": {"type": "integer", "description": "Unix seconds."},
        "usd": _NUMBER,
        "btc": _NUMBER,
        "btc_deposit_amount": {
            **_UNKNOWABLE,
            "description": "Put in since the point before, less what was taken out.",
        },
        "usd_deposit_amount": {**_UNKNOWABLE, "description": "The same in USD."},
    }
)
"""The points of a chart."""
