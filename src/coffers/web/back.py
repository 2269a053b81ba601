"""The page that is gone back to after signing in, or after showing who one is."""

import re
from typing import Final

_PAGE: Final = re.compile(r"/[a-z]+(/[a-z0-9_-]+){0,5}")
"""A page of ours that may be gone back to; no other host can be meant by it."""


def page_of(back: str) -> str | None:
    """Return the page that is to be gone back to; None for what is no page of ours."""
    return back if _PAGE.fullmatch(back) else None


def with_back(path: str, back: str | None) -> str:
    """Return a path that says where to go back to, if that is a page of ours."""
    page = page_of(back or "")
    return path if page is None else f"{path}?back={page}"
