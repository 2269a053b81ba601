"""Cursors of pages: the place where a page ended, as a text that callers hand back unread.

A place is what its list is ordered by (an id; a moment and an id), and not a count, so that a page
goes on rightly whatever was added or removed meanwhile.
"""

import base64
import binascii
from typing import TypeVar

import msgspec

from coffers.errors import InvalidRecord

LONGEST = 1_000
"""Characters of a cursor; those that are made here are far shorter."""

_MOST = 2**62
_MOST_ID = 2**31 - 1
_Place = TypeVar("_Place", bound=tuple[int | str, ...])


def cursor_at(place: tuple[int | str, ...]) -> str:
    """Return the cursor of a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, kind: type[_Place]) -> _Place:
    """Return the place that a cursor was made of; `kind` tells its parts: `tuple[int, str]`.

    Raises:
        InvalidRecord: naming `cursor`, for a text that is none, or the cursor of another list.
    """
    if len(cursor) > LONGEST:
        raise _invalid()
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(text, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _invalid() from None
    if not all(map(_is_storable, place)):
        raise _invalid()
    return place


def id_of(cursor: str) -> int:
    """Return the id that a cursor of a list in order of ids was made of.

    Raises:
        InvalidRecord: as `place_of`, and for a number that is nobody's id.
    """
    (found,) = place_of(cursor, tuple[int])
    if not 0 <= found <= _MOST_ID:
        raise _invalid()
    return found


def _is_storable(part: int | str) -> bool:
    """Return whether a database takes a part of a place."""
    return "\0" not in part if isinstance(part, str) else abs(part) <= _MOST


def _invalid() -> InvalidRecord:
    return InvalidRecord({"cursor": ["is invalid"]})
