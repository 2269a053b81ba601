"""The forms of the own API's accounts, for the OpenAPI document."""

from typing import Any, Final

from coffers.api.schema_words import BOOLEAN, SIGNED_AMOUNT, TEXT, TIME, Schema, or_null

_WHOLE: Final[Schema] = {"type": "integer"}


def listed(schema: Schema) -> Schema:
    """Return the form of a list."""
    return {"type": "array", "items": schema}


def closed(title: str, properties: dict[str, Any]) -> Schema:
    """Return the form of an object with these keys and no others."""
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_GAIN: Final = or_null(closed("Gain", {"profit": SIGNED_AMOUNT, "percentage": SIGNED_AMOUNT}))
_CURRENCY: Final[dict[str, Any]] = {
    "amount": or_null(SIGNED_AMOUNT),
    "day": _GAIN,
    "month": _GAIN,
    "total_profit": or_null(SIGNED_AMOUNT),
}
FIGURES: Final = closed(
    "Figures",
    {
        "btc": closed("FiguresInBtc", _CURRENCY),
        "usd": closed("FiguresInUsd", _CURRENCY),
        "display": closed("FiguresInDisplayCurrency", {"currency": TEXT, **_CURRENCY}),
    },
)
_REASONS: Final = listed(
    {
        "enum": [
            "unread", "unpriced", "missing_wallets", "stale", "flows_unknown", "flows_unvalued",
            "no_history", "no_rate",
        ]
    }
)  # fmt: skip
_QUALITY: Final = closed(
    "Quality",
    {
        "is_complete": BOOLEAN,
        "reasons": _REASONS,
        "as_of": TIME,
        "read_at": or_null(TIME),
        "unpriced": listed(TEXT),
        "held_back": listed(TEXT),
        "missing_wallets": listed(TEXT),
        "ignored": listed(TEXT),
        "price_sources": listed(TEXT),
        "oldest_price_at": or_null(TIME),
    },
)
_FAILURE: Final = closed(
    "ReadingFailure",
    {"kind": TEXT, "code": or_null(TEXT), "message": or_null(TEXT), "times": _WHOLE},
)
_STATE: Final = closed(
    "AccountState",
    {
        "key_state": {"enum": ["ok", "expire_soon", "expired"]},
        "is_locked": BOOLEAN,
        "lock_reason": or_null(TEXT),
        "next_reading_at": TIME,
        "last_failure": or_null(_FAILURE),
        "has_doubted_reading": BOOLEAN,
    },
)
_ACCOUNT: Final[dict[str, Any]] = {
    "id": _WHOLE,
    "name": TEXT,
    "kind": {"enum": ["exchange", "wallet", "manual", "paper"]},
    "mode": {"enum": ["real", "paper"]},
    "market_code": TEXT,
    "market_name": TEXT,
    "address": or_null(TEXT),
    "subaccount_name": or_null(TEXT),
    "include_in_summary": BOOLEAN,
    "version": _WHOLE,
    "created_at": TIME,
    "updated_at": TIME,
    "state": _STATE,
    "figures": FIGURES,
    "quality": _QUALITY,
}
_OF_BOOK: Final[dict[str, Any]] = {
    "epoch": _WHOLE,
    "prices_at": or_null(TIME),
    "prices_age_seconds": or_null({"type": "number"}),
    "told_at": TIME,
}
ACCOUNT: Final = closed("OwnAccount", {**_ACCOUNT, **_OF_BOOK})
ACCOUNTS: Final = closed(
    "OwnAccounts",
    {
        "accounts": listed(closed("ListedAccount", _ACCOUNT)),
        "next_cursor": or_null(TEXT),
        **_OF_BOOK,
    },
)
SUMMARY: Final = closed(
    "OwnSummary",
    {
        "account_ids": listed(_WHOLE),
        "figures": FIGURES,
        "is_complete": BOOLEAN,
        "incomplete": listed(
            closed("IncompleteAccount", {"account_id": _WHOLE, "reasons": _REASONS})
        ),
        "oldest_reading_at": or_null(TIME),
        **_OF_BOOK,
    },
)

