"""The nodes of one chain over HTTP: asked in their order, the next one when one fails.

An answer is bounded in time and size, and its fractional numbers are kept as they were written.
No message shows more of an address than its host: many carry a key.
"""

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import httpx
import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis, is_recent
from coffers.connectors.chain.node import Node, node_at
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.markets.chains import Chain
from coffers.secret import Secret
from coffers.tls import believed

MOST_BYTES = 32 * 1024 * 1024
"""The longest answer that is read: the history of a busy address takes some megabytes."""

REST = Millis(MINUTE)
"""How long a node that failed is asked only after the others."""

REVERTED = 3
"""The code of JSON-RPC for a call that a contract itself refused."""

ADMITTED = Millis(10 * MINUTE)
"""How long a node is trusted to belong to the chain before it is asked again: another program may
answer at its address any time."""

# Not compressed, so that the bound on what is read also bounds what is kept.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "coffers"}
_JSON = {"Content-Type": "application/json"}

_FAILED = {
    HTTPStatus.UNAUTHORIZED: (FailureKind.KEY_REFUSED, "it refused the key in its address"),
    HTTPStatus.FORBIDDEN: (FailureKind.ADDRESS_REFUSED, "it refused us"),
    HTTPStatus.REQUEST_TIMEOUT: (FailureKind.UNREACHABLE, "it did not answer in time"),
    HTTPStatus.TOO_MANY_REQUESTS: (FailureKind.RATE_LIMITED, "it was asked too often"),
}

_TOO_OFTEN = re.compile(
    r"rate.?limit|too many requests|(?:requests|compute units) per (?:second|minute|day)",
    re.IGNORECASE,
)
"""How nodes say in an error of JSON-RPC, with a status of 200, that they are asked too often."""

_INSIDE = re.compile("revert", re.IGNORECASE)
"""Marks a message as a contract's, which anybody may have written, and not the node's own."""

_log = seldom("coffers.connectors")
_T = TypeVar("_T")


