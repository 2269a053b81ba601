"""The form of an account's open derivative positions, for the OpenAPI document."""

from typing import Final

from coffers.api.schema_words import SIGNED_AMOUNT, TEXT, Schema, object_of, or_null

CONTRACT: Final[Schema] = object_of(
    {
        "wallet": {**TEXT, "description": "The part of the account that tells of it."},
        "symbol": {**TEXT, "description": "The exchange library's name: BTC/USDT:USDT."},
        "venue_code": {**TEXT, "description": "The exchange's own name: BTCUSDT."},
        "side": {"enum": ["long", "short"]},
        "size": {
            **SIGNED_AMOUNT,
            "description": "In `unit`; without one, the number of contracts.",
        },
        "unit": or_null(TEXT, "The underlying asset; USD of inverse contracts."),
        "settled_in": or_null(TEXT, "The asset in which profit is paid."),
        "leverage": or_null(SIGNED_AMOUNT, "Null where the exchange does not tell it."),
        "entry_price": or_null(SIGNED_AMOUNT, "The average price of the entry."),
        "mark_price": or_null(SIGNED_AMOUNT, "By which the exchange reckons the profit."),
        "unrealised": or_null(SIGNED_AMOUNT, "Profit or loss, in `settled_in`."),
        "margin_mode": {"enum": ["cross", "isolated", None]},
    }
)
ACCOUNT_CONTRACTS: Final[Schema] = {
    "title": "AccountContracts",
    **object_of(
        {
            "account_id": {"type": "integer"},
            "read_at": or_null({"type": "string", "format": "date-time"}, "The last reading."),
            "missing_wallets": {
                "type": "array",
                "items": TEXT,
                "description": "What could not be read then; of it the known is kept.",
            },
            "hedge_mode_enabled": {
                "type": "boolean",
                "description": "Whether both sides of a contract may be held at once.",
            },
            "contracts": or_null(
                {"type": "array", "items": CONTRACT}, "Null before the first reading."
            ),
        }
    ),
}
