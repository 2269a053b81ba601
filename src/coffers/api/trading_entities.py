"""`active_trading_entities`: what is open in an account at this moment."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI
from fastapi.responses import Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import ERRORS_OF_SIGNED, FROM_EXCHANGE, NOT_FOUND, SIGNED, reply
from coffers.api.door import Admitted, Door
from coffers.api.paths import ACCOUNT, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import Schema
from coffers.api.services import Services
from coffers.portfolio.errand_forms import OPEN_ORDERS, OpenAsked, OpenTold
from coffers.portfolio.errands import Errands

_NONE: Final = {"type": "integer", "enum": [0]}
_COUNT: Final = {"type": "integer", "minimum": 0}
_COUNTS: Final[dict[str, Schema]] = {
    "active_bots_count": _NONE,
    "active_deals_count": _NONE,
    "active_smart_trades_count": _NONE,
    "active_orders_count": {
        "anyOf": [_COUNT, {"type": "null"}],
        "description": "Orders that wait at the exchange; null where it does not tell them.",
    },
    "active_grid_bots_count": _NONE,
}
_SCHEMA: Final[Schema] = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "object", "required": list(_COUNTS), "properties": _COUNTS}},
}
_POSITIONS: Final[Schema] = {
    "X-Open-Positions": {
        "description": "Open derivative positions at the last reading; absent before the first.",
        "schema": {"type": "integer", "minimum": 0},
    }
}


def add_trading_entities(
    app: FastAPI, services: Services, answers: AccountAnswers, door: Door
) -> None:
    """Add the route that counts what is open."""
    errands = Errands(services.store, services.vault, services.clock)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        f"{ACCOUNT}/active_trading_entities",
        tags=["trades"],
        summary="What is open",
        response_class=Response,
        responses={
            **reply(200, "The counts.", _SCHEMA, _POSITIONS),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **FROM_EXCHANGE,
        },
        openapi_extra=SIGNED,
    )
    async def active_trading_entities(account_id: AccountId, admitted: reader) -> Response:
        """Ask the exchange for the orders that wait there. This server runs no bots or deals.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        user_id = admitted.caller.user_id
        account = await answers.keeping.get(user_id, account_id)
        market = services.catalogue.get(account.market_code)
        orders: int | None = 0
        if market is not None and market.venue is not None:
            told = await errands.ask(user_id, OPEN_ORDERS, OpenAsked(account_id))
            orders = msgspec.json.decode(told, type=OpenTold).orders
        headers = []
        if account.sync.read_at is not None:
            async with services.store.reading() as tx:
                contracts = await tx.holdings.contracts_of(user_id, account_id)
            headers.append((b"X-Open-Positions", str(len(contracts)).encode()))
        data = {**dict.fromkeys(_COUNTS, 0), "active_orders_count": orders}
        return json_reply(msgspec.json.encode({"data": data}), 200, headers)
