"""An answer with its headers: what a list's figures do not tell, and what the server calls it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import httpx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer and its headers."""

    value: T
    headers: httpx.Headers

    @property
    def request_id(self) -> str | None:
        """What the server's log calls the request."""
        return self._told("x-request-id")

    @property
    def total(self) -> int | None:
        """How many there are on all pages; None where the server does not tell."""
        return self._number("x-total-count")

    @property
    def prices_at(self) -> datetime | None:
        """The moment of the prices that all figures were made with; None where there are none."""
        told = self._told("x-prices-at")
        return None if told is None else datetime.fromisoformat(told)

    @property
    def incomplete(self) -> int | None:
        """How many accounts have figures that do not tell everything; None where it is not told."""
        return self._number("x-accounts-incomplete")

    @property
    def why_incomplete(self) -> dict[int, tuple[str, ...]]:
        """Those accounts by id with the reasons, the first 40 of them."""
        told = self._told("x-accounts-incomplete-why") or ""
        parts = [re.split(r"\s*;\s*", part.strip()) for part in told.split(",")]
        return {int(who): tuple(why) for who, *why in parts if who.isdigit()}

    def _number(self, name: str) -> int | None:
        told = self._told(name) or ""
        return int(told) if told.isascii() and told.isdigit() else None

    def _told(self, name: str) -> str | None:
        value: str | None = self.headers.get(name)
        return value
