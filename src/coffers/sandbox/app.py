"""The venues over HTTP: `/<venue>/<host>/<the venue's path>`, and `/_sandbox` for scripts."""

import asyncio

from coffers.sandbox import script_rest
from coffers.sandbox.answering import NO_PAGE, faulty, healthy
from coffers.sandbox.asgi import Answer, App, Receive, Scope, Send, read_body, respond
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.faults import FaultKind
from coffers.sandbox.pairs import VENUES

DROP_EXTENSION = "coffers.sandbox.drop"
"""The ASGI extension under which a server offers `cut`, which cuts the connection."""

_SEGMENTS = 4


class _Dropped(Exception):
    """The connection is to be cut."""


def make_app(exchange: Exchange) -> App:
    """Return the ASGI application that serves an exchange and its scripting."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await read_body(receive)
        if scope["path"].startswith(script_rest.PREFIX):
            await respond(send, script_rest.handle(exchange, scope, body))
            return
        call = _call(scope, body)
        if call is None:
            await respond(send, NO_PAGE)
            return
        await _attend(exchange, call, (scope, receive, send))

    return app


def _call(scope: Scope, body: bytes) -> Call | None:
    """Take a request apart; None where its path names no venue."""
    parts = scope["path"].split("/", _SEGMENTS - 1)
    if len(parts) != _SEGMENTS or parts[1] not in VENUES:
        return None
    headers = dict(scope["headers"])
    return Call(
        venue=parts[1],
        method=scope["method"],
        path="/" + parts[3],
        query=scope["query_string"].decode("latin-1"),
        body=body.decode("latin-1"),
        key=headers.get(b"x-mbx-apikey", b"").decode("latin-1"),
        address=(scope.get("client") or ("",))[0],
    )


async def _attend(exchange: Exchange, call: Call, wire: tuple[Scope, Receive, Send]) -> None:
    scope, receive, send = wire
    with exchange.journal.attend(call):
        try:
            response = await _respond_to(exchange, call)
        except _Dropped:
            exchange.journal.note(call, exchange.now(), 0)
            scope["extensions"][DROP_EXTENSION]["cut"]()
            await receive()
            return
        exchange.journal.note(call, exchange.now(), response.status)
        await respond(send, response)


async def _respond_to(exchange: Exchange, call: Call) -> Answer:
    """Return the answer to a request.

    Raises:
        _Dropped: where a fault wants the connection cut instead.
    """
    fault = exchange.faults.take(call)
    if fault is None:
        return healthy(exchange, call)
    if fault.kind is FaultKind.DROPPED:
        raise _Dropped
    if fault.kind is FaultKind.DELAY:
        await asyncio.sleep(fault.seconds)
    return faulty(exchange, call, fault)
