"""`/public/api/v1/accounts/.../snapshots`, `history` and `positions`, of one account and of all."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from coffers.access.call import Caller
from coffers.api.account_answers import AccountAnswers
from coffers.api.cursors import after_of, limit_of, page_parameters
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    NOT_FOUND,
    SIGNED,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.moments import begin_of, end_of, last_of
from coffers.api.own_accounts import OWN_ACCOUNT, OWN_SUMMARY
from coffers.api.own_schema import HISTORY, POSITIONS, SNAPSHOTS
from coffers.api.paths import AccountId
from coffers.api.schema_words import TEXT, Schema
from coffers.api.services import Services
from coffers.clock import Millis
from coffers.errors import InvalidRecord
from coffers.portfolio.account_forms import Plain
from coffers.portfolio.charts import Charts
from coffers.portfolio.pasts import (
    MOST_POSITIONS,
    MOST_SNAPSHOTS,
    SnapshotsWanted,
    history,
    positions,
    snapshots,
)
from coffers.portfolio.worked import Worked

USUAL_LIMIT: Final = 100
_EVER: Final = Millis(0)
SPAN: Final = [
    parameter("from", "query", "A day or an ISO 8601 time in UTC: nothing earlier.", TEXT),
    parameter("to", "query", "The same: nothing later. A day is meant as a whole.", TEXT),
]
_OF_MANY: Final = "Permission: ACCOUNTS_READ. Security: SIGNED."

_Answer = Callable[[Caller, list[Worked], Given], Awaitable[Plain]]


def add_own_pasts(app: FastAPI, services: Services, accounts: AccountAnswers, door: Door) -> None:
    """Add snapshots, history and positions."""
    answers = OwnPasts(services, accounts)
    read = page_parameters("Snapshots", USUAL_LIMIT, MOST_SNAPSHOTS)
    held = page_parameters("Positions", USUAL_LIMIT, MOST_POSITIONS)
    routes: tuple[tuple[str, str, Schema, list[Schema], _Answer], ...] = (
        (
            "snapshots", "Values as readings found them", SNAPSHOTS,
            [*read, *SPAN], answers.snapshots,
        ),
        ("history", "Value over time, gaps marked", HISTORY, SPAN, answers.history),
        ("positions", "What is held, wallet by wallet", POSITIONS, held, answers.positions),
    )  # fmt: skip
    for name, title, schema, parameters, answer in routes:
        _add(app, door, answers, (name, title, schema), parameters, answer)


class OwnPasts:
    """Finds accounts, and tells what they hold and were worth."""

    def __init__(self, services: Services, accounts: AccountAnswers) -> None:
        self._services = services
        self._accounts = accounts
        self._charts = Charts(services.store, services.clock)

    async def worked(self, caller: Caller, account_id: int | None) -> list[Worked]:
        """Return the account, or those that the summary is made of."""
        keeping = self._accounts.keeping
        if account_id is None:
            found = await keeping.in_summary(caller.user_id, caller.mode)
        else:
            found = [await keeping.get(caller.user_id, account_id)]
        book = await self._services.shelf.at(caller.epoch)
        return await self._services.listing.worked(
            caller.user_id, found, book, caller.display_currency
        )

    async def snapshots(self, caller: Caller, worked: list[Worked], given: Given) -> Plain:
        """Return a page of snapshots."""
        since, until = span_of(given)
        wanted = SnapshotsWanted(
            since,
            self._services.clock.now() if until is None else until,
            limit_of(given, USUAL_LIMIT, MOST_SNAPSHOTS),
            after_of(given, tuple[int, int]),
        )
        return await snapshots(self._services.store, caller.user_id, _ids(worked), wanted)

    async def history(self, caller: Caller, worked: list[Worked], given: Given) -> Plain:
        """Return the points of a chart."""
        since, until = span_of(given, end_of)
        points = await self._charts.draw(
            caller.user_id, _ids(worked), _EVER if since is None else since, until
        )
        return history(points)

    async def positions(self, caller: Caller, worked: list[Worked], given: Given) -> Plain:
        """Return a page of positions."""
        return await positions(
            self._services.store,
            caller.user_id,
            worked,
            now=self._services.clock.now(),
            limit=limit_of(given, USUAL_LIMIT, MOST_POSITIONS),
            after=after_of(given, tuple[int, str, str, str]),
        )


def span_of(
    given: Given, until_of: Callable[[str, str], Millis] = last_of
) -> tuple[Millis | None, Millis | None]:
    """Return what `from` and `to` name, the first and the last moment; None where one is absent.

    Raises:
        InvalidRecord: naming what is no day and no time, and a `to` before its `from`.
    """
    first, last = given.text("from"), given.text("to")
    since = None if first is None else begin_of("from", first)
    until = None if last is None else until_of("to", last)
    if since is not None and until is not None and until < since:
        raise InvalidRecord({"to": ["does not have a valid value"]})
    return since, until


def _add(
    app: FastAPI,
    door: Door,
    answers: OwnPasts,
    told: tuple[str, str, Schema],
    parameters: list[Schema],
    answer: _Answer,
) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    name, title, schema = told

    async def reply_of(admitted: Admitted, account_id: int | None) -> JSONResponse:
        worked = await answers.worked(admitted.caller, account_id)
        found = await answer(admitted.caller, worked, admitted.given)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def of_account(account_id: AccountId, admitted: reader) -> JSONResponse:
        return await reply_of(admitted, account_id)

    async def of_summary(admitted: reader) -> JSONResponse:
        return await reply_of(admitted, None)

    common: dict[str, Any] = {
        "methods": ["GET"],
        "tags": ["accounts"],
        "response_class": JSONResponse,
        "description": _OF_MANY,
    }
    good = reply(200, title, schema)
    app.add_api_route(
        f"{OWN_ACCOUNT}/{name}",
        of_account,
        name=f"own {name} of an account",
        summary=f"{title}, of an account",
        responses={**good, **ERRORS_OF_SIGNED, **NOT_FOUND},
        openapi_extra={**SIGNED, "parameters": parameters},
        **common,
    )
    app.add_api_route(
        f"{OWN_SUMMARY}/{name}",
        of_summary,
        name=f"own {name} of the summary",
        summary=f"{title}, of all accounts in the summary",
        responses={**good, **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": [*parameters, FORCED_MODE]},
        **common,
    )


def _ids(worked: list[Worked]) -> list[int]:
    return [each.view.account.id for each in worked]
