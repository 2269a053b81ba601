"""Entity tags: weak ones from what an answer tells, and what `If-None-Match` says of them."""

import hashlib
import re
from typing import Final

_TAG: Final = re.compile(rb'(?:W/)?"([^"]*)"')
_DIGEST_BYTES: Final = 16


def weak_tag(*parts: bytes) -> bytes:
    """Return the weak entity tag of an answer that consists of these parts, or follows from them.

    Weak, since it is the same for every coding of the body.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return b'W/"' + digest.digest()[:_DIGEST_BYTES].hex().encode() + b'"'


def is_unchanged(if_none_match: bytes | None, tag: bytes) -> bool:
    """Return whether the client has the answer with this tag already.

    The comparison is the weak one (RFC 9110, section 13.1.2); the header may be a list, or `*`.
    """
    if if_none_match is None:
        return False
    if if_none_match in {tag, b"*"}:
        return True
    if if_none_match.strip() == b"*":
        return True
    return _opaque(tag) in _TAG.findall(if_none_match)


def _opaque(tag: bytes) -> bytes:
    return tag.removeprefix(b"W/")[1:-1]
