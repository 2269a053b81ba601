"""The forms of portfolios, of how accounts are rebalanced, and of plans, for OpenAPI."""

from typing import Final

from coffers.api.account_schema import Schema

AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]+$"}
_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_INTEGER: Final[Schema] = {"type": "integer"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_BY_ASSET: Final[Schema] = {"type": "object", "additionalProperties": AMOUNT}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


PORTFOLIO: Final = _object(
    id=_INTEGER,
    name=_TEXT,
    targets={**_BY_ASSET, "description": "Shares in percent, exactly 100 together."},
    tolerance={**AMOUNT, "description": "By how many points a share may be off."},
    sells_others={**_FLAG, "description": "Whether everything else that is held is sold."},
    created_at=_TIME,
    updated_at=_TIME,
)
PORTFOLIOS: Final = _object(portfolios=_list(PORTFOLIO), next_cursor=_or_null(_TEXT))
METHOD: Final[Schema] = {"enum": ["time", "currency_change"]}
SETTINGS: Final = _object(
    enabled=_FLAG,
    portfolio=_or_null(PORTFOLIO),
    method=_or_null(METHOD),
    period={**_INTEGER, "description": "Hours."},
    currency_change_limit={**_or_null(_INTEGER), "description": "Percent."},
    last_run_at=_or_null(_TIME),
    next_run_at={**_or_null(_TIME), "description": "Null where it waits for a price to move."},
    is_running=_FLAG,
    failures={**_INTEGER, "description": "Failed runs in a row."},
    error=_or_null(_TEXT),
    prices_at_last_run={**_BY_ASSET, "description": "USD; what a move is measured from."},
)
_LINE: Final = _object(
    asset=_TEXT,
    amount=AMOUNT,
    free={**AMOUNT, "description": "What orders may spend of it."},
    price_usd=AMOUNT,
    usd_amount=AMOUNT,
    share={**AMOUNT, "description": "Percent of what is balanced."},
    target=AMOUNT,
    share_after={**AMOUNT, "description": "Once all orders are filled at the plan's prices."},
)
_ORDER: Final = _object(
    side={"enum": ["buy", "sell"]},
    base=_TEXT,
    quote=_TEXT,
    amount={**AMOUNT, "description": "Units of the base."},
    price={**AMOUNT, "description": "Units of the quote per unit of the base."},
    usd_amount=AMOUNT,
    fee={**AMOUNT, "description": "The share that is reckoned with: 0.001 is 0.1 %."},
    spent=AMOUNT,
    spent_asset=_TEXT,
    received={**AMOUNT, "description": "Without the fee."},
    received_asset=_TEXT,
)
_UNPLANNED: Final = _object(
    asset=_TEXT,
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
    points_off={**_or_null(AMOUNT), "description": "By how much its share is too high then."},
)
PLAN: Final = _object(
    account_id=_INTEGER,
    portfolio_id=_INTEGER,
    planned_at=_TIME,
    read_at=_or_null(_TIME),
    prices_at=_TIME,
    verdict={"enum": ["planned", "within_tolerance", "nothing_held"]},
    usd_amount={**AMOUNT, "description": "The worth of what is balanced."},
    tolerance=AMOUNT,
    quote={**_or_null(_TEXT), "description": "The currency that money goes through."},
    assets=_list(_LINE),
    orders=_list(_ORDER),
    unplanned=_list(_UNPLANNED),
)
RUN: Final = _object(
    planned_at=_TIME,
    state={"enum": ["done", "partly", "failed", "running"]},
    operation_id=_or_null(_INTEGER),
    error=_or_null(_TEXT),
    plan=_or_null(PLAN),
)
