"""Addresses of Cosmos chains: Bech32 with a prefix for each chain and each purpose."""

from coffers.connectors.chain import bech32
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.markets.chains import Chain, shipped_chains

_LENGTHS = (20, 32)
_ROLES = ("valoperpub", "valoper", "valconspub", "valcons", "pub")

OTHERS = {
    "agoric": "Agoric",
    "akash": "Akash",
    "archway": "Archway",
    "axelar": "Axelar",
    "bbn": "Babylon",
    "cro": "Cronos POS",
    "dydx": "dYdX",
    "dym": "Dymension",
    "elys": "Elys",
    "fetch": "Fetch.ai",
    "inj": "Injective",
    "init": "Initia",
    "juno": "Juno",
    "kava": "Kava",
    "kujira": "Kujira",
    "mantra": "MANTRA",
    "neutron": "Neutron",
    "noble": "Noble",
    "persistence": "Persistence",
    "regen": "Regen",
    "secret": "Secret Network",
    "sei": "Sei",
    "stars": "Stargaze",
    "stride": "Stride",
    "terra": "Terra",
    "thor": "THORChain",
    "umee": "UX Chain",
}
"""Chains whose wallets are not read, by the prefix of their addresses."""


def checked(text: str, chain: Chain) -> str:
    """Return an address of a chain in lower case.

    Raises:
        AddressRefused: when it is damaged, is a validator's or of another chain.
    """
    told = bech32.decode(text)
    own = str(chain.parameters["prefix"])
    if told is None:
        raise _no_address(chain)
    if told.prefix != own:
        raise _foreign(told, own, chain)
    if told.payload is None:
        raise _damaged()
    if len(told.payload) not in _LENGTHS:
        raise _no_address(chain)
    return text.lower()


def _foreign(told: bech32.Bech32, own: str, chain: Chain) -> AddressRefused:
    """Return why a text with another prefix is refused."""
    for role in _ROLES:
        if told.prefix == f"{own}{role}":
            return AddressRefused(
                AddressFault.MALFORMED,
                "names a validator and not a wallet; give the address that its operator pays with, "
                f"which begins with {own}1",
            )
    kin = {str(each.parameters.get("prefix")): each for each in shipped_chains()}
    if told.prefix not in kin and told.prefix not in OTHERS:
        return _no_address(chain)
    if told.payload is None:
        return _damaged()
    if told.prefix in OTHERS:
        name = OTHERS[told.prefix]
        reason = f"is an address of {name}, whose wallets are not read, not of {chain.name}"
        return AddressRefused(AddressFault.OTHER_CHAIN, reason)
    other = kin[told.prefix]
    return AddressRefused(
        AddressFault.OTHER_CHAIN,
        f"is an address of {other.name}, not of {chain.name}; its market_code is {other.code}",
    )


def _no_address(chain: Chain) -> AddressRefused:
    return AddressRefused(AddressFault.MALFORMED, f"is not an address of {chain.name}")


def _damaged() -> AddressRefused:
    return AddressRefused(
        AddressFault.CHECKSUM,
        "is an address whose checksum is wrong: a character was changed or is missing; "
        "copy it again",
    )
