"""The sentences by which texts are refused; none repeats the text."""

from coffers.connectors.chain.bitcoin.networks import Network
from coffers.connectors.chain.refusals import AddressFault, AddressRefused


def malformed(network: Network, reason: str = "") -> AddressRefused:
    """Return that the text is nothing that a wallet of the network can be read by."""
    what = "an address, an extended public key or a descriptor"
    sentence = reason or f"is not {what} of {network.name}"
    return AddressRefused(AddressFault.MALFORMED, sentence)


def wrong_checksum(what: str) -> AddressRefused:
    """Return that a character is wrong or missing in an address, a key or a descriptor."""
    return AddressRefused(
        AddressFault.CHECKSUM,
        f"is {what} whose checksum is wrong: a character was changed or is missing; copy it again",
    )


def other_chain(other: Network, network: Network, what: str = "an address") -> AddressRefused:
    """Return that the text belongs to a kindred chain."""
    return AddressRefused(
        AddressFault.OTHER_CHAIN,
        f"is {what} of {other.name}, not of {network.name}; its market_code is {other.market}",
    )


def of_test_network(what: str) -> AddressRefused:
    """Return that the text belongs to a test network, whose coins are worth nothing."""
    return AddressRefused(
        AddressFault.OTHER_NETWORK, f"is {what} of a test network, whose coins have no worth"
    )
