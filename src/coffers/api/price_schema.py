"""The form of a price, for the OpenAPI document."""

from typing import Any, Final

from coffers.api.account_schema import Schema

_AMOUNT: Final = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"}
_TIME: Final = {"type": "string", "format": "date-time"}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}


def _or_null(schema: Schema, description: str) -> Schema:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


def _object(properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_HELD_BACK: Final = _object(
    {
        "usd": {**_AMOUNT, "description": "What the one source says."},
        "btc": _AMOUNT,
        "believed_usd": {**_AMOUNT, "description": "The last price that was believed."},
        "believed_btc": _AMOUNT,
        "until": {**_TIME, "description": "When it is believed if it persists."},
    }
)
PRICE: Final[Schema] = {
    "title": "Price",
    **_object(
        {
            "asset": {"type": "string"},
            "usd": _or_null(_AMOUNT, "USD per unit; null while it is not known, never zero."),
            "btc": _or_null(_AMOUNT, "BTC per unit, found independently of USD."),
            "at": _or_null(_TIME, "The oldest quote on the way."),
            "age_seconds": _or_null({"type": "number", "minimum": 0}, "The age of that."),
            "route": {**_TEXTS, "description": "The pairs on the way; `X~USD` is no venue's."},
            "sources": {**_TEXTS, "description": "Who says so."},
            "epoch": {"type": "integer", "description": "The price book's number; 0 for none."},
            "held_back": _or_null(_HELD_BACK, "A price that leapt and is not believed yet."),
        }
    ),
}
PRICES: Final[Schema] = {"type": "array", "items": PRICE}
