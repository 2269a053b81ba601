"""The shapes of operations and transfers in the API's document."""

from typing import Final, get_args

from coffers.api.account_schema import Schema
from coffers.store.operations import State, StepKind, StepState

_TEXT: Final[Schema] = {"type": "string"}
_MAYBE: Final[Schema] = {"type": ["string", "null"]}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_ID: Final[Schema] = {"type": "integer"}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


_STEP: Final = _object(
    kind={"enum": list(get_args(StepKind))},
    base={**_TEXT, "description": "The exchange's code of what is sold, bought or moved."},
    quote={**_TEXT, "description": "What it is paid in; of a transfer the wallet that it goes to."},
    side={**_TEXT, "description": "`buy`, `sell`; of a transfer the wallet that it leaves."},
    amount={**_MAYBE, "description": "As planned, in units of base."},
    filled={**_MAYBE, "description": "What was done of it; null: not known, or nothing yet."},
    cost={**_MAYBE, "description": "What it came to, in units of quote."},
    fee=_MAYBE,
    fee_asset=_MAYBE,
    state={"enum": list(get_args(StepState))},
    why=_MAYBE,
    client_order_id=_TEXT,
    exchange_order_id=_MAYBE,
    updated_at=_TIME,
)
OPERATION: Final = _object(
    id=_ID,
    account_id=_ID,
    kind=_TEXT,
    state={"enum": list(get_args(State))},
    why=_MAYBE,
    steps={"type": "array", "items": _STEP},
    left={"type": "object", "additionalProperties": _TEXT},
    created_at=_TIME,
    updated_at=_TIME,
)
OPERATIONS: Final = _object(operations={"type": "array", "items": OPERATION}, next_cursor=_MAYBE)
CONVERTED: Final[Schema] = {
    "type": ["object", "null"],
    "required": ["totalTransfered", "totalServiceCharge", "transferResult"],
    "properties": {
        "totalTransfered": _TEXT,
        "totalServiceCharge": _TEXT,
        "transferResult": {"type": "array", "items": {"type": "object"}},
    },
}
WAYS: Final[Schema] = {
    "type": "array",
    "items": _object(
        from_account_id=_ID,
        from_account_name=_TEXT,
        to_account_id=_ID,
        to_account_name=_TEXT,
        currencies={"type": "array", "items": _object(currency=_TEXT, available=_TEXT)},
    ),
}
TRANSFERS: Final[Schema] = {
    "type": "array",
    "items": _object(
        id=_ID,
        from_account_id=_ID,
        to_account_id=_ID,
        currency=_TEXT,
        amount=_TEXT,
        state={"enum": list(get_args(State))},
        why=_MAYBE,
        created_at=_TIME,
    ),
}
