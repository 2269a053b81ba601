"""Bech32 of any length, as Cosmos chains and Cardano write their addresses (BIP-173)."""

from collections.abc import Iterable
from dataclasses import dataclass

from embit import bech32

_LONGEST = 200
_CHECKSUM = 6


@dataclass(frozen=True, slots=True)
class Bech32:
    """A text that has the form of Bech32; `payload` is None where its checksum is wrong."""

    prefix: str
    payload: bytes | None


def decode(text: str) -> Bech32 | None:
    """Return what a text says, None where it has not the form of Bech32."""
    lowered = text.lower()
    if not text.isascii() or len(text) > _LONGEST or text not in {lowered, text.upper()}:
        return None
    prefix, one, letters = lowered.rpartition("1")
    is_prefix = prefix.replace("_", "").isalnum()
    if not one or not is_prefix or len(letters) <= _CHECKSUM:
        return None
    if not set(letters) <= set(bech32.CHARSET):
        return None
    values = [bech32.CHARSET.index(letter) for letter in letters]
    if bech32.bech32_polymod(bech32.bech32_hrp_expand(prefix) + values) != bech32.BECH32_CONST:
        return Bech32(prefix, None)
    data: Iterable[int] | None = bech32.convertbits(values[:-_CHECKSUM], 5, 8, False)
    return Bech32(prefix, None if data is None else bytes(data))


def encode(prefix: str, payload: bytes) -> str:
    """Return a payload in Bech32."""
    values = bech32.convertbits(payload, 8, 5)
    return str(bech32.bech32_encode(bech32.Encoding.BECH32, prefix, values))
