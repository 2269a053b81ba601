"""Which movements of a wrapped native coin are an exchange with the coin itself, and so no flow.

Most wrapped coins are made only for who pays for them, and destroyed only for who gets the coin
back, and many log nothing of it. Arbitrum's also has them made for somebody else (`depositTo`), and
its bridge destroys those of who leaves for Ethereum (`bridgeBurn`): these came in, or went out.

Source: aeWETH of https://github.com/OffchainLabs/token-bridge-contracts
"""

from collections.abc import Mapping

from coffers.connectors.chain.evm import blockscout
from coffers.connectors.chain.evm.address import NOBODY
from coffers.connectors.chain.evm.transfers import Transfer
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

_FOR_OTHERS = frozenset({"0x82af49447d8a07e3bd95bd0d56f35241523fbab1"})
"""Wrapped coins that are made and destroyed for others too, by their contracts."""


class Wrapping:
    """Tells the exchanges of one address.

    Args:
        nodes: the nodes of the chain.
        explorer: its explorer. Without one every movement counts as an exchange: the native coin's
            own flows are not told either.
        owner: the address.
        contracts: the wrapped forms of the native coin, in lower case.
    """

    def __init__(
        self, nodes: Nodes, explorer: Nodes, owner: str, contracts: frozenset[str]
    ) -> None:
        self._nodes = nodes
        self._explorer = explorer
        self._owner = owner.lower()
        self.contracts = contracts

    async def is_exchange(self, moved: Transfer) -> bool:
        """Return whether the owner paid, or was paid, the native coin for what was moved.

        Raises:
            NodeRefused: when the node or the explorer refuses.
            ConnectorFailure: when one of them gives no usable answer, or the explorer has not
                looked into the transaction yet.
        """
        if moved.contract not in self.contracts or moved.other != NOBODY:
            return False
        if moved.contract not in _FOR_OTHERS or not self._explorer:
            return True
        if moved.direction == "in":
            payer = await self._payer(moved)
            if payer is not None:
                return payer == self._owner
            parties = (self._owner, moved.contract)
        else:
            parties = (moved.contract, self._owner)
        inner = await blockscout.inner_payments(self._explorer, moved.txid)
        return (*parties, moved.amount) in inner

    async def _payer(self, moved: Transfer) -> str | None:
        """Return who called the contract by the transaction itself, None where a contract did."""
        receipt = await self._nodes.call("eth_getTransactionReceipt", [moved.txid])
        if not isinstance(receipt, Mapping):
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                "The node does not tell a transaction.",
                code="node_answer",
            )
        is_direct = str(receipt.get("to")).lower() == moved.contract
        return str(receipt.get("from")).lower() if is_direct else None
