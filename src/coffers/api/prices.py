"""`GET /public/api/v1/prices`: what assets are worth, and how that is known."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse

from coffers.access.call import Caller
from coffers.api.documents import ERRORS_OF_SIGNED, NOT_FOUND, SIGNED
from coffers.api.door import Door
from coffers.api.price_schema import PRICE, PRICES
from coffers.api.services import Services
from coffers.errors import InvalidRecord
from coffers.portfolio.prices import as_plain, known_price, price_of

PRICES_PATH: Final = "/public/api/v1/prices"
MOST_AT_ONCE: Final = 100

_HEADERS: Final = {"Cache-Control": "private, no-cache"}


def add_prices(app: FastAPI, services: Services, door: Door) -> None:
    """Add the prices, of one asset and of several."""

    async def reader(request: Request) -> Caller:
        return await door.admit(request.scope, request.receive, "accounts_read")

    @app.get(
        PRICES_PATH,
        tags=["prices"],
        response_class=JSONResponse,
        responses=_answers("The prices, in the order that was asked for.", PRICES),
        openapi_extra=SIGNED,
    )
    async def list_prices(
        caller: Annotated[Caller, Depends(reader)],
        assets: Annotated[str, Query(description="Names of 1 to 100 assets, commas apart.")],
    ) -> JSONResponse:
        """Tell what assets are worth; of one without a price everything is null.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        book, now = await services.shelf.at(caller.epoch), services.clock.now()
        found = [price_of(asset, book) for asset in _names(assets)]
        return JSONResponse([as_plain(each, now) for each in found], headers=_HEADERS)

    @app.get(
        f"{PRICES_PATH}/{{asset}}",
        tags=["prices"],
        response_class=JSONResponse,
        responses=_answers("The price, or the one that is held back.", PRICE) | NOT_FOUND,
        openapi_extra=SIGNED,
    )
    async def get_price(
        caller: Annotated[Caller, Depends(reader)],
        asset: Annotated[str, Path(description="An asset's name: BTC.")],
    ) -> JSONResponse:
        """Tell what an asset is worth, and how that is known; 404 where it has no price.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        book = await services.shelf.at(caller.epoch)
        found = known_price(asset, book)
        return JSONResponse(as_plain(found, services.clock.now()), headers=_HEADERS)


def _answers(description: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": schema}}
    return {200: {"description": description, "content": content}, **ERRORS_OF_SIGNED}


def _names(assets: str) -> list[str]:
    names = [name for part in assets.split(",") if (name := part.strip())]
    if not names:
        raise InvalidRecord({"assets": ["is missing"]})
    if len(names) > MOST_AT_ONCE:
        raise InvalidRecord({"assets": [f"is too long (maximum is {MOST_AT_ONCE} assets)"]})
    return list(dict.fromkeys(names))
