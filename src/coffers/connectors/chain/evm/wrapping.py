"""Which movements of a wrapped native coin are an exchange with the coin itself, and so no flow.

Most wrapped coins are made only for who pays for them, and destroyed only for who gets the coin
back, and many log nothing of it. Arbitrum's also has them made for somebody else (`depositTo`) and
pays somebody else for them (`withdrawTo`), and its bridge destroys those of who leaves for Ethereum
(`bridgeBurn`): these came in, or went out.

Source: aeWETH of https://github.com/OffchainLabs/token-bridge-contracts
"""

from collections.abc import Collection, Iterable, Mapping

from coffers.connectors.chain.evm import blockscout
from coffers.connectors.chain.evm.address import NOBODY
from coffers.connectors.chain.evm.blockscout import Native
from coffers.connectors.chain.evm.transfers import Transfer, logged_in
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

    async def others(
        self, moves: Iterable[Native], told: Collection[tuple[str, str]], exchanges: Collection[str]
    ) -> tuple[list[Native], list[str]]:
        """Return the movements of the native coin that are no exchanges.

        Beside them the ids of the exchanges that had to be looked into, to be given as `exchanges`
        the next time; `told` are the flows that were told already, as (direction, id).

        Raises:
            NodeRefused: when the node refuses.
            ConnectorFailure: when it gives no usable answer.
        """
        found: list[Native] = []
        known: list[str] = []
        before = set(exchanges)
        for move in moves:
            if move.other not in self.contracts or (move.direction, move.id) in told:
                found.append(move)
            elif move.other in _FOR_OTHERS:
                if move.id in before or await self._is_wrapping(move):
                    known.append(move.id)
                else:
                    found.append(move)
        return found, known

    async def _is_wrapping(self, move: Native) -> bool:
        """Return whether as much was made for the owner as it paid, or destroyed as it got."""
        back = "in" if move.direction == "out" else "out"
        return any(
            (each.contract, each.direction, each.other, each.amount)
            == (move.other, back, NOBODY, move.amount)
            for each in await logged_in(self._nodes, self._owner, move.txid)
        )

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
