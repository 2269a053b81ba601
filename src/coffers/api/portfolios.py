"""Portfolios: ours under `/public/api/v1`, and read under the paths of the published API."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Path
from fastapi.responses import JSONResponse

from coffers.api.account_schema import PUBLISHED_PORTFOLIO
from coffers.api.balance_settings_schema import PORTFOLIO, PORTFOLIOS
from coffers.api.cursors import limit_of, page_parameters
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    NOT_FOUND,
    PORTFOLIO_IN_USE,
    SIGNED,
    header,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.entity import published_portfolio
from coffers.api.given import Given
from coffers.api.paths import BASE
from coffers.api.schema_words import TEXT, Schema
from coffers.api.services import Services
from coffers.portfolio.portfolios import (
    USUAL_TOLERANCE,
    PortfolioKeeping,
    PortfolioWanted,
    plain_portfolio,
)

PORTFOLIOS_PATH: Final = "/public/api/v1/auto_balance/portfolios"
PUBLISHED_PATH: Final = f"{BASE}/portfolios"

_ONE: Final = f"{PORTFOLIOS_PATH}/{{portfolio_id:id}}"
_MOST_PER_PAGE: Final = 100
_MOST_OFFSET: Final = 1_000_000
_USUAL_LIMIT: Final = 10
_HEADERS: Final = {"Cache-Control": "no-store"}
_PortfolioId = Annotated[int, Path(description="The portfolio's id.", ge=0)]
_SAID: Final = in_query_or_body(
    name=("2 to 100 characters.", {"type": "string", "minLength": 2, "maxLength": 100}),
    targets=(
        "Shares in percent by asset, exactly 100 together; in a query or a form `targets[BTC]=60`.",
        {"type": "object", "additionalProperties": TEXT},
    ),
    tolerance=("By how many points a share may be off: 1, unless said.", TEXT),
    sells_others=("Whether everything else that is held is sold.", {"type": "boolean"}),
)
_PAGE: Final = page_parameters("Portfolios", _MOST_PER_PAGE, _MOST_PER_PAGE)
_NUMBER: Final[Schema] = {"type": "integer", "minimum": 1}


def add_portfolios(app: FastAPI, services: Services, door: Door) -> None:
    """Add portfolios, and what the published API tells of them."""
    portfolios = PortfolioKeeping(services.store, services.clock)
    _add_shown(app, portfolios, door)
    _add_changed(app, portfolios, door)
    _add_published(app, portfolios, door)


def _add_shown(app: FastAPI, portfolios: PortfolioKeeping, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        PORTFOLIOS_PATH,
        summary="Portfolios to rebalance to",
        openapi_extra={**SIGNED, "parameters": _PAGE},
        **_described(reply(200, "A page of portfolios, by id.", PORTFOLIOS)),
    )
    async def list_portfolios(admitted: reader) -> JSONResponse:
        """Tell your portfolios. Permission: ACCOUNTS_READ. Security: SIGNED."""
        given = admitted.given
        limit = limit_of(given, _MOST_PER_PAGE, _MOST_PER_PAGE)
        page = await portfolios.page(
            admitted.caller.user_id, limit=limit, cursor=given.text("cursor")
        )
        told = {
            "portfolios": [plain_portfolio(each) for each in page.portfolios],
            "next_cursor": page.next_cursor,
        }
        return JSONResponse(told, headers=_HEADERS)

    @app.get(
        _ONE,
        summary="One portfolio",
        openapi_extra=SIGNED,
        **_described({**reply(200, "The portfolio.", PORTFOLIO), **NOT_FOUND}),
    )
    async def get_portfolio(portfolio_id: _PortfolioId, admitted: reader) -> JSONResponse:
        """Tell one of your portfolios. Permission: ACCOUNTS_READ. Security: SIGNED."""
        found = await portfolios.get(admitted.caller.user_id, portfolio_id)
        return JSONResponse(plain_portfolio(found), headers=_HEADERS)


def _add_changed(app: FastAPI, portfolios: PortfolioKeeping, door: Door) -> None:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.post(
        PORTFOLIOS_PATH,
        status_code=201,
        summary="Make a portfolio",
        openapi_extra={**SIGNED, **_SAID},
        **_described(reply(201, "The portfolio.", PORTFOLIO)),
    )
    async def create_portfolio(admitted: writer) -> JSONResponse:
        """Say which share each asset shall have. Permission: ACCOUNTS_WRITE. Security: SIGNED."""
        made = await portfolios.create(admitted.caller.user_id, _wanted(admitted.given))
        return JSONResponse(plain_portfolio(made), 201, headers=_HEADERS)

    @app.put(
        _ONE,
        summary="Change a portfolio",
        openapi_extra={**SIGNED, **_SAID},
        **_described({**reply(200, "The portfolio as it is now.", PORTFOLIO), **NOT_FOUND}),
    )
    async def replace_portfolio(portfolio_id: _PortfolioId, admitted: writer) -> JSONResponse:
        """Put what you say in the place of all that the portfolio was.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. Accounts go to it from their next run on.
        """
        user_id, wanted = admitted.caller.user_id, _wanted(admitted.given)
        made = await portfolios.replace(user_id, portfolio_id, wanted)
        return JSONResponse(plain_portfolio(made), headers=_HEADERS)

    @app.delete(
        _ONE,
        summary="Remove a portfolio",
        openapi_extra=SIGNED,
        **_described(
            {**reply(200, "It is removed.", {"const": True}), **NOT_FOUND, **PORTFOLIO_IN_USE}
        ),
    )
    async def remove_portfolio(portfolio_id: _PortfolioId, admitted: writer) -> JSONResponse:
        """Remove a portfolio that no account uses. Permission: ACCOUNTS_WRITE. Security: SIGNED."""
        await portfolios.remove(admitted.caller.user_id, portfolio_id)
        return JSONResponse(True, headers=_HEADERS)


def _add_published(app: FastAPI, portfolios: PortfolioKeeping, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    pages = [
        parameter("page", "query", "The page, from 1.", _NUMBER),
        parameter("per_page", "query", "Portfolios per page.", {**_NUMBER, "maximum": 100}),
    ]
    spans = [
        parameter("limit", "query", "How many.", {**_NUMBER, "maximum": 100}),
        parameter("offset", "query", "After how many.", {"type": "integer", "minimum": 0}),
    ]
    many = {"type": "array", "items": PUBLISHED_PORTFOLIO}
    total = {"X-Total-Count": header("All portfolios.", "integer")}
    listed = reply(200, "Portfolios, by id.", many, total)

    @app.get(
        PUBLISHED_PATH,
        summary="Portfolios",
        openapi_extra={**SIGNED, "parameters": pages},
        **_described(listed),
    )
    async def published_list(admitted: reader) -> JSONResponse:
        """Tell your portfolios as the published API does.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        per_page = given.number("per_page", _MOST_PER_PAGE, range(1, _MOST_PER_PAGE + 1))
        place = given.number("page", 1, range(1, _MOST_OFFSET + 1)) - 1
        return await _published(portfolios, admitted, place * per_page, per_page)

    @app.get(
        f"{PUBLISHED_PATH}/portfolios",
        summary="Portfolios, by an older name",
        openapi_extra={**SIGNED, "parameters": spans},
        **_described(listed),
    )
    async def older_list(admitted: reader) -> JSONResponse:
        """Tell your portfolios to clients that know the older path.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        given = admitted.given
        limit = given.number("limit", _USUAL_LIMIT, range(1, _MOST_PER_PAGE + 1))
        offset = given.number("offset", 0, range(_MOST_OFFSET + 1))
        return await _published(portfolios, admitted, offset, limit)

    @app.get(
        f"{PUBLISHED_PATH}/{{portfolio_id:id}}",
        summary="One portfolio",
        openapi_extra=SIGNED,
        **_described({**reply(200, "The portfolio.", PUBLISHED_PORTFOLIO), **NOT_FOUND}),
    )
    async def published_one(portfolio_id: _PortfolioId, admitted: reader) -> JSONResponse:
        """Tell one portfolio as the published API does.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        found = await portfolios.get(admitted.caller.user_id, portfolio_id)
        return JSONResponse(published_portfolio(found), headers=_HEADERS)


async def _published(
    portfolios: PortfolioKeeping, admitted: Admitted, offset: int, limit: int
) -> JSONResponse:
    page = await portfolios.page(admitted.caller.user_id, offset=offset, limit=limit)
    told = [published_portfolio(each) for each in page.portfolios]
    return JSONResponse(told, headers={**_HEADERS, "X-Total-Count": str(page.total)})


def _wanted(given: Given) -> PortfolioWanted:
    tolerance = given.text("tolerance")
    return PortfolioWanted(
        given.required("name"),
        given.by_key("targets") or {},
        USUAL_TOLERANCE if tolerance is None else tolerance,
        sells_others=bool(given.flag("sells_others")),
    )


def _described(answers: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tags": ["auto-balance"],
        "response_class": JSONResponse,
        "responses": {**answers, **ERRORS_OF_SIGNED},
    }
