"""The forms of portfolios, of how accounts are rebalanced, and of plans, for OpenAPI."""

from typing import Final

from coffers.api.schema_words import BOOLEAN, SIGNED_AMOUNT, TEXT, TIME, Schema, or_null

_INTEGER: Final[Schema] = {"type": "integer"}
_BY_ASSET: Final[Schema] = {"type": "object", "additionalProperties": SIGNED_AMOUNT}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


PORTFOLIO: Final = _object(
    id=_INTEGER,
    name=TEXT,
    targets={**_BY_ASSET, "description": "Shares in percent, exactly 100 together."},
    tolerance={**SIGNED_AMOUNT, "description": "By how many points a share may be off."},
    sells_others={**BOOLEAN, "description": "Whether everything else that is held is sold."},
    created_at=TIME,
    updated_at=TIME,
)
PORTFOLIOS: Final = _object(portfolios=_list(PORTFOLIO), next_cursor=or_null(TEXT))
METHOD: Final[Schema] = {"enum": ["time", "currency_change"]}
SETTINGS: Final = _object(
    enabled=BOOLEAN,
    portfolio=or_null(PORTFOLIO),
    method=or_null(METHOD),
    period={**_INTEGER, "description": "Hours."},
    currency_change_limit={**or_null(_INTEGER), "description": "Percent."},
    last_run_at=or_null(TIME),
    next_run_at={**or_null(TIME), "description": "Null where it waits for a price to move."},
    is_running=BOOLEAN,
    failures={**_INTEGER, "description": "Failed runs in a row."},
    error=or_null(TEXT),
    prices_at_last_run={**_BY_ASSET, "description": "USD; what a move is measured from."},
)
_LINE: Final = _object(
    asset=TEXT,
    amount=SIGNED_AMOUNT,
    free={**SIGNED_AMOUNT, "description": "What orders may spend of it."},
    price_usd=SIGNED_AMOUNT,
    usd_amount=SIGNED_AMOUNT,
    share={**SIGNED_AMOUNT, "description": "Percent of what is balanced."},
    target=SIGNED_AMOUNT,
    share_after={
        **SIGNED_AMOUNT,
        "description": "Once all orders are filled at the plan's prices.",
    },
)
_ORDER: Final = _object(
    side={"enum": ["buy", "sell"]},
    base=TEXT,
    quote=TEXT,
    amount={**SIGNED_AMOUNT, "description": "Units of the base."},
    price={**SIGNED_AMOUNT, "description": "Units of the quote per unit of the base."},
    usd_amount=SIGNED_AMOUNT,
    fee={**SIGNED_AMOUNT, "description": "The share that is reckoned with: 0.001 is 0.1 %."},
    spent=SIGNED_AMOUNT,
    spent_asset=TEXT,
    received={**SIGNED_AMOUNT, "description": "Without the fee."},
    received_asset=TEXT,
)
_UNPLANNED: Final = _object(
    asset=TEXT,
    reason={
        "enum": [
            "no_pair",
            "not_free",
            "too_small",
            "too_large",
            "unpriced",
            "one_venue",
            "refused",
        ]
    },
    points_off={**or_null(SIGNED_AMOUNT), "description": "By how much its share is too high then."},
)
PLAN: Final = _object(
    account_id=_INTEGER,
    portfolio_id=_INTEGER,
    planned_at=TIME,
    read_at=or_null(TIME),
    prices_at=TIME,
    verdict={"enum": ["planned", "within_tolerance", "nothing_held"]},
    usd_amount={**SIGNED_AMOUNT, "description": "The worth of what is balanced."},
    tolerance=SIGNED_AMOUNT,
    quote={**or_null(TEXT), "description": "The currency that money goes through."},
    assets=_list(_LINE),
    orders=_list(_ORDER),
    unplanned=_list(_UNPLANNED),
)
RUN: Final = _object(
    planned_at=TIME,
    state={"enum": ["done", "partly", "failed", "running"]},
    operation_id=or_null(_INTEGER),
    error=or_null(TEXT),
    plan=or_null(PLAN),
)
