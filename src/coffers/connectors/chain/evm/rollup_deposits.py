"""Ether that an account on Ethereum sent to itself on a rollup of the OP stack.

Such a deposit is a transaction of the account on the rollup, of a type of its own. It mints what it
brings to the account, even where it fails afterwards; what it moves is then sent like any other
value, mostly to the account itself. Explorers tell what it moves and not what it mints.

Source: https://specs.optimism.io/protocol/deposits.html
"""

from collections.abc import Mapping

from coffers.clock import Millis
from coffers.connectors.chain.evm.address import NOBODY
from coffers.connectors.chain.evm.blocks import quantity
from coffers.connectors.chain.evm.blockscout import Native
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

_DEPOSIT = 0x7E
"""The type of a deposit."""


async def minted(nodes: Nodes, unpaid: Mapping[str, Millis]) -> list[Native]:
    """Return what was minted to an address by those of its transactions that paid for no gas.

    Raises:
        NodeRefused: when the node does not tell a transaction.
        ConnectorFailure: when no node gave a usable answer.
    """
    found = []
    for txid, at in unpaid.items():
        amount = _minted(await nodes.call("eth_getTransactionByHash", [txid]))
        if amount:
            found.append(Native("in", NOBODY, amount, txid, "mint", at))
    return found


def _minted(transaction: object) -> int:
    if not isinstance(transaction, dict):
        raise _unusable()
    if quantity(transaction.get("type")) != _DEPOSIT or transaction.get("mint") is None:
        return 0
    amount = quantity(transaction["mint"])
    if amount is None:
        raise _unusable()
    return amount


def _unusable() -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER,
        "The node does not tell a transaction that may be a deposit.",
        code="node_answer",
    )
