"""`/public/api/v1/accounts/.../export/{table}.csv`: positions, flows and history as tables."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Path
from fastapi.responses import Response, StreamingResponse

from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import ERRORS_OF_SIGNED, FORCED_MODE, NOT_FOUND, SIGNED
from coffers.api.door import Admitted, Door
from coffers.api.own_accounts import OWN_ACCOUNT, OWN_SUMMARY
from coffers.api.own_pasts import SPAN, OwnPasts, span_of
from coffers.api.paths import AccountId
from coffers.api.services import Services
from coffers.errors import NotFound
from coffers.portfolio.exports import TABLES, Exports

_TABLE: Final = "/export/{table}.csv"
_GOOD: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The table: UTF-8, RFC 4180, with a head.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "headers": {
            "Content-Disposition": {
                "description": "An attachment, with a name for the file.",
                "schema": {"type": "string"},
            }
        },
    }
}

TableName = Annotated[str, Path(description=f"One of {', '.join(TABLES)}.")]


def add_exports(app: FastAPI, services: Services, accounts: AccountAnswers, door: Door) -> None:
    """Add the tables, of one account and of all in the summary."""
    pasts, exports = OwnPasts(services, accounts), Exports(services.store)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    async def reply_of(table: str, admitted: Admitted, account_id: int | None) -> Response:
        known = next((each for each in TABLES if each == table), None)
        if known is None:
            raise NotFound(f"there is no table {table!r}; there are {', '.join(TABLES)}")
        since, until = span_of(admitted.given)
        worked = await pasts.worked(admitted.caller, account_id)
        rows = exports.rows(known, worked, now=services.clock.now(), since=since, until=until)
        name = f"{'summary' if account_id is None else account_id}-{known}.csv"
        return StreamingResponse(
            await _begun(rows),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="coffers-{name}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @app.get(
        f"{OWN_SUMMARY}{_TABLE}",
        tags=["accounts"],
        summary="A table of all accounts in the summary, as CSV",
        response_class=Response,
        responses={**_GOOD, **ERRORS_OF_SIGNED, **NOT_FOUND},
        openapi_extra={**SIGNED, "parameters": [*SPAN, FORCED_MODE]},
    )
    async def export_summary(table: TableName, admitted: reader) -> Response:
        """Return positions, flows or history. Permission: ACCOUNTS_READ. Security: SIGNED."""
        return await reply_of(table, admitted, None)

    @app.get(
        f"{OWN_ACCOUNT}{_TABLE}",
        tags=["accounts"],
        summary="A table of an account, as CSV",
        response_class=Response,
        responses={**_GOOD, **ERRORS_OF_SIGNED, **NOT_FOUND},
        openapi_extra={**SIGNED, "parameters": SPAN},
    )
    async def export_account(account_id: AccountId, table: TableName, admitted: reader) -> Response:
        """Return positions, flows or history. Permission: ACCOUNTS_READ. Security: SIGNED."""
        return await reply_of(table, admitted, account_id)


async def _begun(rows: AsyncIterator[str]) -> AsyncIterator[str]:
    """Return rows whose head and first part are read: what goes wrong there is still an error."""
    first = [row async for row in _some(rows, 2)]

    async def all_of_them() -> AsyncIterator[str]:
        for row in first:
            yield row
        async for row in rows:
            yield row

    return all_of_them()


async def _some(rows: AsyncIterator[str], most: int) -> AsyncIterator[str]:
    for _ in range(most):
        try:
            yield await anext(rows)
        except StopAsyncIteration:
            return
