"""Extended public keys: xpub and its kin, by their prefixes (BIP-32, SLIP-132)."""

import re

from embit import bip32, ec, script
from embit.base import EmbitError

from coffers.connectors.chain.bitcoin import base58check
from coffers.connectors.chain.bitcoin.networks import (
    COSIGNER_KEYS,
    NETWORKS,
    TEST_KEYS,
    XPUB,
    Network,
    ScriptKind,
)
from coffers.connectors.chain.bitcoin.refused import (
    malformed,
    of_test_network,
    other_chain,
    wrong_checksum,
)

_A_KEY = "an extended public key"
_LENGTH = 78
_FORM = re.compile(r"(?:[xyztuvYZUV]pub|[LMt]tub|dgub)[1-9A-HJ-NP-Za-km-z]{40,}")


def is_extended_key(text: str) -> bool:
    """Whether a text has the form of an extended public key, be it a right one or not."""
    return _FORM.fullmatch(text) is not None


def payload_of(text: str, network: Network) -> bytes:
    """Return the 78 bytes of an extended public key that may be used on the network.

    Raises:
        AddressRefused: for a wrong checksum, and for a key of another chain or of a test network.
    """
    payload = base58check.decode(text)
    if payload is None or len(payload) != _LENGTH:
        raise wrong_checksum(_A_KEY)
    version = payload[:4]
    if version in TEST_KEYS:
        raise of_test_network(_A_KEY)
    if version in network.keys or version in COSIGNER_KEYS:
        return payload
    for other in NETWORKS.values():
        if version in other.keys:
            raise other_chain(other, network, _A_KEY)
    raise malformed(network)


def kinds_of(text: str, network: Network) -> tuple[ScriptKind, ...]:
    """Return the kinds of script that an extended public key is searched for.

    Its prefix says so; many wallets write xpub for every kind, so that stands for all of them.

    Raises:
        AddressRefused: when the network's wallets cannot be read by the key.
    """
    payload = payload_of(text, network)
    if payload[:4] in COSIGNER_KEYS:
        raise malformed(
            network,
            "is the key of one cosigner of several; connect the wallet by its output descriptor",
        )
    key_of(payload, network)
    return network.keys[payload[:4]]


def key_of(payload: bytes, network: Network) -> bip32.HDKey:
    """Return the key of an extended public key's bytes.

    Raises:
        AddressRefused: when the bytes are no point of the curve.
    """
    try:
        return bip32.HDKey.parse(XPUB + payload[4:])
    except (EmbitError, ValueError, IndexError):
        raise malformed(network) from None


def script_for(kind: ScriptKind, key: ec.PublicKey) -> bytes:
    """Return the script of a kind that a public key unlocks."""
    match kind:
        case "p2pkh":
            made = script.p2pkh(key)
        case "p2wpkh":
            made = script.p2wpkh(key)
        case "p2sh-p2wpkh":
            made = script.p2sh(script.p2wpkh(key))
        case "p2tr":
            made = script.p2tr(key)
    return bytes(made.data)