_PRICE: Final[Schema] = {
    "type": "object",
    "description": "As `/public/api/v1/prices/{asset}` tells it.",
}
PRICED: Final[dict[str, Any]] = {
    "state": {"enum": ["priced", "unpriced", "held_back"]},
    "price": _PRICE,
    "btc_value": or_null(SIGNED_AMOUNT),
    "usd_value": or_null(SIGNED_AMOUNT),
}
_WALLET: Final = closed("WalletPart", {"wallet": TEXT, "venue_code": TEXT, "amount": SIGNED_AMOUNT})
_HOLDING: Final = closed(
    "ExplainedHolding",
    {"asset": TEXT, "amount": SIGNED_AMOUNT, "wallets": or_null(listed(_WALLET)), **PRICED},
)
_FLOW: Final = closed(
    "ExplainedFlow",
    {
        "id": TEXT,
        "direction": {"enum": ["in", "out"]},
        "asset": TEXT,
        "amount": SIGNED_AMOUNT,
        "at": TIME,
        "valued_at": TIME,
        "btc_value": or_null(SIGNED_AMOUNT),
        "usd_value": or_null(SIGNED_AMOUNT),
        "rate": or_null(SIGNED_AMOUNT),
        "display_value": or_null(SIGNED_AMOUNT),
        "is_counted": BOOLEAN,
    },
)
_POINT: Final = closed(
    "SeriesPoint",
    {
        "at": TIME,
        "btc_value": SIGNED_AMOUNT,
        "usd_value": SIGNED_AMOUNT,
        "rate": or_null(SIGNED_AMOUNT),
        "value": or_null(SIGNED_AMOUNT),
        "net_inflow": or_null(SIGNED_AMOUNT),
        "earned": SIGNED_AMOUNT,
    },
)
_WINDOW: Final = or_null(
    closed(
        "ProfitWindow",
        {
            "since": TIME,
            "earlier": _POINT,
            "later": or_null(_POINT),
            "baseline": SIGNED_AMOUNT,
            "profit": SIGNED_AMOUNT,
            "percentage": SIGNED_AMOUNT,
        },
    )
)
_RECKONED: Final[dict[str, Any]] = {
    "rate": or_null(SIGNED_AMOUNT),
    "amount": or_null(SIGNED_AMOUNT),
    "opening": or_null(_POINT),
    "now": or_null(_POINT),
    "day": _WINDOW,
    "month": _WINDOW,
    "total_profit": or_null(SIGNED_AMOUNT),
}
_IN_THREE: Final[dict[str, Any]] = {
    name: or_null(SIGNED_AMOUNT) for name in ("btc", "usd", "display")
}
EXPLAINED: Final = closed(
    "ExplainedAccount",
    {
        "account_id": _WHOLE,
        "version": _WHOLE,
        "as_of": TIME,
        "prices_at": or_null(TIME),
        "epoch": _WHOLE,
        "holdings": listed(_HOLDING),
        "ignored": listed(TEXT),
        "flows": listed(_FLOW),
        "earlier_flows": or_null(
            closed(
                "EarlierFlows",
                {"count": _WHOLE, "until": TIME, "net_inflow": closed("NetInflow", _IN_THREE)},
            )
        ),
        "figures": closed(
            "ExplainedFigures",
            {
                "btc": closed("ReckonedInBtc", _RECKONED),
                "usd": closed("ReckonedInUsd", _RECKONED),
                "display": closed("ReckonedInDisplay", {"currency": TEXT, **_RECKONED}),
            },
        ),
    },
)
EXPLAINED_SUMMARY: Final = closed(
    "ExplainedSummary",
    {
        "figures": FIGURES,
        "account_ids": listed(_WHOLE),
        "accounts": listed(EXPLAINED),
        "next_cursor": or_null(TEXT),
    },
)

_SNAPSHOT: Final = closed(
    "Snapshot",
    {"account_id": _WHOLE, "at": TIME, "btc_value": SIGNED_AMOUNT, "usd_value": SIGNED_AMOUNT},
)
SNAPSHOTS: Final = closed(
    "Snapshots", {"snapshots": listed(_SNAPSHOT), "next_cursor": or_null(TEXT)}
)
_HISTORY_POINT: Final = closed(
    "HistoryPoint",
    {
        "at": TIME,
        "btc_value": SIGNED_AMOUNT,
        "usd_value": SIGNED_AMOUNT,
        "btc_deposited": or_null(SIGNED_AMOUNT),
        "usd_deposited": or_null(SIGNED_AMOUNT),
        "seen_at": or_null(TIME),
        "carried": BOOLEAN,
        "accounts_carried": _WHOLE,
    },
)
HISTORY: Final = closed("History", {"points": listed(_HISTORY_POINT)})
_POSITION: Final = closed(
    "OwnPosition",
    {
        "account_id": _WHOLE,
        "wallet": TEXT,
        "asset": TEXT,
        "venue_code": TEXT,
        "free": SIGNED_AMOUNT,
        "in_orders": SIGNED_AMOUNT,
        "borrowed": SIGNED_AMOUNT,
        "interest": SIGNED_AMOUNT,
        "unrealised": SIGNED_AMOUNT,
        "owned": SIGNED_AMOUNT,
        "is_counted": BOOLEAN,
        "not_counted_as": {"enum": ["pending", "spam", "unlisted", "ignored", None]},
        **PRICED,
    },
)
POSITIONS: Final = closed(
    "OwnPositions", {"positions": listed(_POSITION), "next_cursor": or_null(TEXT)}
)
