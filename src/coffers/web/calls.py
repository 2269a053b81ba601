"""The calls of the API, as its OpenAPI document tells them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coffers.portfolio.signed_calls import PREFIX


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its method and path, with what it does, and what may be in its query or body."""

    method: str
    path: str
    summary: str
    group: str
    takes: tuple[str, ...]


def calls_of(document: Mapping[str, Any]) -> list[Call]:
    """Return the calls that can be signed, group by group in the order of the document."""
    found = [
        Call(
            method.upper(),
            path,
            told.get("summary", ""),
            told.get("tags", ["other"])[0],
            tuple(dict.fromkeys(_takes(told))),
        )
        for path, operations in document["paths"].items()
        if path.startswith(PREFIX)
        for method, told in operations.items()
    ]
    groups = list(dict.fromkeys(call.group for call in found))
    return sorted(found, key=lambda call: groups.index(call.group))


def _takes(told: Mapping[str, Any]) -> Iterator[str]:
    for parameter in told.get("parameters", ()):
        if parameter["in"] == "query":
            yield parameter["name"]
    for content in told.get("requestBody", {}).get("content", {}).values():
        yield from content.get("schema", {}).get("properties", {})
