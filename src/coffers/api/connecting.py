"""`new` and `load_balances`: what a worker does at an exchange while the caller waits."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.api.account_answers import AccountAnswers
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
from coffers.api.given import Given
from coffers.api.paths import ACCOUNT, BASE, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import TEXT, Schema
from coffers.api.services import Services
from coffers.api.surroundings import Surroundings
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import InvalidRecord
from coffers.markets.catalogue import Catalogue
from coffers.portfolio import asking
from coffers.portfolio.errand_forms import (
    REFRESH,
    ConnectAsked,
    Connected,
    RefreshAsked,
    Refreshed,
    WalletAsked,
)
from coffers.portfolio.errands import Errands

NEW_PATH: Final = f"{BASE}/accounts/new"
ALSO: Final = "types_to_create[]"

_REFUSED: Final = {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED}
_LISTED: Final[Schema] = {"$ref": "#/components/schemas/Account"}
CREDENTIALS: Final = {
    "api_key": "The public half of the exchange key.",
    "secret": "Its secret half, or the private key of an API wallet.",
    "passphrase": "Where the exchange gives one.",
    "customer_id": "Where the exchange asks for one.",
    "subaccount_name": "The id of a sub-account that the key can read.",
    "address": "Of a wallet, or of an account that is read by its address.",
    "login": "Where the exchange asks for one.",
}
_FIELDS: Final[dict[str, tuple[str, Schema]]] = {
    "type": ("The market's code, as `market_list` has it.", TEXT),
    "name": ("2 to 100 characters.", {"type": "string", "minLength": 2, "maxLength": 100}),
    **{name: (use, TEXT) for name, use in CREDENTIALS.items()},
    ALSO: ("Other markets that the same key opens.", {"type": "array", "items": TEXT}),
    "include_in_summary": ("Whether it counts in the summary.", {"type": "boolean"}),
}


def add_connecting(
    app: FastAPI,
    services: Services,
    answers: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
) -> None:
    """Add the routes that wait for an exchange."""
    errands = Errands(services.store, services.vault, services.clock)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.post(
        NEW_PATH,
        status_code=201,
        tags=["accounts"],
        summary="Connect an account",
        response_class=Response,
        responses={
            **reply(201, "The account.", _LISTED, ACCOUNT_HEADERS),
            **ERRORS_OF_SIGNED,
            **FROM_EXCHANGE,
        },
        openapi_extra={**SIGNED, **in_query_or_body(**_FIELDS)},
    )
    async def new(request: Request, admitted: writer) -> Response:
        """Connect an exchange account or a wallet: checked first, then stored, then read once.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. It is a real account, whatever the mode.
        """
        caller, given = admitted.caller, admitted.given
        kind, asked = _asked(services.catalogue, caller.user_id, given)
        try:
            done = await errands.ask(caller.user_id, kind, asked)
        except InvalidRecord as refusal:
            raise by_our_names(refusal) from None
        connected = msgspec.json.decode(done, type=Connected)
        account = await answers.keeping.get(caller.user_id, connected.account_ids[0])
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.listed(caller, account, base_url)
        return json_reply(body, 201, shown.trust)

    @app.post(
        f"{ACCOUNT}/load_balances",
        status_code=201,
        tags=["accounts"],
        summary="Read an account now",
        response_class=Response,
        responses={
            **reply(201, "The account.", _LISTED, ACCOUNT_HEADERS),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **FROM_EXCHANGE,
        },
        openapi_extra=SIGNED,
    )
    async def load_balances(account_id: AccountId, request: Request, admitted: reader) -> Response:
        """Ask the exchange now, and return the account as it is then.

        Permission: ACCOUNTS_READ. Security: SIGNED. Where the exchange does not answer, the account
        is returned as it was; `X-Read-At` and `X-Last-Failure` tell its age and why.
        """
        caller = admitted.caller
        await answers.keeping.get(caller.user_id, account_id)
        done = await errands.ask(caller.user_id, REFRESH, RefreshAsked(account_id))
        _raise_refusal(msgspec.json.decode(done, type=Refreshed))
        account = await answers.keeping.get(caller.user_id, account_id)
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.listed(caller, account, base_url)
        return json_reply(body, 201, shown.trust)


def _asked(
    catalogue: Catalogue, user_id: int, given: Given
) -> tuple[str, ConnectAsked | WalletAsked]:
    """Return the errand; what can be told without an exchange is told here.

    Raises:
        InvalidRecord: naming every field that cannot be accepted, by the names of this API.
    """
    market_code, name = given.all_required("type", "name")
    asked = asking.Given(
        market_code,
        name,
        {name: given.text(name) for name in CREDENTIALS},
        given.texts(ALSO) or (),
        given.flag("include_in_summary") is not False,
    )
    try:
        return asking.errand_of(catalogue, user_id, asked)
    except InvalidRecord as refusal:
        raise by_our_names(refusal) from None


def by_our_names(refusal: InvalidRecord) -> InvalidRecord:
    """Return a refusal whose fields are called as this API calls them."""
    names = {"market_code": "type", asking.ALSO: ALSO}
    return InvalidRecord({names.get(name, name): why for name, why in refusal.attributes.items()})


def _raise_refusal(refreshed: Refreshed) -> None:
    if refreshed.failure is not None and FailureKind(refreshed.failure) in _REFUSED:
        raise ConnectorFailure(FailureKind(refreshed.failure), refreshed.message or "")
