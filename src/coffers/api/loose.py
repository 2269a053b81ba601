"""`/ver1/loose_accounts`: accounts that their owners keep by hand."""

import dataclasses
from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    KEY_REUSED,
    NOT_FOUND,
    SIGNED,
    in_query_or_body,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.idempotency import key_of, key_parameter
from coffers.api.paths import BASE, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import BOOLEAN, TEXT, TIME, Schema, object_of
from coffers.api.services import Services
from coffers.clock import iso
from coffers.errors import InvalidRecord
from coffers.portfolio.idempotency import Once
from coffers.portfolio.loose import AMOUNTS, CODES, CurrenciesWanted, HandKept, LooseAccounts
from coffers.portfolio.token_keys import added_chains
from coffers.store.records import Account

LOOSE_PATH: Final = f"{BASE}/loose_accounts"
MOST_CURRENCIES: Final = 500
_MOST_OFFSET: Final = 10**9
_USUAL_LIMIT: Final = 100

_encode: Final = msgspec.json.Encoder().encode


_LOOSE: Final = object_of(
    {
        "id": {"type": "integer"},
        "name": TEXT,
        "created_at": TIME,
        "updated_at": TIME,
        "type": {"const": "Accounts::LooseAccount"},
        "is_deleted": BOOLEAN,
        "is_locked": BOOLEAN,
    }
)
_CURRENCIES: Final[Schema] = {
    "type": "array",
    "items": object_of({"code": TEXT, "name": {"anyOf": [TEXT, {"type": "null"}]}}),
}
_FIELDS: Final[dict[str, tuple[str, Schema]]] = {
    "name": ("2 to 100 characters.", {"type": "string", "minLength": 2, "maxLength": 100}),
    CODES: (
        'Assets: BTC, or ethereum:0x...; in JSON also `{"tokens": {"code": [...]}}`.',
        {"type": "array", "items": TEXT},
    ),
    AMOUNTS: (
        "How much is held of each, in the same order.",
        {"type": "array", "items": TEXT},
    ),
    "include_in_summary": ("Whether it counts in the summary.", BOOLEAN),
}
_SAID: Final = in_query_or_body(**_FIELDS)
_MADE_ONCE: Final = key_parameter("The same account under the same key is made once.")
_WANTED: Final = [
    parameter("contains", "query", "Keeps those with this in their code or name.", TEXT),
    parameter(
        "limit",
        "query",
        "How many.",
        {"type": "integer", "minimum": 1, "maximum": MOST_CURRENCIES, "default": _USUAL_LIMIT},
    ),
    parameter(
        "offset",
        "query",
        "How many to leave out before.",
        {"type": "integer", "minimum": 0, "maximum": _MOST_OFFSET, "default": 0},
    ),
]


def add_loose(app: FastAPI, services: Services, door: Door) -> None:
    """Add hand-kept accounts, and the currencies that may be in them."""
    loose = LooseAccounts(services.store, services.clock, added_chains(services.catalogue))
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.get(
        f"{LOOSE_PATH}/available_currencies",
        tags=["loose accounts"],
        summary="Currencies that have a price",
        response_class=Response,
        responses={**reply(200, "By code.", _CURRENCIES), **ERRORS_OF_SIGNED},
        openapi_extra={**SIGNED, "parameters": _WANTED},
    )
    async def available_currencies(admitted: reader) -> Response:
        """Return what a hand-kept account may hold and be valued at once.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        caller = admitted.caller
        book = await services.shelf.own(caller.user_id, await services.shelf.at(caller.epoch))
        found = await loose.currencies(caller.user_id, book, _currencies_wanted(admitted.given))
        return json_reply(_encode([{"code": each.code, "name": each.name} for each in found]))

    @app.post(
        LOOSE_PATH,
        status_code=201,
        tags=["loose accounts"],
        summary="Keep an account by hand",
        response_class=Response,
        responses={**reply(201, "The account.", _LOOSE), **ERRORS_OF_SIGNED, **KEY_REUSED},
        openapi_extra={**SIGNED, **_SAID, "parameters": [*_SAID["parameters"], _MADE_ONCE]},
    )
    async def create(request: Request, admitted: writer) -> Response:
        """Add an account that holds what you say. It is a real one, whatever the mode.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        said = dataclasses.replace(
            _said(admitted.given, is_new=True), once=Once(key=key_of(request))
        )
        account = await loose.create(admitted.caller.user_id, said)
        return json_reply(_plain(account), 201)

    @app.put(
        f"{LOOSE_PATH}/{{account_id:id}}",
        tags=["loose accounts"],
        summary="Say anew what is in an account",
        response_class=Response,
        responses={**reply(200, "The account.", _LOOSE), **ERRORS_OF_SIGNED, **NOT_FOUND},
        openapi_extra={**SIGNED, **_SAID},
    )
    async def replace(account_id: AccountId, admitted: writer) -> Response:
        """Put what you say in the place of what the account held.

        Permission: ACCOUNTS_WRITE. Security: SIGNED. The difference is a deposit or a withdrawal.
        """
        said = _said(admitted.given, is_new=False)
        return json_reply(_plain(await loose.replace(admitted.caller.user_id, account_id, said)))


def _said(given: Given, *, is_new: bool) -> HandKept:
    codes, amounts, name = given.texts(CODES), given.texts(AMOUNTS), given.text("name")
    if codes is None or amounts is None or (is_new and name is None):
        needed = {CODES: codes, AMOUNTS: amounts, **({"name": name} if is_new else {})}
        raise InvalidRecord({key: ["is missing"] for key, v in needed.items() if v is None})
    return HandKept(codes, amounts, name, given.flag("include_in_summary"))


def _currencies_wanted(given: Given) -> CurrenciesWanted:
    return CurrenciesWanted(
        given.text("contains") or "",
        given.number("limit", _USUAL_LIMIT, range(1, MOST_CURRENCIES + 1)),
        given.number("offset", 0, range(_MOST_OFFSET + 1)),
    )


def _plain(account: Account) -> bytes:
    return _encode(
        {
            "id": account.id,
            "name": account.name,
            "created_at": iso(account.created_at),
            "updated_at": iso(account.updated_at),
            "type": "Accounts::LooseAccount",
            # One that was deleted is not there any more.
            "is_deleted": False,
            "is_locked": account.is_locked,
        }
    )
