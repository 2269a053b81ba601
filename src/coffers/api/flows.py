"""`GET /public/api/v1/accounts/{account_id}/flows`: deposits and withdrawals, newest first."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from coffers.api.account_answers import AccountAnswers
from coffers.api.cursors import limit_of, page_parameters
from coffers.api.documents import ERRORS_OF_SIGNED, NOT_FOUND, SIGNED, parameter, reply
from coffers.api.door import Admitted, Door
from coffers.api.flow_schema import FLOW_PAGE
from coffers.api.given import Given
from coffers.api.own_pasts import span_of
from coffers.api.paths import AccountId
from coffers.api.schema_words import TEXT
from coffers.api.services import Services
from coffers.errors import InvalidRecord
from coffers.portfolio.flows import MOST_AT_ONCE, AccountFlows, as_plain
from coffers.store.flows import FlowFilter

FLOWS_PATH: Final = "/public/api/v1/accounts/{account_id:id}/flows"
USUAL_LIMIT: Final = 100

_PARAMETERS: Final = [
    *page_parameters("Flows", USUAL_LIMIT, MOST_AT_ONCE),
    parameter("direction", "query", "Deposits alone, or withdrawals.", {"enum": ["in", "out"]}),
    parameter("asset", "query", "Those of one asset alone: BTC.", TEXT),
    parameter("from", "query", "A day or an ISO 8601 time in UTC: nothing earlier.", TEXT),
    parameter("to", "query", "The same: nothing later. A day is meant as a whole.", TEXT),
]


def add_flows(app: FastAPI, services: Services, answers: AccountAnswers, door: Door) -> None:
    """Add the deposits and withdrawals of an account."""
    shown = AccountFlows(services.store, answers.keeping)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        FLOWS_PATH,
        tags=["accounts"],
        summary="Deposits and withdrawals",
        response_class=JSONResponse,
        responses={
            **reply(200, "The flows, newest first, and how far back they are known.", FLOW_PAGE),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
        },
        openapi_extra={**SIGNED, "parameters": _PARAMETERS},
    )
    async def flows(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Return deposits into and withdrawals from an account, of whichever mode.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        page = await shown.page(
            admitted.caller.user_id,
            account_id,
            _filter(given),
            limit=limit_of(given, USUAL_LIMIT, MOST_AT_ONCE),
            cursor=given.text("cursor"),
        )
        return JSONResponse(as_plain(page), headers={"Cache-Control": "no-store"})


def _filter(given: Given) -> FlowFilter:
    direction = given.text("direction")
    since, until = span_of(given)
    if direction not in {None, "in", "out"}:
        raise InvalidRecord({"direction": ["does not have a valid value"]})
    return FlowFilter(direction, given.text("asset") or None, since, until)
