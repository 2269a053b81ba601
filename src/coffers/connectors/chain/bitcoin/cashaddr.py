"""CashAddr, the form of Bitcoin Cash's addresses (its specification of 2017, with 40 bits of sum).

Bech32's alphabet with another checksum, and a prefix that may be left out when written.
"""

from collections.abc import Iterable

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_GENERATORS = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)
_CHECKSUM = 8
_TYPE_SHIFT = 3
_SIZES = (20, 24, 28, 32, 40, 48, 56, 64)


def is_alphabet(text: str) -> bool:
    """Whether a text without its prefix is made of the alphabet, in one case."""
    return text in {text.lower(), text.upper()} and all(char in _VALUES for char in text.lower())


def encode(prefix: str, kind: int, payload: bytes) -> str:
    """Return the address of a type (0: key, 1: script) with its prefix."""
    version = kind << _TYPE_SHIFT | _SIZES.index(len(payload))
    values = _regrouped(bytes([version]) + payload, 8, 5, pad=True) or []
    sum_ = _polymod([*_expanded(prefix), *values, *[0] * _CHECKSUM])
    checksum = [sum_ >> 5 * (_CHECKSUM - 1 - place) & 31 for place in range(_CHECKSUM)]
    return f"{prefix}:" + "".join(_ALPHABET[value] for value in [*values, *checksum])


def decode(prefix: str, text: str) -> tuple[int, bytes] | None:
    """Return type and payload of an address without its prefix, None for a wrong checksum."""
    values = [_VALUES[char] for char in text.lower()]
    if _polymod([*_expanded(prefix), *values]) != 0:
        return None
    data = _regrouped(values[:-_CHECKSUM], 5, 8, pad=False)
    if not data or data[0] >> 7 or len(data) - 1 != _SIZES[data[0] & 7]:
        return None
    return data[0] >> _TYPE_SHIFT, bytes(data[1:])


def _expanded(prefix: str) -> list[int]:
    return [*(ord(char) & 31 for char in prefix), 0]


def _polymod(values: Iterable[int]) -> int:
    sum_ = 1
    for value in values:
        top = sum_ >> 35
        sum_ = (sum_ & 0x07FFFFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            sum_ ^= generator if top >> place & 1 else 0
    return sum_ ^ 1


def _regrouped(values: Iterable[int], width: int, wanted: int, *, pad: bool) -> list[int] | None:
    held, bits, groups = 0, 0, []
    for value in values:
        held, bits = held << width | value, bits + width
        while bits >= wanted:
            bits -= wanted
            groups.append(held >> bits & (1 << wanted) - 1)
        held &= (1 << bits) - 1
    if pad and bits:
        groups.append(held << wanted - bits & (1 << wanted) - 1)
    return None if not pad and (bits >= width or held) else groups
