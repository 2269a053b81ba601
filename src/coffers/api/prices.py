"""`GET /public/api/v1/prices`: what assets are worth, and how that is known."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse

from coffers.access.call import Caller
from coffers.api.documents import ERRORS_OF_SIGNED, NOT_FOUND, SIGNED, in_query_or_body, reply
from coffers.api.door import Admitted, Door
from coffers.api.paths import AssetCode
from coffers.api.price_schema import PRICE, PRICES
from coffers.api.services import Services
from coffers.errors import InvalidRecord
from coffers.portfolio.accepting import Accepting
from coffers.portfolio.prices import as_plain, known, price_of, prices_for
from coffers.valuation.model import PriceBook

PRICES_PATH: Final = "/public/api/v1/prices"
_ONE: Final = f"{PRICES_PATH}/{{asset:asset}}"
MOST_AT_ONCE: Final = 100

_HEADERS: Final = {"Cache-Control": "private, no-cache"}


def add_prices(app: FastAPI, services: Services, door: Door) -> None:
    """Add the prices, of one asset and of several, and the way to accept one."""
    _add_accepting(app, services, door)

    async def reader(request: Request) -> Caller:
        return await door.admit(request.scope, request.receive, "accounts_read")

    @app.get(
        PRICES_PATH,
        tags=["prices"],
        response_class=JSONResponse,
        responses=_answers("The prices, one for each name, in the order asked for.", PRICES),
        openapi_extra=SIGNED,
    )
    async def list_prices(
        caller: Annotated[Caller, Depends(reader)],
        assets: Annotated[str, Query(description="Names of 1 to 100 assets, commas apart.")],
    ) -> JSONResponse:
        """Tell what assets are worth; of one without a price everything is null.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        book, now = await _book(services, caller), services.clock.now()
        found = await prices_for(services.store, caller.user_id, book, _names(assets))
        return JSONResponse([as_plain(each, now) for each in found], headers=_HEADERS)

    @app.get(
        _ONE,
        tags=["prices"],
        response_class=JSONResponse,
        responses=_answers("The price, or the one that is held back.", PRICE) | NOT_FOUND,
        openapi_extra=SIGNED,
    )
    async def get_price(
        caller: Annotated[Caller, Depends(reader)],
        asset: AssetCode,
    ) -> JSONResponse:
        """Tell what an asset is worth, and how that is known; 404 where it has no price.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        book = await _book(services, caller)
        [found] = await prices_for(services.store, caller.user_id, book, [asset])
        return JSONResponse(as_plain(known(found), services.clock.now()), headers=_HEADERS)


def _add_accepting(app: FastAPI, services: Services, door: Door) -> None:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    accepting = Accepting(services.store, services.clock)
    usd = ("The price that is accepted, as `held_back` tells it.", {"type": "string"})

    @app.post(
        f"{_ONE}/accept",
        status_code=201,
        tags=["prices"],
        summary="Accept a price that is held back",
        response_class=JSONResponse,
        responses={**reply(201, "The price as it counts for you.", PRICE), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, **in_query_or_body(usd=usd)},
    )
    async def accept_price(admitted: writer, asset: AssetCode) -> JSONResponse:
        """Count a price that leapt in your totals from now on, and in nobody else's.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. It holds until the price would be believed
        by itself, as long as it stays near the accepted one.
        """
        caller = admitted.caller
        name = await accepting.accept(caller.user_id, asset, admitted.given.required("usd"))
        book = await services.shelf.own(caller.user_id, await services.shelf.newest())
        found = price_of(name, book)
        return JSONResponse(as_plain(found, services.clock.now()), 201, headers=_HEADERS)


async def _book(services: Services, caller: Caller) -> PriceBook | None:
    """Return the newest prices as they count for the caller."""
    return await services.shelf.own(caller.user_id, await services.shelf.at(caller.epoch))


def _answers(description: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": schema}}
    return {200: {"description": description, "content": content}, **ERRORS_OF_SIGNED}


def _names(assets: str) -> list[str]:
    names = [name for part in assets.split(",") if (name := part.strip())]
    if not names:
        raise InvalidRecord({"assets": ["is missing"]})
    if len(names) > MOST_AT_ONCE:
        raise InvalidRecord({"assets": [f"is too long (maximum is {MOST_AT_ONCE} assets)"]})
    return names
