"""Totals and links of a page, in headers: bodies stay bare arrays."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from coffers.api.params import MOST_PER_PAGE, PageWanted

Header = tuple[bytes, bytes]

ACCOUNTS_PATH: Final = "/public/api/ver1/accounts"

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def field_lines(headers: Iterable[Header]) -> bytes:
    """Return headers as they stand in an answer: a line each.

    Raises:
        ValueError: when one holds a control character, which could end its line.
    """
    lines = [b"%s: %s" % header for header in headers]
    if any(map(_CONTROL.search, lines)):
        raise ValueError("a header with a control character")
    return b"".join([line + b"\r\n" for line in lines])


def page_headers(wanted: PageWanted, total: int, base_url: str) -> list[Header]:
    """Return `X-Total-Count`, `X-Page`, `X-Per-Page` and `Link` (RFC 8288) of a page."""
    return [
        (b"x-total-count", b"%d" % total),
        (b"x-page", b"%d" % wanted.page),
        (b"x-per-page", b"%d" % wanted.per_page),
        (b"link", _links(wanted, total, base_url).encode("ascii")),
    ]


def _links(wanted: PageWanted, total: int, base_url: str) -> str:
    last = max(1, -(-total // wanted.per_page))
    pages = {"first": 1, "last": last}
    if wanted.page > 1:
        pages["prev"] = min(wanted.page - 1, last)
    if wanted.page < last:
        pages["next"] = wanted.page + 1
    return ", ".join(
        f'<{base_url}{ACCOUNTS_PATH}?{_query(wanted, page)}>; rel="{rel}"'
        for rel, page in sorted(pages.items(), key=lambda pair: pair[1])
    )


def _query(wanted: PageWanted, page: int) -> str:
    query: dict[str, str | int] = {"page": page}
    if wanted.per_page != MOST_PER_PAGE:
        query["per_page"] = wanted.per_page
    if wanted.api_key is not None:
        query["api_key"] = wanted.api_key
    return urlencode(query)
