"""`/public/api/v1/accounts`: accounts with their quality, and every figure with its inputs."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.cursors import after_id_of, limit_of, page_parameters
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    NOT_FOUND,
    SIGNED,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.own_answers import OwnAnswers
from coffers.api.own_schema import ACCOUNT, ACCOUNTS, EXPLAINED, EXPLAINED_SUMMARY, SUMMARY
from coffers.api.params import MOST_PER_PAGE
from coffers.api.paths import AccountId
from coffers.api.services import Services
from coffers.api.surroundings import HEADERS

OWN: Final = "/public/api/v1/accounts"
OWN_ACCOUNT: Final = f"{OWN}/{{account_id:id}}"
OWN_SUMMARY: Final = f"{OWN}/summary"
USUAL_EXPLAINED: Final = 20

_KNOWN: Final = parameter("If-None-Match", "header", "Tags of answers at hand.", {"type": "string"})
_UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "Nothing changed but ages."}
}
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


def add_own_accounts(
    app: FastAPI, services: Services, accounts: AccountAnswers, door: Door
) -> None:
    """Add the accounts of the own API, one by one and summed up, and their explanations."""
    answers = OwnAnswers(services, accounts)
    _add_shown(app, answers, door)
    _add_explained(app, answers, door)


def _add_shown(app: FastAPI, answers: OwnAnswers, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    pages = page_parameters("Accounts", MOST_PER_PAGE, MOST_PER_PAGE)

    @app.get(
        OWN,
        summary="Accounts with their quality",
        openapi_extra={**SIGNED, "parameters": [*pages, FORCED_MODE, _KNOWN]},
        **_described({**reply(200, "A page of accounts, by id.", ACCOUNTS), **_UNCHANGED}),
    )
    async def list_own_accounts(request: Request, admitted: reader) -> Response:
        """Tell accounts, their figures, and whether these are complete, how old, and why not.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        limit = limit_of(given, MOST_PER_PAGE, MOST_PER_PAGE)
        return await answers.page(admitted.caller, after_id_of(given), limit, _known(request))

    @app.get(
        OWN_SUMMARY,
        summary="All accounts as one, with their quality",
        openapi_extra={**SIGNED, "parameters": [FORCED_MODE, _KNOWN]},
        **_described({**reply(200, "The summary.", SUMMARY), **_UNCHANGED}),
    )
    async def get_own_summary(request: Request, admitted: reader) -> Response:
        """Tell the sum of the accounts that you want summed, and which of them are incomplete.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        return await answers.summary(admitted.caller, _known(request))

    @app.get(
        OWN_ACCOUNT,
        summary="One account with its quality",
        openapi_extra={**SIGNED, "parameters": [_KNOWN]},
        **_described({**reply(200, "The account.", ACCOUNT), **_UNCHANGED, **NOT_FOUND}),
    )
    async def get_own_account(
        account_id: AccountId, request: Request, admitted: reader
    ) -> Response:
        """Tell one account, of whichever mode. Permission: ACCOUNTS_READ. Security: SIGNED."""
        return await answers.one(admitted.caller, account_id, _known(request))


def _add_explained(app: FastAPI, answers: OwnAnswers, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    pages = page_parameters("Accounts", USUAL_EXPLAINED, MOST_PER_PAGE)

    @app.get(
        f"{OWN_SUMMARY}/explain",
        summary="Every figure of the summary with its inputs",
        openapi_extra={**SIGNED, "parameters": [*pages, FORCED_MODE]},
        **_described(reply(200, "The sums, and a page of what is summed.", EXPLAINED_SUMMARY)),
    )
    async def explain_summary(admitted: reader) -> JSONResponse:
        """Tell what the summary's figures are sums of, account by account.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        told = await answers.explain_summary(
            admitted.caller,
            after_id_of(given),
            limit_of(given, USUAL_EXPLAINED, MOST_PER_PAGE),
        )
        return JSONResponse(told, headers=_NOT_KEPT)

    @app.get(
        f"{OWN_ACCOUNT}/explain",
        summary="Every figure of an account with its inputs",
        openapi_extra=SIGNED,
        **_described({**reply(200, "The explanation.", EXPLAINED), **NOT_FOUND}),
    )
    async def explain_account(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Tell positions, prices, snapshots and flows: enough to reckon each figure by hand.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        told = await answers.explain(admitted.caller, account_id)
        return JSONResponse(told, headers=_NOT_KEPT)


def _known(request: Request) -> bytes | None:
    known: bytes | None = request.scope[HEADERS].get(b"if-none-match")
    return known


def _described(good: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tags": ["accounts"],
        "response_class": JSONResponse,
        "responses": {**good, **ERRORS_OF_SIGNED},
    }
