"""The reader of EVM chains: checks addresses and names, and reads wallets and validators."""

from coffers.connectors.chain.evm import address, beacon, ens
from coffers.connectors.chain.evm.blocks import quantity
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.reading import Reading, ReadRequest

_NAMED = 1
"""The chain id of Ethereum, where names are registered."""


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of a chain: of its wallets, or of its validators where it is said so."""
    if surroundings.chain.parameters.get("kind") == "validators":
        return beacon.ValidatorReader(surroundings)
    return EvmReader(surroundings)


class EvmReader:
    """Reads wallets of one EVM chain."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._chain_id = int(surroundings.chain.parameters["chain_id"])
        self._nodes: Nodes = surroundings.nodes("urls")
        self._nodes.admit_only("eth_chainId", [], self._is_ours)
        self._explorer: Nodes = surroundings.nodes("blockscout")

    def checked(self, text: str) -> str:
        """Return an address with its checksum; raises `AddressRefused`."""
        return address.checked(text)

    async def resolved(self, text: str) -> str:
        """Return the address of an address or of a name of the Ethereum Name Service.

        Raises:
            AddressRefused: also for a name that stands for no address.
            ConnectorFailure: when no node could be asked.
        """
        if self._chain_id == _NAMED and ens.is_name(text):
            return await ens.resolved(self._nodes, text)
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about an address.

        Raises:
            ConnectorFailure: when its native balance could not be read.
        """
        # The coder of contract calls takes a third of a second to load, and a process that only
        # checks addresses does not need it.
        from coffers.connectors.chain.evm.wallet import Services, Wallet  # noqa: PLC0415

        services = Services(self._nodes, self._explorer)
        return await Wallet(self._around, services, address, request).read()

    def _is_ours(self, answer: object) -> bool:
        return quantity(answer) == self._chain_id
