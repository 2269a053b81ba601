"""The forms of trades and volumes, for the OpenAPI document."""

from typing import Any, Final

from coffers.api.account_schema import Schema

_AMOUNT: Final = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"}
_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_BOOLEAN: Final = {"type": "boolean"}


def _or_null(schema: Schema, description: str) -> Schema:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


def _object(properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TRADE: Final = _object(
    {
        "id": {**_TEXT, "description": "The exchange's id, unique for account and symbol."},
        "order_id": _or_null(_TEXT, "The order that it filled."),
        "symbol": _TEXT,
        "kind": {"enum": ["spot", "contract"]},
        "base": _TEXT,
        "quote": _TEXT,
        "side": {"enum": ["buy", "sell"]},
        "price": _AMOUNT,
        "amount": {**_AMOUNT, "description": "In units of base, or contracts."},
        "cost": {**_AMOUNT, "description": "What changed hands; of a contract its notional."},
        "cost_asset": _TEXT,
        "fee": _or_null(
            {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]+$"}, "Negative where it was paid out."
        ),
        "fee_asset": _or_null(_TEXT, "What the fee was taken in."),
        "at": _TIME,
        "btc_value": _or_null(_AMOUNT, "The cost's worth then; null while it is not known."),
        "usd_value": _or_null(_AMOUNT, "The same in USD, found independently of BTC."),
    }
)
_HISTORY: Final = _object(
    {
        "known_since": _or_null(_TIME, "From when on all was asked."),
        "known_until": _or_null(_TIME, "Until when; the exchange is asked again every hour."),
        "is_complete": {**_BOOLEAN, "description": "Whether nothing older can be missing."},
        "has_gaps": {**_BOOLEAN, "description": "Whether something may have been left out."},
        "missing": {"type": "array", "items": _TEXT},
        "steps": {"type": "integer", "minimum": 0},
        "last_error": _or_null(_TEXT, "Why the last step failed; null after one that did not."),
    }
)
TRADE_PAGE: Final[Schema] = {
    "title": "Trades",
    **_object(
        {
            "trades": {"type": "array", "items": _TRADE},
            "next_cursor": _or_null(_TEXT, "`cursor` of the next page; null on the last one."),
            "history": _HISTORY,
        }
    ),
}
VOLUME_HEADERS: Final[Schema] = {
    name: {"description": told, "schema": {"type": "string"}}
    for name, told in (
        ("X-Volume-Complete", "`true` where all trades of the span are known, or `false`."),
        ("X-Volume-Missing", "What is missing, by words; absent where nothing is."),
        ("X-Volume-Known-Since", "From when on all trades were asked."),
        ("X-Volume-Known-Until", "Until when."),
    )
}


def volume_schema(name: str | None) -> Schema:
    """Return the form of a volume, with the name of its span where it has one."""
    span = {} if name is None else {name: _TEXT}
    volumes = {
        "volume_btc": _or_null(_AMOUNT, "Null where it is not known."),
        "volume_usd": _or_null(_AMOUNT, "The same in USD."),
    }
    return _object({**span, **volumes})
