"""What each family of chains brings: how an address is checked, and how a wallet is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from coffers.clock import Clock
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.reading import Reading, ReadRequest
from coffers.markets.chains import Chain


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a reader works with. `nodes` gives those of a service ("urls", "blockscout", ...)."""

    chain: Chain
    nodes: Callable[[str], Nodes]
    clock: Clock


class ChainReader(Protocol):
    """Reads the wallets of one chain."""

    def checked(self, text: str) -> str:
        """Return an address in its one canonical form; asks nobody.

        Raises:
            AddressRefused: saying what is wrong, without the text.
        """
        ...

    async def resolved(self, text: str) -> str:
        """Return the address that a name stands for, where the chain has names; else `checked`.

        Raises:
            AddressRefused: also when nobody has registered the name.
            ConnectorFailure: when no node could be asked.
        """
        ...

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about a canonical address.

        Raises:
            ConnectorFailure: when no node gave a usable answer.
        """
        ...


@runtime_checkable
class SharingReader(Protocol):
    """A reader of a chain where two canonical texts may stand for some of the same addresses."""

    def overlaps(self, one: str, other: str) -> bool:
        """Return whether two canonical texts have an address in common; asks nobody."""
        ...
