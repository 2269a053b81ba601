"""The OpenAPI document, and a page that shows it without anything from outside of this server."""

from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from coffers import __version__
from coffers.api.account_schema import ACCOUNT, SINGLE_ACCOUNT
from coffers.api.paging import ACCOUNTS_PATH
from coffers.api.params import MOST_PER_PAGE
from coffers.api.schema_words import Schema

_ASSETS: Final = Path(fastapi_offline.__file__).parent / "static"
_ASSETS_URL: Final = "/docs/assets"

# The browser itself sees to it that the page loads and sends nothing elsewhere.
_OWN_SERVER_ONLY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_ERROR: Final[Schema] = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "What clients match on."},
        "error_description": {"type": "string"},
        "error_attributes": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "additionalProperties": False,
}
_ERROR_CONTENT: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _errors(sentences: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"description": sentence, "content": _ERROR_CONTENT}
        for status, sentence in sentences.items()
    }


_ANYWHERE: Final = {
    405: "method_not_allowed; `Allow` names the methods that there are.",
    413: "payload_too_large: the body is longer than 64 KiB.",
    414: "uri_too_long: path and query are longer than 16 KiB.",
    500: "unknown_error, with the request's id.",
}
NOT_FOUND: Final = _errors({404: "not_found"})
NOT_DELETABLE: Final = _errors({422: "account_not_deletable: orders are being placed in it."})
PAPER_REFUSED: Final = _errors(
    {
        422: "insufficient_balance: the account has less than is asked of it; "
        "idempotency_key_reused: the key is that of another order."
    }
)
KEY_REUSED: Final = _errors({422: "idempotency_key_reused: the key is that of another request."})
PORTFOLIO_IN_USE: Final = _errors({409: "portfolio_in_use: accounts are rebalanced to it."})
BALANCED_AT_EXCHANGE: Final = _errors(
    {
        422: "cannot_balance: the sentence tells why; invalid_api_key: the exchange refused the "
        "key; exchange_refused: it refuses this server.",
        503: "exchange_unavailable: the exchange does not answer; service_unavailable: the "
        "database does not, or no worker is at work.",
        504: "exchange_timeout: it was not done in time, and may still be.",
    }
)
FROM_EXCHANGE: Final = _errors(
    {
        422: "invalid_api_key: the exchange refused the key; exchange_refused: it refuses this "
        "server, or cannot be read.",
        503: "exchange_unavailable: the exchange does not answer; service_unavailable: the "
        "database does not, or no worker is at work.",
        504: "exchange_timeout: it was not done in time, and may still be.",
    }
)
FROM_OPERATION: Final = _errors(
    {
        403: "access_denied: the token lacks the permission, the server's operator has not allowed "
        "trading, or this account or its key cannot do it.",
        422: "operation_failed: nothing was done, and why; idempotency_key_reused: the key is that "
        "of another request.",
        503: "service_unavailable: the database does not answer, or no worker is at work.",
        504: "exchange_timeout: it takes longer and goes on; `operation_id` tells which it is.",
    }
)
TOO_MANY_STREAMS: Final = _errors(
    {
        429: "rate_limit_exceeded; too_many_streams: the token has as many open as it may.",
        503: "service_unavailable: the database does not answer, or the server has as many streams "
        "open as it may.",
    }
)
OF_VENUE: Final = _errors(
    {
        400: "record_invalid, with the reasons field by field; Unknown pair: the market has none "
        "of this name.",
        422: "exchange_refused: the exchange does not tell it.",
        503: "exchange_unavailable: nothing is known, and the exchange does not answer; "
        "service_unavailable: no worker found it out in time.",
    }
)
OF_VENUE_ACCOUNT: Final = {
    **_errors(
        {
            400: "record_invalid, with the reasons field by field; Unknown pair.",
            403: "access_denied: the token lacks the permission; or the account is of a kind that "
            "has no such thing, with the reason.",
        }
    ),
    **FROM_EXCHANGE,
}
NO_PRICE: Final = _errors({409: "price_unavailable: there is no price to fill the order at."})
ERRORS_OF_UNSIGNED: Final = _errors(
    {**_ANYWHERE, 418: "ip_banned: too many refused requests came from the address."}
)
ERRORS_OF_SIGNED: Final = {
    **_errors(
        {
            400: "record_invalid, with the reasons field by field.",
            401: "api_key_invalid_or_expired, or signature_invalid; with the latter, the header "
            "`X-Signed-Text` holds the text that the server expected to be signed.",
            403: "access_denied: the token lacks the permission that is named.",
            429: "rate_limit_exceeded; `Retry-After` tells the seconds.",
            503: "service_unavailable: the database does not answer.",
        }
    ),
    **ERRORS_OF_UNSIGNED,
}
SIGNED: Final[dict[str, Any]] = {"security": [{"ApiKey": [], "Signature": []}]}

_SCHEMES: Final = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "Apikey"},
    "Signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "HMAC-SHA256 in hex, or RSASSA-PKCS1-v1_5 with SHA-256 in base64, of the "
        "path, the query and the body as sent.",
    },
}


_BY_KEY: Final[Schema] = {"style": "deepObject", "explode": True}
"""How OpenAPI says that an object is written as `balances[USDT]=10000`."""


