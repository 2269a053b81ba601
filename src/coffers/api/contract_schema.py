"""The form of an account's open derivative positions, for the OpenAPI document."""

from typing import Any, Final

from coffers.api.account_schema import Schema

_AMOUNT: Final = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]+$"}
_TEXT: Final = {"type": "string"}


def _or_null(schema: Schema, description: str) -> Schema:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


def _object(properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


CONTRACT: Final[Schema] = _object(
    {
        "wallet": {**_TEXT, "description": "The part of the account that tells of it."},
        "symbol": {**_TEXT, "description": "The exchange library's name: BTC/USDT:USDT."},
        "venue_code": {**_TEXT, "description": "The exchange's own name: BTCUSDT."},
        "side": {"enum": ["long", "short"]},
        "size": {**_AMOUNT, "description": "In `unit`; without one, the number of contracts."},
        "unit": _or_null(_TEXT, "The underlying asset; USD of inverse contracts."),
        "settled_in": _or_null(_TEXT, "The asset in which profit is paid."),
        "leverage": _or_null(_AMOUNT, "Null where the exchange does not tell it."),
        "entry_price": _or_null(_AMOUNT, "The average price of the entry."),
        "mark_price": _or_null(_AMOUNT, "By which the exchange reckons the profit."),
        "unrealised": _or_null(_AMOUNT, "Profit or loss, in `settled_in`."),
        "margin_mode": {"enum": ["cross", "isolated", None]},
    }
)
ACCOUNT_CONTRACTS: Final[Schema] = {
    "title": "AccountContracts",
    **_object(
        {
            "account_id": {"type": "integer"},
            "read_at": _or_null({"type": "string", "format": "date-time"}, "The last reading."),
            "missing_wallets": {
                "type": "array",
                "items": _TEXT,
                "description": "What could not be read then; of it the known is kept.",
            },
            "hedge_mode_enabled": {
                "type": "boolean",
                "description": "Whether both sides of a contract may be held at once.",
            },
            "contracts": _or_null(
                {"type": "array", "items": CONTRACT}, "Null before the first reading."
            ),
        }
    ),
}
