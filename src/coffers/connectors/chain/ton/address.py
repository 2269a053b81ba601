"""Addresses of TON: raw ones, and user-friendly ones with flags and a checksum.

The canonical form is the user-friendly one that wallets show ("UQ..."): not bounceable, in base64
for URLs. Source: https://docs.ton.org/v3/documentation/smart-contracts/addresses.
"""

import base64
import binascii
import re

from coffers.connectors.chain.refusals import AddressFault, AddressRefused

_RAW = re.compile(r"(0|-1):([0-9a-fA-F]{64})")
_FRIENDLY = re.compile(r"[A-Za-z0-9+/]{48}|[A-Za-z0-9_-]{48}")
_BOUNCEABLE, _NOT_BOUNCEABLE, _TEST = 0x11, 0x51, 0x80
_CRC = 2
_WORKCHAINS = {"0": 0x00, "-1": 0xFF}


def checked(text: str) -> str:
    """Return the canonical form of an address.

    Raises:
        AddressRefused: when the text is something else, is damaged or of a test network.
    """
    raw = _RAW.fullmatch(text)
    if raw is not None:
        return _friendly(bytes([_WORKCHAINS[raw.group(1)]]) + bytes.fromhex(raw.group(2)))
    if _FRIENDLY.fullmatch(text) is None:
        raise _no_address()
    data = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
    if data[0] & ~_TEST not in {_BOUNCEABLE, _NOT_BOUNCEABLE}:
        raise _no_address()
    if _crc(data[:-_CRC]) != data[-_CRC:]:
        raise AddressRefused(
            AddressFault.CHECKSUM,
            "is an address whose checksum is wrong: a character was changed or is missing; "
            "copy it again",
        )
    if data[1] not in _WORKCHAINS.values():
        raise _no_address()
    if data[0] & _TEST:
        raise AddressRefused(
            AddressFault.OTHER_NETWORK, "is an address of a test network, whose coins have no worth"
        )
    return _friendly(data[1:-_CRC])


def in_raw(address: str) -> str:
    """Return a canonical address as services tell it, in lower case: "0:" and 64 hex digits."""
    data = base64.urlsafe_b64decode(address)
    workchain = "0" if data[1] == _WORKCHAINS["0"] else "-1"
    return f"{workchain}:{data[2:-_CRC].hex()}"


def _friendly(account: bytes) -> str:
    payload = bytes([_NOT_BOUNCEABLE]) + account
    return base64.urlsafe_b64encode(payload + _crc(payload)).decode()


def _crc(payload: bytes) -> bytes:
    return binascii.crc_hqx(payload, 0).to_bytes(_CRC, "big")


def _no_address() -> AddressRefused:
    return AddressRefused(AddressFault.MALFORMED, "is not an address of TON")
