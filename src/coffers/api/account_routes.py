"""The routes of single accounts and of the summary: shown, named anew, removed."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.access.tokens import Permission
from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import (
    ACCOUNT_HEADERS,
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    NOT_DELETABLE,
    NOT_FOUND,
    SIGNED,
    TRUST_HEADERS,
    in_query_or_body,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.paths import ACCOUNT, SUMMARY_PATH, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import Schema
from coffers.api.surroundings import Surroundings

_READ: Final[Permission] = "accounts_read"
_WRITE: Final[Permission] = "accounts_write"

_SINGLE: Final[Schema] = {"$ref": "#/components/schemas/SingleAccount"}
_LISTED: Final[Schema] = {"$ref": "#/components/schemas/Account"}
_NAME: Final = in_query_or_body(
    name=("2 to 100 characters.", {"type": "string", "minLength": 2, "maxLength": 100})
)


def add_accounts(
    app: FastAPI, answers: AccountAnswers, door: Door, surroundings: Surroundings
) -> None:
    """Add the routes of accounts."""
    _add_shown(app, answers, door, surroundings)
    _add_changed(app, answers, door, surroundings)


def _add_shown(
    app: FastAPI, answers: AccountAnswers, door: Door, surroundings: Surroundings
) -> None:
    reader = Annotated[Admitted, Depends(door.admitting(_READ))]

    @app.get(
        SUMMARY_PATH,
        tags=["accounts"],
        summary="All accounts as one",
        response_class=Response,
        responses={
            **reply(200, "The summary.", _SINGLE, TRUST_HEADERS),
            **ERRORS_OF_SIGNED,
        },
        openapi_extra={**SIGNED, "parameters": [FORCED_MODE]},
    )
    async def summary(request: Request, admitted: reader) -> Response:
        """Return the sum of the accounts of one mode that have `include_in_summary`.

        Permission: ACCOUNTS_READ. Security: SIGNED. The id is 0. What is unknown of one account is
        unknown of the summary.
        """
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.summary(admitted.caller, base_url)
        return json_reply(body, 200, shown.trust)

    @app.get(
        ACCOUNT,
        tags=["accounts"],
        summary="One account",
        response_class=Response,
        responses={
            **reply(200, "The account.", _SINGLE, ACCOUNT_HEADERS),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
        },
        openapi_extra=SIGNED,
    )
    async def account(account_id: AccountId, request: Request, admitted: reader) -> Response:
        """Return an account of the caller, of whichever mode.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.single(admitted.caller, account_id, base_url)
        return json_reply(body, 200, shown.trust)


def _add_changed(
    app: FastAPI, answers: AccountAnswers, door: Door, surroundings: Surroundings
) -> None:
    writer = Annotated[Admitted, Depends(door.admitting(_WRITE))]

    @app.post(
        f"{ACCOUNT}/rename",
        status_code=201,
        tags=["accounts"],
        summary="Name an account anew",
        response_class=Response,
        responses={
            **reply(201, "The account as it is now.", _LISTED, ACCOUNT_HEADERS),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
        },
        openapi_extra={**SIGNED, **_NAME},
    )
    async def rename(account_id: AccountId, request: Request, admitted: writer) -> Response:
        """Give an account another name. Permission: ACCOUNTS_WRITE. Security: SIGNED."""
        caller, name = admitted.caller, admitted.given.required("name")
        renamed = await answers.keeping.rename(caller.user_id, account_id, name)
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.listed(caller, renamed, base_url)
        return json_reply(body, 201, shown.trust)

    @app.post(
        f"{ACCOUNT}/remove",
        status_code=201,
        tags=["accounts"],
        summary="Remove an account",
        response_class=Response,
        responses={
            **reply(201, "It is removed.", {"const": True}),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **NOT_DELETABLE,
        },
        openapi_extra=SIGNED,
    )
    async def remove(account_id: AccountId, admitted: writer) -> Response:
        """Remove an account with its key and its history, for good.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. Nothing is changed at the exchange.
        """
        await answers.keeping.remove(admitted.caller.user_id, account_id)
        return json_reply(b"true", 201)
