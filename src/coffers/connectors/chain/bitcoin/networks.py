"""What distinguishes Bitcoin and its kin: the forms of their addresses and keys.

Sources: each node's chain parameters, SLIP-132 for the prefixes of extended keys, SLIP-173 for
those of segwit addresses, the CashAddr specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ScriptKind = Literal["p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr"]
"""The scripts that one key alone unlocks, by their usual names."""

SEGWIT_KINDS: tuple[ScriptKind, ...] = ("p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr")


@dataclass(frozen=True, slots=True)
class Network:
    """One network.

    `p2pkh` and `p2sh` are the version bytes of addresses in base58, the canonical one first;
    `segwit` is the prefix of segwit addresses, `cash` that of CashAddr, None where there are none.
    `keys` gives the version bytes of extended public keys and what they are searched for.
    `landmark` is a block, by height and hash, that no other network has: where two networks split,
    the first block after it. `most` is more than all coins there will ever be, in the smallest
    unit; Dogecoin, which has no end, takes two centuries to come there.
    """

    id: str
    name: str
    market: str
    p2pkh: tuple[int, ...]
    p2sh: tuple[int, ...]
    segwit: str | None
    cash: str | None
    keys: Mapping[bytes, tuple[ScriptKind, ...]]
    landmark: tuple[int, str]
    most: int


_COIN = 100_000_000

XPUB = bytes.fromhex("0488b21e")
_YPUB = bytes.fromhex("049d7cb2")
_ZPUB = bytes.fromhex("04b24746")
_LTUB = bytes.fromhex("019da462")
_MTUB = bytes.fromhex("01b26ef6")
_DGUB = bytes.fromhex("02facafd")

_SEGWIT_KEYS: Mapping[bytes, tuple[ScriptKind, ...]] = {
    XPUB: SEGWIT_KINDS,
    _YPUB: ("p2sh-p2wpkh",),
    _ZPUB: ("p2wpkh",),
}

NETWORKS: Mapping[str, Network] = {
    network.id: network
    for network in (
        Network(
            id="bitcoin",
            name="Bitcoin",
            market="bitcoin_wallet",
            p2pkh=(0x00,),
            p2sh=(0x05,),
            segwit="bc",
            cash=None,
            keys=_SEGWIT_KEYS,
            landmark=(478_559, "00000000000000000019f112ec0a9982926f1258cdcc558dd7c3b7e5dc7fa148"),
            most=21_000_000 * _COIN,
        ),
        Network(
            id="litecoin",
            name="Litecoin",
            market="litecoin_wallet",
            p2pkh=(0x30,),
            # Litecoin's first script addresses began with 3, as Bitcoin's do.
            p2sh=(0x32, 0x05),
            segwit="ltc",
            cash=None,
            keys={**_SEGWIT_KEYS, _LTUB: SEGWIT_KINDS, _MTUB: ("p2sh-p2wpkh",)},
            landmark=(0, "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2"),
            most=84_000_000 * _COIN,
        ),
        Network(
            id="dogecoin",
            name="Dogecoin",
            market="dogecoin_wallet",
            p2pkh=(0x1E,),
            p2sh=(0x16,),
            segwit=None,
            cash=None,
            keys={XPUB: ("p2pkh",), _DGUB: ("p2pkh",)},
            landmark=(0, "1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691"),
            most=1_000_000_000_000 * _COIN,
        ),
        Network(
            id="bitcoin_cash",
            name="Bitcoin Cash",
            market="bitcoin_cash_wallet",
            p2pkh=(0x00,),
            p2sh=(0x05,),
            segwit=None,
            cash="bitcoincash",
            keys={XPUB: ("p2pkh",)},
            landmark=(478_559, "000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec"),
            most=21_000_000 * _COIN,
        ),
    )
}

TEST_VERSIONS = frozenset({0x6F, 0xC4, 0x3A, 0x71})
"""Version bytes of addresses of test networks."""

TEST_SEGWIT = frozenset({"tb", "bcrt", "tltc", "rltc"})
TEST_CASH = frozenset({"bchtest", "bchreg"})

TEST_KEYS = frozenset(
    bytes.fromhex(version)
    for version in ("043587cf", "044a5262", "045f1cf6", "024289ef", "02575483", "0436f6e1")
)
"""Version bytes of extended keys of test networks: tpub, upub, vpub, Upub, Vpub, ttub."""

COSIGNER_KEYS = frozenset({bytes.fromhex("0295b43f"), bytes.fromhex("02aa7ed3")})
"""Ypub and Zpub: keys of one party of several, which make no address by themselves."""
