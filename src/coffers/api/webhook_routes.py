"""`/public/api/v1/webhooks`: where a user's events are sent to."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Path
from fastapi.responses import JSONResponse

from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    NOT_FOUND,
    SIGNED,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.event_schema import KIND
from coffers.api.given import Given
from coffers.api.schema_words import BOOLEAN, Schema
from coffers.api.services import Services
from coffers.api.webhook_schema import (
    CHANGED_WEBHOOK,
    DELIVERIES,
    DELIVERY,
    MODE,
    NEW_WEBHOOK,
    WEBHOOK,
    WEBHOOKS,
)
from coffers.errors import InvalidRecord
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.events import kinds_of
from coffers.portfolio.webhooks import (
    Webhooks,
    WebhookWanted,
    WebhookWithSecret,
    plain_delivery,
    plain_webhook,
)
from coffers.store.events import MOST_NUMBER
from coffers.store.records import Mode

WEBHOOKS_PATH: Final = "/public/api/v1/webhooks"
MOST_AT_ONCE: Final = 100

_ONE: Final = f"{WEBHOOKS_PATH}/{{webhook_id:id}}"
_HEADERS: Final = {"Cache-Control": "no-store"}
_KINDS: Final = "kinds[]"
_SAID: Final[dict[str, tuple[str, Schema]]] = {
    "url": (
        "An https:// address, or http:// to this machine.",
        {"type": "string", "maxLength": 2048},
    ),
    _KINDS: ("The kinds of events that are sent; none for all.", {"type": "array", "items": KIND}),
    "mode": ("Whose accounts' events are sent; by default the request's.", MODE),
    "is_active": ("Whether anything is sent.", BOOLEAN),
}
_CHANGED: Final = {
    **_SAID,
    "renew_secret": ("Whether it gets a new secret, which counts from now on.", BOOLEAN),
}
_PAGE: Final = [
    parameter(
        "limit",
        "query",
        "How many per page.",
        {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": MOST_AT_ONCE},
    ),
    parameter("cursor", "query", "`next_cursor` of the page before.", {"type": "string"}),
]
_MODES: Final[dict[str, Mode]] = {"real": "real", "paper": "paper"}

WebhookId = Annotated[int, Path(description="The webhook's id.", ge=0)]


def add_webhooks(app: FastAPI, services: Services, door: Door) -> None:
    """Add webhooks and their deliveries."""
    networks = services.settings.webhook_networks
    webhooks = Webhooks(services.store, services.vault, services.clock, networks)
    _add_shown(app, webhooks, door)
    _add_changes(app, webhooks, door)
    _add_deliveries(app, webhooks, door)


def _add_shown(app: FastAPI, webhooks: Webhooks, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        WEBHOOKS_PATH,
        summary="Webhooks",
        openapi_extra={**SIGNED, "parameters": _PAGE},
        **_described(reply(200, "A page of webhooks, by id.", WEBHOOKS)),
    )
    async def list_webhooks(admitted: reader) -> JSONResponse:
        """Return webhooks, without their secrets. Permission: ACCOUNTS_READ. Security: SIGNED."""
        limit, after = _limit(admitted.given), _cursor(admitted.given, MOST_ID)
        found = await webhooks.page(admitted.caller.user_id, limit + 1, after or 0)
        shown = found[:limit]
        told = {
            "webhooks": [plain_webhook(WebhookWithSecret(webhook)) for webhook in shown],
            "next_cursor": str(shown[-1].id) if len(found) > limit else None,
        }
        return JSONResponse(told, headers=_HEADERS)

    @app.get(
        _ONE,
        summary="A webhook",
        openapi_extra=SIGNED,
        **_described({**reply(200, "The webhook.", WEBHOOK), **NOT_FOUND}),
    )
    async def show_webhook(webhook_id: WebhookId, admitted: reader) -> JSONResponse:
        """Return a webhook, without its secret. Permission: ACCOUNTS_READ. Security: SIGNED."""
        found = await webhooks.get(admitted.caller.user_id, webhook_id)
        return JSONResponse(plain_webhook(WebhookWithSecret(found)), headers=_HEADERS)


def _add_changes(app: FastAPI, webhooks: Webhooks, door: Door) -> None:
    # What is sent to a webhook is what a token is shown that may read.
    both = Annotated[Admitted, Depends(door.admitting("accounts_read", "accounts_write"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    said = in_query_or_body(**_SAID)

    @app.post(
        WEBHOOKS_PATH,
        status_code=201,
        summary="Make a webhook",
        openapi_extra={**SIGNED, **said, "parameters": [*said["parameters"], FORCED_MODE]},
        **_described(reply(201, "The webhook, with its secret.", NEW_WEBHOOK)),
    )
    async def create_webhook(admitted: both) -> JSONResponse:
        """Have events sent to an address from now on.

        Permission: ACCOUNTS_READ and ACCOUNTS_WRITE. Security: SIGNED. The secret is told this
        once.
        """
        caller = admitted.caller
        made = await webhooks.create(caller.user_id, _wanted(admitted.given), caller.mode)
        return JSONResponse(plain_webhook(made), 201, headers=_HEADERS)

    @app.put(
        _ONE,
        summary="Change a webhook",
        openapi_extra={**SIGNED, **in_query_or_body(**_CHANGED)},
        **_described({**reply(200, "The webhook as it is now.", CHANGED_WEBHOOK), **NOT_FOUND}),
    )
    async def change_webhook(webhook_id: WebhookId, admitted: both) -> JSONResponse:
        """Change what is given, and nothing else.

        Permission: ACCOUNTS_READ and ACCOUNTS_WRITE. Security: SIGNED. A webhook that is made
        active again goes on where it stopped.
        """
        wanted = _wanted(admitted.given)
        changed = await webhooks.change(admitted.caller.user_id, webhook_id, wanted)
        return JSONResponse(plain_webhook(changed), headers=_HEADERS)

    @app.delete(
        _ONE,
        summary="Remove a webhook",
        openapi_extra=SIGNED,
        **_described({**reply(200, "It is removed.", {"const": True}), **NOT_FOUND}),
    )
    async def remove_webhook(webhook_id: WebhookId, admitted: writer) -> JSONResponse:
        """Send nothing more, and forget what waits.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        await webhooks.remove(admitted.caller.user_id, webhook_id)
        return JSONResponse(True, headers=_HEADERS)


