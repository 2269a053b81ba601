"""The forms of assets, overrides and mappings, for the OpenAPI document."""

from typing import Final, get_args

from coffers.api.price_schema import PRICE
from coffers.api.schema_words import BOOLEAN, TEXT, Schema, object_of, or_null
from coffers.markets.assets import AssetKind
from coffers.portfolio.assets import AssetState

_TEXT_OR_NULL: Final = {"type": ["string", "null"]}


HOLDING: Final = object_of(
    {
        "account_id": {"type": "integer"},
        "market_code": TEXT,
        "wallet": TEXT,
        "venue_code": TEXT,
        "amount": {"type": "string", "description": "Units owned; of a debt negative."},
    }
)
OVERRIDE: Final = object_of(
    {
        "name": _TEXT_OR_NULL,
        "symbol": _TEXT_OR_NULL,
        "coingecko_id": _TEXT_OR_NULL,
        "contract": {**_TEXT_OR_NULL, "description": "Chain and address, a colon between."},
        "ignored": BOOLEAN,
        "by_symbol": BOOLEAN,
    }
)
ASSET: Final[Schema] = {
    "title": "Asset",
    **object_of(
        {
            "asset": {"type": "string", "description": "Its code: BTC, or chain:contract."},
            "symbol": TEXT,
            "name": _TEXT_OR_NULL,
            "kind": {"enum": [*get_args(AssetKind), None]},
            "coingecko_id": _TEXT_OR_NULL,
            "chain": _TEXT_OR_NULL,
            "contract": _TEXT_OR_NULL,
            "first_seen_at": or_null({"type": "string", "format": "date-time"}),
            "state": {"enum": list(get_args(AssetState))},
            "why": {"type": "string", "description": "Why it counts, or does not."},
            "price": PRICE,
            "held": {"type": "array", "items": HOLDING},
            "override": or_null(OVERRIDE),
        }
    ),
}
ASSETS: Final[Schema] = object_of(
    {
        "assets": {"type": "array", "items": ASSET},
        "next_cursor": {**_TEXT_OR_NULL, "description": "Of the next page; null on the last."},
    }
)
MAPPING: Final[Schema] = object_of({"market_code": TEXT, "venue_code": TEXT, "asset": TEXT})
MAPPINGS: Final[Schema] = {"type": "array", "items": MAPPING}
