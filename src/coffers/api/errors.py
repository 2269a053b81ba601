"""The one table from what went wrong to what the wire says about it.

The body is `{"error": ..., "error_description"?: ..., "error_attributes"?: ...}`; `error` is always
a text, since clients match on it. Of an error that nobody foresaw, nothing but the request's id
goes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

import msgspec

from coffers.access.call import MAX_BODY
from coffers.access.refusals import Refusal
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio.accounts import NotDeletable
from coffers.portfolio.errand_forms import CannotBalance
from coffers.portfolio.errand_outcomes import TookTooLong
from coffers.portfolio.errands import NoWorker, TooManyOpen
from coffers.portfolio.idempotency import KeyReused
from coffers.portfolio.ledger import (
    NotAllowed,
    NotForAccount,
    OperationFailed,
    OperationRuns,
)
from coffers.portfolio.market_data import NotKnownYet, UnknownPair
from coffers.portfolio.paper import NotEnough
from coffers.portfolio.paper_orders import NoPrice
from coffers.portfolio.portfolios import PortfolioInUse
from coffers.portfolio.prices import Unpriced
from coffers.portfolio.venue_account import VenueRefused
from coffers.serving.streams import StreamsFull, TooManyStreams
from coffers.store.errors import StoreUnavailable, UnknownMasterKey

RETRY_AFTER = "5"
"""Seconds after which a client may ask again for what a database, an exchange or a worker left
unanswered."""

LATER = "30"
"""Seconds after which a client may try to open a stream again."""

MAX_TARGET = 16 * 1024
"""The most bytes of a path and a query together."""

_ODD: Final = "does not have a valid value"
_FAULTS: Final = {
    "missing": "is missing",
    "enum": _ODD,
    "literal_error": _ODD,
    "greater_than_equal": _ODD,
    "less_than_equal": _ODD,
}
"""What the wire says for the framework's types of faults; of any other, that it is invalid."""

_encode = msgspec.json.Encoder().encode


class BodyTooLong(CoffersError):
    """A request's body is longer than any that the API reads."""


class AddressTooLong(CoffersError):
    """A request's path and query are longer than any that the API reads."""


