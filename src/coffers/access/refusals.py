"""Every refusal of the gate, with its wire error, its sentence and the cause behind it.

Clients match on `error`, and some on the first sentence of the description; both stay as they
were published. What helps further is said after that sentence, and only where it tells a
stranger nothing: the state of a key is told to those who hold its secret.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from coffers.access.call import MAX_BODY, whole_seconds
from coffers.clock import Millis
from coffers.errors import CoffersError

Attributes = Mapping[str, Sequence[str]]
Headers = tuple[tuple[str, str], ...]

_KEY: Final = "Unauthorized. Invalid or expired api key."
_SIGNATURE: Final = "Provided signature is invalid"


class Refusal(CoffersError):
    """A call that is not let in: the wire's answer, and the `reason` for logs and metrics."""

    def __init__(
        self,
        status: int,
        error: str,
        description: str | None,
        *,
        reason: str,
        attributes: Attributes | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(description or error)
        self.status = status
        self.error = error
        self.description = description
        self.reason = reason
        self.attributes = attributes
        self.headers = headers


def key_refused(reason: str, hint: str = "") -> Refusal:
    """Return the 401 for a key that is missing, unknown, expired, revoked or used from afar."""
    return Refusal(401, "api_key_invalid_or_expired", f"{_KEY} {hint}".strip(), reason=reason)


def signature_refused(reason: str, hint: str = "", expected: str | None = None) -> Refusal:
    """Return the 401 for a signature, with the text that the server expected to be signed."""
    description = f"{_SIGNATURE}. {hint}" if hint else _SIGNATURE
    headers = (("X-Signed-Text", expected),) if expected else ()
    return Refusal(401, "signature_invalid", description, reason=reason, headers=headers)


def permission_refused(permission: str) -> Refusal:
    """Return the 403 that names the permission that the token lacks."""
    description = f"Api key doesn't have enough permissions: {permission.upper()}"
    return Refusal(403, "access_denied", description, reason="permission")


def invalid(field: str, fault: str) -> Refusal:
    """Return the 400 for a header or a body that cannot be meant."""
    attributes = {field: [fault]}
    return Refusal(400, "record_invalid", "Invalid parameters", reason=field, attributes=attributes)


def body_too_long() -> Refusal:
    """Return the 400 for a body above the bound of what is hashed."""
    return invalid("body", f"is too long (maximum is {MAX_BODY} bytes)")


def too_many(wait: Millis) -> Refusal:
    """Return the 429 of a token that went over its limit, for so many milliseconds more."""
    sentence = f"Too many requests. Try again in {whole_seconds(wait)} seconds."
    return Refusal(429, "rate_limit_exceeded", sentence, reason="limit", headers=_retry(wait))


def banned(wait: Millis) -> Refusal:
    """Return the 418 of an address that is banned, for so many milliseconds more."""
    sentence = (
        "Too many refused requests came from this address. "
        f"Try again in {whole_seconds(wait)} seconds."
    )
    return Refusal(418, "ip_banned", sentence, reason="banned", headers=_retry(wait))


def _retry(wait: Millis) -> Headers:
    return (("Retry-After", str(whole_seconds(wait))),)
