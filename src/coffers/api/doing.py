"""Selling all, converting small amounts and moving money: done by a worker while the caller waits.

Each is an operation, written down before it is done; `/public/api/v1/operations` shows them.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.account_schema import Schema
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    FROM_OPERATION,
    NOT_FOUND,
    SIGNED,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.doing_schema import CONVERTED, OPERATION, OPERATIONS, TRANSFERS, WAYS
from coffers.api.door import Admitted, Door
from coffers.api.paths import ACCOUNT, BASE, AccountId
from coffers.api.replies import json_reply
from coffers.api.services import Services
from coffers.api.surroundings import HEADERS, Surroundings
from coffers.money import plain
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.errand_forms import PERFORM, PerformAsked
from coffers.portfolio.errands import Errands, NoWorker, TookTooLong
from coffers.portfolio.ledger import (
    CONVERT,
    MOST_AT_ONCE,
    SELL_TO_BTC,
    SELL_TO_USD,
    TRANSFER,
    Ledger,
    OperationFailed,
    OperationRuns,
    Wanted,
    plain_operation,
)
from coffers.portfolio.moving import Moving, plain_way
from coffers.store.operations import Operation

OPERATIONS_PATH: Final = "/public/api/v1/operations"
USUAL_LIMIT: Final = 50
USUAL_PER_PAGE: Final = 10

_KEY: Final = b"idempotency-key"
_HEADERS: Final = {"Cache-Control": "no-store"}
_TEXT: Final[Schema] = {"type": "string"}
_ID: Final[Schema] = {"type": "integer", "minimum": 1}
_SINCE: Final[Schema] = {"type": "integer", "minimum": 0}
_LISTED: Final[Schema] = {"$ref": "#/components/schemas/Account"}
_KEY_PARAMETER: Final = parameter(
    "Idempotency-Key", "header", "The same request under the same key is done once.", _TEXT
)
_SALES: Final = (
    (SELL_TO_USD, "Sell all for dollars", "into dollars, or the exchange's nearest to them"),
    (SELL_TO_BTC, "Sell all for bitcoin", "into BTC"),
)


class Doing:
    """Has operations done, and waits for them."""

    def __init__(self, services: Services) -> None:
        self.ledger = Ledger(
            services.store,
            services.catalogue,
            services.clock,
            is_trading_on=services.settings.trading,
        )
        self.moving = Moving(services.store, services.catalogue, self.ledger)
        self._errands = Errands(services.store, services.vault, services.clock)

    async def done(self, operation: Operation) -> Operation:
        """Have an operation done and return it at its end.

        Raises:
            OperationFailed: when nothing of it was done, saying why.
            OperationRuns: when it takes longer than one waits, or nobody is there to do it yet.
        """
        if operation.state == "running":
            asked = PerformAsked(operation.id)
            try:
                await self._errands.ask(operation.user_id, PERFORM, asked)
            except (NoWorker, TookTooLong):
                # It is written down, and a worker takes it over.
                raise OperationRuns(operation) from None
            operation = await self.ledger.get(operation.user_id, operation.id)
        if operation.state == "running":
            raise OperationRuns(operation)
        if operation.state == "failed":
            raise OperationFailed(operation)
        return operation


def add_doing(
    app: FastAPI,
    services: Services,
    answers: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
) -> None:
    """Add what changes something at an exchange, and the operations that it is made of."""
    doing = Doing(services)
    for kind, summary, told in _SALES:
        app.add_api_route(
            f"{ACCOUNT}/{kind}",
            _selling(kind, doing, answers, door, surroundings),
            methods=["POST"],
            status_code=201,
            name=kind,
            tags=["trading"],
            summary=summary,
            description=f"Sell all that is free in an account {told}, by market orders. "
            "Permission: ACCOUNTS_WRITE. Security: SIGNED.",
            response_class=Response,
            responses={
                **reply(201, "The account afterwards.", _LISTED, OPERATION_HEADERS),
                **_ERRORS,
            },
            openapi_extra={**SIGNED, "parameters": [_KEY_PARAMETER]},
        )
    _add_conversion(app, doing, door)
    _add_transfers(app, doing, door)
    _add_operations(app, doing, door)


_ERRORS: Final = {**ERRORS_OF_SIGNED, **NOT_FOUND, **FROM_OPERATION}
OPERATION_HEADERS: Final = {
    "X-Operation-Id": {"description": "The operation.", "schema": {"type": "integer"}},
    "X-Operation-State": {
        "description": "`done`, or `partly` where something stayed undone.",
        "schema": {"enum": ["done", "partly"]},
    },
}


def _selling(
    kind: str,
    doing: Doing,
    answers: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
) -> Callable[..., Awaitable[Response]]:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    async def sell(account_id: AccountId, request: Request, admitted: writer) -> Response:
        caller = admitted.caller
        await answers.keeping.get(caller.user_id, account_id)
        begun = await doing.ledger.begin(caller.user_id, Wanted(account_id, kind, _key(request)))
        done = await doing.done(begun)
        account = await answers.keeping.get(caller.user_id, account_id)
        base_url = surroundings.base_url(request.scope)
        body, shown = await answers.listed(caller, account, base_url)
        answer = json_reply(body, 201, shown.trust)
        answer.headers.update(_told(done))
        return answer

    return sell


def _add_conversion(app: FastAPI, doing: Doing, door: Door) -> None:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    fields = in_query_or_body(
        **{
            "codes[]": (
                "Which assets; all that the exchange takes.",
                {"type": "array", "items": _TEXT},
            )
        }
    )

    @app.post(
        f"{ACCOUNT}/{CONVERT}",
        status_code=201,
        tags=["trading"],
        summary="Turn small amounts into BNB",
        response_class=Response,
        responses={**reply(201, "What came in.", CONVERTED, OPERATION_HEADERS), **_ERRORS},
        openapi_extra={
            **SIGNED,
            **fields,
            "parameters": [*fields["parameters"], _KEY_PARAMETER],
        },
    )
    async def convert(account_id: AccountId, request: Request, admitted: writer) -> Response:
        """Have the exchange turn small amounts into its own coin, where it does that.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        codes = admitted.given.texts("codes[]")
        asked = {"codes": None if codes is None else sorted(set(codes))}
        wanted = Wanted(account_id, CONVERT, _key(request), asked)
        done = await doing.done(await doing.ledger.begin(admitted.caller.user_id, wanted))
        if done.result is None:
            raise OperationFailed(done)
        answer = json_reply(done.result.encode(), 201)
        answer.headers.update(_told(done))
        return answer


