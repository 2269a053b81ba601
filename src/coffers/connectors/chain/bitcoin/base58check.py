"""Base58 with a checksum, which tells a wrong checksum from what is no base58 at all."""

import hashlib

_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_CHECKSUM = 4


def is_base58(text: str) -> bool:
    """Whether a text is made of the digits of base58."""
    return bool(text) and all(char in _VALUES for char in text)


def encode(payload: bytes) -> str:
    """Return a payload in base58 with its checksum."""
    data = payload + _checksum(payload)
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def decode(text: str) -> bytes | None:
    """Return the payload of a text in base58, None where its checksum is wrong."""
    number = 0
    for char in text:
        number = number * len(_DIGITS) + _VALUES[char]
    zeros = len(text) - len(text.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    return payload if payload and _checksum(payload) == checksum else None


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM]
