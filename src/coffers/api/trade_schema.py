"""The forms of trades and volumes, for the OpenAPI document."""

from typing import Final

from coffers.api.schema_words import (
    AMOUNT,
    BOOLEAN,
    SIGNED_AMOUNT,
    TEXT,
    TIME,
    Schema,
    object_of,
    or_null,
)

_TRADE: Final = object_of(
    {
        "id": {**TEXT, "description": "The exchange's id, unique for account and symbol."},
        "order_id": or_null(TEXT, "The order that it filled."),
        "symbol": TEXT,
        "kind": {"enum": ["spot", "contract"]},
        "base": TEXT,
        "quote": TEXT,
        "side": {"enum": ["buy", "sell"]},
        "price": AMOUNT,
        "amount": {**AMOUNT, "description": "In units of base, or contracts."},
        "cost": {**AMOUNT, "description": "What changed hands; of a contract its notional."},
        "cost_asset": TEXT,
        "fee": or_null(SIGNED_AMOUNT, "Negative where it was paid out."),
        "fee_asset": or_null(TEXT, "What the fee was taken in."),
        "at": TIME,
        "btc_value": or_null(AMOUNT, "The cost's worth then; null while it is not known."),
        "usd_value": or_null(AMOUNT, "The same in USD, found independently of BTC."),
    }
)
_HISTORY: Final = object_of(
    {
        "known_since": or_null(TIME, "From when on all was asked."),
        "known_until": or_null(TIME, "Until when; the exchange is asked again every hour."),
        "is_complete": {**BOOLEAN, "description": "Whether nothing older can be missing."},
        "has_gaps": {**BOOLEAN, "description": "Whether something may have been left out."},
        "missing": {"type": "array", "items": TEXT},
        "steps": {"type": "integer", "minimum": 0},
        "last_error": or_null(TEXT, "Why the last step failed; null after one that did not."),
    }
)
TRADE_PAGE: Final[Schema] = {
    "title": "Trades",
    **object_of(
        {
            "trades": {"type": "array", "items": _TRADE},
            "next_cursor": or_null(TEXT, "`cursor` of the next page; null on the last one."),
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
    span = {} if name is None else {name: TEXT}
    volumes = {
        "volume_btc": or_null(AMOUNT, "Null where it is not known."),
        "volume_usd": or_null(AMOUNT, "The same in USD."),
    }
    return object_of({**span, **volumes})
