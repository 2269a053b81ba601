"""Movements of tokens as contracts logged them: `Transfer` of ERC-20, to and from one address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.evm.blocks import quantity
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The hash of `Transfer(address,address,uint256)`."""

_TOPICS = 3
"""The transfer of an NFT has a fourth one."""
_WORD = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Transfer:
    """A movement of a token to or from the address; addresses are in lower case.

    `amount` is raw. `index` is that of the log within its block. `at` is the block's moment, None
    where the node does not tell it along.
    """

    contract: str
    direction: Literal["in", "out"]
    other: str
    amount: int
    block: int
    txid: str
    index: int
    at: Millis | None


async def transfers(nodes: Nodes, owner: str, first: int, last: int) -> list[Transfer]:
    """Return the movements within a range of blocks, those to the address itself left out.

    Raises:
        NodeRefused: when the range is too long for the node.
        ConnectorFailure: when no node gave a usable answer.
    """
    padded = f"0x{owner[2:].lower():0>64}"
    found: list[Transfer] = []
    for direction, topics in (
        ("in", [TRANSFER, None, padded]),
        ("out", [TRANSFER, padded]),
    ):
        span = {"fromBlock": hex(first), "toBlock": hex(last), "topics": topics}
        answer = await nodes.call("eth_getLogs", [span])
        found += _read(answer, "in" if direction == "in" else "out")
    return [each for each in found if each.other != owner.lower()]


def _read(answer: object, direction: Literal["in", "out"]) -> Iterator[Transfer]:
    if not isinstance(answer, list):
        raise ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER, "The node answered no list of logs.", code="logs"
        )
    for row in answer:
        transfer = _transfer(row, direction) if isinstance(row, dict) else None
        if transfer is not None:
            yield transfer


def _transfer(row: dict[str, object], direction: Literal["in", "out"]) -> Transfer | None:
    """Return the movement that a log tells, None for NFTs, odd ones and those taken back."""
    contract, data, topics = row.get("address"), row.get("data"), row.get("topics")
    txid, seconds = row.get("transactionHash"), quantity(row.get("blockTimestamp"))
    block, index = quantity(row.get("blockNumber")), quantity(row.get("logIndex"))
    if not isinstance(topics, list) or len(topics) != _TOPICS or row.get("removed"):
        return None
    other = topics[1] if direction == "in" else topics[2]
    if block is None or index is None or not _are(_WORD, data, txid, other):
        return None
    if not _are(_ADDRESS, contract):
        return None
    at = None if seconds is None else Millis(seconds * SECOND)
    party = f"0x{str(other)[-40:]}".lower()
    amount = int(str(data), 16)
    return Transfer(
        str(contract).lower(), direction, party, amount, block, str(txid).lower(), index, at
    )


def _are(form: re.Pattern[str], *texts: object) -> bool:
    return all(isinstance(text, str) and form.fullmatch(text) for text in texts)
