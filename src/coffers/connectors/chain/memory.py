"""What one reading of a wallet leaves for the next: a value of a chain's own type, kept as text."""

from typing import TypeVar

import msgspec

_Memory = TypeVar("_Memory", bound=msgspec.Struct)


def opened(text: str | None, kind: type[_Memory]) -> _Memory:
    """Return what was remembered; an empty memory where there is none, or none that can be read."""
    if text is None:
        return kind()
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return kind()


def closed(memory: msgspec.Struct) -> str:
    """Return the text to be remembered."""
    return msgspec.json.encode(memory).decode()
