"""The form of a price, for the OpenAPI document."""

from typing import Final

from coffers.api.schema_words import AMOUNT, TIME, Schema, object_of, or_null

_TEXTS: Final = {"type": "array", "items": {"type": "string"}}


_HELD_BACK: Final = object_of(
    {
        "usd": {**AMOUNT, "description": "What the one source says."},
        "btc": AMOUNT,
        "believed_usd": {**AMOUNT, "description": "The last price that was believed."},
        "believed_btc": AMOUNT,
        "until": {**TIME, "description": "When it is believed if it persists."},
    }
)
PRICE: Final[Schema] = {
    "title": "Price",
    **object_of(
        {
            "asset": {"type": "string"},
            "usd": or_null(AMOUNT, "USD per unit; null while it is not known, never zero."),
            "btc": or_null(AMOUNT, "BTC per unit, found independently of USD."),
            "at": or_null(TIME, "The oldest quote on the way."),
            "age_seconds": or_null({"type": "number", "minimum": 0}, "The age of that."),
            "route": {**_TEXTS, "description": "The pairs on the way; `X~USD` is no venue's."},
            "sources": {**_TEXTS, "description": "Who says so."},
            "epoch": {"type": "integer", "description": "The price book's number; 0 for none."},
            "held_back": or_null(_HELD_BACK, "A price that leapt and is not believed yet."),
        }
    ),
}
PRICES: Final[Schema] = {"type": "array", "items": PRICE}