def _add_transfers(app: FastAPI, doing: Doing, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    fields = in_query_or_body(
        currency=("What to move: USDT.", _TEXT),
        amount=("How much of it, more than zero.", _TEXT),
        from_account_id=("The account that it leaves.", _ID),
        to_account_id=("The account that it goes to.", _ID),
    )

    @app.post(
        f"{BASE}/accounts/{TRANSFER}",
        status_code=201,
        tags=["trading"],
        summary="Move money between accounts of one key",
        response_class=JSONResponse,
        responses={**reply(201, "The operation.", OPERATION, OPERATION_HEADERS), **_ERRORS},
        openapi_extra={
            **SIGNED,
            **fields,
            "parameters": [*fields["parameters"], _KEY_PARAMETER],
        },
    )
    async def transfer(request: Request, admitted: writer) -> JSONResponse:
        """Move money between the wallets of one exchange key, never to anywhere else.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        given = admitted.given
        for name in ("currency", "amount", "from_account_id", "to_account_id"):
            given.required(name)
        ends = (
            given.number("from_account_id", 0, range(1, MOST_ID + 1)),
            given.number("to_account_id", 0, range(1, MOST_ID + 1)),
        )
        moved = given.required("currency"), given.required("amount")
        begun = await doing.moving.begin(admitted.caller.user_id, ends, moved, _key(request))
        done = await doing.done(begun)
        return JSONResponse(plain_operation(done), 201, headers={**_HEADERS, **_told(done)})

    @app.get(
        f"{BASE}/accounts/transfer_data",
        tags=["trading"],
        summary="Transfers that are possible",
        response_class=JSONResponse,
        responses={**reply(200, "Accounts from and to.", WAYS), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": [FORCED_MODE]},
    )
    async def transfer_data(admitted: reader) -> JSONResponse:
        """Return the accounts that money can go between, and what is free in the first.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        caller = admitted.caller
        found = await doing.moving.ways(caller.user_id, caller.mode)
        return JSONResponse([plain_way(way) for way in found], headers=_HEADERS)

    @app.get(
        f"{BASE}/accounts/transfer_history",
        tags=["trading"],
        summary="Transfers that were made here",
        response_class=JSONResponse,
        responses={**reply(200, "The newest first.", TRANSFERS), **_ERRORS},
        openapi_extra={**SIGNED, "parameters": _HISTORY},
    )
    async def transfer_history(admitted: reader) -> JSONResponse:
        """Return the transfers that this server made from or to an account.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        given.required("account_id")
        account_id = given.number("account_id", 0, range(1, MOST_ID + 1))
        currency = given.required("currency").upper()
        since = given.number("start_time", 0, range(2**40))
        page = given.number("page", 1, range(1, 10**6))
        per_page = given.number("per_page", USUAL_PER_PAGE, range(1, MOST_AT_ONCE + 1))
        found = await doing.moving.history(
            admitted.caller.user_id, account_id, currency, since * 1000, (page, per_page)
        )
        return JSONResponse([_plain_transfer(each) for each in found], headers=_HEADERS)


_HISTORY: Final = [
    parameter("account_id", "query", "From or to which account.", _ID, is_required=True),
    parameter("currency", "query", "Of what: USDT.", _TEXT, is_required=True),
    parameter(
        "start_time", "query", "Unix seconds of the oldest one.", {"type": "integer", "minimum": 0}
    ),
    parameter(
        "page", "query", "The page, from 1.", {"type": "integer", "minimum": 1, "default": 1}
    ),
    parameter(
        "per_page",
        "query",
        "Transfers per page.",
        {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUAL_PER_PAGE},
    ),
]


def _add_operations(app: FastAPI, doing: Doing, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        OPERATIONS_PATH,
        tags=["trading"],
        summary="Operations",
        response_class=JSONResponse,
        responses={**reply(200, "The newest first.", OPERATIONS), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": _PAGE},
    )
    async def operations(admitted: reader) -> JSONResponse:
        """Return what was asked for, step by step. Permission: ACCOUNTS_READ. Security: SIGNED."""
        given = admitted.given
        account_id = given.number("account_id", 0, range(1, MOST_ID + 1))
        found = await doing.ledger.page(
            admitted.caller.user_id,
            limit=given.number("limit", USUAL_LIMIT, range(1, MOST_AT_ONCE + 1)),
            cursor=given.text("cursor"),
            account_id=account_id or None,
        )
        told = {
            "operations": [plain_operation(each) for each in found.operations],
            "next_cursor": found.next_cursor,
        }
        return JSONResponse(told, headers=_HEADERS)

    @app.get(
        f"{OPERATIONS_PATH}/{{operation_id:id}}",
        tags=["trading"],
        summary="An operation",
        response_class=JSONResponse,
        responses={**reply(200, "The operation.", OPERATION), **ERRORS_OF_SIGNED, **NOT_FOUND},
        openapi_extra=SIGNED,
    )
    async def operation(operation_id: AccountId, admitted: reader) -> JSONResponse:
        """Return one operation. Permission: ACCOUNTS_READ. Security: SIGNED."""
        found = await doing.ledger.get(admitted.caller.user_id, operation_id)
        return JSONResponse(plain_operation(found), headers=_HEADERS)


_PAGE: Final[list[dict[str, Any]]] = [
    parameter("account_id", "query", "Of which account.", _ID),
    parameter(
        "limit",
        "query",
        "Operations per page.",
        {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUAL_LIMIT},
    ),
    parameter("cursor", "query", "`next_cursor` of the page before.", _TEXT),
]


def _key(request: Request) -> str | None:
    key: bytes | None = request.scope[HEADERS].get(_KEY)
    return None if key is None else key.decode("latin-1")


def _told(operation: Operation) -> dict[str, str]:
    return {"X-Operation-Id": str(operation.id), "X-Operation-State": operation.state}


def _plain_transfer(operation: Operation) -> dict[str, object]:
    told = plain_operation(operation)
    asked: dict[str, Any] = msgspec.json.decode(operation.asked)[2]
    return {
        "id": operation.id,
        "from_account_id": operation.account_id,
        "to_account_id": asked["to_account_id"],
        "currency": asked["currency"],
        "amount": plain(Decimal(asked["amount"])),
        "state": operation.state,
        "why": told["why"],
        "created_at": told["created_at"],
    }
