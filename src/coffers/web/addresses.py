"""The address of a page with what was chosen in it, and links to the same with another choice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

_T = TypeVar("_T")

_LARGEST_PAGE = 6
"""Digits of the number of a page."""


@dataclass(frozen=True, slots=True)
class Address:
    """A page, and what was chosen in it by name; what is as usual is not in there."""

    path: str
    chosen: Mapping[str, str]

    def to(self, **changed: str | int | None) -> str:
        """Return the address of the same page with something chosen anew; None is as usual."""
        chosen = {**self.chosen, **changed}
        asked = urlencode({name: value for name, value in chosen.items() if value is not None})
        return f"{self.path}?{asked}" if asked else self.path


def address_of(request: Request, *names: str) -> Address:
    """Return the address of a page with what was chosen under some names."""
    given = request.query_params
    return Address(request.url.path, {name: given[name] for name in names if given.get(name)})


def page_in(address: Address) -> int:
    """Return the number of the page of a list that was chosen, from 1 on."""
    text = address.chosen.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _LARGEST_PAGE
    return max(1, int(text)) if is_number else 1


@dataclass(frozen=True, slots=True)
class Paged(Generic[_T]):
    """A part of a list: which of how many, and where the parts beside it are."""

    rows: list[_T]
    first: int
    total: int
    earlier: str | None
    later: str | None

    @property
    def last(self) -> int:
        """The number of the last row that is shown."""
        return self.first + len(self.rows) - 1


def paged(rows: list[_T], address: Address, size: int, anchor: str) -> Paged[_T]:
    """Return the part of a list that was chosen, the last one where there are fewer."""
    last = max(1, -(-len(rows) // size))
    number = min(page_in(address), last)
    start = (number - 1) * size

    def link(to: int) -> str | None:
        wanted = None if to == 1 else to
        return f"{address.to(page=wanted)}#{anchor}" if 1 <= to <= last else None

    return Paged(
        rows[start : start + size], start + 1, len(rows), link(number - 1), link(number + 1)
    )
