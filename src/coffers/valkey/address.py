"""Where a Redis or Valkey server is, as its URL tells; no error repeats any of the URL."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from coffers.secret import Secret

_SCHEMES: Final = {
    "redis": "redis",
    "valkey": "redis",
    "rediss": "rediss",
    "valkeys": "rediss",
    "unix": "unix",
}
"""Schemes, and the one that the client library has for each."""
_PORT: Final = 6379
_SHAPE: Final = "must begin with redis://, rediss://, valkey://, valkeys:// or unix://"
# The parser's own errors quote the URL, and what it took for a port may be a password's part.
_UNREADABLE: Final = (
    "is no address of a server; special characters in its password must be percent-encoded"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address: `url` as the client library takes it, `place` to be shown."""

    url: Secret
    place: str

    def __str__(self) -> str:
        return self.place


def read_address(url: str) -> Address:
    """Return the address that a URL gives: `redis://USER:PASSWORD@HOST:PORT/DATABASE`.

    `rediss` and `valkeys` are over TLS; `unix://USER:PASSWORD@/PATH?db=DATABASE` is a socket.

    Raises:
        ValueError: for another URL, with a sentence that shows none of it.
    """
    scheme, mark, rest = url.partition("://")
    known = _SCHEMES.get(scheme.lower())
    if known is None or not mark:
        raise ValueError(_SHAPE)
    try:
        place = _place(urlsplit(f"{known}://{rest}"))
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    return Address(Secret(f"{known}://{rest}"), place)


def _place(parts: SplitResult) -> str:
    """Check what the client library would pass over in silence, or take as an option of its own."""
    is_socket = parts.scheme == "unix"
    asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
    database = asked.pop("db", ["0"])[0] if is_socket else parts.path.strip("/") or "0"
    host = parts.hostname or ""
    if asked or parts.fragment or bool(host) is is_socket or (is_socket and not parts.path):
        raise ValueError
    int(database)
    return unquote(parts.path) if is_socket else f"{host}:{parts.port or _PORT}"
