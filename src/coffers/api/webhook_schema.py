"""The forms of webhooks and their deliveries, for the OpenAPI document."""

from typing import Final

from coffers.api.event_schema import KIND
from coffers.api.schema_words import TEXT, TIME, Schema, object_of, or_null

_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
MODE: Final[Schema] = {"enum": ["real", "paper"]}

WEBHOOK: Final = object_of(
    {
        "id": {"type": "integer"},
        "url": TEXT,
        "kinds": {
            "type": "array",
            "items": KIND,
            "description": "The kinds of events that are sent; all where it is empty.",
        },
        "mode": {**MODE, "description": "Whose accounts' events are sent."},
        "is_active": {"type": "boolean"},
        "disabled_reason": or_null(
            {"enum": ["failing", "gone"]}, "Why the server gave it up; null where it did not."
        ),
        "failing_since": or_null(TIME, "The first failure since the last success."),
        "created_at": TIME,
        "updated_at": TIME,
    }
)
_SECRET: Final[Schema] = {
    **TEXT,
    "description": "What deliveries are signed with. It is told this once.",
}
NEW_WEBHOOK: Final[Schema] = {
    **WEBHOOK,
    "properties": {**WEBHOOK["properties"], "secret": _SECRET},
    "required": [*WEBHOOK["required"], "secret"],
}
CHANGED_WEBHOOK: Final[Schema] = {
    **WEBHOOK,
    "properties": {**WEBHOOK["properties"], "secret": _SECRET},
}
WEBHOOKS: Final = object_of(
    {
        "webhooks": {"type": "array", "items": WEBHOOK},
        "next_cursor": or_null(TEXT, "`cursor` of the next page; null on the last one."),
    }
)
DELIVERY: Final = object_of(
    {
        "id": {**TEXT, "description": "The same at each try, as in `Coffers-Delivery`."},
        "event_id": or_null(_COUNT, "The event's id; null for a test."),
        "kind": TEXT,
        "state": {"enum": ["pending", "delivered", "given_up"]},
        "tries": _COUNT,
        "status": or_null({"type": "integer"}, "What the last try was answered."),
        "error": or_null(
            {"enum": ["refused", "unreachable", "timeout", "blocked", "failed"]},
            "How the last try failed; null where it did not.",
        ),
        "created_at": TIME,
        "next_try_at": or_null(TIME, "Not tried again before; null once it ended."),
        "ended_at": or_null(TIME, "When it arrived, or was given up."),
    }
)
DELIVERIES: Final = object_of(
    {
        "deliveries": {"type": "array", "items": DELIVERY},
        "next_cursor": or_null(TEXT, "`cursor` of the next page; null on the last one."),
    }
)