def parameter(
    name: str, place: str, description: str, schema: Schema, *, is_required: bool = False
) -> Schema:
    """Return a parameter's description: `place` is "query" or "header"."""
    told = {"name": name, "in": place, "description": description, "schema": schema}
    if place == "query" and _is_by_key(schema):
        told |= _BY_KEY
    return {**told, "required": True} if is_required else told


FORCED_MODE: Final = parameter(
    "Forced-Mode", "header", "Instead of the user's mode.", {"enum": ["real", "paper"]}
)


def in_query_or_body(**fields: tuple[str, Schema]) -> Schema:
    """Return what describes parameters that may come in the query, a form or a JSON body.

    Each is a sentence and a schema. None is required in one place, since it may be in the other.
    """
    properties = {name: {**schema, "description": told} for name, (told, schema) in fields.items()}
    body: Schema = {"schema": {"type": "object", "properties": properties}}
    by_key = {name: _BY_KEY for name, (_, schema) in fields.items() if _is_by_key(schema)}
    form = {**body, "encoding": by_key} if by_key else body
    return {
        "parameters": [
            parameter(name, "query", told, schema) for name, (told, schema) in fields.items()
        ],
        "requestBody": {
            "required": False,
            "content": {"application/json": body, "application/x-www-form-urlencoded": form},
        },
    }


def _is_by_key(schema: Schema) -> bool:
    return schema.get("type") == "object"


def reply(
    status: int, description: str, schema: Schema, headers: Schema | None = None
) -> dict[int | str, dict[str, Any]]:
    """Return the description of a route's good answer."""
    told: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    return {status: {**told, "headers": headers} if headers else told}


def header(description: str, kind: str = "string") -> Schema:
    """Return the description of an answer's header."""
    return {"description": description, "schema": {"type": kind}}


TRUST_HEADERS: Final = {
    "X-Prices-At": header("The moment of the prices; absent before the first ones."),
    "X-Accounts-Incomplete": header("Accounts whose figures do not tell everything.", "integer"),
    "X-Accounts-Incomplete-Why": header("Those accounts and the reasons: `7;unread, 9;stale`."),
    "X-Assets-Ignored": header("Holdings that count for nothing by your own wish.", "integer"),
}
ACCOUNT_HEADERS: Final = {
    **TRUST_HEADERS,
    "X-Read-At": header("The moment of the last good reading; absent before the first one."),
    "X-Last-Failure": header("The kind of the last failure; absent if the last try was good."),
}
_LIST_HEADERS: Final = {
    "ETag": header("Weak; `If-None-Match` with it is answered 304 while nothing changes."),
    "Link": header("RFC 8288: first, prev, next, last."),
    "X-Total-Count": header("Accounts on all pages.", "integer"),
    "X-Page": header("The page.", "integer"),
    "X-Per-Page": header("Accounts per page.", "integer"),
    **TRUST_HEADERS,
}
_LIST: Final[Schema] = {
    "tags": ["accounts"],
    "summary": "User connected exchanges and wallets list",
    "description": "Permission: ACCOUNTS_READ. Security: SIGNED. Figures that are not known are "
    "null, never zero.",
    "operationId": "list_accounts",
    **SIGNED,
    "parameters": [
        parameter(
            "page", "query", "The page, from 1.", {"type": "integer", "minimum": 1, "default": 1}
        ),
        parameter(
            "per_page",
            "query",
            "Accounts per page.",
            {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_PER_PAGE,
                "default": MOST_PER_PAGE,
            },
        ),
        parameter(
            "api_key",
            "query",
            "Keeps the accounts whose exchange API key, or whose id, it is.",
            {"type": "string"},
        ),
        FORCED_MODE,
        parameter("If-None-Match", "header", "Tags of answers at hand.", {"type": "string"}),
    ],
    "responses": {
        "200": {
            "description": "The accounts of the page, ascending by id.",
            "headers": _LIST_HEADERS,
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Account"}}
                }
            },
        },
        "304": {"description": "Nothing changed since the answer with this tag."},
        **{str(status): told for status, told in ERRORS_OF_SIGNED.items()},
    },
}


def add_documents(app: FastAPI) -> None:
    """Add `/openapi.json` and `/docs`, with the assets of the latter."""
    document = cache(partial(_document, app))
    # The framework's own place for a document that is not of its making alone.
    app.openapi = document  # type: ignore[method-assign]
    files = StaticFiles(directory=_ASSETS)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(document())

    # Files that are mounted have no methods that an error could name.
    @app.get(f"{_ASSETS_URL}/{{name}}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        return await files.get_response(name, request.scope)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=f"{app.title} API",
            swagger_js_url=f"{_ASSETS_URL}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS_URL}/swagger-ui.css",
            swagger_favicon_url=f"{_ASSETS_URL}/favicon.png",
            oauth2_redirect_url=None,
            # The page would have an outside service check the document.
            swagger_ui_parameters={"validatorUrl": None},
        )
        page.headers["Content-Security-Policy"] = _OWN_SERVER_ONLY
        return page


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=__version__, description=app.description, routes=app.routes
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            # The framework's own form of a validation error, which never goes out.
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    document["paths"] = {ACCOUNTS_PATH: {"get": _LIST}, **document["paths"]}
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Account": ACCOUNT, "SingleAccount": SINGLE_ACCOUNT, "Error": _ERROR}
    components["securitySchemes"] = _SCHEMES
    return document
