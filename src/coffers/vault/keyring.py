"""Master keys: their ids, the ring they form, and the text they are kept as.

A ring holds one or more keys of 32 bytes. The first seals; all open. A key's id is derived from
the key, so that a ring cannot name a key wrongly.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coffers.errors import CoffersError, SettingsError

KEY_BYTES = 32


class WrongMasterKey(CoffersError):
    """The master key at hand does not open what the database holds."""


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """A key that wraps the data keys of records. Its bytes show in no repr."""

    material: bytes

    @property
    def id(self) -> str:
        """Return twelve hex digits that name the key without telling anything of it."""
        return hashlib.sha256(b"coffers master key id\0" + self.material).hexdigest()[:12]

    def text(self) -> str:
        """Return the key as it is kept in a file: base64."""
        return base64.b64encode(self.material).decode()

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"


class KeyRing:
    """The master keys at hand, the current one first."""

    def __init__(self, keys: Iterable[MasterKey]) -> None:
        self._keys = {key.id: key for key in keys}
        if not self._keys:
            raise SettingsError("a master key is needed and none was given")

    @property
    def current(self) -> MasterKey:
        """Return the key that seals."""
        return next(iter(self._keys.values()))

    def get(self, key_id: str) -> MasterKey | None:
        """Return the key of this id, None where the ring has none."""
        return self._keys.get(key_id)

    def __iter__(self) -> Iterator[MasterKey]:
        return iter(self._keys.values())


def new_key() -> MasterKey:
    """Return a key from the system's randomness."""
    return MasterKey(os.urandom(KEY_BYTES))


def parse_ring(text: str, source: str) -> KeyRing:
    """Return the ring that a text holds: keys in base64 or hex, apart by commas or lines.

    Lines that start with `#` are comments.

    Raises:
        SettingsError: naming the source and the position of a key that is none; never the text.
    """
    words = [
        word.strip()
        for line in text.splitlines()
        if not line.lstrip().startswith("#")
        for word in line.split(",")
        if word.strip()
    ]
    if not words:
        raise SettingsError(f"{source} holds no master key")
    return KeyRing(_parse_key(word, position, source) for position, word in enumerate(words, 1))


def _parse_key(word: str, position: int, source: str) -> MasterKey:
    try:
        is_hex = len(word) == 2 * KEY_BYTES
        material = bytes.fromhex(word) if is_hex else base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        material = b""
    if len(material) != KEY_BYTES:
        raise SettingsError(
            f"key {position} in {source} is no master key: it must be {KEY_BYTES} random bytes "
            "in base64 or hex (try: openssl rand -base64 32)"
        )
    return MasterKey(material)