class MethodNotAllowed(CoffersError):
    """An address that exists was asked with a method that it does not have.

    Where `allowed` has GET, HEAD is allowed as well.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        methods = set(allowed)
        self.allowed = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
        super().__init__(f"This address answers {self.allowed}.")


@dataclass(frozen=True, slots=True)
class WireError:
    """An error as it is sent. Absent parts are left out of the body."""

    status: int
    error: str
    description: str | None = None
    attributes: Mapping[str, Sequence[str]] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> bytes:
        """Return the JSON text."""
        parts = {
            "error": self.error,
            "error_description": self.description,
            "error_attributes": self.attributes,
        }
        return _encode({name: part for name, part in parts.items() if part is not None})


_Known = tuple[type[CoffersError], WireError]

_TOLD: Final[tuple[_Known, ...]] = (
    (Unpriced, WireError(404, "not_found")),
    (NoPrice, WireError(409, "price_unavailable")),
    (NotEnough, WireError(422, "insufficient_balance")),
    (NoWorker, WireError(503, "service_unavailable", headers=(("Retry-After", RETRY_AFTER),))),
    (TooManyOpen, WireError(429, "rate_limit_exceeded", headers=(("Retry-After", RETRY_AFTER),))),
    (TookTooLong, WireError(504, "exchange_timeout")),
    (NotForAccount, WireError(403, "Forbidden. Unavailable for this account.")),
    (NotAllowed, WireError(403, "access_denied")),
    (NotDeletable, WireError(422, "account_not_deletable")),
    (OperationFailed, WireError(422, "operation_failed")),
    (OperationRuns, WireError(504, "exchange_timeout")),
    (KeyReused, WireError(422, "idempotency_key_reused")),
    (TooManyStreams, WireError(429, "too_many_streams", headers=(("Retry-After", LATER),))),
    (StreamsFull, WireError(503, "service_unavailable", headers=(("Retry-After", LATER),))),
    (UnknownPair, WireError(400, "Unknown pair")),
    (VenueRefused, WireError(422, "unknown_market_api_error")),
    (NotKnownYet, WireError(503, "service_unavailable", headers=(("Retry-After", RETRY_AFTER),))),
    (PortfolioInUse, WireError(409, "portfolio_in_use")),
    (CannotBalance, WireError(422, "cannot_balance")),
)
"""Errors that are described by their own sentence."""

_FIXED: Final[tuple[_Known, ...]] = (
    (NotFound, WireError(404, "not_found", "Not Found")),
    (
        BodyTooLong,
        WireError(413, "payload_too_large", f"The body is longer than {MAX_BODY} bytes."),
    ),
    (
        AddressTooLong,
        WireError(414, "uri_too_long", f"Path and query are longer than {MAX_TARGET} bytes."),
    ),
    (
        UnknownMasterKey,
        WireError(
            503,
            "service_unavailable",
            "The server has another master key than its data and keeps no secrets meanwhile; "
            "its log says more.",
            headers=(("Retry-After", RETRY_AFTER),),
        ),
    ),
    (
        StoreUnavailable,
        WireError(
            503,
            "service_unavailable",
            "The server cannot reach its data now. Try again in a few seconds.",
            headers=(("Retry-After", RETRY_AFTER),),
        ),
    ),
)


def wire_error(fault: Exception, request_id: str) -> WireError:
    """Return what the wire says of a fault; what it does not know is `unknown_error`."""
    match fault:
        case Refusal():
            return WireError(
                fault.status, fault.error, fault.description, fault.attributes, fault.headers
            )
        case InvalidRecord(attributes=attributes):
            return WireError(400, "record_invalid", "Invalid parameters", attributes)
        case MethodNotAllowed(allowed=allowed):
            return WireError(405, "method_not_allowed", str(fault), headers=(("Allow", allowed),))
        case ConnectorFailure():
            return _of_venue(fault)
    for kind, error in _TOLD + _FIXED:
        if isinstance(fault, kind):
            return _described(error, fault)
    sentence = f"Something went wrong inside the server. Request id: {request_id}"
    return WireError(500, "unknown_error", sentence)


def _described(error: WireError, fault: Exception) -> WireError:
    if error.description:
        return error
    own = None
    if isinstance(fault, OperationFailed | OperationRuns):
        own = {"operation_id": [str(fault.operation_id)]}
    return replace(error, description=str(fault), attributes=own)


_KEY_FAULTS: Final = {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED}
_REFUSALS: Final = {
    FailureKind.ADDRESS_REFUSED,
    FailureKind.REGION_REFUSED,
    FailureKind.UNSUPPORTED,
}


def _of_venue(failure: ConnectorFailure) -> WireError:
    """Return what the wire says where an exchange was asked for a call and did not do its part."""
    if failure.kind in _KEY_FAULTS:
        return WireError(422, "invalid_api_key", "API keys are no longer valid or incorrect.")
    if failure.kind in _REFUSALS:
        return WireError(422, "exchange_refused", str(failure))
    return WireError(
        503, "exchange_unavailable", str(failure), headers=(("Retry-After", RETRY_AFTER),)
    )


def invalid_request(faults: Sequence[Mapping[str, Any]]) -> InvalidRecord:
    """Return our kind for what the web framework found wrong with parameters."""
    attributes: dict[str, list[str]] = {}
    for fault in faults:
        field = str(fault["loc"][-1]) if fault["loc"] else "body"
        attributes.setdefault(field, []).append(_FAULTS.get(fault["type"], "is invalid"))
    return InvalidRecord(attributes)


def framework_error(status: int) -> Exception:
    """Return our kind for an HTTP status that the web framework answers by itself."""
    if status == HTTPStatus.NOT_FOUND:
        return NotFound("no such address")
    return CoffersError(f"the web framework answered {status}")
