"""Pages by cursor, as every list of `/public/api/v1` has them: `limit` and `cursor`, read strictly.

A list answers `next_cursor`: what to hand back for the next page, null after the last one.
"""

from typing import TypeVar

from coffers.api.documents import parameter
from coffers.api.given import Given
from coffers.api.schema_words import Schema
from coffers.errors import InvalidRecord
from coffers.portfolio.cursors import id_of, place_of

_Place = TypeVar("_Place", bound=tuple[int | str, ...])


def limit_of(given: Given, usual: int, most: int) -> int:
    """Return how many a page is asked to hold.

    Raises:
        InvalidRecord: naming `limit`, for what is no number from 1 to `most`.
    """
    text = given.text("limit")
    if text is None:
        return usual
    # Python reads underscores, signs, spaces and other scripts' digits as well.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise InvalidRecord({"limit": ["is invalid"]})
    if not 1 <= int(text) <= most:
        raise InvalidRecord({"limit": ["does not have a valid value"]})
    return int(text)


def after_of(given: Given, kind: type[_Place]) -> _Place | None:
    """Return the place after which a page begins, None for the first page.

    Raises:
        InvalidRecord: naming `cursor`, for what no page of the list told.
    """
    text = given.text("cursor")
    return None if text is None else place_of(text, kind)


def after_id_of(given: Given) -> int:
    """Return the id after which a page begins, 0 for the first page.

    Raises:
        InvalidRecord: naming `cursor`, for what no page of the list told.
    """
    text = given.text("cursor")
    return 0 if text is None else id_of(text)


def page_parameters(what: str, usual: int, most: int) -> list[Schema]:
    """Return the description of `limit` and `cursor`, for lists of `what`: "Flows"."""
    numbers = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return [
        parameter("limit", "query", f"{what} per page.", numbers),
        parameter("cursor", "query", "`next_cursor` of the page before.", {"type": "string"}),
    ]
