"""Content codings: which one a client takes, and bodies in it; what else it says to like."""

import gzip
from functools import lru_cache
from typing import Final, Literal, get_args

import zstandard

Coding = Literal["identity", "gzip", "zstd"]

CODINGS: Final[tuple[Coding, ...]] = get_args(Coding)

WORTH_CODING: Final = 1024
"""Bytes from which a body is worth compressing."""

_GZIP_LEVEL: Final = 1
"""Digits hardly compress: level 6 takes 2.5 times as long for a body a fifth smaller."""
_ZSTD_LEVEL: Final = 1
_ZSTD_MOST: Final = 19

_PREFERRED: Final[tuple[Coding, ...]] = ("zstd", "gzip")


@lru_cache(maxsize=256)
def coding_for(accept: bytes) -> Coding:
    """Return the coding for an `Accept-Encoding` header (RFC 9110, section 12.5.3).

    Of those that the client likes best, zstd before gzip; a client that takes neither gets the
    body as it is, also if it says that it does not want that.
    """
    weights = weights_of(accept.decode("latin-1").lower())
    default = weights.get("*", 0.0)
    ranked = [(weights.get(coding, default), coding) for coding in _PREFERRED]
    weight, coding = max(ranked, key=lambda pair: pair[0])
    # What is not named is acceptable as it is, and nothing more.
    return coding if weight > 0 and weight >= weights.get("identity", 0.0) else "identity"


def weights_of(accept: str) -> dict[str, float]:
    """Return how much each thing is liked by a header of the `Accept` family, from 0 to 1."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if name:
            weights[name] = _weight(parameters)
    return weights


def encoded(body: bytes, coding: Coding) -> bytes:
    """Return a body in a coding. The same body always gives the same bytes."""
    match coding:
        case "gzip":
            return gzip.compress(body, _GZIP_LEVEL, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
        case "identity":
            return body


def packed(body: bytes, coding: Coding) -> bytes:
    """Return a body that is kept in a coding, as small as that makes it."""
    match coding:
        case "gzip":
            return gzip.compress(body, 9, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor(level=_ZSTD_MOST).compress(body)
        case "identity":
            return body


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
