"""What a caller asks for: parameters read strictly, faults named field by field.

Parameters of a GET are its query; one that is repeated counts with its last value, and unknown
ones are ignored, since clients send some.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from coffers.access.signature import is_broken_object
from coffers.errors import InvalidRecord

MOST_PER_PAGE: Final = 100
_LAST_PAGE: Final = 10**15
"""Beyond it the offset of a page would leave the range of a database's integers."""

_KEPT: Final = "surrogateescape"
_NO_UTF8: Final = re.compile("[\udc80-\udcff]")
_INVALID: Final = "is invalid"
_ODD: Final = "does not have a valid value"
_decode_object: Final = msgspec.json.Decoder(dict).decode


class PageWanted(NamedTuple):
    """Which page of the accounts is asked for; `api_key` keeps one exchange key's or one id's.

    A tuple, since it is part of a key that is hashed with every request.
    """

    page: int = 1
    per_page: int = MOST_PER_PAGE
    api_key: str | None = None


FIRST_PAGE: Final = PageWanted()


def page_wanted(query: bytes) -> PageWanted:
    """Return what a raw query asks for. An empty `api_key` is none.

    Raises:
        InvalidRecord: for a page or a number per page that is no integer or out of range, and for
            a key that no database takes.
    """
    if not query:
        return FIRST_PAGE
    given = query_parameters(query)
    faults: dict[str, list[str]] = {}
    page = _integer("page", given, 1, _LAST_PAGE, faults)
    per_page = _integer("per_page", given, MOST_PER_PAGE, MOST_PER_PAGE, faults)
    api_key = given.get("api_key") or None
    if api_key is not None and not is_storable(api_key):
        faults["api_key"] = [_INVALID]
    if faults:
        raise InvalidRecord(faults)
    return PageWanted(page, per_page, api_key)


def query_parameters(query: bytes) -> dict[str, str]:
    """Return the decoded parameters of a raw query, the last value of each."""
    return dict(pairs_of(query))


def pairs_of(text: bytes) -> list[tuple[str, str]]:
    """Return the decoded pairs of a raw query or form.

    Bytes that are no UTF-8 stay what `is_storable` tells, so that they matter where they are read.
    """
    return parse_qsl(text.decode(errors=_KEPT), keep_blank_values=True, errors=_KEPT)


def is_storable(text: str) -> bool:
    """Return whether a text was sent as UTF-8, without the NUL that PostgreSQL takes nowhere."""
    return "\0" not in text and (text.isascii() or _NO_UTF8.search(text) is None)


def check_body(content_type: str | None, body: bytes) -> None:
    """Require that a body, if there is one, is what its content type says.

    Raises:
        InvalidRecord: for a JSON body that is no JSON object, and a form that is one; for what
            begins as an object and cannot be read, whatever it is said to be.
    """
    if not body:
        return
    kind = (content_type or "").partition(";")[0].strip().lower()
    is_object = _is_object(body)
    if (kind == "application/json" and not is_object) or (
        kind == "application/x-www-form-urlencoded" and is_object
    ):
        raise InvalidRecord({"body": [f"is not what its content type says ({kind})"]})
    if is_broken_object(body):
        raise InvalidRecord({"body": ["is no JSON that can be read"]})


def _integer(
    name: str, given: dict[str, str], default: int, most: int, faults: dict[str, list[str]]
) -> int:
    text = given.get(name)
    if text is None:
        return default
    # Python reads underscores, signs, spaces and other scripts' digits as well.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LAST_PAGE))):
        faults[name] = [_INVALID]
        return default
    number = int(text)
    if not 1 <= number <= most:
        faults[name] = [_ODD]
    return number


def _is_object(body: bytes) -> bool:
    try:
        _decode_object(body)
    except (ValueError, RecursionError):
        return False
    return True
