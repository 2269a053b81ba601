"""`/public/api/v1/paper_accounts`: made-up balances at real prices."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    KEY_REUSED,
    NO_PRICE,
    NOT_FOUND,
    PAPER_REFUSED,
    SIGNED,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.idempotency import key_of, key_parameter
from coffers.api.paper_schema import ORDER, ORDERS, PAPER_ACCOUNT, SIDE
from coffers.api.paths import AccountId
from coffers.api.schema_words import TEXT
from coffers.api.services import Services
from coffers.portfolio.idempotency import Once
from coffers.portfolio.paper import USUAL_FEE, Direction, NewPaper, PaperAccounts, as_plain
from coffers.portfolio.paper_orders import MOST_AT_ONCE, OrderWanted, PaperOrders, plain_order
from coffers.portfolio.token_keys import added_chains

PAPER_PATH: Final = "/public/api/v1/paper_accounts"
USUAL_LIMIT: Final = 100

_ONE: Final = f"{PAPER_PATH}/{{account_id:id}}"
_HEADERS: Final = {"Cache-Control": "no-store"}
_BALANCES: Final = (
    "Amounts by asset; in a query or a form `balances[USDT]=10000`.",
    {"type": "object", "additionalProperties": TEXT},
)
_NEW: Final = in_query_or_body(
    name=("2 to 100 characters.", {"type": "string", "minLength": 2, "maxLength": 100}),
    balances=_BALANCES,
    fee=("The share that orders cost: 0.001 is a tenth of a percent.", TEXT),
)
_MOVED: Final = in_query_or_body(
    asset=("An asset: BTC.", TEXT), amount=("How much of it, more than zero.", TEXT)
)
_ORDER: Final = in_query_or_body(
    side=("What to do with the base.", SIDE),
    base=("What is bought or sold.", TEXT),
    quote=("What it is paid in.", TEXT),
    amount=("How much of the base.", TEXT),
    quote_amount=("Or how much of the quote; one of the two.", TEXT),
)
_ORDER_KEY: Final = key_parameter("The same order under the same key is filled once.")
_MADE_ONCE: Final = key_parameter("The same account under the same key is made once.")
_PAGE: Final = [
    parameter(
        "limit",
        "query",
        "Orders per page.",
        {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUAL_LIMIT},
    ),
    parameter("cursor", "query", "`next_cursor` of the page before.", TEXT),
]


def add_paper(app: FastAPI, services: Services, door: Door) -> None:
    """Add paper accounts, what is put in and taken out, and their orders."""
    added = added_chains(services.catalogue)
    accounts = PaperAccounts(services.store, services.clock, added)
    _add_accounts(app, accounts, door)
    _add_changes(app, accounts, door)
    _add_orders(app, PaperOrders(services.store, services.clock, added), door)


def _add_accounts(app: FastAPI, accounts: PaperAccounts, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.post(
        PAPER_PATH,
        status_code=201,
        summary="Make a paper account",
        openapi_extra={**SIGNED, **_NEW, "parameters": [*_NEW["parameters"], _MADE_ONCE]},
        **_described({**reply(201, "The account.", PAPER_ACCOUNT), **KEY_REUSED}),
    )
    async def create(request: Request, admitted: writer) -> JSONResponse:
        """Make an account of made-up balances, which only requests in paper mode list.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        given = admitted.given
        fee = given.text("fee")
        asked = NewPaper(
            given.required("name"),
            given.by_key("balances") or {},
            USUAL_FEE if fee is None else fee,
            Once(key=key_of(request)),
        )
        made = await accounts.create(admitted.caller.user_id, asked)
        return JSONResponse(as_plain(made), 201, headers=_HEADERS)

    @app.get(
        _ONE,
        summary="A paper account",
        openapi_extra=SIGNED,
        **_described({**reply(200, "The account.", PAPER_ACCOUNT), **NOT_FOUND}),
    )
    async def show(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Return what a paper account holds, and its terms.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        found = await accounts.get(admitted.caller.user_id, account_id)
        return JSONResponse(as_plain(found), headers=_HEADERS)

    @app.post(
        f"{_ONE}/reset",
        status_code=201,
        summary="Begin a paper account anew",
        openapi_extra={**SIGNED, **in_query_or_body(balances=_BALANCES)},
        **_described({**reply(201, "The account.", PAPER_ACCOUNT), **NOT_FOUND}),
    )
    async def reset(account_id: AccountId, admitted: writer) -> JSONResponse:
        """Forget an account's orders and history, and let it hold what it started with.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. With `balances` it starts with those, now and
        at every later reset.
        """
        balances = admitted.given.by_key("balances")
        found = await accounts.reset(admitted.caller.user_id, account_id, balances)
        return JSONResponse(as_plain(found), 201, headers=_HEADERS)


def _add_changes(app: FastAPI, accounts: PaperAccounts, door: Door) -> None:
    for name, direction, summary in _CHANGES:
        app.add_api_route(
            f"{_ONE}/{name}",
            _moving(accounts, door, direction),
            methods=["POST"],
            status_code=201,
            name=name,
            summary=summary,
            description="It is no profit and no loss. Permission: ACCOUNTS_WRITE. "
            "Security: SIGNED.",
            openapi_extra={**SIGNED, **_MOVED},
            **_described(
                {**reply(201, "The account.", PAPER_ACCOUNT), **NOT_FOUND, **PAPER_REFUSED}
            ),
        )


_CHANGES: Final[tuple[tuple[str, Direction, str], ...]] = (
    ("deposits", "in", "Put made-up money in"),
    ("withdrawals", "out", "Take made-up money out"),
)


def _moving(
    accounts: PaperAccounts, door: Door, direction: Direction
) -> Callable[..., Awaitable[JSONResponse]]:
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    async def move(account_id: AccountId, admitted: writer) -> JSONResponse:
        given = admitted.given
        asset, amount = given.all_required("asset", "amount")
        found = await accounts.move(admitted.caller.user_id, account_id, direction, asset, amount)
        return JSONResponse(as_plain(found), 201, headers=_HEADERS)

    return move


def _add_orders(app: FastAPI, orders: PaperOrders, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]
    asked = {**_ORDER, "parameters": [*_ORDER["parameters"], _ORDER_KEY]}

    @app.post(
        f"{_ONE}/orders",
        status_code=201,
        summary="Buy or sell on paper",
        openapi_extra={**SIGNED, **asked},
        **_described({**reply(201, "The order.", ORDER), **NOT_FOUND, **PAPER_REFUSED, **NO_PRICE}),
    )
    async def place(account_id: AccountId, request: Request, admitted: writer) -> JSONResponse:
        """Fill a market order at once, at the price of the newest price book.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        wanted = _wanted(admitted.given, key_of(request))
        order = await orders.place(admitted.caller.user_id, account_id, wanted)
        return JSONResponse(plain_order(order), 201, headers=_HEADERS)

    @app.get(
        f"{_ONE}/orders",
        summary="Orders of a paper account",
        openapi_extra={**SIGNED, "parameters": _PAGE},
        **_described({**reply(200, "The orders, newest first.", ORDERS), **NOT_FOUND}),
    )
    async def page(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Return the orders that were filled. Permission: ACCOUNTS_READ. Security: SIGNED."""
        given = admitted.given
        found = await orders.page(
            admitted.caller.user_id,
            account_id,
            limit=given.number("limit", USUAL_LIMIT, range(1, MOST_AT_ONCE + 1)),
            cursor=given.text("cursor"),
        )
        told = {
            "orders": [plain_order(order) for order in found.orders],
            "next_cursor": found.next_cursor,
        }
        return JSONResponse(told, headers=_HEADERS)


def _wanted(given: Given, key: str | None) -> OrderWanted:
    side, base, quote = given.all_required("side", "base", "quote")
    return OrderWanted(
        side,
        base,
        quote,
        given.text("amount"),
        given.text("quote_amount"),
        key,
    )


def _described(answers: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tags": ["paper accounts"],
        "response_class": JSONResponse,
        "responses": {**answers, **ERRORS_OF_SIGNED},
    }
