"""Passwords, kept as argon2id (RFC 9106) with the costs that the library holds to be right now."""

import asyncio
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coffers.errors import InvalidRecord
from coffers.secret import Secret

SHORTEST: Final = 10
LONGEST: Final = 256
AT_ONCE: Final = 2
"""Hashes that a process makes at once: each takes 64 MB for the time."""


class Passwords:
    """Hashes and checks passwords, beside the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: Secret) -> str:
        """Return the hash to be kept."""
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password.reveal())

    async def is_right(self, hashed: str | None, password: Secret) -> bool:
        """Return whether a password is the one that was hashed.

        Without a hash the answer is no, after as long a time: how long it takes must not tell
        which names there are.
        """
        async with self._places:
            is_equal = await asyncio.to_thread(self._verified, hashed or self._nobodys, password)
        return is_equal and hashed is not None

    def is_old(self, hashed: str) -> bool:
        """Return whether a hash was made with other costs than those of now."""
        return self._hasher.check_needs_rehash(hashed)

    def _verified(self, hashed: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(hashed, password.reveal())
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("the password of nobody")


def check_password(password: Secret, name: str) -> None:
    """Refuse a password that is no good.

    Raises:
        InvalidRecord: naming `password`, with what is expected.
    """
    text = password.reveal()
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidRecord({"password": [f"must be {SHORTEST} to {LONGEST} characters long"]})
    if len(set(text)) < SHORTEST // 2 or text.casefold() == name.casefold():
        raise InvalidRecord({"password": ["is too easy to guess"]})
