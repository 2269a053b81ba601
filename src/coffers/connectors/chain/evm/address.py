"""Addresses of EVM chains: twenty bytes in hex, whose letters carry a checksum (EIP-55)."""

import re

from eth_hash.auto import keccak

from coffers.connectors.chain.refusals import AddressFault, AddressRefused

NOBODY = "0x" + 40 * "0"
"""Where logs say that a token comes from as it is made, and goes to as it is destroyed."""

_HEX = re.compile(r"0[xX][0-9a-fA-F]{40}")
_ANY_HEX = re.compile(r"(0[xX])?[0-9a-fA-F]+")
_DIGITS = 40
_LAST_PRECOMPILE = 0xFFFF
"""Chains keep their built-in contracts below this number; nobody holds a key to one."""
_NIBBLE_OF_UPPER = 8


def checked(text: str) -> str:
    """Return an address with its checksum.

    Letters all of one case carry no checksum and are taken as they are.

    Raises:
        AddressRefused: for anything else, for the zero address and for built-in contracts.
    """
    if not _HEX.fullmatch(text):
        raise AddressRefused(AddressFault.MALFORMED, _malformed(text))
    digits = text[2:]
    canonical = checksummed(f"0x{digits.lower()}")
    if digits not in {digits.lower(), digits.upper(), canonical[2:]}:
        raise AddressRefused(
            AddressFault.CHECKSUM,
            "has a wrong checksum: a letter or a digit of it is not as it was; copy it again",
        )
    if int(digits, 16) <= _LAST_PRECOMPILE:
        raise AddressRefused(AddressFault.MALFORMED, "belongs to the chain itself, not to a person")
    return canonical


def checksummed(address: str) -> str:
    """Return `0x` and forty hex digits in the letter case of EIP-55."""
    digits = address[2:].lower()
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= _NIBBLE_OF_UPPER else digit
        for digit, mark in zip(digits, marks, strict=False)
    )


def _malformed(text: str) -> str:
    if _ANY_HEX.fullmatch(text):
        digits = len(text) - (2 if text[:2].lower() == "0x" else 0)
        return f"must be 0x and {_DIGITS} hexadecimal digits; it has {digits}" + (
            "" if text[:2].lower() == "0x" else " and no 0x"
        )
    return f"must be 0x and {_DIGITS} hexadecimal digits"
