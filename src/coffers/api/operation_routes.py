"""Operations as they were done, step by step."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from coffers.api.documents import ERRORS_OF_SIGNED, NOT_FOUND, SIGNED, parameter, reply
from coffers.api.doing_schema import OPERATION, OPERATIONS
from coffers.api.door import Admitted, Door
from coffers.api.operation_desk import OperationDesk
from coffers.api.paths import AccountId
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.ledger import MOST_AT_ONCE, plain_operation

OPERATIONS_PATH: Final = "/public/api/v1/operations"
USUAL_LIMIT: Final = 50

_HEADERS: Final = {"Cache-Control": "no-store"}


def add_operations(app: FastAPI, desk: OperationDesk, door: Door) -> None:
    """Add the list of operations, and one by its id."""
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
        found = await desk.ledger.page(
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
        found = await desk.ledger.get(admitted.caller.user_id, operation_id)
        return JSONResponse(plain_operation(found), headers=_HEADERS)


_PAGE: Final[list[dict[str, Any]]] = [
    parameter("account_id", "query", "Of which account.", {"type": "integer", "minimum": 1}),
    parameter(
        "limit",
        "query",
        "Operations per page.",
        {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUAL_LIMIT},
    ),
    parameter("cursor", "query", "`next_cursor` of the page before.", {"type": "string"}),
]
