"""Selling all and converting small amounts: done by a worker while the caller waits.

Each is an operation, written down before it is done; `/public/api/v1/operations` shows them.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import ACCOUNT_HEADERS, SIGNED, in_query_or_body, reply
from coffers.api.doing_schema import CONVERTED
from coffers.api.door import Admitted, Door
from coffers.api.idempotency import KEY_PARAMETER, key_of
from coffers.api.operation_desk import (
    OPERATION_ERRORS,
    OPERATION_HEADERS,
    OperationDesk,
    told_of,
)
from coffers.api.paths import ACCOUNT, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import TEXT, Schema
from coffers.api.surroundings import Surroundings
from coffers.portfolio.ledger import (
    CONVERT,
    SELL_TO_BTC,
    SELL_TO_USD,
    OperationFailed,
    Wanted,
)

_LISTED: Final[Schema] = {"$ref": "#/components/schemas/Account"}
_HEADERS: Final = {**ACCOUNT_HEADERS, **OPERATION_HEADERS}
_SALES: Final = (
    (SELL_TO_USD, "Sell all for dollars", "into dollars, or the exchange's nearest to them"),
    (SELL_TO_BTC, "Sell all for bitcoin", "into BTC"),
)


def add_doing(
    app: FastAPI,
    answers: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
    desk: OperationDesk,
) -> None:
    """Add what sells, and what converts."""
    for kind, summary, told in _SALES:
        app.add_api_route(
            f"{ACCOUNT}/{kind}",
            _selling(kind, desk, answers, door, surroundings),
            methods=["POST"],
            status_code=201,
            name=kind,
            tags=["trading"],
            summary=summary,
            description=f"Sell all that is free in an account {told}, by market orders. "
            "Permission: ACCOUNTS_WRITE. Security: SIGNED.",
            response_class=Response,
            responses={
                **reply(201, "The account afterwards.", _LISTED, _HEADERS),
                **OPERATION_ERRORS,
            },
            openapi_extra={**SIGNED, "parameters": [KEY_PARAMETER]},
        )
    _add_conversion(app, desk, door)


def _selling(
    kind: str,
    desk: OperationDesk,
    answers: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
) -> Callable[..., Awaitable[Response]]:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    async def sell(account_id: AccountId, request: Request, admitted: writer) -> Response:
        caller = admitted.caller
        await answers.keeping.get(caller.user_id, account_id)
        begun = await desk.ledger.begin(caller.user_id, Wanted(account_id, kind, key_of(request)))
        done = await desk.done(begun)
        account = await answers.keeping.get(caller.user_id, account_id)
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.listed(caller, account, base_url)
        answer = json_reply(body, 201, shown.trust)
        answer.headers.update(told_of(done))
        return answer

    return sell


def _add_conversion(app: FastAPI, desk: OperationDesk, door: Door) -> None:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    fields = in_query_or_body(
        **{
            "codes[]": (
                "Which assets; all that the exchange takes.",
                {"type": "array", "items": TEXT},
            )
        }
    )

    @app.post(
        f"{ACCOUNT}/{CONVERT}",
        status_code=201,
        tags=["trading"],
        summary="Turn small amounts into BNB",
        response_class=Response,
        responses={**reply(201, "What came in.", CONVERTED, OPERATION_HEADERS), **OPERATION_ERRORS},
        openapi_extra={
            **SIGNED,
            **fields,
            "parameters": [*fields["parameters"], KEY_PARAMETER],
        },
    )
    async def convert(account_id: AccountId, request: Request, admitted: writer) -> Response:
        """Have the exchange turn small amounts into its own coin, where it does that.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        codes = admitted.given.texts("codes[]")
        asked = {"codes": None if codes is None else sorted(set(codes))}
        wanted = Wanted(account_id, CONVERT, key_of(request), asked)
        done = await desk.done(await desk.ledger.begin(admitted.caller.user_id, wanted))
        if done.result is None:
            raise OperationFailed(done)
        answer = json_reply(done.result.encode(), 201)
        answer.headers.update(told_of(done))
        return answer
