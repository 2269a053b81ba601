"""Movements to and from one address as contracts logged them.

They are those of tokens (`Transfer` of ERC-20), and on Gnosis Chain the native coin that the bridge
from Ethereum mints.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.evm.blocks import quantity
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.chains import Chain

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The hash of `Transfer(address,address,uint256)`."""

ADDED_RECEIVER = "0x3c798bbcf33115b42c728b8504cff11dd58736e9fa789f1cda2738db7d696b2a"
"""The hash of `AddedReceiver(uint256,address,address)`: an amount, its receiver and the bridge."""

_MINTERS = {100: "0x481c034c6d9441db23ea48de68bcae812c5d39ba"}
"""Contracts that have the native coin minted at the end of a block, by chain ids: the block reward
contract of Gnosis Chain. No transaction and no internal one tells of that coin.

Source: https://docs.gnosischain.com/bridges/About%20Token%20Bridges/xdai-bridge
"""

_TOPICS = 3
"""The transfer of an NFT has a fourth one."""
_WORD = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class _Form(NamedTuple):
    """What a log says: the direction, and which of its topics is the other party."""

    direction: Literal["in", "out"]
    other: int


_RECEIVED, _SENT, _MINTED = _Form("in", 1), _Form("out", 2), _Form("in", 2)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A movement of a token to or from the address; addresses are in lower case.

    What was minted of the native coin has the `contract` that had it minted, see `minter_of`.
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


def minter_of(chain: Chain) -> str | None:
    """Return the contract that has a chain's native coin minted for a bridge, None without one."""
    return _MINTERS.get(int(chain.parameters.get("chain_id", 0)))


async def transfers(
    nodes: Nodes, owner: str, first: int, last: int, minter: str | None
) -> list[Transfer]:
    """Return the movements within a range of blocks, those to the address itself left out.

    Raises:
        NodeRefused: when the range is too long for the node.
        ConnectorFailure: when no node gave a usable answer.
    """
    padded = f"0x{owner[2:].lower():0>64}"
    found = [
        *await _logged(nodes, first, last, {"topics": [TRANSFER, None, padded]}, _RECEIVED),
        *await _logged(nodes, first, last, {"topics": [TRANSFER, padded]}, _SENT),
    ]
    if minter is not None:
        minted = {"address": minter, "topics": [ADDED_RECEIVER, padded]}
        found += await _logged(nodes, first, last, minted, _MINTED)
    return [each for each in found if each.other != owner.lower()]


async def _logged(
    nodes: Nodes, first: int, last: int, wanted: Mapping[str, object], form: _Form
) -> list[Transfer]:
    span = {"fromBlock": hex(first), "toBlock": hex(last), **wanted}
    answer = await nodes.call("eth_getLogs", [span])
    if not isinstance(answer, list):
        raise ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER, "The node answered no list of logs.", code="logs"
        )
    told = (_transfer(row, form) for row in answer if isinstance(row, dict))
    return [each for each in told if each is not None]


def _transfer(row: dict[str, object], form: _Form) -> Transfer | None:
    """Return the movement that a log tells, None for NFTs, odd ones and those taken back."""
    contract, data, topics = row.get("address"), row.get("data"), row.get("topics")
    txid, seconds = row.get("transactionHash"), quantity(row.get("blockTimestamp"))
    block, index = quantity(row.get("blockNumber")), quantity(row.get("logIndex"))
    if not isinstance(topics, list) or len(topics) != _TOPICS or row.get("removed"):
        return None
    direction, other = form.direction, topics[form.other]
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
