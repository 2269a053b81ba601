"""What commands are given on standard input: secrets, which are no options."""

import sys
from typing import BinaryIO, TextIO

from coffers.errors import UsageError

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""What some editors begin a file with, to say that it is UTF-8."""


def line_given() -> str:
    """Return the first line of standard input, without its end.

    Raises:
        UsageError: for bytes that are no text, or where there is no standard input.
    """
    return _text(_given().readline()).rstrip("\r\n")


def text_given() -> str:
    """Return all of standard input.

    Raises:
        UsageError: for bytes that are no text, or where there is no standard input.
    """
    return _text(_given().read())


def _given() -> BinaryIO:
    # Python has none where it was started with that closed.
    stdin: TextIO | None = sys.stdin
    if stdin is None:
        raise UsageError("there is no standard input")
    return stdin.buffer


def _text(given: bytes) -> str:
    # Python would let bytes that are no text pass where the locale is none, as in a container.
    coding = sys.stdin.encoding
    try:
        return given.decode(coding).removeprefix(_MARK)
    except UnicodeDecodeError:
        raise UsageError(f"standard input is no text in {coding.upper()}") from None
