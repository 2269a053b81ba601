"""The forms of paper accounts and their orders, for the OpenAPI document."""

from typing import Final

from coffers.api.schema_words import AMOUNT, TEXT, TIME, Schema, object_of

_BY_ASSET: Final[Schema] = {"type": "object", "additionalProperties": AMOUNT}
SIDE: Final[Schema] = {"enum": ["buy", "sell"]}


PAPER_ACCOUNT: Final = object_of(
    {
        "id": {"type": "integer"},
        "name": TEXT,
        "market_code": TEXT,
        "mode": {"const": "paper"},
        "fee": {**AMOUNT, "description": "The share that is taken of what an order brings."},
        "start": {**_BY_ASSET, "description": "What it holds after a reset."},
        "balances": {**_BY_ASSET, "description": "What it holds now."},
        "created_at": TIME,
        "updated_at": TIME,
    }
)
ORDER: Final = object_of(
    {
        "id": {"type": "integer"},
        "side": SIDE,
        "base": TEXT,
        "quote": TEXT,
        "spent": {**AMOUNT, "description": "What was paid."},
        "spent_asset": TEXT,
        "received": {**AMOUNT, "description": "What came in, without the fee."},
        "received_asset": TEXT,
        "fee": {**AMOUNT, "description": "What was taken of what came in."},
        "price": {**AMOUNT, "description": "Units of the quote per unit of the base."},
        "route": {"type": "array", "items": TEXT},
        "epoch": {"type": "integer", "description": "The price book that told the price."},
        "at": TIME,
    }
)
ORDERS: Final = object_of(
    {
        "orders": {"type": "array", "items": ORDER},
        "next_cursor": {"anyOf": [TEXT, {"type": "null"}]},
    }
)
