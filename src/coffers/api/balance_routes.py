"""The routes of pies, tables and charts, of one account and of the summary alike."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.access.call import Caller
from coffers.api.account_answers import Shown
from coffers.api.balance_answers import BalanceAnswers
from coffers.api.balance_schema import CHART, PIE, TABLE
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    NOT_FOUND,
    SIGNED,
    TRUST_HEADERS,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.paths import ACCOUNT, SUMMARY_PATH, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import Schema
from coffers.api.surroundings import Surroundings

_READ: Final = "Permission: ACCOUNTS_READ. Security: SIGNED."
_FROM: Final = ("A day, or an ISO 8601 time; without an offset in UTC.", {"type": "string"})
_TO: Final = ("The same; a day counts to its end. Now, where it is absent.", {"type": "string"})

Answer = Callable[[Caller, int | None, Given, str], Awaitable[tuple[bytes, Shown]]]
"""Answers a caller about an account, or the summary; the text is the base of addresses."""


@dataclass(frozen=True, slots=True)
class _Route:
    """One way to ask: the end of its path, how it is asked, and how it is described."""

    name: str
    method: str
    status: int
    title: str
    description: str
    schema: Schema
    answer: Answer
    asked: Mapping[str, Any] = field(default_factory=dict)


def add_balances(
    app: FastAPI, answers: BalanceAnswers, door: Door, surroundings: Surroundings
) -> None:
    """Add the routes of balances."""
    for route in _routes(answers):
        _add(app, route, door, surroundings)


def _routes(answers: BalanceAnswers) -> tuple[_Route, ...]:
    async def pie(caller: Caller, account_id: int | None, _given: Given, _url: str) -> _Answered:
        return await answers.pie(caller, account_id)

    async def table(caller: Caller, account_id: int | None, _given: Given, url: str) -> _Answered:
        return await answers.table(caller, account_id, url)

    async def chart(caller: Caller, account_id: int | None, given: Given, _url: str) -> _Answered:
        return await answers.chart(caller, account_id, given)

    drawn = ("Value over time", f"What was there, evenly spaced. {_READ}", CHART, chart)
    span = [parameter("date_from", "query", *_FROM, is_required=True)]
    span.append(parameter("date_to", "query", *_TO))
    in_body = in_query_or_body(date_from=_FROM, date_to=_TO)
    return (
        _Route(
            "pie_chart_data", "POST", 201, "Assets by their parts",
            f"What is worth something, most first. {_READ}", PIE, pie,
        ),
        _Route(
            "account_table_data", "POST", 201, "Assets with amounts and prices",
            f"All that is held or owed. {_READ}", TABLE, table,
        ),
        _Route("balance_chart_data", "GET", 200, *drawn, {"parameters": span}),
        _Route("balance_chart_data", "POST", 201, *drawn, in_body),
    )  # fmt: skip


_Answered = tuple[bytes, Shown]


def _add(app: FastAPI, route: _Route, door: Door, surroundings: Surroundings) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    async def reply_of(request: Request, admitted: Admitted, account_id: int | None) -> Response:
        base_url = surroundings.base_url(request.scope)
        body, shown = await route.answer(admitted.caller, account_id, admitted.given, base_url)
        return json_reply(body, route.status, shown.trust)

    async def of_account(account_id: AccountId, request: Request, admitted: reader) -> Response:
        return await reply_of(request, admitted, account_id)

    async def of_summary(request: Request, admitted: reader) -> Response:
        return await reply_of(request, admitted, None)

    good = reply(route.status, "A bare array.", route.schema, TRUST_HEADERS)
    common: dict[str, Any] = {
        "methods": [route.method],
        "status_code": route.status,
        "tags": ["balances"],
        "response_class": Response,
        "description": route.description,
    }
    mode = [*route.asked.get("parameters", ()), FORCED_MODE]
    app.add_api_route(
        f"{ACCOUNT}/{route.name}",
        of_account,
        name=f"{route.name} of an account",
        summary=f"{route.title}, of an account",
        responses={**good, **ERRORS_OF_SIGNED, **NOT_FOUND},
        openapi_extra={**SIGNED, **route.asked},
        **common,
    )
    app.add_api_route(
        f"{SUMMARY_PATH}/{route.name}",
        of_summary,
        name=f"{route.name} of the summary",
        summary=f"{route.title}, of all accounts",
        responses={**good, **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, **route.asked, "parameters": mode},
        **common,
    )
