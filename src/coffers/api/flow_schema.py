"""The form of an account's deposits and withdrawals, for the OpenAPI document."""

from typing import Final

from coffers.api.schema_words import AMOUNT, BOOLEAN, TEXT, TIME, Schema, object_of, or_null

_PAIR: Final = object_of({"account_id": {"type": "integer"}, "id": TEXT})
_FLOW: Final = object_of(
    {
        "id": {**TEXT, "description": "The exchange's id, unique for account and direction."},
        "direction": {"enum": ["in", "out"]},
        "asset": TEXT,
        "venue_code": {**TEXT, "description": "The exchange's own name of the asset."},
        "amount": {**AMOUNT, "description": "What arrived or left, without the fee."},
        "fee": AMOUNT,
        "fee_asset": TEXT,
        "at": TIME,
        "txid": or_null(TEXT, "The transaction on its chain, where the exchange tells it."),
        "btc_value": or_null(AMOUNT, "The amount's worth then; null while it is not known."),
        "usd_value": or_null(AMOUNT, "The same in USD, found independently of BTC."),
        "role": {
            "enum": ["counted", "apart", "made"],
            "description": "What it is to the figures: counted; set apart, as there was no price "
            "of what it moved; or made here as a price came or went, which no exchange told.",
        },
        "is_own_transfer": {**BOOLEAN, "description": "Whether its other half is known."},
        "paired_with": or_null(_PAIR, "The other half, in another account of the user."),
    }
)
_HISTORY: Final = object_of(
    {
        "flows_known": {**BOOLEAN, "description": "Whether readings see all flows."},
        "known_since": or_null(TIME, "From when on all was asked; null where none is told."),
        "is_complete": or_null(BOOLEAN, "Whether nothing older is looked for."),
        "has_gaps": or_null(BOOLEAN, "Whether the exchange left something out."),
        "progress": or_null({"type": "number", "minimum": 0, "maximum": 1}, "Of the way back."),
        "steps": {"type": "integer", "minimum": 0},
        "last_error": or_null(TEXT, "Why the last step failed; null after one that did not."),
    }
)
FLOW_PAGE: Final[Schema] = {
    "title": "Flows",
    **object_of(
        {
            "flows": {"type": "array", "items": _FLOW},
            "next_cursor": or_null(TEXT, "`cursor` of the next page; null on the last one."),
            "history": _HISTORY,
        }
    ),
}
