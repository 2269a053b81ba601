"""The venue's answer to a request, healthy or as a fault wants it."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from coffers.sandbox import refusals
from coffers.sandbox.asgi import HTML, Answer
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.faults import Fault, FaultKind
from coffers.sandbox.refusals import Refused
from coffers.sandbox.routes import ROUTES, answer

NO_PAGE = Answer(404, b"<html><body><h2>404 Not found</h2></body></html>", HTML)
"""The answer to a path that the venue does not have."""

_PAGE = (
    b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"
)


def healthy(exchange: Exchange, call: Call, as_key: str | None = None) -> Answer:
    """Return the venue's answer to a request, its refusals included.

    Args:
        exchange: the world that is asked.
        call: the request.
        as_key: the key whose account is told instead of the caller's, None for the caller's.
    """
    route = ROUTES.get((call.method, call.path))
    if route is None:
        return NO_PAGE
    used: dict[str, str] = {}
    try:
        used = exchange.limits.spend(call.venue, call.path, route.weight(call), exchange.now())
        body = msgspec.json.encode(answer(exchange, call, route, as_key))
    except Refused as refused:
        return _refusal(refused, used)
    return Answer(200, body, headers=used)


def _refusal(refused: Refused, used: dict[str, str]) -> Answer:
    body = msgspec.json.encode(refused.body)
    return Answer(refused.status, body, headers={**used, **refused.headers})


def faulty(exchange: Exchange, call: Call, fault: Fault) -> Answer:
    """Return what a fault puts in place of the venue's answer; a cut connection has none."""
    refuse = _REFUSALS.get(fault.kind)
    if refuse is not None:
        return _refusal(refuse(exchange, call, fault), {})
    match fault.kind:
        case FaultKind.STATUS:
            return Answer(fault.status, fault.body.encode(), headers=fault.headers)
        case FaultKind.TRUNCATED:
            whole = healthy(exchange, call)
            return replace(whole, body=whole.body[: len(whole.body) // 2])
        case FaultKind.OTHER_ACCOUNT:
            return healthy(exchange, call, as_key=fault.as_key)
        case _:
            return _BODIES.get(fault.kind) or healthy(exchange, call)


_BODIES: dict[FaultKind, Answer] = {
    FaultKind.HTML: Answer(200, _PAGE, HTML),
    FaultKind.EMPTY_OBJECT: Answer(200, b"{}"),
    FaultKind.EMPTY_BODY: Answer(200, b""),
}


def _rate_limited(exchange: Exchange, _call: Call, fault: Fault) -> Refused:
    return refusals.too_many(exchange.limits.per_minute, fault.retry_after)


def _banned(exchange: Exchange, _call: Call, fault: Fault) -> Refused:
    return refusals.banned(exchange.now() + fault.retry_after * 1_000, fault.retry_after)


def _key_revoked(_exchange: Exchange, _call: Call, _fault: Fault) -> Refused:
    return refusals.key_refused()


def _address_refused(_exchange: Exchange, call: Call, _fault: Fault) -> Refused:
    return refusals.address_refused(call.address)


_REFUSALS: dict[FaultKind, Callable[[Exchange, Call, Fault], Refused]] = {
    FaultKind.RATE_LIMITED: _rate_limited,
    FaultKind.BANNED: _banned,
    FaultKind.KEY_REVOKED: _key_revoked,
    FaultKind.ADDRESS_REFUSED: _address_refused,
}
