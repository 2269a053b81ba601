"""Signing of requests: what is signed, with which of the two kinds of keys, and the httpx way in.

The signed text is the request target as it is sent, from `/public/api` on, and the body, as
docs/api.md has it. It is made of the bytes of the finished request, so that no way of encoding a
query or a body can make a difference.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Protocol

import httpx

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PREFIX = b"/public/api/"
"""What every signed address begins with; what stands before it is a proxy's, and not signed."""


class Key(Protocol):
    """What proves that a request is from the holder of a token."""

    def sign(self, text: bytes) -> str:
        """Return the value of the `Signature` header for a text."""
        ...


class HmacKey:
    """The secret of a system-generated token: HMAC-SHA256, in hex. It never shows itself."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def sign(self, text: bytes) -> str:
        """Return the hex HMAC-SHA256 of a text."""
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return "HmacKey(***)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled")


class RsaKey:
    """The private key of a self-generated token: RSASSA-PKCS1-v1_5 with SHA-256, in base64.

    Needs the package `cryptography`. It never shows itself.

    Raises:
        ValueError: where the text is no RSA private key in PEM, or the password does not open it.
    """

    __slots__ = ("_key",)

    def __init__(self, pem: str | bytes, password: bytes | None = None) -> None:
        self._key = _loaded(pem.encode() if isinstance(pem, str) else pem, password)

    def sign(self, text: bytes) -> str:
        """Return the signature of a text in base64."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        return base64.b64encode(self._key.sign(text, PKCS1v15(), SHA256())).decode()

    def __repr__(self) -> str:
        return "RsaKey(***)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled")


def _loaded(pem: bytes, password: bytes | None) -> "RSAPrivateKey":
    # Only tokens of this kind need the library, and callers of the others may lack it.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem, password=password)
    except (ValueError, TypeError):
        # Without the cause, which may quote what it was given.
        raise ValueError("this is no private key in PEM that can be opened") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("this is a private key that is not RSA")  # noqa: TRY004 - of the text
    return key


def signed_text(target: bytes, body: bytes = b"") -> bytes:
    """Return what is signed: path and query as sent, from `/public/api` on, and the body."""
    begins = target.find(PREFIX)
    text = target[begins:] if begins > 0 else target
    if not body:
        return text
    return text + (b"&" if b"?" in text else b"?") + body


class SignedAuth(httpx.Auth):
    """Signs requests of httpx, sync and async: `httpx.get(url, auth=SignedAuth(api_key, secret))`.

    Takes the token's API key, and its secret or an `RsaKey`. With `timestamp` it signs the time
    too, for a token that requires it; `now` returns Unix seconds. A token with a timestamp is let
    in once per signature: every request is signed anew, also one that is sent again.
    """

    requires_request_body = True

    def __init__(
        self,
        api_key: str,
        secret: str | Key,
        *,
        timestamp: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.api_key = api_key
        self._key = HmacKey(secret) if isinstance(secret, str) else secret
        self._has_timestamp = timestamp
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the headers on a request whose body is there."""
        request.headers.update(self.headers(request.url.raw_path, request.content))
        yield request

    def headers(self, target: bytes, body: bytes = b"") -> dict[str, str]:
        """Return the headers of a request: `target` is its path and query as they are sent."""
        stamp = str(int(self._now())) if self._has_timestamp else ""
        signature = self._key.sign(stamp.encode() + signed_text(target, body))
        signed = {"Apikey": self.api_key, "Signature": signature}
        return {**signed, "Timestamp": stamp} if stamp else signed

    def __repr__(self) -> str:
        return f"SignedAuth({self.api_key!r}, {self._key!r})"
