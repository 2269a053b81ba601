"""The forms of the own API's accounts, for the OpenAPI document."""

from typing import Any, Final

from coffers.api.account_schema import Schema

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_WHOLE: Final[Schema] = {"type": "integer"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]+$"}


def listed(schema: Schema) -> Schema:
    """Return the form of a list."""
    return {"type": "array", "items": schema}


def or_null(schema: Schema) -> Schema:
    """Return the form of what may be unknown."""
    return {"anyOf": [schema, {"type": "null"}]}


def closed(title: str, properties: dict[str, Any]) -> Schema:
    """Return the form of an object with these keys and no others."""
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_GAIN: Final = or_null(closed("Gain", {"profit": _AMOUNT, "percentage": _AMOUNT}))
_CURRENCY: Final[dict[str, Any]] = {
    "amount": or_null(_AMOUNT),
    "day": _GAIN,
    "month": _GAIN,
    "total_profit": or_null(_AMOUNT),
}
FIGURES: Final = closed(
    "Figures",
    {
        "btc": closed("FiguresInBtc", _CURRENCY),
        "usd": closed("FiguresInUsd", _CURRENCY),
        "display": closed("FiguresInDisplayCurrency", {"currency": _TEXT, **_CURRENCY}),
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
        "is_complete": _FLAG,
        "reasons": _REASONS,
        "as_of": _TIME,
        "read_at": or_null(_TIME),
        "unpriced": listed(_TEXT),
        "held_back": listed(_TEXT),
        "missing_wallets": listed(_TEXT),
        "ignored": listed(_TEXT),
        "price_sources": listed(_TEXT),
        "oldest_price_at": or_null(_TIME),
    },
)
_FAILURE: Final = closed(
    "ReadingFailure",
    {"kind": _TEXT, "code": or_null(_TEXT), "message": or_null(_TEXT), "times": _WHOLE},
)
_STATE: Final = closed(
    "AccountState",
    {
        "key_state": {"enum": ["ok", "expire_soon", "expired"]},
        "is_locked": _FLAG,
        "lock_reason": or_null(_TEXT),
        "next_reading_at": _TIME,
        "last_failure": or_null(_FAILURE),
        "has_doubted_reading": _FLAG,
    },
)
_ACCOUNT: Final[dict[str, Any]] = {
    "id": _WHOLE,
    "name": _TEXT,
    "kind": {"enum": ["exchange", "wallet", "manual", "paper"]},
    "mode": {"enum": ["real", "paper"]},
    "market_code": _TEXT,
    "market_name": _TEXT,
    "address": or_null(_TEXT),
    "subaccount_name": or_null(_TEXT),
    "include_in_summary": _FLAG,
    "version": _WHOLE,
    "created_at": _TIME,
    "updated_at": _TIME,
    "state": _STATE,
    "figures": FIGURES,
    "quality": _QUALITY,
}
_OF_BOOK: Final[dict[str, Any]] = {
    "epoch": _WHOLE,
    "prices_at": or_null(_TIME),
    "prices_age_seconds": or_null({"type": "number"}),
    "told_at": _TIME,
}
ACCOUNT: Final = closed("OwnAccount", {**_ACCOUNT, **_OF_BOOK})
ACCOUNTS: Final = closed(
    "OwnAccounts",
    {
        "accounts": listed(closed("ListedAccount", _ACCOUNT)),
        "next_cursor": or_null(_TEXT),
        **_OF_BOOK,
    },
)
SUMMARY: Final = closed(
    "OwnSummary",
    {
        "account_ids": listed(_WHOLE),
        "figures": FIGURES,
        "is_complete": _FLAG,
        "incomplete": listed(
            closed("IncompleteAccount", {"account_id": _WHOLE, "reasons": _REASONS})
        ),
        "oldest_reading_at": or_null(_TIME),
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
    "btc_value": or_null(_AMOUNT),
    "usd_value": or_null(_AMOUNT),
}
_WALLET: Final = closed("WalletPart", {"wallet": _TEXT, "venue_code": _TEXT, "amount": _AMOUNT})
_HOLDING: Final = closed(
    "ExplainedHolding",
    {"asset": _TEXT, "amount": _AMOUNT, "wallets": or_null(listed(_WALLET)), **PRICED},
)
_FLOW: Final = closed(
    "ExplainedFlow",
    {
        "id": _TEXT,
        "direction": {"enum": ["in", "out"]},
        "asset": _TEXT,
        "amount": _AMOUNT,
        "at": _TIME,
        "valued_at": _TIME,
        "btc_value": or_null(_AMOUNT),
        "usd_value": or_null(_AMOUNT),
        "rate": or_null(_AMOUNT),
        "display_value": or_null(_AMOUNT),
        "is_counted": _FLAG,
    },
)
_POINT: Final = closed(
    "SeriesPoint",
    {
        "at": _TIME,
        "btc_value": _AMOUNT,
        "usd_value": _AMOUNT,
        "rate": or_null(_AMOUNT),
        "value": or_null(_AMOUNT),
        "net_inflow": or_null(_AMOUNT),
        "earned": _AMOUNT,
    },
)
_WINDOW: Final = or_null(
    closed(
        "ProfitWindow",
        {
            "since": _TIME,
            "earlier": _POINT,
            "later": or_null(_POINT),
            "baseline": _AMOUNT,
            "profit": _AMOUNT,
            "percentage": _AMOUNT,
        },
    )
)
_RECKONED: Final[dict[str, Any]] = {
    "rate": or_null(_AMOUNT),
    "amount": or_null(_AMOUNT),
    "opening": or_null(_POINT),
    "now": or_null(_POINT),
    "day": _WINDOW,
    "month": _WINDOW,
    "total_profit": or_null(_AMOUNT),
}
_IN_THREE: Final[dict[str, Any]] = {name: or_null(_AMOUNT) for name in ("btc", "usd", "display")}
EXPLAINED: Final = closed(
    "ExplainedAccount",
    {
        "account_id": _WHOLE,
        "version": _WHOLE,
        "as_of": _TIME,
        "prices_at": or_null(_TIME),
        "epoch": _WHOLE,
        "holdings": listed(_HOLDING),
        "ignored": listed(_TEXT),
        "flows": listed(_FLOW),
        "earlier_flows": or_null(
            closed(
                "EarlierFlows",
                {"count": _WHOLE, "until": _TIME, "net_inflow": closed("NetInflow", _IN_THREE)},
            )
        ),
        "figures": closed(
            "ExplainedFigures",
            {
                "btc": closed("ReckonedInBtc", _RECKONED),
                "usd": closed("ReckonedInUsd", _RECKONED),
                "display": closed("ReckonedInDisplay", {"currency": _TEXT, **_RECKONED}),
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
        "next_cursor": or_null(_TEXT),
    },
)

_SNAPSHOT: Final = closed(
    "Snapshot", {"account_id": _WHOLE, "at": _TIME, "btc_value": _AMOUNT, "usd_value": _AMOUNT}
)
SNAPSHOTS: Final = closed(
    "Snapshots", {"snapshots": listed(_SNAPSHOT), "next_cursor": or_null(_TEXT)}
)
_HISTORY_POINT: Final = closed(
    "HistoryPoint",
    {
        "at": _TIME,
        "btc_value": _AMOUNT,
        "usd_value": _AMOUNT,
        "btc_deposited": or_null(_AMOUNT),
        "usd_deposited": or_null(_AMOUNT),
        "seen_at": or_null(_TIME),
        "carried": _FLAG,
        "accounts_carried": _WHOLE,
    },
)
HISTORY: Final = closed("History", {"points": listed(_HISTORY_POINT)})
_POSITION: Final = closed(
    "OwnPosition",
    {
        "account_id": _WHOLE,
        "wallet": _TEXT,
        "asset": _TEXT,
        "venue_code": _TEXT,
        "free": _AMOUNT,
        "in_orders": _AMOUNT,
        "borrowed": _AMOUNT,
        "interest": _AMOUNT,
        "unrealised": _AMOUNT,
        "owned": _AMOUNT,
        "is_counted": _FLAG,
        "not_counted_as": {"enum": ["pending", "spam", "unlisted", "ignored", None]},
        **PRICED,
    },
)
POSITIONS: Final = closed(
    "OwnPositions", {"positions": listed(_POSITION), "next_cursor": or_null(_TEXT)}
)
