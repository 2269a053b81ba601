"""Output descriptors (BIP-380 to 386 and 389): checked, brought to one form, and derived."""

import re

from embit.base import EmbitError
from embit.descriptor import Descriptor
from embit.descriptor.checksum import checksum

from coffers.connectors.chain.bitcoin import base58check
from coffers.connectors.chain.bitcoin.addresses import address_of
from coffers.connectors.chain.bitcoin.keys import payload_of
from coffers.connectors.chain.bitcoin.networks import XPUB, Network
from coffers.connectors.chain.bitcoin.refused import malformed, wrong_checksum

LONGEST = 6_000
"""Characters of a descriptor; fifteen cosigners with their origins take some 2,500."""

_NEXT = re.compile(r"(?<=[\w)])\s+(?=(?:pkh|wpkh|sh|wsh|tr)\()")
_KEY = re.compile(r"(?<![1-9A-Za-z])[1-9A-HJ-NP-Za-km-z]{100,}")
_CHANGELESS = re.compile(r"/0/\*")
# What the library raises at what it cannot read: it checks little before it uses it.
_UNREADABLE = (
    EmbitError,
    ValueError,
    AssertionError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


def is_descriptor(text: str) -> bool:
    """Whether a text has the form of a descriptor, be it a right one or not."""
    return "(" in text


def canonical(text: str, network: Network) -> str:
    """Return one or several descriptors in one form, each with its checksum, blanks apart.

    Raises:
        AddressRefused: for a wrong checksum, and for what is no descriptor that can be read.
    """
    if len(text) > LONGEST:
        raise malformed(network, f"is a descriptor of more than {LONGEST} characters")
    return " ".join(_canonical(part, network) for part in _NEXT.split(text))


def descriptors_of(text: str, network: Network) -> list[Descriptor]:
    """Return the descriptors of a canonical text.

    One that derives receiving addresses alone (`/0/*`) gets the change of the same keys (`/1/*`)
    too, since programs export it that way; where several were given, they are all that is meant.
    """
    bodies = [part.partition("#")[0] for part in text.split(" ")]
    if len(bodies) == 1:
        bodies = [_with_change(bodies[0])]
    return [_parsed(body, network) for body in bodies]


def _canonical(part: str, network: Network) -> str:
    body, hash_, given = "".join(part.split()).partition("#")
    if not body.isascii() or not body.isprintable():
        raise malformed(network)
    if hash_ and checksum(body) != given:
        raise wrong_checksum("a descriptor")
    body = body.replace("'", "h")
    descriptor = _parsed(body, network)
    for branch in range(descriptor.num_branches):
        if address_of(derived(descriptor, branch, 0), network) is None:
            raise malformed(network, f"is a descriptor of addresses that {network.name} has not")
    return f"{body}#{checksum(body)}"


def derived(descriptor: Descriptor, branch: int, index: int) -> bytes:
    """Return the script of a branch of a descriptor at an index."""
    return bytes(descriptor.derive(index, branch_index=branch).script_pubkey().data)


def _parsed(body: str, network: Network) -> Descriptor:
    plain = _KEY.sub(lambda found: _as_xpub(found.group(), network), body)
    try:
        descriptor = Descriptor.from_string(plain)
        is_usable = not any(key.is_private for key in descriptor.keys)
        derived(descriptor, descriptor.num_branches - 1, 0)
    except _UNREADABLE:
        is_usable = False
    if not is_usable:
        raise malformed(
            network,
            "is not a descriptor that can be read: pkh, wpkh, sh, wsh and tr of public keys can, "
            "with paths that are not hardened",
        )
    return descriptor


def _as_xpub(text: str, network: Network) -> str:
    """Return an extended key with the one prefix that the library takes on all networks."""
    return base58check.encode(XPUB + payload_of(text, network)[4:])


def _with_change(body: str) -> str:
    receives = len(_CHANGELESS.findall(body))
    if not receives or receives != body.count("*") or "<" in body or "{" in body:
        return body
    return _CHANGELESS.sub("/<0;1>/*", body)
