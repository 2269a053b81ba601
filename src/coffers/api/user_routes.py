"""The routes of the user behind a token: what the token may do, and which accounts are shown."""

from typing import Annotated, Final, get_args

import msgspec
from fastapi import Depends, FastAPI
from fastapi.responses import Response

from coffers.access.tokens import PERMISSIONS, wire_name
from coffers.api.documents import ERRORS_OF_SIGNED, FORCED_MODE, SIGNED, in_query_or_body, reply
from coffers.api.door import Admitted, Door
from coffers.api.paths import BASE
from coffers.api.replies import json_reply
from coffers.api.schema_words import Schema
from coffers.api.services import Services
from coffers.portfolio.users import LOCALES, Users
from coffers.store.records import Mode

_encode: Final = msgspec.json.Encoder().encode
_MODES: Final[Schema] = {"enum": list(get_args(Mode))}
_MODE: Final[Schema] = {
    "type": "object",
    "required": ["mode"],
    "properties": {"mode": _MODES},
    "additionalProperties": False,
}
_LOCALES: Final[Schema] = {"enum": list(LOCALES)}
_LOCALE: Final[Schema] = {
    "type": "object",
    "required": ["locale"],
    "properties": {"locale": _LOCALES},
    "additionalProperties": False,
}
_RIGHTS: Final[Schema] = {
    "type": "object",
    "required": [wire_name(each) for each in PERMISSIONS],
    "properties": {wire_name(each): {"type": "boolean"} for each in PERMISSIONS},
    "additionalProperties": False,
}


def add_users(app: FastAPI, services: Services, door: Door) -> None:
    """Add `permissions_info`, `current_mode`, `change_mode` and `locale`."""
    users = Users(services.store, services.clock)
    signed = Annotated[Admitted, Depends(door.admitting())]
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.get(
        f"{BASE}/users/permissions_info",
        tags=["users"],
        summary="What may the token do?",
        response_class=Response,
        responses={**reply(200, "Permission by permission.", _RIGHTS), **ERRORS_OF_SIGNED},
        openapi_extra=SIGNED,
    )
    async def permissions_info(admitted: signed) -> Response:
        """Return which permissions the token has. Permission: NONE. Security: SIGNED."""
        held = admitted.caller.permissions
        return json_reply(_encode({wire_name(each): each in held for each in PERMISSIONS}))

    @app.get(
        f"{BASE}/users/current_mode",
        tags=["users"],
        summary="Which accounts are shown?",
        response_class=Response,
        responses={**reply(200, "The mode of this request.", _MODE), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": [FORCED_MODE]},
    )
    async def current_mode(admitted: reader) -> Response:
        """Return the mode: the forced one, or else the user's own.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        return json_reply(_encode({"mode": admitted.caller.mode}))

    @app.post(
        f"{BASE}/users/change_mode",
        status_code=201,
        tags=["users"],
        summary="Show other accounts from now on",
        response_class=Response,
        responses={**reply(201, "It is changed.", {"const": True}), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, **in_query_or_body(mode=("The mode.", _MODES))},
    )
    async def change_mode(admitted: writer) -> Response:
        """Choose the mode of all requests of this user that do not say `Forced-Mode`.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. All tokens of the user follow it.
        """
        await users.choose_mode(admitted.caller.user_id, admitted.given.required("mode"))
        return json_reply(b"true", 201)

    @app.put(
        f"{BASE}/users/locale",
        tags=["users"],
        summary="Explain errors in another language",
        response_class=Response,
        responses={**reply(200, "The language from now on.", _LOCALE), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, **in_query_or_body(locale=("The language.", _LOCALES))},
    )
    async def change_locale(admitted: writer) -> Response:
        """Choose the language that errors are explained in, where there is a text in it.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. `error` itself stays what it is.
        """
        locale = admitted.given.required("locale")
        await users.choose_locale(admitted.caller.user_id, locale)
        return json_reply(_encode({"locale": locale}))
