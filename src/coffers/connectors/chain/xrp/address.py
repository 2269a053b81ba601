"""Addresses of the XRP Ledger: classic ones, and X-addresses that may carry a tag.

Sources: https://xrpl.org/docs/concepts/accounts/addresses and XLS-5.
"""

import hashlib

from coffers.connectors.chain import base58
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

_ACCOUNT = b"\0"
_ID = 20
_CHECKSUM = 4
_MAIN, _TEST = b"\x05\x44", b"\x04\x93"
_X_LENGTH = len(_MAIN) + _ID + 1 + 8
_CLASSIC_LENGTHS = range(25, 36)
_X_LENGTHS = range(46, 49)


def checked(text: str) -> str:
    """Return the classic address of a classic address or of an X-address without a tag.

    Raises:
        AddressRefused: when the text is something else, or carries a tag.
    """
    looks_classic = text.startswith("r") and len(text) in _CLASSIC_LENGTHS
    looks_x = text.startswith(("X", "T")) and len(text) in _X_LENGTHS
    data = base58.decode(text, base58.RIPPLE)
    if data is None or not (looks_classic or looks_x):
        raise AddressRefused(AddressFault.MALFORMED, "is not an address of the XRP Ledger")
    payload = data[:-_CHECKSUM]
    if _checksum(payload) != data[-_CHECKSUM:]:
        raise AddressRefused(
            AddressFault.CHECKSUM,
            "is an address whose checksum is wrong: a character was changed or is missing; "
            "copy it again",
        )
    return _classic(_id_in_x(payload) if looks_x else _id_in_classic(payload))


def _classic(id_: bytes) -> str:
    payload = _ACCOUNT + id_
    return base58.encode(payload + _checksum(payload), base58.RIPPLE)


def _id_in_classic(payload: bytes) -> bytes:
    if len(payload) != len(_ACCOUNT) + _ID or not payload.startswith(_ACCOUNT):
        raise AddressRefused(AddressFault.MALFORMED, "is not an address of the XRP Ledger")
    return payload[len(_ACCOUNT) :]


def _id_in_x(payload: bytes) -> bytes:
    if len(payload) != _X_LENGTH or payload[:2] not in {_MAIN, _TEST}:
        raise AddressRefused(AddressFault.MALFORMED, "is not an address of the XRP Ledger")
    if payload[:2] == _TEST:
        raise AddressRefused(
            AddressFault.OTHER_NETWORK, "is an address of a test network, whose coins have no worth"
        )
    if any(payload[len(_MAIN) + _ID :]):
        raise AddressRefused(
            AddressFault.MALFORMED,
            "carries a destination tag, so it is one of many customers of whoever owns the "
            "address; connect the account there instead",
        )
    return payload[len(_MAIN) : len(_MAIN) + _ID]


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM]