class NodeRefused(CoffersError):
    """A node answered, and the answer is an error of the protocol: "execution reverted".

    `status` is the HTTP status, `code` the protocol's own code where it has one, `data` what came
    with it. Who asked decides what it means; nobody else is asked.
    """

    def __init__(self, message: str, *, status: int, code: int | None, data: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.data = data


class _NodeFailed(Exception):
    """A node gave no usable answer; another one may."""

    def __init__(self, kind: FailureKind, reason: str, retry_after: Millis | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Belongs:
    """The question whose answer tells whether a node belongs to the chain."""

    ask: Callable[[Node], Awaitable[object]]
    test: Callable[[object], bool]


class Nodes:
    """Asks the nodes of one chain, or another service that knows of it; belongs to one event loop.

    Args:
        chain: the chain, for messages and for the gateway's path.
        urls: the addresses, the preferred one first.
        client: what sends requests.
        clock: the time.
        gateway: where all calls go instead, as `<gateway>/<chain id>/<original host><path>`.
    """

    def __init__(
        self,
        chain: Chain,
        urls: Sequence[Secret],
        client: httpx.AsyncClient,
        clock: Clock,
        gateway: str | None = None,
    ) -> None:
        self._chain = chain
        self._client = client
        self._clock = clock
        self._ids = itertools.count(1)
        self._belongs: _Belongs | None = None
        self._nodes = [node_at(url, gateway, chain) for url in urls]

    def __bool__(self) -> bool:
        return bool(self._nodes)

    def admit_only(self, method: str, params: object, belongs: Callable[[object], bool]) -> None:
        """Use no node but those whose result of a JSON-RPC call belongs to the chain.

        Each node is asked before its first use, again after `ADMITTED`, and whenever it failed.
        """
        self._belongs = _Belongs(lambda node: self._call(node, method, params), belongs)

    def admit_only_by(self, path: str, body: object, belongs: Callable[[object], bool]) -> None:
        """Do as `admit_only` by what a path answers; `body` is posted there, None asks by GET."""
        method = "GET" if body is None else "POST"
        self._belongs = _Belongs(lambda node: self._send(node, method, path, None, body), belongs)

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        form: type | None = None,
    ) -> object:
        """Return the JSON value, or the plain text, that a node answers under a path.

        `headers` are sent besides those of every call. With a `form` it is returned in that: what
        has no place there takes no room, and an answer of another form is not usable.

        Raises:
            NodeRefused: for a status of 400 to 499 other than 408, 401, 403 and 429.
            ConnectorFailure: when no node gave a usable answer.
        """
        return await self._first(
            lambda node: self._send(node, "GET", path, params, None, headers, form)
        )

    async def post(self, path: str, body: object) -> object:
        """Send JSON to a node and return what it answers; raises as `get`."""
        return await self._first(lambda node: self._send(node, "POST", path, None, body))

    async def call(
        self,
        method: str,
        params: object,
        doubt: Callable[[object], str | None] | None = None,
        unfit: Container[int | None] = (),
    ) -> object:
        """Return the result of a JSON-RPC call.

        `doubt` returns what makes a result unusable ("it is an hour behind"), None where nothing
        does; a node with such a result has failed. So has one that answers with an error whose code
        is in `unfit`: it cannot tell, and another node may.

        Raises:
            NodeRefused: when the node answered with an error.
            ConnectorFailure: when no node gave a usable answer.
        """

        async def ask(node: Node) -> object:
            try:
                result = await self._call(node, method, params)
            except NodeRefused as refusal:
                if refusal.code in unfit:
                    raise _NodeFailed(
                        FailureKind.VENUE_DOWN, f"it cannot tell ({refusal})"
                    ) from None
                raise
            reason = doubt(result) if doubt is not None else None
            if reason is not None:
                raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, reason)
            return result

        return await self._first(ask)

    async def _admit(self, node: Node) -> None:
        """Let the node pass if it belongs to the chain."""
        if self._belongs is None or is_recent(node.admitted_at, ADMITTED, self._clock.now()):
            return
        try:
            answer = await self._belongs.ask(node)
        except NodeRefused as refusal:
            reason = f"it does not say which chain it belongs to ({refusal})"
            raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, reason) from None
        if not self._belongs.test(answer):
            raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, "it is a node of another chain")
        node.admitted_at = self._clock.now()

    async def _call(self, node: Node, method: str, params: object) -> object:
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = await self._send(node, "POST", "", None, body)
        if not isinstance(answer, dict) or answer.get("id") not in {body["id"], None}:
            raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, "it answered no JSON-RPC")
        error = answer.get("error")
        if isinstance(error, dict):
            code = error.get("code")
            message = str(error.get("message") or "no reason given")[:300]
            if code != REVERTED and _TOO_OFTEN.search(message) and not _INSIDE.search(message):
                raise _NodeFailed(*_FAILED[HTTPStatus.TOO_MANY_REQUESTS])
            raise NodeRefused(
                message,
                status=HTTPStatus.OK,
                code=code if isinstance(code, int) else None,
                data=error.get("data"),
            )
        if "result" not in answer:
            raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, "it answered neither result nor error")
        return answer["result"]

    async def _first(self, ask: Callable[[Node], Awaitable[_T]]) -> _T:
        """Return the first usable answer; a node that failed a while ago is asked last."""
        if not self._nodes:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                f"No node of {self._chain.name} is configured; name one in the file of "
                "COFFERS_CHAINS_FILE.",
                code="no_node",
            )
        failures: list[_NodeFailed] = []
        now = self._clock.now()
        for node in sorted(self._nodes, key=lambda node: node.rests_until > now):
            try:
                await self._admit(node)
                return await ask(node)
            except _NodeFailed as failure:
                node.rests_until = Millis(self._clock.now() + (failure.retry_after or REST))
                node.admitted_at = Millis(0)
                _log.info("node failed", chain=self._chain.id, host=node.host, reason=str(failure))
                failures.append(failure)
        raise self._failure(failures)

    def _failure(self, failures: Sequence[_NodeFailed]) -> ConnectorFailure:
        last = failures[-1]
        waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
        return ConnectorFailure(
            last.kind,
            f"No node of {self._chain.name} gave an answer: {last}.",
            code=last.kind.value,
            retry_after=min(waits) if waits else None,
        )

    async def _send(
        self,
        node: Node,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: object,
        headers: Mapping[str, str] | None = None,
        form: type | None = None,
    ) -> object:
        request = self._client.build_request(
            method,
            node.base + path,
            params=params,
            content=None if body is None else json.dumps(body).encode(),
            headers={**node.headers, **({} if body is None else _JSON), **(headers or {})},
        )
        timeout = self._client.timeout.read or 0
        try:
            async with node.calls, asyncio.timeout(timeout or None):
                status, told, text = await self._read(request)
        except (TimeoutError, httpx.TimeoutException):
            raise _NodeFailed(FailureKind.UNREACHABLE, "it did not answer in time") from None
        except httpx.HTTPError as error:
            reason = f"it cannot be reached ({type(error).__name__})"
            raise _NodeFailed(FailureKind.UNREACHABLE, reason) from None
        return _answered(status, told, text, form)

    async def _read(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytearray]:
        answer = await self._client.send(request, stream=True)
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                reason = "it compresses its answers though asked not to"
                raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, reason)
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MOST_BYTES:
                    reason = f"it answered more than {MOST_BYTES} bytes"
                    raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, reason)
            return answer.status_code, answer.headers, body
        finally:
            await answer.aclose()


def new_client(timeout: float) -> httpx.AsyncClient:
    """Return a client for nodes; `timeout` is what one call may take as a whole, in seconds."""
    return httpx.AsyncClient(headers=_HEADERS, timeout=timeout, trust_env=False, verify=believed())


def _answered(
    status: int, headers: httpx.Headers, body: bytearray, form: type | None = None
) -> object:
    if status in _FAILED:
        kind, reason = _FAILED[HTTPStatus(status)]
        raise _NodeFailed(kind, reason, _seconds(headers.get("retry-after")))
    if status == HTTPStatus.OK and form is not None:
        return _formed(body, form)
    answer = _decoded(status, headers.get("content-type", ""), body)
    if status == HTTPStatus.OK:
        return answer
    # Some nodes send the errors of JSON-RPC with a status of their own.
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        return answer
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NodeRefused(f"status {status}", status=status, code=None, data=answer)
    raise _NodeFailed(FailureKind.VENUE_DOWN, f"it answered with status {status}")


def _formed(body: bytearray, form: type) -> object:
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        reason = "it answered in another form than it should"
        raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, reason) from None


def _decoded(status: int, content_type: str, body: bytearray) -> object:
    try:
        return json.loads(body, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        if content_type.startswith("text/plain"):
            return body.decode(errors="replace")
        reason = f"it answered no JSON, with status {status}"
        raise _NodeFailed(FailureKind.UNEXPECTED_ANSWER, reason) from None


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _seconds(text: str | None) -> Millis | None:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) < len("86400")
    return Millis(int(text) * SECOND) if is_number and text else None
