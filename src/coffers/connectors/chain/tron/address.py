"""Addresses of Tron: a byte of 41 and 20 of a key or a contract, in base58 with a checksum."""

import hashlib

from coffers.connectors.chain import base58
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

_PREFIX = b"\x41"
_LENGTH = 21
_CHECKSUM = 4
_LETTERS = 34


def checked(text: str) -> str:
    """Return an address as it is written.

    Raises:
        AddressRefused: when the text is something else, or its checksum is wrong.
    """
    data = base58.decode(text)
    if data is None or not text.startswith("T") or len(text) != _LETTERS:
        raise AddressRefused(AddressFault.MALFORMED, "is not an address of Tron")
    if len(data) != _LENGTH + _CHECKSUM or _checksum(data[:-_CHECKSUM]) != data[-_CHECKSUM:]:
        raise AddressRefused(
            AddressFault.CHECKSUM,
            "is an address whose checksum is wrong: a character was changed or is missing; "
            "copy it again",
        )
    if not data.startswith(_PREFIX):
        raise AddressRefused(AddressFault.MALFORMED, "is not an address of Tron")
    return text


def in_hex(address: str) -> str:
    """Return a checked address as nodes also write it: 42 hex digits, in lower case."""
    return (base58.decode(address) or b"")[:_LENGTH].hex()


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM]
