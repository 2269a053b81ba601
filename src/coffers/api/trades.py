"""Own trades: their list, and how much was traded in a day, in a month, or ever."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import ERRORS_OF_SIGNED, NOT_FOUND, SIGNED, parameter, reply
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.own_pasts import span_of
from coffers.api.paths import ACCOUNT, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import TEXT, Schema
from coffers.api.services import Services
from coffers.api.trade_schema import TRADE_PAGE, VOLUME_HEADERS, volume_schema
from coffers.clock import DAY, Millis, iso
from coffers.errors import InvalidRecord
from coffers.money import plain
from coffers.portfolio.trades import MOST_AT_ONCE, AccountTrades, Volume, as_plain
from coffers.store.trades import TradeFilter

TRADES_PATH: Final = "/public/api/v1/accounts/{account_id:id}/trades"
USUAL_LIMIT: Final = 100

_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_LIMIT: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_AT_ONCE,
    "default": USUAL_LIMIT,
}
_PARAMETERS: Final = [
    parameter("limit", "query", "Trades per page.", _LIMIT),
    parameter("cursor", "query", "`next_cursor` of the page before.", TEXT),
    parameter("symbol", "query", "Those of one symbol alone: BTC/USDT.", TEXT),
    parameter("from", "query", "A day or an ISO 8601 time in UTC: nothing earlier.", TEXT),
    parameter("to", "query", "The same: nothing later. A day is meant as a whole.", TEXT),
]
_DATE: Final = [parameter("date", "query", "A day in UTC, YYYY-MM-DD; today without it.", TEXT)]
_MONTH: Final = [parameter("month", "query", "A month in UTC, YYYY-MM; this one without.", TEXT)]
_READ: Final = "Permission: ACCOUNTS_READ. Security: SIGNED. Unknown is null, never zero."


def add_trades(app: FastAPI, services: Services, answers: AccountAnswers, door: Door) -> None:
    """Add the trades of an account, and what they come to."""
    shown = AccountTrades(services.store, answers.keeping, services.clock)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    def described(name: str | None, given: list[Schema]) -> dict[str, object]:
        good = reply(200, "What was traded.", volume_schema(name), VOLUME_HEADERS)
        return {
            "tags": ["trades"],
            "response_class": Response,
            "responses": {**good, **ERRORS_OF_SIGNED, **NOT_FOUND},
            "openapi_extra": {**SIGNED, "parameters": given} if given else SIGNED,
            "description": _READ,
        }

    @app.get(
        TRADES_PATH,
        tags=["trades"],
        summary="Own trades",
        response_class=JSONResponse,
        responses={
            **reply(200, "The trades, newest first, and how far they are known.", TRADE_PAGE),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
        },
        openapi_extra={**SIGNED, "parameters": _PARAMETERS},
    )
    async def trades(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Return the fills of an account's own orders, of whichever mode.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given, user_id = admitted.given, admitted.caller.user_id
        limit = given.number("limit", USUAL_LIMIT, range(1, MOST_AT_ONCE + 1))
        cursor = given.text("cursor")
        page = await shown.page(user_id, account_id, _filter(given), limit=limit, cursor=cursor)
        return JSONResponse(as_plain(page), headers={"Cache-Control": "no-store"})

    async def daily(account_id: AccountId, admitted: reader) -> Response:
        begin = _day(admitted.given.text("date"), services.clock.now())
        user_id = admitted.caller.user_id
        since = _millis(begin)
        volume = await shown.volume(user_id, account_id, since, Millis(since + DAY))
        return _told({"utc_date": f"{begin:%Y-%m-%d}"}, volume)

    async def monthly(account_id: AccountId, admitted: reader) -> Response:
        begin = _month(admitted.given.text("month"), services.clock.now())
        following = (begin + timedelta(days=31)).replace(day=1)
        user_id = admitted.caller.user_id
        volume = await shown.volume(user_id, account_id, _millis(begin), _millis(following))
        return _told({"utc_month": f"{begin:%Y-%m}"}, volume)

    async def total(account_id: AccountId, admitted: reader) -> Response:
        volume = await shown.volume(admitted.caller.user_id, account_id, None, None)
        return _told({}, volume)

    for name, key, given, asked, title in (
        ("daily", "utc_date", _DATE, daily, "Traded in a day"),
        ("monthly", "utc_month", _MONTH, monthly, "Traded in a month"),
        ("total", None, [], total, "Traded ever"),
    ):
        described_as = described(key, given)
        app.add_api_route(
            f"{ACCOUNT}/volume/{name}",
            asked,
            methods=["GET"],
            name=f"{name} volume",
            summary=title,
            **described_as,  # type: ignore[arg-type]  # what FastAPI takes by name
        )


def _filter(given: Given) -> TradeFilter:
    symbol, (since, until) = given.text("symbol"), span_of(given)
    if symbol is not None and "\0" in symbol:
        raise InvalidRecord({"symbol": ["is invalid"]})
    return TradeFilter(
        symbol,
        since,
        # What is meant ends before that moment, and the filter's last one counts.
        None if until is None else Millis(until - 1),
    )


def _day(text: str | None, now: Millis) -> datetime:
    if text is None:
        text = f"{_moment(now):%Y-%m-%d}"
    return _parsed("date", text, "%Y-%m-%d")


def _month(text: str | None, now: Millis) -> datetime:
    if text is None:
        text = f"{_moment(now):%Y-%m}"
    return _parsed("month", text, "%Y-%m")


def _parsed(name: str, text: str, form: str) -> datetime:
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRecord({name: ["is invalid"]}) from None
    # Python also reads single digits; the last year of the calendar has no next month.
    if moment.strftime(form) != text or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise InvalidRecord({name: ["is invalid"]})
    return moment


def _moment(at: Millis) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC)


def _millis(moment: datetime) -> Millis:
    return Millis(round(moment.timestamp() * 1000))


def _told(named: dict[str, str], volume: Volume) -> Response:
    value, known = volume.value, volume.known
    body = {
        **named,
        "volume_btc": None if value is None else plain(value.btc),
        "volume_usd": None if value is None else plain(value.usd),
    }
    headers = [(b"X-Volume-Complete", b"false" if volume.why else b"true")]
    if volume.why:
        headers.append((b"X-Volume-Missing", ", ".join(volume.why).encode()))
    if known.since is not None and known.until is not None:
        headers.append((b"X-Volume-Known-Since", iso(known.since).encode()))
        headers.append((b"X-Volume-Known-Until", iso(known.until).encode()))
    return json_reply(msgspec.json.encode(body), 200, headers)
