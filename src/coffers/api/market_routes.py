"""The routes that tell which markets there are to connect."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    ERRORS_OF_UNSIGNED,
    FORCED_MODE,
    SIGNED,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.market_schema import MARKETS, TYPES, market_entity, type_entity
from coffers.api.paths import BASE
from coffers.api.replies import json_reply
from coffers.api.services import Services
from coffers.api.surroundings import Surroundings
from coffers.portfolio.markets import connectable, types_to_connect

_encode: Final = msgspec.json.Encoder().encode
_TYPE: Final = parameter("type", "query", "A market's code.", {"type": "string"}, is_required=True)
_KEY: Final = parameter(
    "api_key",
    "query",
    "The exchange API key whose connections are meant; without it all are.",
    {"type": "string"},
)


def add_markets(
    app: FastAPI,
    services: Services,
    accounts: AccountAnswers,
    door: Door,
    surroundings: Surroundings,
) -> None:
    """Add `market_list` and `types_to_connect`."""
    signed = Annotated[Admitted, Depends(door.admitting())]

    async def not_banned(request: Request) -> None:
        await door.check_address(request.scope)

    @app.get(
        f"{BASE}/accounts/market_list",
        tags=["markets"],
        summary="Markets that can be connected",
        dependencies=[Depends(not_banned)],
        response_class=Response,
        responses={**reply(200, "By code.", MARKETS), **ERRORS_OF_UNSIGNED},
    )
    async def market_list(request: Request) -> Response:
        """Return the markets that accounts can be connected to, with the fields of their forms."""
        base_url = surroundings.base_url(request.scope)
        is_on = services.settings.trading
        markets = [
            market_entity(market, base_url, is_trading_on=is_on)
            for market in connectable(services.catalogue)
        ]
        return json_reply(_encode(markets))

    @app.get(
        f"{BASE}/accounts/types_to_connect",
        tags=["markets"],
        summary="Markets that one exchange key opens",
        response_class=Response,
        responses={**reply(200, "The asked one first.", TYPES), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": [_TYPE, _KEY, FORCED_MODE]},
    )
    async def types(admitted: signed) -> Response:
        """Return the markets that a key of a market opens. No permission. Security: SIGNED.

        The exchange is not asked. A secret is not needed, and not looked at.
        """
        caller, given = admitted.caller, admitted.given
        code, api_key = given.required("type"), given.text("api_key")
        mine = await accounts.keeping.of_mode(caller.user_id, caller.mode)
        found = types_to_connect(services.catalogue, code, mine, api_key)
        return json_reply(_encode([type_entity(each) for each in found]))
