"""The forms of paper accounts and their orders, for the OpenAPI document."""

from typing import Final

from coffers.api.account_schema import Schema

AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"}
_TEXT: Final[Schema] = {"type": "string"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_BY_ASSET: Final[Schema] = {"type": "object", "additionalProperties": AMOUNT}
SIDE: Final[Schema] = {"enum": ["buy", "sell"]}


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


PAPER_ACCOUNT: Final = _object(
    {
        "id": {"type": "integer"},
        "name": _TEXT,
        "market_code": _TEXT,
        "mode": {"const": "paper"},
        "fee": {**AMOUNT, "description": "The share that is taken of what an order brings."},
        "start": {**_BY_ASSET, "description": "What it holds after a reset."},
        "balances": {**_BY_ASSET, "description": "What it holds now."},
        "created_at": _TIME,
        "updated_at": _TIME,
    }
)
ORDER: Final = _object(
    {
        "id": {"type": "integer"},
        "side": SIDE,
        "base": _TEXT,
        "quote": _TEXT,
        "spent": {**AMOUNT, "description": "What was paid."},
        "spent_asset": _TEXT,
        "received": {**AMOUNT, "description": "What came in, without the fee."},
        "received_asset": _TEXT,
        "fee": {**AMOUNT, "description": "What was taken of what came in."},
        "price": {**AMOUNT, "description": "Units of the quote per unit of the base."},
        "route": {"type": "array", "items": _TEXT},
        "epoch": {"type": "integer", "description": "The price book that told the price."},
        "at": _TIME,
    }
)
ORDERS: Final = _object(
    {
        "orders": {"type": "array", "items": ORDER},
        "next_cursor": {"anyOf": [_TEXT, {"type": "null"}]},
    }
)
