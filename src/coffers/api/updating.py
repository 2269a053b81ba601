"""`update`: another name, another key, in the summary or not."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.connecting import CREDENTIALS, by_our_names
from coffers.api.documents import (
    ACCOUNT_HEADERS,
    ERRORS_OF_SIGNED,
    FROM_EXCHANGE,
    NOT_FOUND,
    SIGNED,
    in_query_or_body,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.paths import BASE
from coffers.api.replies import json_reply
from coffers.api.schema_words import TEXT, Schema
from coffers.api.services import Services
from coffers.api.surroundings import Surroundings
from coffers.errors import InvalidRecord
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.errand_forms import RECONNECT, ReconnectAsked
from coffers.portfolio.errands import Errands
from coffers.portfolio.naming import usable_name

UPDATE_PATH: Final = f"{BASE}/accounts/update"

_LISTED: Final[Schema] = {"$ref": "#/components/schemas/Account"}
_FIELDS: Final[dict[str, tuple[str, Schema]]] = {
    "account_id": ("Which account.", {"type": "integer", "minimum": 1}),
    "name": ("2 to 100 characters.", {"type": "string", "minLength": 2, "maxLength": 100}),
    **{name: (told, TEXT) for name, told in CREDENTIALS.items()},
    "include_in_summary": ("Whether it counts in the summary.", {"type": "boolean"}),
}


def add_updating(
    app: FastAPI,
    services: Services,
    answers: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
) -> None:
    """Add the route that changes an account."""
    errands = Errands(services.store, services.vault, services.clock)
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.post(
        UPDATE_PATH,
        status_code=201,
        tags=["accounts"],
        summary="Change an account",
        response_class=Response,
        responses={
            **reply(201, "The account as it is now.", _LISTED, ACCOUNT_HEADERS),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **FROM_EXCHANGE,
        },
        openapi_extra={**SIGNED, **in_query_or_body(**_FIELDS)},
    )
    async def update(request: Request, admitted: writer) -> Response:
        """Change what is given, and nothing else. The account keeps its id and its history.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. Another key is checked at the exchange first;
        it must open the same account there, where the exchange tells.
        """
        caller, given = admitted.caller, admitted.given
        given.required("account_id")
        account_id = given.number("account_id", 0, range(1, MOST_ID + 1))
        await answers.keeping.get(caller.user_id, account_id)
        name, in_summary = given.text("name"), given.flag("include_in_summary")
        if name is not None:
            name = usable_name(name)
        texts = {field: given.text(field) for field in CREDENTIALS}
        credentials = {field: text for field, text in texts.items() if text is not None}
        if credentials:
            try:
                asked = ReconnectAsked(account_id, credentials)
                await errands.ask(caller.user_id, RECONNECT, asked)
            except InvalidRecord as refusal:
                raise by_our_names(refusal) from None
        await answers.keeping.change(caller.user_id, account_id, name=name, in_summary=in_summary)
        account = await answers.keeping.get(caller.user_id, account_id)
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.listed(caller, account, base_url)
        return json_reply(body, 201, shown.trust)
