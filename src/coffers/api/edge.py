"""The outermost part of a server: what holds for every answer, the API's and the pages'.

Every answer carries `X-Request-Id`, is counted by its route's template, and if something went wrong
is the wire's error for it. No request body is read beyond its bound.
"""

import logging
import os
import re
from collections.abc import Mapping
from functools import cache
from itertools import count
from time import perf_counter
from typing import Final, Protocol

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coffers import metrics
from coffers.access.call import MAX_BODY
from coffers.api.door import CALLER, ClientGone
from coffers.api.errors import MAX_TARGET, AddressTooLong, BodyTooLong, wire_error
from coffers.api.surroundings import HEADERS, Headers
from coffers.api.texts import Translator
from coffers.errors import NotFound
from coffers.logs import logger, seldom
from coffers.serving.scope import CONNECTION, HEAD_ALONE, REQUEST_NAME

REQUEST_ID: Final = b"x-request-id"

FAIL: Final = "coffers.fail"
"""Key of the scope: answers the request with the wire's error for a fault."""

REPLY: Final = "coffers.reply"
"""Key of the scope: sends (status, lines of headers, body) at once, or returns False."""

_INNER_FAULT: Final = 500
_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
# Counting is faster than asking for random bytes; the prefix keeps processes apart.
_PROCESS: Final = os.urandom(8).hex().encode()
_NUMBERS: Final = count(1)
_log, _seldom = logger("coffers.api"), seldom("coffers.api")
_stdlib_log = logging.getLogger("coffers.api")


class Edge:
    """An ASGI application around others.

    `direct` are applications by exact path, called without a detour; `inner` has all other routes.
    `translator` puts errors into the language of a caller who is known.
    """

    def __init__(
        self, inner: ASGIApp, direct: Mapping[str, ASGIApp], translator: Translator
    ) -> None:
        self._inner = inner
        self._direct = direct
        self._translator = translator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started = perf_counter()
        exchange = _Exchange(scope, send, self._translator)
        app = self._direct.get(scope["path"])
        try:
            if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
                raise AddressTooLong  # noqa: TRY301 - answered below like all
            if "\0" in scope["path"] or scope["path"].endswith("\n"):
                # PostgreSQL stores no text that holds the one, so nothing can have such a name.
                # And the patterns of routes end before the other: a second address of each.
                raise NotFound("no such address")  # noqa: TRY301 - as above
            headers: Headers = exchange.scope[HEADERS]
            if b"content-length" in headers or b"transfer-encoding" in headers:
                receive = _bounded(headers, receive)
            await (app or self._inner)(exchange.scope, receive, exchange.send)
        except ClientGone:
            pass
        except Exception as fault:  # noqa: BLE001 - the boundary: classified, counted and logged
            await exchange.fail(fault)
        finally:
            route = scope["path"] if app else _template(exchange.scope)
            _count(route, exchange, perf_counter() - started)


class _Connection(Protocol):
    def reply(self, scope: Scope, status: int, fields: bytes, body: bytes) -> bool: ...


class _Exchange:
    """One request and its answer. A HEAD is asked as a GET, and answered without the body."""

    __slots__ = ("_send", "_starts_only", "_translator", "request_id", "scope", "status")

    def __init__(self, scope: Scope, send: Send, translator: Translator) -> None:
        self._send = send
        self._translator = translator
        self._starts_only = scope["method"] == "HEAD"
        self.scope = {**scope, "method": "GET"} if self._starts_only else scope
        headers: Headers = dict(scope["headers"])
        if self._starts_only:
            self.scope[HEAD_ALONE] = True
        self.scope[HEADERS] = headers
        self.scope[FAIL] = self.fail
        self.scope[REPLY] = self.reply
        self.request_id = request_id_of(headers)
        self.scope[REQUEST_NAME] = self.request_id
        self.status = 0

    def reply(self, status: int, fields: bytes, body: bytes) -> bool:
        connection: _Connection | None = self.scope.get(CONNECTION)
        if connection is None or self._starts_only:
            return False
        fields = b"%sx-request-id: %s\r\n" % (fields, self.request_id)
        if not connection.reply(self.scope, status, fields, body):
            return False
        self.status = status
        return True

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (REQUEST_ID, self.request_id)]
        elif self._starts_only:
            message["body"] = b""
        await self._send(message)

    async def fail(self, fault: Exception) -> None:
        if self.status:
            # The answer has begun: it can only be broken off, so that nobody takes it as complete.
            # The server logs why.
            raise fault
        request_id = self.request_id.decode()
        error = wire_error(fault, request_id)
        if error.status == _INNER_FAULT:
            _log.error("request failed", error=error.error, request_id=request_id, exc_info=fault)
        elif error.status > _INNER_FAULT:
            # While something is down each request would write a line: callers could fill the log.
            _seldom.warning("request not answered", error=error.error, reason=str(fault))
        caller = self.scope.get(CALLER)
        if caller is not None:
            error = await self._translator.translated(caller.user_id, error)
        body = error.body()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in error.headers),
        ]
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def request_id_of(headers: Headers) -> bytes:
    """Return the id of a request: the one that it brings, if it can be one, or a new one."""
    given = headers.get(REQUEST_ID)
    if given is not None and _GIVEN_ID.fullmatch(given):
        return given
    return b"%s%08x" % (_PROCESS, next(_NUMBERS))


def _bounded(headers: Headers, receive: Receive) -> Receive:
    """Return `receive` with a bound on the body; one that is announced too long is refused now."""
    announced = headers.get(b"content-length")
    if announced is not None and int(announced) > MAX_BODY:
        raise BodyTooLong
    if announced is not None or b"transfer-encoding" not in headers:
        return receive
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY:
            raise BodyTooLong
        return message

    return bounded


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path_format", metrics.UNKNOWN_ROUTE)


@cache
def _counters(route: str, status: int) -> tuple[Counter, Histogram]:
    # Finding a metric by its labels takes longer than counting. Routes and statuses are few.
    metrics.from_nothing(metrics.requests, [route], [str(_INNER_FAULT)])
    return metrics.requests.labels(route, status), metrics.request_seconds.labels(route)


def _count(route: str, exchange: _Exchange, seconds: float) -> None:
    answered, durations = _counters(route, exchange.status)
    metrics.waiting.count(answered)
    metrics.waiting.observe(durations, seconds)
    # Checked first: an event that is dropped costs as much as one that is written.
    if _stdlib_log.isEnabledFor(logging.DEBUG):
        _log.debug(
            "request",
            method=exchange.scope["method"],
            route=route,
            status=exchange.status,
            request_id=exchange.request_id.decode(),
            seconds=round(seconds, 6),
        )
