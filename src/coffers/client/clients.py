"""The two clients: one that waits, one that awaits; all else they share."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx
import msgspec

from coffers.client.call import Call, Parameter
from coffers.client.errors import (
    ApiError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    error_of,
)
from coffers.client.methods import Methods
from coffers.client.reply import Reply
from coffers.client.stream import SILENCE, Told, follow, follow_async, stream_call

T = TypeVar("T")

Mode = Literal["real", "paper"]

BASE = "/public/api"
"""What stands before every path."""

TIMEOUT = 150.0
"""Seconds: connecting an account waits for a worker and an exchange, up to two minutes."""

_MOST_KEPT = 64
_NOT_MODIFIED = 304
_IN_QUERY = frozenset({"GET", "DELETE"})


@dataclass(frozen=True, slots=True)
class Patience:
    """Whether a GET that was refused with 429 or 503 is sent again.

    `tries` is how often it is sent at most. It waits as long as `Retry-After` says, or `pause`
    seconds without one; what would take more than `longest` seconds is raised at once.
    """

    tries: int = 1
    longest: float = 60.0
    pause: float = 1.0

    def wait(self, call: Call[Any], refusal: ApiError, tried: int) -> float | None:
        """Return the seconds to wait before the next try; None where there is none."""
        if call.method != "GET" or not isinstance(refusal, RateLimited | Unavailable):
            return None
        asked = self.pause if refusal.retry_after is None else refusal.retry_after
        return asked if tried < self.tries and asked <= self.longest else None


ONCE = Patience()
"""Nothing is sent twice."""


class _Kept:
    """The latest few answers that have an entity tag, to be asked for by it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], httpx.Response] = OrderedDict()

    def get(self, key: tuple[str, str]) -> httpx.Response | None:
        return self._kept.get(key)

    def put(self, key: tuple[str, str], response: httpx.Response) -> None:
        self._kept[key] = response
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


class _Client(Methods):
    """What both clients do alike: making requests, and reading answers."""

    def __init__(
        self, base_url: str, auth: httpx.Auth | None, mode: Mode | None, patience: Patience
    ) -> None:
        self.base_url = _whole(base_url)
        self._auth = auth
        self._mode = mode
        self._patience = patience
        self._kept = _Kept()

    def in_mode(self, mode: Mode | None) -> Self:
        """Return this client in another mode: `client.in_mode("paper").summary()`.

        It shares this one's connections. None leaves the choice to the user's stored mode.
        """
        other = copy(self)
        other._mode = mode  # noqa: SLF001 - its own
        return other

    def _made(self, call: Call[Any], build: Callable[..., httpx.Request]) -> httpx.Request:
        headers = {"Accept": "application/json", **call.headers}
        if self._mode is not None:
            headers["Forced-Mode"] = self._mode
        url = self.base_url + call.path
        given = {name: value for name, value in call.parameters.items() if value is not None}
        if not given or call.method in _IN_QUERY:
            params = {name: _text(value) for name, value in given.items()} or None
            request = build(call.method, url, params=params, headers=headers)
        else:
            headers["Content-Type"] = "application/json"
            # Amounts go as texts: no reader on the way may make floats of them.
            body = msgspec.json.encode({name: _plain(value) for name, value in given.items()})
            request = build(call.method, url, content=body, headers=headers)
        kept = self._kept.get(_key(request)) if call.keeps else None
        if kept is not None:
            request.headers["If-None-Match"] = kept.headers["etag"]
        return request

    def _listening(self, call: Call[bytes], build: Callable[..., httpx.Request]) -> httpx.Request:
        request = self._made(call, build)
        request.extensions["timeout"] = httpx.Timeout(SILENCE).as_dict()
        return request

    def _auth_of(self, call: Call[Any]) -> httpx.Auth | None:
        return self._auth if call.is_signed else None

    def _read(self, call: Call[T], request: httpx.Request, response: httpx.Response) -> Reply[T]:
        """Return what an answer says.

        Raises:
            ApiError: what the server says of a refusal.
            UnexpectedAnswer: for what is in no form of the API.
        """
        content, key = response.content, _key(request)
        if response.status_code == _NOT_MODIFIED and (kept := self._kept.get(key)) is not None:
            content = kept.content
        elif not response.is_success:
            if response.is_error:
                raise error_of(response)
            raise UnexpectedAnswer(f"{call.path} answered {response.status_code}")
        elif call.keeps and "etag" in response.headers:
            self._kept.put(key, response)
        try:
            return Reply(call.read(content), response.headers)
        except msgspec.DecodeError as fault:
            raise UnexpectedAnswer(f"{call.path} answered in another form: {fault}") from fault

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, {self._auth!r})"


