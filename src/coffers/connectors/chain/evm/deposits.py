"""Deposits into the beacon chain: what a call of the deposit contract, or a log of it, tells.

Source: the deposit contract of the consensus specifications ("deposit" and "DepositEvent").
"""

from collections.abc import Iterator, Mapping

import msgspec
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from coffers.clock import Millis

CONTRACT = "0x00000000219ab540356cbb839cbe05303d7705fa"
"""The deposit contract of Ethereum."""

LEAST_WEI = 10**18
"""The contract takes nothing less than one ether."""

GWEI = 10**9

DEPOSIT = bytes.fromhex("22895118")  # deposit(bytes,bytes,bytes,bytes32)
DEPOSIT_EVENT = "0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5"
_KEY_BYTES = 48
_CREDENTIAL_BYTES = 32
_AMOUNT_BYTES = 8
_BY_KEY = "0x00"


class Deposit(msgspec.Struct, frozen=True):
    """Ether that was given to a validator, by its public key, in billionths of an ether.

    `credentials` say whom the validator pays in the end, as the depositor wrote them.
    """

    key: str
    credentials: str
    gwei: int
    txid: str
    at: Millis


def of_call(data: str, wei: int, txid: str, at: Millis) -> Deposit | None:
    """Return the deposit that a call of the contract made, None where it was another call."""
    sent = _bytes(data)
    if sent is None or not sent.startswith(DEPOSIT):
        return None
    try:
        key, credentials, _, _ = decode(
            ["bytes", "bytes", "bytes", "bytes32"], sent[len(DEPOSIT) :]
        )
    except (DecodingError, OverflowError):
        return None
    return _deposit(key, credentials, wei // GWEI, (txid, at))


def of_receipt(receipt: Mapping[str, object], txid: str, at: Millis) -> Iterator[Deposit]:
    """Yield the deposits that a transaction made, by whatever contract it went through."""
    logs = receipt.get("logs")
    for log in logs if isinstance(logs, list) else []:
        deposit = _of_log(log, txid, at) if isinstance(log, dict) else None
        if deposit is not None:
            yield deposit


def names(credentials: str) -> str | None:
    """Return the address that withdrawal credentials name, in lower case.

    None where they are the hash of a key (0x00): they name nobody.
    """
    lower = credentials.lower()
    return None if lower.startswith(_BY_KEY) else f"0x{lower[-40:]}"


def _of_log(log: Mapping[str, object], txid: str, at: Millis) -> Deposit | None:
    topics = log.get("topics")
    is_told = isinstance(topics, list) and topics and str(topics[0]).lower() == DEPOSIT_EVENT
    data = _bytes(log.get("data"))
    if not is_told or str(log.get("address")).lower() != CONTRACT or data is None:
        return None
    try:
        key, credentials, amount, _, _ = decode(["bytes"] * 5, data)
    except (DecodingError, OverflowError):
        return None
    if len(amount) != _AMOUNT_BYTES:
        return None
    return _deposit(key, credentials, int.from_bytes(amount, "little"), (txid, at))


def _deposit(key: bytes, credentials: bytes, gwei: int, when: tuple[str, Millis]) -> Deposit | None:
    if len(key) != _KEY_BYTES or len(credentials) != _CREDENTIAL_BYTES:
        return None
    return Deposit(f"0x{key.hex()}", f"0x{credentials.hex()}", gwei, *when)


def _bytes(text: object) -> bytes | None:
    if not isinstance(text, str) or not text.startswith("0x"):
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None
