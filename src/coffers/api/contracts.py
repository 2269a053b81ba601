"""`GET /public/api/v1/accounts/{account_id}/contracts`: the open derivative positions."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from coffers.api.account_answers import AccountAnswers
from coffers.api.contract_schema import ACCOUNT_CONTRACTS
from coffers.api.documents import ERRORS_OF_SIGNED, NOT_FOUND, SIGNED, reply
from coffers.api.door import Admitted, Door
from coffers.api.paths import AccountId
from coffers.api.services import Services
from coffers.portfolio.contracts import as_plain, open_contracts

CONTRACTS_PATH: Final = "/public/api/v1/accounts/{account_id:id}/contracts"


def add_contracts(app: FastAPI, services: Services, answers: AccountAnswers, door: Door) -> None:
    """Add the open derivative positions of an account."""
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        CONTRACTS_PATH,
        tags=["accounts"],
        summary="Open derivative positions",
        response_class=JSONResponse,
        responses={
            **reply(200, "The positions, by wallet.", ACCOUNT_CONTRACTS),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
        },
        openapi_extra=SIGNED,
    )
    async def contracts(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Return the open futures, perpetuals and options of an account, of whichever mode.

        Permission: ACCOUNTS_READ. Security: SIGNED. What they win or lose is in the account's
        figures already.
        """
        account = await answers.keeping.get(admitted.caller.user_id, account_id)
        found = await open_contracts(services.store, account)
        return JSONResponse(as_plain(found), headers={"Cache-Control": "no-store"})
