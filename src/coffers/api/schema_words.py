"""The words that forms in the OpenAPI document are made of."""

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
TIME: Final[Schema] = {"type": "string", "format": "date-time"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"}
SIGNED_AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]+$"}


def or_null(schema: Schema, description: str | None = None) -> Schema:
    """Return the form of a value that may be unknown."""
    either: Schema = {"anyOf": [schema, {"type": "null"}]}
    return either if description is None else {**either, "description": description}


def object_of(properties: Mapping[str, Schema]) -> Schema:
    """Return the form of an object that has all of these fields and no other."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
