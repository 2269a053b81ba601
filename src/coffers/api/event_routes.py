"""`GET /public/api/v1/events`: what changed, in order, from any point on."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response

from coffers.access.call import Caller
from coffers.api.documents import ERRORS_OF_SIGNED, FORCED_MODE, SIGNED, parameter, reply
from coffers.api.door import Admitted, Door
from coffers.api.event_schema import EVENTS
from coffers.api.given import Given
from coffers.api.replies import json_reply
from coffers.api.schema_words import TEXT, Schema
from coffers.api.services import Services
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.events import MOST_AT_ONCE, EventLog, as_plain, kinds_of
from coffers.store.events import MOST_NUMBER, EventFilter

EVENTS_PATH: Final = "/public/api/v1/events"
USUAL_LIMIT: Final = 100

_COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
AFTER: Final = parameter(
    "after", "query", "The `id` of the last event at hand.", {"type": "integer", "minimum": 0}
)
WANTED: Final = [
    parameter("kind", "query", "Those of these kinds alone, commas apart.", TEXT),
    parameter("account_id", "query", "Those of one account alone.", _COUNT),
    FORCED_MODE,
]
_LIMIT: Final = parameter(
    "limit",
    "query",
    "Events per page.",
    {**_COUNT, "maximum": MOST_AT_ONCE, "default": USUAL_LIMIT},
)


def add_events(app: FastAPI, services: Services, door: Door) -> None:
    """Add the pages of events."""
    log = EventLog(services.store)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        EVENTS_PATH,
        tags=["events"],
        summary="What changed",
        response_class=JSONResponse,
        responses={**reply(200, "Events in their order.", EVENTS), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": [AFTER, _LIMIT, *WANTED]},
    )
    async def events(admitted: reader) -> Response:
        """Return events after the one that is named, of accounts of the request's mode.

        Permission: ACCOUNTS_READ. Security: SIGNED. Events are kept for 30 days.
        """
        caller, given = admitted.caller, admitted.given
        limit = given.number("limit", USUAL_LIMIT, range(1, MOST_AT_ONCE + 1))
        page = await log.page(caller.user_id, after_of(given) or 0, limit, filter_of(caller, given))
        return json_reply(msgspec.json.encode(as_plain(page)))


def after_of(given: Given) -> int | None:
    """Return the number of the last event that a caller has, None where it does not say.

    Raises:
        InvalidRecord: for what is no number.
    """
    if given.text("after") is None:
        return None
    return given.number("after", 0, range(MOST_NUMBER + 1))


def filter_of(caller: Caller, given: Given) -> EventFilter:
    """Return which events a caller asks for: of the request's mode, and by the parameters.

    Raises:
        InvalidRecord: for a kind that there is not, and for what is no id.
    """
    kinds, account_id = given.text("kind"), None
    if given.text("account_id") is not None:
        account_id = given.number("account_id", 0, range(1, MOST_ID + 1))
    named = [] if kinds is None else [kind.strip() for kind in kinds.split(",")]
    return EventFilter(caller.mode, kinds_of("kind", named), account_id)
