"""`/public/api/v1/assets`: what assets are, and what the caller says of them."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from coffers.access.call import Caller
from coffers.api.asset_answers import assets_wanted, mapping_of, override_wanted
from coffers.api.asset_schema import ASSET, ASSETS, MAPPING, MAPPINGS
from coffers.api.cursors import page_parameters
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    FORCED_MODE,
    NOT_FOUND,
    SIGNED,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.params import MOST_PER_PAGE
from coffers.api.paths import AssetCode
from coffers.api.schema_words import BOOLEAN, TEXT
from coffers.api.services import Services
from coffers.portfolio.asset_forms import plain_asset, plain_mapping, plain_page
from coffers.portfolio.assets import Assets
from coffers.portfolio.overrides import Overrides

ASSETS_PATH: Final = "/public/api/v1/assets"
_ONE: Final = f"{ASSETS_PATH}/{{asset:asset}}"
OVERRIDE_PATH: Final = f"{_ONE}/override"
MAPPINGS_PATH: Final = "/public/api/v1/asset_mappings"

_HEADERS: Final = {"Cache-Control": "no-store"}
_PAGE: Final = [
    parameter("q", "query", "Keeps those with this in their code or name.", TEXT),
    parameter("only", "query", "`held` keeps those in your accounts.", {"enum": ["held"]}),
    *page_parameters("Assets", MOST_PER_PAGE, MOST_PER_PAGE),
]
_SAID: Final = in_query_or_body(
    name=("What to call it.", TEXT),
    symbol=("Its symbol, as it is shown.", TEXT),
    coingecko_id=("CoinGecko's id of it, for prices that no exchange tells.", TEXT),
    contract=("Its chain and address, `ethereum:0x...`, for the same; not both.", TEXT),
    ignored=("Whether it counts for nothing.", BOOLEAN),
    by_symbol=("Whether what is paid for its symbol is its price; true at first.", BOOLEAN),
)
_MARKET: Final = ("The market's code.", TEXT)
_CODE: Final = ("What the exchange calls the asset.", TEXT)


def add_assets(app: FastAPI, services: Services, door: Door) -> None:
    """Add assets, overrides and mappings."""
    answers = _Answers(services)
    _add_shown(app, answers, door)
    _add_overrides(app, answers, door)
    _add_mappings(app, answers, door)


class _Answers:
    def __init__(self, services: Services) -> None:
        self._services = services
        self.assets = Assets(services.store)
        self.overrides = Overrides(services.store, services.catalogue, services.clock)

    async def page(self, admitted: Admitted) -> JSONResponse:
        caller = admitted.caller
        book = await self._services.shelf.at(caller.epoch)
        page = await self.assets.page(
            caller.user_id, caller.mode, book, assets_wanted(admitted.given)
        )
        return JSONResponse(plain_page(page, self._services.clock.now()), headers=_HEADERS)

    async def one(self, caller: Caller, asset: str) -> JSONResponse:
        book = await self._services.shelf.at(caller.epoch)
        view = await self.assets.one(caller.user_id, caller.mode, book, asset)
        return JSONResponse(plain_asset(view, self._services.clock.now()), headers=_HEADERS)

    async def code(self, caller: Caller, asset: str) -> str:
        """Return the code of an asset that was met, however it is written."""
        book = await self._services.shelf.at(caller.epoch)
        return (await self.assets.one(caller.user_id, caller.mode, book, asset)).asset.code


def _add_shown(app: FastAPI, answers: _Answers, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        ASSETS_PATH,
        summary="Assets by code",
        openapi_extra={**SIGNED, "parameters": [*_PAGE, FORCED_MODE]},
        **_described(reply(200, "A page of assets.", ASSETS)),
    )
    async def list_assets(admitted: reader) -> JSONResponse:
        """Tell which assets were met, or are known by name; those you hold with `only=held`.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        return await answers.page(admitted)

    @app.get(
        _ONE,
        summary="One asset",
        openapi_extra={**SIGNED, "parameters": [FORCED_MODE]},
        **_described({**reply(200, "The asset.", ASSET), **NOT_FOUND}),
    )
    async def get_asset(asset: AssetCode, admitted: reader) -> JSONResponse:
        """Tell an asset's names, where you hold it, and whether it counts and why.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        return await answers.one(admitted.caller, asset)


def _add_overrides(app: FastAPI, answers: _Answers, door: Door) -> None:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    described = _described({**reply(200, "The asset as it is now.", ASSET), **NOT_FOUND})

    @app.put(
        OVERRIDE_PATH,
        summary="Say what an asset is",
        openapi_extra={**SIGNED, **_SAID},
        **described,
    )
    async def set_override(asset: AssetCode, admitted: writer) -> JSONResponse:
        """Put what you say of an asset in the place of what you said before, for you alone.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        wanted = override_wanted(admitted.given)
        code = await answers.code(admitted.caller, asset)
        await answers.overrides.set(admitted.caller.user_id, code, wanted)
        return await answers.one(admitted.caller, code)

    @app.delete(
        OVERRIDE_PATH,
        summary="Take back what was said of an asset",
        openapi_extra=SIGNED,
        **described,
    )
    async def remove_override(asset: AssetCode, admitted: writer) -> JSONResponse:
        """Forget what you said of an asset. Permission: ACCOUNTS_WRITE. Security: SIGNED."""
        code = await answers.code(admitted.caller, asset)
        await answers.overrides.unset(admitted.caller.user_id, code)
        return await answers.one(admitted.caller, code)


def _add_mappings(app: FastAPI, answers: _Answers, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    asset = ("The asset that it means.", TEXT)

    @app.get(
        MAPPINGS_PATH,
        summary="What exchanges' codes mean",
        openapi_extra=SIGNED,
        **_described(reply(200, "Your mappings.", MAPPINGS)),
    )
    async def list_mappings(admitted: reader) -> JSONResponse:
        """Tell what you said that codes mean. Permission: ACCOUNTS_READ. Security: SIGNED."""
        said = await answers.overrides.mappings(admitted.caller.user_id)
        return JSONResponse([plain_mapping(each) for each in said], headers=_HEADERS)

    @app.put(
        MAPPINGS_PATH,
        summary="Take an exchange's code for another asset",
        openapi_extra={
            **SIGNED,
            **in_query_or_body(market_code=_MARKET, venue_code=_CODE, asset=asset),
        },
        **_described(reply(200, "The mapping.", MAPPING)),
    )
    async def set_mapping(admitted: writer) -> JSONResponse:
        """Say what a code means in all of your accounts of a market.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        said = await answers.overrides.map(admitted.caller.user_id, mapping_of(admitted.given))
        return JSONResponse(plain_mapping(said), headers=_HEADERS)

    @app.delete(
        MAPPINGS_PATH,
        summary="Take a mapping back",
        openapi_extra={**SIGNED, **in_query_or_body(market_code=_MARKET, venue_code=_CODE)},
        **_described({**reply(200, "It is removed.", {"const": True}), **NOT_FOUND}),
    )
    async def remove_mapping(admitted: writer) -> JSONResponse:
        """Forget what you said that a code means. Permission: ACCOUNTS_WRITE. Security: SIGNED."""
        given = admitted.given
        market_code, venue_code = given.all_required("market_code", "venue_code")
        await answers.overrides.unmap(admitted.caller.user_id, market_code, venue_code)
        return JSONResponse(True, headers=_HEADERS)


def _described(good: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tags": ["assets"],
        "response_class": JSONResponse,
        "responses": {**good, **ERRORS_OF_SIGNED},
    }
