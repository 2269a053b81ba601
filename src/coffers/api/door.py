"""The way from a request to its caller: read raw, before any decoding, and shown to the gate."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.types import Receive, Scope

from coffers.access.gate import Caller, Gate, SignedCall
from coffers.access.tokens import Permission
from coffers.api.given import Given, given_of
from coffers.api.params import check_body
from coffers.api.surroundings import HEADERS, Headers, Surroundings

CALLER: Final = "coffers.caller"
"""Key of the scope: the caller who was let in."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole; there is none to answer."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that was let in: who made it, and with what parameters."""

    caller: Caller
    given: Given


class Door:
    """Lets callers in."""

    def __init__(self, gate: Gate, surroundings: Surroundings) -> None:
        self._gate = gate
        self._surroundings = surroundings

    async def admit(self, scope: Scope, receive: Receive, permission: Permission | None) -> Caller:
        """Return who makes a signed request; `permission` is what it needs, None for none.

        Raises:
            Refusal, StoreUnavailable: as the gate.
            InvalidRecord: for a body that is not what its content type says.
            ClientGone: when the body did not come.
        """
        caller, _ = await self._admit(scope, receive, permission)
        return caller

    def admitting(self, permission: Permission | None) -> Callable[[Request], Awaitable[Admitted]]:
        """Return a route's dependency that lets a call in as `admit` does."""

        async def admitted(request: Request) -> Admitted:
            caller, call = await self._admit(request.scope, request.receive, permission)
            return Admitted(caller, given_of(call))

        return admitted

    async def _admit(
        self, scope: Scope, receive: Receive, permission: Permission | None
    ) -> tuple[Caller, SignedCall]:
        headers: Headers = scope[HEADERS]
        has_body = b"content-length" in headers or b"transfer-encoding" in headers
        body = await _read(receive) if has_body else b""
        call = SignedCall(
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            body,
            _text(headers, b"content-type"),
            _text(headers, b"apikey"),
            _text(headers, b"signature"),
            _text(headers, b"timestamp"),
            _text(headers, b"forced-mode"),
            self._surroundings.address_of(scope),
        )
        caller = await self._gate.admit(call, permission)
        scope[CALLER] = caller
        if body:
            check_body(call.content_type, body)
        return caller, call

    async def check_address(self, scope: Scope) -> None:
        """Refuse a banned address on a route that needs no signature.

        Raises:
            Refusal: 418.
        """
        await self._gate.check_address(self._surroundings.address_of(scope))


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
