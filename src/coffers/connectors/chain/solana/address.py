"""Addresses of Solana: 32 bytes in base58, which carry no checksum."""

from coffers.connectors.chain import base58
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

_LENGTH = 32


def checked(text: str) -> str:
    """Return an address, that of a key or of a program's account, as it is written.

    Raises:
        AddressRefused: when the text is something else.
    """
    if text.lower().endswith(".sol"):
        raise AddressRefused(
            AddressFault.UNKNOWN_NAME,
            "is a .sol name; those are not looked up, give the address that it stands for",
        )
    data = base58.decode(text)
    if data is None or len(data) != _LENGTH:
        raise AddressRefused(AddressFault.MALFORMED, "is not an address of Solana")
    return text
