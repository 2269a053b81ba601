"""Money between accounts of one exchange key: moved, and what was moved."""

from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    SIGNED,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.doing_schema import OPERATION, TRANSFERS, WAYS
from coffers.api.door import Admitted, Door
from coffers.api.idempotency import KEY_PARAMETER, key_of
from coffers.api.operation_desk import (
    OPERATION_ERRORS,
    OPERATION_HEADERS,
    OperationDesk,
    told_of,
)
from coffers.api.paths import BASE
from coffers.api.schema_words import TEXT, Schema
from coffers.money import plain
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.ledger import (
    MOST_AT_ONCE,
    TRANSFER,
    plain_operation,
)
from coffers.portfolio.moving import plain_way
from coffers.store.operations import Operation

USUAL_PER_PAGE: Final = 10

_HEADERS: Final = {"Cache-Control": "no-store"}
_ID: Final[Schema] = {"type": "integer", "minimum": 1}
_SINCE: Final[Schema] = {"type": "integer", "minimum": 0}


def add_transfers(app: FastAPI, desk: OperationDesk, door: Door) -> None:
    """Add `transfer`, `transfer_data` and `transfer_history`."""
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    fields = in_query_or_body(
        currency=("What to move: USDT.", TEXT),
        amount=("How much of it, more than zero.", TEXT),
        from_account_id=("The account that it leaves.", _ID),
        to_account_id=("The account that it goes to.", _ID),
    )

    @app.post(
        f"{BASE}/accounts/{TRANSFER}",
        status_code=201,
        tags=["trading"],
        summary="Move money between accounts of one key",
        response_class=JSONResponse,
        responses={
            **reply(201, "The operation.", OPERATION, OPERATION_HEADERS),
            **OPERATION_ERRORS,
        },
        openapi_extra={
            **SIGNED,
            **fields,
            "parameters": [*fields["parameters"], KEY_PARAMETER],
        },
    )
    async def transfer(request: Request, admitted: writer) -> JSONResponse:
        """Move money between the wallets of one exchange key, never to anywhere else.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        given = admitted.given
        currency, amount, *_ = given.all_required(
            "currency", "amount", "from_account_id", "to_account_id"
        )
        ends = (
            given.number("from_account_id", 0, range(1, MOST_ID + 1)),
            given.number("to_account_id", 0, range(1, MOST_ID + 1)),
        )
        begun = await desk.moving.begin(
            admitted.caller.user_id, ends, (currency, amount), key_of(request)
        )
        done = await desk.done(begun)
        return JSONResponse(plain_operation(done), 201, headers={**_HEADERS, **told_of(done)})

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
        found = await desk.moving.ways(caller.user_id, caller.mode)
        return JSONResponse([plain_way(way) for way in found], headers=_HEADERS)

    @app.get(
        f"{BASE}/accounts/transfer_history",
        tags=["trading"],
        summary="Transfers that were made here",
        response_class=JSONResponse,
        responses={**reply(200, "The newest first.", TRANSFERS), **OPERATION_ERRORS},
        openapi_extra={**SIGNED, "parameters": _HISTORY},
    )
    async def transfer_history(admitted: reader) -> JSONResponse:
        """Return the transfers that this server made from or to an account.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        _, currency = given.all_required("account_id", "currency")
        account_id = given.number("account_id", 0, range(1, MOST_ID + 1))
        since = given.number("start_time", 0, range(2**40))
        page = given.number("page", 1, range(1, 10**6))
        per_page = given.number("per_page", USUAL_PER_PAGE, range(1, MOST_AT_ONCE + 1))
        found = await desk.moving.history(
            admitted.caller.user_id, account_id, currency.upper(), since * 1000, (page, per_page)
        )
        return JSONResponse([_plain_transfer(each) for each in found], headers=_HEADERS)


_HISTORY: Final = [
    parameter("account_id", "query", "From or to which account.", _ID, is_required=True),
    parameter("currency", "query", "Of what: USDT.", TEXT, is_required=True),
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


def _plain_transfer(operation: Operation) -> dict[str, object]:
    told = plain_operation(operation)
    asked: dict[str, Any] = msgspec.json.decode(operation.asked)[2]
    # The exchange may take fewer digits than were asked for.
    sent = next((step.amount for step in operation.steps if step.amount), None)
    return {
        "id": operation.id,
        "from_account_id": operation.account_id,
        "to_account_id": asked["to_account_id"],
        "currency": asked["currency"],
        "amount": plain(sent or Decimal(asked["amount"])),
        "state": operation.state,
        "why": told["why"],
        "created_at": told["created_at"],
    }
