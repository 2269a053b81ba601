"""The header by which a program names its request, so that it is done once."""

from typing import Final

from fastapi import Request

from coffers.api.documents import parameter
from coffers.api.schema_words import Schema
from coffers.api.surroundings import HEADERS, header_of

_KEY: Final = b"idempotency-key"


def key_parameter(told: str) -> Schema:
    """Return the header's description."""
    return parameter("Idempotency-Key", "header", told, {"type": "string"})


KEY_PARAMETER: Final[Schema] = key_parameter("The same request under the same key is done once.")


def key_of(request: Request) -> str | None:
    """Return what the client calls its request, None where it does not."""
    return header_of(request.scope[HEADERS], _KEY)