def _add_deliveries(app: FastAPI, webhooks: Webhooks, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.post(
        f"{_ONE}/test",
        status_code=201,
        summary="Try a webhook out",
        openapi_extra=SIGNED,
        **_described({**reply(201, "The delivery, not tried yet.", DELIVERY), **NOT_FOUND}),
    )
    async def test_webhook(webhook_id: WebhookId, admitted: writer) -> JSONResponse:
        """Have an event of kind `test` sent, signed as all are.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. How it ended is told by the deliveries.
        """
        made = await webhooks.test(admitted.caller.user_id, webhook_id)
        return JSONResponse(plain_delivery(made), 201, headers=_HEADERS)

    @app.get(
        f"{_ONE}/deliveries",
        summary="Deliveries of a webhook",
        openapi_extra={**SIGNED, "parameters": _PAGE},
        **_described({**reply(200, "Deliveries, newest first.", DELIVERIES), **NOT_FOUND}),
    )
    async def list_deliveries(webhook_id: WebhookId, admitted: reader) -> JSONResponse:
        """Return what was sent, or waits, and how the last try of each ended.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        limit, before = _limit(admitted.given), _cursor(admitted.given, MOST_NUMBER)
        user_id = admitted.caller.user_id
        found = await webhooks.deliveries(user_id, webhook_id, limit + 1, before)
        shown = found[:limit]
        told = {
            "deliveries": [plain_delivery(delivery) for delivery in shown],
            "next_cursor": str(shown[-1].number) if len(found) > limit else None,
        }
        return JSONResponse(told, headers=_HEADERS)


def _wanted(given: Given) -> WebhookWanted:
    kinds, mode = given.texts(_KINDS), given.text("mode")
    if mode is not None and mode not in _MODES:
        raise InvalidRecord({"mode": ["does not have a valid value"]})
    if kinds is not None:
        # A query or form can tell an empty list by an empty text alone.
        kinds = [kind for kind in kinds if kind]
    return WebhookWanted(
        url=given.text("url"),
        kinds=None if kinds is None else kinds_of("kinds", kinds),
        mode=None if mode is None else _MODES[mode],
        is_active=given.flag("is_active"),
        renews_secret=given.flag("renew_secret") is True,
    )


def _limit(given: Given) -> int:
    return given.number("limit", MOST_AT_ONCE, range(1, MOST_AT_ONCE + 1))


def _cursor(given: Given, most: int) -> int | None:
    if given.text("cursor") is None:
        return None
    return given.number("cursor", 0, range(most + 1))


def _described(answers: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tags": ["webhooks"],
        "response_class": JSONResponse,
        "responses": {**answers, **ERRORS_OF_SIGNED},
    }
