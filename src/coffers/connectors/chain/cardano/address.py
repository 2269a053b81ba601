"""Addresses of Cardano: those of payments and stakes (CIP-19), and older ones of Byron.

A wallet of Cardano has many addresses that share one stake key, so an address that names the key
stands for all of them: its canonical form is the stake address.
"""

import zlib

from coffers.connectors.chain import base58, bech32
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

_MAIN, _TEST = 1, 0
_HASH = 28
_BASE = range(4)
_POINTER = range(4, 6)
_ENTERPRISE = range(6, 8)
_STAKE = range(14, 16)
_STAKE_KEY, _STAKE_SCRIPT = 0xE0, 0xF0
_BYRON_PREFIXES = ("Ae2", "DdzFF", "37bt", "2cWKM")
_BYRON_HEAD = b"\x82\xd8\x18\x58"
_BYRON_ROOT = b"\x83\x58\x1c"
_CRC = b"\x1a"
_CRC_BYTES = 4
_NETWORK_KEY = 2
_LONG = 24  # from here on CBOR writes a length in a byte of its own


def checked(text: str) -> str:
    """Return the stake address of an address that names one, else the address itself.

    Raises:
        AddressRefused: when the text is something else, is damaged or of a test network.
    """
    told = bech32.decode(text)
    if told is None:
        return _byron(text)
    if told.prefix not in {"addr", "stake", "addr_test", "stake_test"}:
        raise _no_address()
    if told.payload is None:
        raise _damaged()
    if told.prefix.endswith("_test"):
        raise _test_network()
    return _shelley(told.prefix, told.payload)


def is_stake(address: str) -> bool:
    """Whether a canonical address is that of a stake account."""
    return address.startswith("stake1")


def _shelley(prefix: str, payload: bytes) -> str:
    if not payload:
        raise _no_address()
    kind, network, length = payload[0] >> 4, payload[0] & 0x0F, len(payload) - 1
    if network == _TEST:
        raise _test_network()
    if network != _MAIN or (prefix == "stake") != (kind in _STAKE):
        raise _no_address()
    if kind in _BASE and length == 2 * _HASH:
        head = _STAKE_SCRIPT if kind & 2 else _STAKE_KEY
        return bech32.encode("stake", bytes([head | _MAIN]) + payload[1 + _HASH :])
    is_single = kind in _ENTERPRISE or kind in _STAKE
    if (is_single and length == _HASH) or (kind in _POINTER and length > _HASH):
        return bech32.encode(prefix, payload)
    raise _no_address()


def _byron(text: str) -> str:
    """Return an address of Byron: CBOR of a payload and its CRC32, in base58."""
    if not text.startswith(_BYRON_PREFIXES):
        raise _no_address()
    data = base58.decode(text)
    if data is None or not data.startswith(_BYRON_HEAD):
        raise _damaged()
    start = len(_BYRON_HEAD) + 1
    payload, end = data[start : start + data[start - 1]], start + data[start - 1]
    crc = _CRC + zlib.crc32(payload).to_bytes(_CRC_BYTES, "big")
    if data[end:] != crc or not payload.startswith(_BYRON_ROOT):
        raise _damaged()
    if _NETWORK_KEY in _attributes(payload[len(_BYRON_ROOT) + _HASH :]):
        raise _test_network()
    return text


def _attributes(data: bytes) -> set[int]:
    """Return the keys of the attributes of an address: small numbers, each with a byte string."""
    keys: set[int] = set()
    at = 1
    try:
        for _ in range(data[0] & 0x1F):
            keys.add(data[at])
            length = data[at + 1] & 0x1F
            at += 2 + length if length < _LONG else 3 + data[at + 2]
    except IndexError:
        raise _damaged() from None
    return keys


def _no_address() -> AddressRefused:
    return AddressRefused(AddressFault.MALFORMED, "is not an address of Cardano")


def _damaged() -> AddressRefused:
    return AddressRefused(
        AddressFault.CHECKSUM,
        "is an address whose checksum is wrong: a character was changed or is missing; "
        "copy it again",
    )


def _test_network() -> AddressRefused:
    return AddressRefused(
        AddressFault.OTHER_NETWORK, "is an address of a test network, whose coins have no worth"
    )
