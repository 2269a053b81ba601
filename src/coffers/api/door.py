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
from coffers.api.surroundings import HEADERS, Headers, Surroundings, header_of

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

    async def admit(self, scope: Scope, receive: Receive, *needed: Permission) -> Caller:
        """Return who makes a signed request; `needed` are the permissions that it needs.

        Raises:
            Refusal, StoreUnavailable: as the gate.
            InvalidRecord: for a body that is not what its content type says.
            ClientGone: when the body did not come.
        """
        body = await _read(receive) if _has_body(scope) else b""
        return await self._admit(scope, self._call(scope, body), needed)

    def admitting(self, *needed: Permission) -> Callable[[Request], Awaitable[Admitted]]:
        """Return a route's dependency that lets a call in as `admit` does."""

        async def admitted(request: Request) -> Admitted:
            body = await _read(request.receive) if _has_body(request.scope) else b""
            call = self._call(request.scope, body)
            caller = await self._admit(request.scope, call, needed)
            return Admitted(caller, given_of(call))

        return admitted

    def _call(self, scope: Scope, body: bytes) -> SignedCall:
        headers: Headers = scope[HEADERS]
        return SignedCall(
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            body,
            header_of(headers, b"content-type"),
            header_of(headers, b"apikey"),
            header_of(headers, b"signature"),
            header_of(headers, b"timestamp"),
            header_of(headers, b"forced-mode"),
            self._surroundings.address_of(scope),
        )

    async def _admit(
        self, scope: Scope, call: SignedCall, needed: tuple[Permission, ...]
    ) -> Caller:
        caller = scope[CALLER] = await self._gate.admit(call, *needed)
        if call.body:
            check_body(call.content_type, call.body)
        return caller

    async def check_address(self, scope: Scope) -> None:
        """Refuse a banned address on a route that needs no signature.

        Raises:
            Refusal: 418.
        """
        await self._gate.check_address(self._surroundings.address_of(scope))


def _has_body(scope: Scope) -> bool:
    headers: Headers = scope[HEADERS]
    return b"content-length" in headers or b"transfer-encoding" in headers


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)
