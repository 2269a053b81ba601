"""Names of the Ethereum Name Service: from "name.eth" to the address that it stands for.

Source: ERC-137 (registry, resolver, namehash). Only names of plain letters, digits and hyphens are
looked up: for others, two names that look the same can be different ones.
"""

import re

from eth_hash.auto import keccak

from coffers.connectors.chain.evm.address import checked
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.reading import ConnectorFailure, FailureKind

REGISTRY = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
"""The registry on Ethereum; other chains have none."""

_NAME = re.compile(r"(?!-)(?:[a-z0-9_-]{1,63}\.)+[a-z]{2,24}")
_RESOLVER = "0x0178b8bf"  # resolver(bytes32)
_ADDR = "0x3b3b57de"  # addr(bytes32)
_WORD = 32
_NO_ADDRESS = bytes(_WORD)


def is_name(text: str) -> bool:
    """Tell whether a text is meant as a name: it has a dot inside and is no number."""
    return "." in text.strip(".") and not text.startswith(("0x", "0X")) and " " not in text


def normalised(text: str) -> str:
    """Return the one spelling of a name.

    Raises:
        AddressRefused: for a name with letters that are not looked up.
    """
    name = text.lower()
    if not text.isascii() or not _NAME.fullmatch(name):
        raise AddressRefused(
            AddressFault.UNKNOWN_NAME,
            "is a name with other signs than a-z, 0-9 and hyphens; give the address instead",
        )
    return name


def namehash(name: str) -> bytes:
    """Return the hash by which the registry knows a normalised name (ERC-137)."""
    node = bytes(_WORD)
    for label in reversed(name.split(".")):
        node = keccak(node + keccak(label.encode()))
    return node


async def resolved(nodes: Nodes, text: str) -> str:
    """Return the address that a name stands for.

    Raises:
        AddressRefused: when the name is not registered or stands for no address.
        ConnectorFailure: when no node could be asked.
    """
    node = namehash(normalised(text)).hex()
    resolver = await _asked(nodes, REGISTRY, _RESOLVER + node)
    found = await _asked(nodes, resolver, _ADDR + node) if resolver else None
    if found is None:
        raise AddressRefused(AddressFault.UNKNOWN_NAME, "is a name that stands for no address")
    return checked(found)


async def _asked(nodes: Nodes, contract: str, data: str) -> str | None:
    """Return the address that a contract answers, None for the zero address or no answer."""
    try:
        answer = await nodes.call("eth_call", [{"to": contract, "data": data}, "latest"])
    except NodeRefused as refusal:
        if "revert" in str(refusal).lower():
            return None
        raise ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER,
            f"The name could not be looked up: {refusal}.",
            code="name_refused",
        ) from None
    if not isinstance(answer, str) or not re.fullmatch(r"0x[0-9a-fA-F]*", answer):
        raise ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER, "The name service gave no answer.", code="name_answer"
        )
    word = answer[2 : 2 + 2 * _WORD]
    if len(word) < 2 * _WORD or bytes.fromhex(word) == _NO_ADDRESS:
        return None
    return f"0x{word[-40:]}"
