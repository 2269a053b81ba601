"""The shapes of operations and transfers in the API's document."""

from typing import Final, get_args

from coffers.api.schema_words import TEXT, TIME, Schema
from coffers.store.operations import State, StepKind, StepState

_MAYBE: Final[Schema] = {"type": ["string", "null"]}
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
    base={**TEXT, "description": "The exchange's code of what is sold, bought or moved."},
    quote={**TEXT, "description": "What it is paid in; of a transfer the wallet that it goes to."},
    side={**TEXT, "description": "`buy`, `sell`; of a transfer the wallet that it leaves."},
    amount={**_MAYBE, "description": "As planned, in units of base."},
    filled={**_MAYBE, "description": "What was done of it; null: not known, or nothing yet."},
    cost={**_MAYBE, "description": "What it came to, in units of quote."},
    fee=_MAYBE,
    fee_asset=_MAYBE,
    state={"enum": list(get_args(StepState))},
    why=_MAYBE,
    client_order_id=TEXT,
    exchange_order_id=_MAYBE,
    updated_at=TIME,
)
OPERATION: Final = _object(
    id=_ID,
    account_id=_ID,
    kind=TEXT,
    state={"enum": list(get_args(State))},
    why=_MAYBE,
    steps={"type": "array", "items": _STEP},
    left={"type": "object", "additionalProperties": TEXT},
    created_at=TIME,
    updated_at=TIME,
)
OPERATIONS: Final = _object(operations={"type": "array", "items": OPERATION}, next_cursor=_MAYBE)
CONVERTED: Final[Schema] = {
    "type": ["object", "null"],
    "required": ["totalTransfered", "totalServiceCharge", "transferResult"],
    "properties": {
        "totalTransfered": TEXT,
        "totalServiceCharge": TEXT,
        "transferResult": {"type": "array", "items": {"type": "object"}},
    },
}
WAYS: Final[Schema] = {
    "type": "array",
    "items": _object(
        from_account_id=_ID,
        from_account_name=TEXT,
        to_account_id=_ID,
        to_account_name=TEXT,
        currencies={"type": "array", "items": _object(currency=TEXT, available=TEXT)},
    ),
}
TRANSFERS: Final[Schema] = {
    "type": "array",
    "items": _object(
        id=_ID,
        from_account_id=_ID,
        to_account_id=_ID,
        currency=TEXT,
        amount=TEXT,
        state={"enum": list(get_args(State))},
        why=_MAYBE,
        created_at=TIME,
    ),
}
