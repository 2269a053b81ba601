"""What the gate is asked and what it answers: a signed call, and who made it."""

from typing import Final

import msgspec

from coffers.clock import Millis
from coffers.store.records import Mode

MAX_BODY: Final = 64 * 1024
"""The most bytes of a body that are hashed."""


class SignedCall(msgspec.Struct, frozen=True, gc=False):
    """A request as it came in, before any decoding.

    `path` is raw and has the `/public/api` prefix; `query` is raw and without its question mark.
    Headers that are absent are None; `timestamp` is in Unix seconds. `address` is the caller's IP
    address. The repr shows method and path only, since the rest may hold secrets.
    """

    method: str
    path: bytes
    query: bytes
    body: bytes
    content_type: str | None
    api_key: str | None
    signature: str | None
    timestamp: str | None
    forced_mode: str | None
    address: str

    def __repr__(self) -> str:
        return f"SignedCall({self.method} {self.path!r})"


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who made a call that was admitted, and what the answer depends on.

    `mode` is the forced one, or else the user's own. `user_version` and `epoch` are those of the
    moment of the look-up, and name the state that an answer may be kept for.
    """

    user_id: int
    token_id: int
    permissions: frozenset[str]
    mode: Mode
    display_currency: str
    user_version: int
    epoch: int


def whole_seconds(span: Millis) -> int:
    """Return a span in whole seconds, rounded up, as `Retry-After` tells it."""
    return -(-span // 1000)
