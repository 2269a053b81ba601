"""The form of an account's deposits and withdrawals, for the OpenAPI document."""

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


_PAIR: Final = _object({"account_id": {"type": "integer"}, "id": _TEXT})
_FLOW: Final = _object(
    {
        "id": {**_TEXT, "description": "The exchange's id, unique for account and direction."},
        "direction": {"enum": ["in", "out"]},
        "asset": _TEXT,
        "venue_code": {**_TEXT, "description": "The exchange's own name of the asset."},
        "amount": {**_AMOUNT, "description": "What arrived or left, without the fee."},
        "fee": _AMOUNT,
        "fee_asset": _TEXT,
        "at": _TIME,
        "txid": _or_null(_TEXT, "The transaction on its chain, where the exchange tells it."),
        "btc_value": _or_null(_AMOUNT, "The amount's worth then; null while it is not known."),
        "usd_value": _or_null(_AMOUNT, "The same in USD, found independently of BTC."),
        "role": {
            "enum": ["counted", "apart", "made"],
            "description": "What it is to the figures: counted; set apart, as there was no price "
            "of what it moved; or made here as a price came or went, which no exchange told.",
        },
        "is_own_transfer": {**_BOOLEAN, "description": "Whether its other half is known."},
        "paired_with": _or_null(_PAIR, "The other half, in another account of the user."),
    }
)
_HISTORY: Final = _object(
    {
        "flows_known": {**_BOOLEAN, "description": "Whether readings see all flows."},
        "known_since": _or_null(_TIME, "From when on all was asked; null where none is told."),
        "is_complete": _or_null(_BOOLEAN, "Whether nothing older is looked for."),
        "has_gaps": _or_null(_BOOLEAN, "Whether the exchange left something out."),
        "progress": _or_null({"type": "number", "minimum": 0, "maximum": 1}, "Of the way back."),
        "steps": {"type": "integer", "minimum": 0},
        "last_error": _or_null(_TEXT, "Why the last step failed; null after one that did not."),
    }
)
FLOW_PAGE: Final[Schema] = {
    "title": "Flows",
    **_object(
        {
            "flows": {"type": "array", "items": _FLOW},
            "next_cursor": _or_null(_TEXT, "`cursor` of the next page; null on the last one."),
            "history": _HISTORY,
        }
    ),
}
