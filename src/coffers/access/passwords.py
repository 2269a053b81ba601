"""Passwords, kept as argon2id (RFC 9106) with the costs that the library holds to be right now."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coffers.errors import CoffersError, InvalidRecord
from coffers.secret import Secret

SHORTEST: Final = 10
LONGEST: Final = 256
MAX_CONCURRENT: Final = 2
"""Hashes that a process makes at once: each takes 64 MB for the time."""

WAITING: Final = 40
"""Who may wait for their turn, in a process: some seconds of hashing."""


class PasswordsBusy(CoffersError):
    """So many passwords wait to be looked at that one more would wait for too long."""

    def __init__(self) -> None:
        super().__init__("many people are signing in at this moment; try again in some seconds")


class Passwords:
    """Hashes and checks passwords, beside the event loop.

    Its methods raise `PasswordsBusy` where too many wait for their turn already.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(MAX_CONCURRENT)
        self._waiting = 0

    async def hashed(self, password: Secret) -> str:
        """Return the hash to be kept."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, _composed(password.reveal()))

    async def is_right(self, hashed: str | None, password: Secret) -> bool:
        """Return whether a password is the one that was hashed.

        Without a hash the answer is no, after as long a time: how long it takes must not tell
        which names there are.
        """
        async with self._turn():
            is_equal = await asyncio.to_thread(self._verified, hashed or self._nobodys, password)
        return is_equal and hashed is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING:
            raise PasswordsBusy
        self._waiting += 1
        try:
            async with self._places:
                yield
        finally:
            self._waiting -= 1

    def is_old(self, hashed: str) -> bool:
        """Return whether a hash was made with other costs than those of now."""
        return self._hasher.check_needs_rehash(hashed)

    def _verified(self, hashed: str, password: Secret) -> bool:
        typed = password.reveal()
        # The second is for a hash that was made of what was typed as it was.
        return any(self._matches(hashed, text) for text in dict.fromkeys((_composed(typed), typed)))

    def _matches(self, hashed: str, text: str) -> bool:
        try:
            return self._hasher.verify(hashed, text)
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("the password of nobody")


def _composed(text: str) -> str:
    """Return a text in its one form (NFC): keyboards differ in how they write the same letter."""
    return unicodedata.normalize("NFC", text)


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
