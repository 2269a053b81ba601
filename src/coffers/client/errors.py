"""What can go wrong with a call: one class per kind of error, so that callers match on classes."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import httpx
import msgspec


class ClientError(Exception):
    """A call that brought no answer; the root of all that a client raises."""


class Unreachable(ClientError):
    """The server could not be reached, or did not answer in time. What was asked may be done."""


class UnexpectedAnswer(ClientError):
    """What came back is not in the form of the API: another server, or a proxy's page."""


class ApiError(ClientError):
    """The server refused a call and said why.

    `code` is the API's `error`, `description` its sentence, `attributes` the reasons by field,
    `request_id` what its log calls the request; `retry_after` is in seconds. What was not told is
    None, or empty.
    """

    codes: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        status: int,
        code: str | None,
        description: str | None = None,
        attributes: Mapping[str, Sequence[str]] | None = None,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.description = description
        self.attributes = {field: tuple(why) for field, why in (attributes or {}).items()}
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        reasons = "; ".join(f"{field} {', '.join(why)}" for field, why in self.attributes.items())
        told = ": ".join(part for part in (self.description, reasons) if part)
        return f"{self.status} {self.code or 'without a code'}" + (f": {told}" if told else "")


class BadRequest(ApiError):
    """What came was no usable HTTP request (400, 405, 408, 413, 414, 431)."""

    codes = frozenset(
        {
            "bad_request",
            "method_not_allowed",
            "request_timeout",
            "payload_too_large",
            "uri_too_long",
            "header_fields_too_large",
        }
    )


class RecordInvalid(ApiError):
    """A parameter cannot be meant; `attributes` names it."""

    codes = frozenset({"record_invalid", "Unknown pair"})

    @property
    def account_id(self) -> int | None:
        """The account that is connected already, where that is the reason."""
        told = "".join(self.attributes.get("account_id", ()))
        return int(told) if told.isascii() and told.isdigit() else None


class Unauthorized(ApiError):
    """The token is unknown, expired or revoked, or may not be used from here."""

    codes = frozenset({"api_key_invalid_or_expired"})


class SignatureInvalid(Unauthorized):
    """The signature does not fit: the secret is another one, or the clock is wrong."""

    codes = frozenset({"signature_invalid"})


class AccessDenied(ApiError):
    """The token lacks a permission, or the server, the account or its key does not allow it.

    That is where trading is off, the exchange key may not trade, the account is locked or a
    sub-account, or is of a kind that has no such thing. The description says which.
    """

    codes = frozenset({"access_denied", "Forbidden. Unavailable for this account."})


class NotFound(ApiError):
    """There is no such thing, or it is somebody else's."""

    codes = frozenset({"not_found"})


class PriceUnavailable(ApiError):
    """There is no price that a paper order could be filled at."""

    codes = frozenset({"price_unavailable"})


class KeyRefused(ApiError):
    """The exchange refuses the account's stored key."""

    codes = frozenset({"invalid_api_key"})


class ExchangeRefused(ApiError):
    """The exchange refuses the server's address or region, or the account cannot be read."""

    codes = frozenset({"exchange_refused", "unknown_market_api_error"})


class InsufficientBalance(ApiError):
    """An account has less than is asked of it."""

    codes = frozenset({"insufficient_balance"})


class OperationFailed(ApiError):
    """Nothing of an operation could be done; the description says why."""

    codes = frozenset({"operation_failed"})

    @property
    def operation_id(self) -> int | None:
        """The operation, to look at."""
        told = "".join(self.attributes.get("operation_id", ()))
        return int(told) if told.isascii() and told.isdigit() else None


class BalanceRefused(ApiError):
    """A portfolio is in use, or an account cannot be rebalanced now; the description says why."""

    codes = frozenset({"portfolio_in_use", "cannot_balance"})


class IdempotencyKeyReused(ApiError):
    """Something else was done under this idempotency key."""

    codes = frozenset({"idempotency_key_reused"})


class NotDeletable(ApiError):
    """The account cannot be removed."""

    codes = frozenset({"account_not_deletable"})


class RateLimited(ApiError):
    """Too many requests; `retry_after` tells in how many seconds to go on."""

    codes = frozenset({"rate_limit_exceeded", "too_many_streams"})


class Banned(ApiError):
    """Too many refused requests came from this address; `retry_after` tells until when."""

    codes = frozenset({"ip_banned"})


class Unavailable(ApiError):
    """The server cannot do it now: its database, a worker or the exchange is away."""

    codes = frozenset({"service_unavailable", "exchange_unavailable"})


class TookTooLong(ApiError):
    """A worker did not end in time; what was asked may still be done."""

    codes = frozenset({"exchange_timeout"})


class ServerFault(ApiError):
    """A fault inside the server; `request_id` finds it in the server's log."""

    codes = frozenset({"unknown_error"})


KINDS: tuple[type[ApiError], ...] = (
    BadRequest,
    RecordInvalid,
    Unauthorized,
    SignatureInvalid,
    AccessDenied,
    NotFound,
    PriceUnavailable,
    KeyRefused,
    ExchangeRefused,
    InsufficientBalance,
    BalanceRefused,
    OperationFailed,
    IdempotencyKeyReused,
    NotDeletable,
    RateLimited,
    Banned,
    Unavailable,
    TookTooLong,
    ServerFault,
)
"""Every kind; one that is added here is raised for its codes."""

_BY_CODE = {code: kind for kind in KINDS for code in kind.codes}
# Proxies answer without a code of ours, and later releases with codes that are not known here.
_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: AccessDenied,
    404: NotFound,
    418: Banned,
    429: RateLimited,
    500: ServerFault,
    502: Unavailable,
    503: Unavailable,
    504: TookTooLong,
}


class _Told(msgspec.Struct, frozen=True):
    error: object = None
    error_description: object = None
    error_attributes: object = None


_decode = msgspec.json.Decoder(_Told).decode


def error_of(response: httpx.Response) -> ApiError:
    """Return what an answer with an error's status says."""
    told = _told(response.content)
    code = told.error if isinstance(told.error, str) else None
    kind = _BY_CODE.get(code or "") or _BY_STATUS.get(response.status_code, ApiError)
    sentence = told.error_description
    return kind(
        response.status_code,
        code,
        sentence if isinstance(sentence, str) else None,
        _attributes(told.error_attributes),
        request_id=response.headers.get("x-request-id"),
        retry_after=_seconds(response.headers.get("retry-after")),
    )


def _told(body: bytes) -> _Told:
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return _Told()


def _attributes(told: object) -> dict[str, list[str]]:
    if not isinstance(told, dict):
        return {}
    return {
        str(field): [str(why) for why in (reasons if isinstance(reasons, list) else [reasons])]
        for field, reasons in told.items()
    }


def _seconds(text: str | None) -> float | None:
    # A date is allowed there, too; our server sends seconds.
    return float(text) if text and text.isascii() and text.isdigit() else None
