"""What both clients do alike: making requests, and reading answers."""

from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import httpx
import msgspec

from coffers.client.call import Call, Parameter, plain
from coffers.client.errors import (
    ApiError,
    ClientError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    error_of,
)
from coffers.client.methods import Methods
from coffers.client.reply import Reply
from coffers.client.stream import SILENCE

T = TypeVar("T")

Mode = Literal["real", "paper"]

BASE = "/public/api"
"""What stands before every path."""

TIMEOUT = 150.0
"""Seconds: connecting an account waits for a worker and an exchange, up to two minutes."""

_MOST_KEPT = 64
_KEPT = "coffers.kept"
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


class Kept:
    """The latest few answers that have an entity tag, to be asked for by it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], httpx.Response] = OrderedDict()

    def get(self, key: tuple[str, str]) -> httpx.Response | None:
        """Return what is kept for an address and a mode."""
        return self._kept.get(key)

    def put(self, key: tuple[str, str], response: httpx.Response) -> None:
        """Keep an answer; the oldest makes room."""
        self._kept[key] = response
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


class Speaker(Methods):
    """What both clients do alike: making requests, and reading answers."""

    def __init__(
        self, base_url: str, auth: httpx.Auth | None, mode: Mode | None, patience: Patience
    ) -> None:
        self.base_url = _whole(base_url)
        self._auth = auth
        self._mode = mode
        self._patience = patience
        self._kept = Kept()

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
            body = msgspec.json.encode({name: plain(value) for name, value in given.items()})
            request = build(call.method, url, content=body, headers=headers)
        kept = self._kept.get(_key(request)) if call.keeps else None
        if kept is not None:
            request.headers["If-None-Match"] = kept.headers["etag"]
            # By the time of the answer others may have taken its place.
            request.extensions[_KEPT] = kept
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
        content = response.content
        # Taken out, since what is kept next holds this request: else each kept the one before.
        kept: httpx.Response | None = request.extensions.pop(_KEPT, None)
        if response.status_code == _NOT_MODIFIED and kept is not None:
            content = kept.content
        elif not response.is_success:
            if response.is_error:
                raise error_of(response)
            raise UnexpectedAnswer(f"{call.path} answered {response.status_code}")
        elif not is_of_kind(call, response):
            told = response.headers.get("content-type", "nothing")
            raise UnexpectedAnswer(f"{call.path} answered {told}")
        elif call.keeps and "etag" in response.headers:
            self._kept.put(_key(request), response)
        try:
            return Reply(call.read(content), response.headers)
        except msgspec.DecodeError as fault:
            raise UnexpectedAnswer(f"{call.path} answered in another form: {fault}") from fault

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, {self._auth!r})"


def is_of_kind(call: Call[Any], response: httpx.Response) -> bool:
    """Return whether an answer is of the kind that the call names, if it names one.

    A page of a proxy is no table, and nothing else would tell the two apart.
    """
    kind = call.headers.get("Accept", "")
    return bool(response.headers.get("content-type", "").startswith(kind))


def _whole(base_url: str) -> str:
    bare = base_url.rstrip("/").removesuffix(BASE)
    if not bare.startswith(("http://", "https://")):
        raise ValueError("the address begins with http:// or https://")
    return bare + BASE


def _text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(plain(value))


def _key(request: httpx.Request) -> tuple[str, str]:
    return str(request.url), request.headers.get("forced-mode", "")


def unanswered(base_url: str, fault: httpx.RequestError) -> ClientError:
    """Return the error of a server that does not answer, or whose answer cannot be unpacked."""
    if isinstance(fault, httpx.DecodingError):
        return UnexpectedAnswer(f"{base_url} answered what cannot be unpacked: {fault}")
    return Unreachable(f"{base_url} does not answer: {type(fault).__name__}")