class Client(_Client):
    """A client that waits for its answers. Close it, or use it in `with`.

    `base_url` is the server's address, with or without `/public/api`; `auth` a `SignedAuth`, None
    for what needs no signature. `mode` forces real or paper accounts. `http` is an httpx client to
    use instead of one of its own; it stays open.
    """

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None = None,
        *,
        mode: Mode | None = None,
        patience: Patience = ONCE,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(base_url, auth, mode, patience)
        self._owns_http = http is None
        self._http = httpx.Client(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep

    def reply(self, call: Call[T], /) -> Reply[T]:
        """Send a call; return the answer with its headers.

        Raises:
            ApiError, UnexpectedAnswer: what came back instead.
            Unreachable: when nothing did.
        """
        tried = 1
        while True:
            try:
                return self._once(call)
            except ApiError as refusal:
                if (wait := self._patience.wait(call, refusal, tried)) is None:
                    raise
            tried += 1
            self._sleep(wait)

    def send(self, call: Call[T], /) -> T:
        """Send a call; return the answer. Raises as `reply`."""
        return self.reply(call).value

    def _once(self, call: Call[T]) -> Reply[T]:
        request = self._made(call, self._http.build_request)
        try:
            response = self._http.send(request, auth=self._auth_of(call), follow_redirects=False)
        except httpx.TransportError as fault:
            raise _unreachable(self.base_url, fault) from fault
        return self._read(call, request, response)

    def stream(
        self, after: int | None = None, *, kinds: Sequence[str] = (), account_id: int | None = None
    ) -> Iterator[Told]:
        """Listen to events as they happen; a lost connection is taken up where it broke off.

        Closing the iterator ends it. Raises `ApiError` where the server refuses.
        """

        def send(call: Call[bytes]) -> httpx.Response:
            request = self._listening(call, self._http.build_request)
            auth = self._auth_of(call)
            return self._http.send(request, auth=auth, stream=True, follow_redirects=False)

        return follow(stream_call(after, kinds=kinds, account_id=account_id), send, self._sleep)

    def close(self) -> None:
        """Close its connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient(_Client):
    """The same for asyncio: methods are awaited, and lists walked through with `async for`."""

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None = None,
        *,
        mode: Mode | None = None,
        patience: Patience = ONCE,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(base_url, auth, mode, patience)
        self._owns_http = http is None
        self._http = httpx.AsyncClient(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep

    async def async_reply(self, call: Call[T], /) -> Reply[T]:
        """Send a call; return the answer with its headers.

        Raises:
            ApiError, UnexpectedAnswer: what came back instead.
            Unreachable: when nothing did.
        """
        tried = 1
        while True:
            try:
                return await self._once(call)
            except ApiError as refusal:
                if (wait := self._patience.wait(call, refusal, tried)) is None:
                    raise
            tried += 1
            await self._sleep(wait)

    async def send(self, call: Call[T], /) -> T:
        """Send a call; return the answer. Raises as `async_reply`."""
        return (await self.async_reply(call)).value

    async def _once(self, call: Call[T]) -> Reply[T]:
        request = self._made(call, self._http.build_request)
        auth = self._auth_of(call)
        try:
            response = await self._http.send(request, auth=auth, follow_redirects=False)
        except httpx.TransportError as fault:
            raise _unreachable(self.base_url, fault) from fault
        return self._read(call, request, response)

    def stream(
        self, after: int | None = None, *, kinds: Sequence[str] = (), account_id: int | None = None
    ) -> AsyncIterator[Told]:
        """Listen to events as they happen; a lost connection is taken up where it broke off.

        Closing the iterator ends it. Raises `ApiError` where the server refuses.
        """

        async def send(call: Call[bytes]) -> httpx.Response:
            request = self._listening(call, self._http.build_request)
            auth = self._auth_of(call)
            return await self._http.send(request, auth=auth, stream=True, follow_redirects=False)

        first = stream_call(after, kinds=kinds, account_id=account_id)
        return follow_async(first, send, self._sleep)

    async def close(self) -> None:
        """Close its connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _whole(base_url: str) -> str:
    bare = base_url.rstrip("/").removesuffix(BASE)
    if not bare.startswith(("http://", "https://")):
        raise ValueError("the address begins with http:// or https://")
    return bare + BASE


def _text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_plain(value))


def _plain(value: Parameter) -> Parameter:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _key(request: httpx.Request) -> tuple[str, str]:
    return str(request.url), request.headers.get("forced-mode", "")


def _unreachable(base_url: str, fault: httpx.TransportError) -> Unreachable:
    return Unreachable(f"{base_url} does not answer: {type(fault).__name__}")
