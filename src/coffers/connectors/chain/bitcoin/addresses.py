"""Single addresses: from what people paste to the script that is paid, and back.

One form is canonical on each network: base58 as the node writes it today, segwit in small letters,
CashAddr with its prefix.
"""

from embit import bech32

from coffers.connectors.chain.bitcoin import base58check, cashaddr
from coffers.connectors.chain.bitcoin.networks import (
    NETWORKS,
    TEST_CASH,
    TEST_SEGWIT,
    TEST_VERSIONS,
    Network,
)
from coffers.connectors.chain.bitcoin.refused import (
    malformed,
    of_test_network,
    other_chain,
    wrong_checksum,
)

_BASE58_LENGTHS = range(26, 37)
_CASH_LENGTHS = range(40, 64)
_VERSIONED = 21
_HASH = 20
_LONG_HASH = 32
_TAPROOT = 1
_OP_1 = 0x50
_AN_ADDRESS = "an address"


def script_of(text: str, network: Network) -> bytes:
    """Return the script that an address stands for; a payment URI is taken for its address.

    Raises:
        AddressRefused: when the text is no address of the network.
    """
    body = text.partition("?")[0]
    scheme, _, rest = body.partition(":")
    if rest and scheme.lower() == network.id:
        body = rest
    for form in (_cash, _segwit, _base58):
        script = form(body, network)
        if script is not None:
            return script
    raise malformed(network)


def address_of(script: bytes, network: Network) -> str | None:
    """Return the canonical address of a script, None where the network has no form for it."""
    match script[:1], len(script):
        case b"\x76", 25:
            return _hashed(network, 0, script[3:23])
        case b"\xa9", 23:
            return _hashed(network, 1, script[2:22])
        case b"\xaa", 35 if network.cash is not None:
            return cashaddr.encode(network.cash, 1, script[2:34])
        case (b"\x00", 22 | 34) | (b"\x51", 34) if network.segwit is not None:
            version = script[0] and script[0] - _OP_1
            address: str = bech32.encode(network.segwit, version, script[2:])
            return address
    return None


def _hashed(network: Network, kind: int, hash_: bytes) -> str:
    if network.cash is not None:
        return cashaddr.encode(network.cash, kind, hash_)
    version = (network.p2sh if kind else network.p2pkh)[0]
    return base58check.encode(bytes([version]) + hash_)


def _to_key(hash_: bytes) -> bytes:
    return b"\x76\xa9\x14" + hash_ + b"\x88\xac"


def _to_script(hash_: bytes) -> bytes:
    return b"\xa9\x14" + hash_ + b"\x87"


def _base58(text: str, network: Network) -> bytes | None:
    if len(text) not in _BASE58_LENGTHS or not base58check.is_base58(text):
        return None
    payload = base58check.decode(text)
    if payload is None and text[0] in _first_letters(network):
        raise wrong_checksum(_AN_ADDRESS)
    if payload is None or len(payload) != _VERSIONED:
        return None
    version, hash_ = payload[0], payload[1:]
    if version in network.p2pkh:
        return _to_key(hash_)
    if version in network.p2sh:
        return _to_script(hash_)
    if version in TEST_VERSIONS:
        raise of_test_network(_AN_ADDRESS)
    for other in NETWORKS.values():
        if version in (*other.p2pkh, *other.p2sh):
            raise other_chain(other, network)
    return None


def _first_letters(network: Network) -> set[str]:
    versions = (*network.p2pkh, *network.p2sh)
    ends = [bytes([version]) + fill * _HASH for version in versions for fill in (b"\0", b"\xff")]
    return {base58check.encode(end)[0] for end in ends}


def _segwit(text: str, network: Network) -> bytes | None:
    prefix = text.lower().rpartition("1")[0]
    if prefix == "ltcmweb" and network.id == "litecoin":
        raise malformed(network, "is a MWEB address, whose amounts nobody can look up")
    owner = next((other for other in NETWORKS.values() if other.segwit == prefix), None)
    if owner is None and prefix not in TEST_SEGWIT:
        return None
    encoding, _, data = bech32.bech32_decode(text)
    if encoding is None:
        raise wrong_checksum(_AN_ADDRESS)
    if owner is None:
        raise of_test_network(_AN_ADDRESS)
    if owner is not network:
        raise other_chain(owner, network)
    return _witness(network, encoding, data)


def _witness(network: Network, encoding: int, data: list[int]) -> bytes:
    version = data[0] if data else -1
    program = bech32.convertbits(data[1:], 5, 8, False) or []
    if encoding != (bech32.Encoding.BECH32M if version else bech32.Encoding.BECH32):
        raise wrong_checksum(_AN_ADDRESS)
    lengths = {0: (_HASH, _LONG_HASH), _TAPROOT: (_LONG_HASH,)}
    if len(program) not in lengths.get(version, ()):
        raise malformed(network, "is of a kind of address that no wallet gives out")
    return bytes([version and _OP_1 + version, len(program), *program])


def _cash(text: str, network: Network) -> bytes | None:
    prefix, _, data = text.rpartition(":")
    is_bare = not prefix and data[:1].lower() in {"q", "p", "z", "r"}
    is_named = prefix.lower() in {"bitcoincash", *TEST_CASH}
    if not (is_bare or is_named) or len(data) not in _CASH_LENGTHS:
        return None
    if not cashaddr.is_alphabet(data):
        return None
    found = cashaddr.decode(prefix.lower() or "bitcoincash", data)
    if found is None:
        if network.cash is None:
            return None
        raise wrong_checksum(_AN_ADDRESS)
    if prefix.lower() in TEST_CASH:
        raise of_test_network(_AN_ADDRESS)
    if network.cash is None:
        raise other_chain(NETWORKS["bitcoin_cash"], network)
    return _paid(network, *found)


def _paid(network: Network, kind: int, hash_: bytes) -> bytes:
    """Return the script of a CashAddr; types 2 and 3 are those of 0 and 1 that take tokens."""
    match kind, len(hash_):
        case 0 | 2, 20:
            return _to_key(hash_)
        case 1 | 3, 20:
            return _to_script(hash_)
        case 1 | 3, 32:
            return b"\xaa\x20" + hash_ + b"\x87"
    raise malformed(network, "is of a kind of address that no wallet gives out")
