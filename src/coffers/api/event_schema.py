"""The form of events, for the OpenAPI document."""

from typing import Final

from coffers.api.schema_words import BOOLEAN, Schema, object_of, or_null
from coffers.store.events import EVENT_KINDS

KIND: Final[Schema] = {"enum": list(EVENT_KINDS)}
_NUMBER: Final = {"type": "integer", "minimum": 0}


EVENT: Final = object_of(
    {
        "id": {"type": "integer", "minimum": 1, "description": "Grows by one with each event."},
        "kind": KIND,
        "account_id": or_null({"type": "integer"}, "The account; it may be gone by now."),
        "mode": or_null({"enum": ["real", "paper"]}, "The account's mode."),
        "at": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "description": "What there is to say of this kind."},
    }
)
EVENTS: Final[Schema] = {
    "title": "Events",
    **object_of(
        {
            "events": {"type": "array", "items": EVENT},
            "next_after": {**_NUMBER, "description": "`after` of the next page."},
            "has_more": {**BOOLEAN, "description": "Whether there are more already."},
            "is_complete": {
                **BOOLEAN,
                "description": "False where events after `after` are forgotten already, or `after` "
                "is of another time than this database's.",
            },
        }
    ),
}
SENT: Final[Schema] = {
    "title": "ServerSentEvent",
    "description": "One of the events that the stream is made of.",
    "type": "object",
    "properties": {
        "event": {"enum": ["open", "prices", "gap", *EVENT_KINDS]},
        "data": {"type": "string", "description": "JSON; of a kind of events, the event."},
        "id": {"type": "string", "description": "The event's id, of `open` one to begin after."},
        "retry": {"type": "integer"},
    },
    "required": ["event", "data"],
    "additionalProperties": False,
}
