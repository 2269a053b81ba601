"""What a canonical text stands for: the chains of addresses that make up a wallet."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from coffers.connectors.chain.bitcoin.addresses import address_of, script_of
from coffers.connectors.chain.bitcoin.descriptors import (
    canonical,
    derived,
    descriptors_of,
    is_descriptor,
)
from coffers.connectors.chain.bitcoin.keys import (
    is_extended_key,
    key_of,
    kinds_of,
    payload_of,
    script_for,
)
from coffers.connectors.chain.bitcoin.networks import Network
from coffers.connectors.chain.bitcoin.refused import malformed

RECEIVE_AND_CHANGE = (0, 1)

COMPARED = 40
"""Places of a branch among which a single address is looked for, and that are the same where two
branches are: two gaps of wallets."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Addresses that are derived one after the other, or one fixed address.

    `kind` is what several branches share that belong together; `make` gives the script at an index.
    """

    id: str
    kind: str
    is_ranged: bool
    make: Callable[[int], bytes]
    _made: dict[int, bytes] = field(default_factory=dict, compare=False, repr=False)

    def script(self, index: int) -> bytes:
        """Return the script at an index, made once."""
        if index not in self._made:
            self._made[index] = self.make(index)
        return self._made[index]


class Spot(NamedTuple):
    """One address of a wallet: its branch's id and its place there."""

    branch: str
    place: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """The branches of a wallet. `is_guess` says that only the kinds that were used are meant."""

    branches: tuple[Branch, ...]
    is_guess: bool = False


def canonical_text(text: str, network: Network) -> str:
    """Return an address, an extended public key or descriptors in canonical form.

    Raises:
        AddressRefused: saying what is wrong.
    """
    if is_descriptor(text):
        return canonical(text, network)
    if is_extended_key(text):
        kinds_of(text, network)
        return text
    address = address_of(script_of(text, network), network)
    if address is None:
        raise malformed(network)
    return address


def wallet_of(text: str, network: Network) -> Wallet:
    """Return the wallet that a canonical text stands for.

    Raises:
        AddressRefused: when the text is not canonical.
    """
    if is_descriptor(text):
        return _described(text, network)
    if is_extended_key(text):
        return _keyed(text, network)
    script = script_of(text, network)
    return Wallet((Branch("address", "address", is_ranged=False, make=lambda _: script),))


def overlap(one: Wallet, other: Wallet) -> bool:
    """Return whether two wallets have an address in common.

    Branches run through the same addresses if their first ones are the same; a single address is
    looked for among the first of a branch.
    """
    firsts, others = _scripts(one, 1), _scripts(other, 1)
    if firsts & others:
        return True
    return bool(
        (_singles(one) and _singles(one) & _scripts(other, COMPARED))
        or (_singles(other) and _singles(other) & _scripts(one, COMPARED))
    )


def _scripts(wallet: Wallet, places: int) -> set[bytes]:
    return {
        branch.script(place)
        for branch in wallet.branches
        for place in range(places if branch.is_ranged else 1)
    }


def _singles(wallet: Wallet) -> set[bytes]:
    return {branch.script(0) for branch in wallet.branches if not branch.is_ranged}


def _keyed(text: str, network: Network) -> Wallet:
    kinds = kinds_of(text, network)
    parent = key_of(payload_of(text, network), network)
    chains = {chain: parent.child(chain) for chain in RECEIVE_AND_CHANGE}

    def make(kind: str, chain: int, index: int) -> bytes:
        return script_for(kind, chains[chain].child(index).key)  # type: ignore[arg-type]

    branches = tuple(
        Branch(f"{kind}/{chain}", kind, True, functools.partial(make, kind, chain))
        for kind in kinds
        for chain in RECEIVE_AND_CHANGE
    )
    return Wallet(branches, is_guess=len(kinds) > 1)


def _described(text: str, network: Network) -> Wallet:
    """Return the branches of descriptors, each but once: two may be written for one.

    Others may have some addresses in common; each of them is searched to its own end.
    """
    branches: list[Branch] = []
    for place, descriptor in enumerate(descriptors_of(text, network)):
        for number in range(descriptor.num_branches):
            make = functools.partial(derived, descriptor, number)
            is_ranged = bool(descriptor.is_wildcard)
            branch = Branch(f"{place}/{number}", str(place), is_ranged, make)
            if not any(_is_same(branch, other) for other in branches):
                branches.append(branch)
    return Wallet(tuple(branches))


def _is_same(one: Branch, other: Branch) -> bool:
    places = range(COMPARED if one.is_ranged else 1)
    return one.is_ranged == other.is_ranged and all(
        one.script(place) == other.script(place) for place in places
    )
