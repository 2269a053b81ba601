"""The forms of assets, overrides and mappings, for the OpenAPI document."""

from typing import Any, Final, get_args

from coffers.api.account_schema import Schema
from coffers.api.price_schema import PRICE
from coffers.markets.assets import AssetKind
from coffers.portfolio.assets import AssetState

_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}


def _object(properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


HOLDING: Final = _object(
    {
        "account_id": {"type": "integer"},
        "market_code": _TEXT,
        "wallet": _TEXT,
        "venue_code": _TEXT,
        "amount": {"type": "string", "description": "Units owned; of a debt negative."},
    }
)
OVERRIDE: Final = _object(
    {
        "name": _TEXT_OR_NULL,
        "symbol": _TEXT_OR_NULL,
        "coingecko_id": _TEXT_OR_NULL,
        "contract": {**_TEXT_OR_NULL, "description": "Chain and address, a colon between."},
        "ignored": _FLAG,
        "by_symbol": _FLAG,
    }
)
ASSET: Final[Schema] = {
    "title": "Asset",
    **_object(
        {
            "asset": {"type": "string", "description": "Its code: BTC, or chain:contract."},
            "symbol": _TEXT,
            "name": _TEXT_OR_NULL,
            "kind": {"enum": [*get_args(AssetKind), None]},
            "coingecko_id": _TEXT_OR_NULL,
            "chain": _TEXT_OR_NULL,
            "contract": _TEXT_OR_NULL,
            "first_seen_at": _or_null({"type": "string", "format": "date-time"}),
            "state": {"enum": list(get_args(AssetState))},
            "why": {"type": "string", "description": "Why it counts, or does not."},
            "price": PRICE,
            "held": {"type": "array", "items": HOLDING},
            "override": _or_null(OVERRIDE),
        }
    ),
}
ASSETS: Final[Schema] = _object(
    {
        "assets": {"type": "array", "items": ASSET},
        "next_cursor": {**_TEXT_OR_NULL, "description": "Of the next page; null on the last."},
    }
)
MAPPING: Final[Schema] = _object({"market_code": _TEXT, "venue_code": _TEXT, "asset": _TEXT})
MAPPINGS: Final[Schema] = {"type": "array", "items": MAPPING}
