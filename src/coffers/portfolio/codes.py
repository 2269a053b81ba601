"""Codes that people copy: for one use each, kept as SHA-256.

One has 16 characters of 31, so that its hash needs neither salt nor cost: 79 bits cannot be tried.
"""

import hashlib
import secrets
from typing import Final

LENGTH: Final = 16
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_code() -> str:
    """Return a code that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def grouped(code: str) -> str:
    """Return a code as people read it."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def plain(code: str) -> str:
    """Return a code as it was made, of one as people type it."""
    return "".join(code.upper().replace("-", " ").split())


def hash_of(text: str) -> str:
    """Return what is kept of a code, or of another text that nobody can guess."""
    return hashlib.sha256(text.encode()).hexdigest()
