"""Movements to and from one address as contracts logged them.

They are those of tokens (`Transfer` of ERC-20), and on Gnosis Chain and Polygon the native coin
that the bridge from Ethereum mints.
"""

import re
from collections.abc import Mapping, Sequence
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

DEPOSITED = "0x4e2ca0515ed1aef1395f66b5303bb5d6f1bf9d61a353fa53f73f8ac9973fa9f6"
"""The hash of `Deposit(address,address,uint256,uint256,uint256)`: the coin on Ethereum, a receiver,
an amount, and what the receiver had before and has after it."""


_TOPICS = 3
"""The transfer of an NFT has a fourth one."""
_WORD = re.compile(r"0x[0-9a-fA-F]{64}")
_FIRST_WORD = len("0x") + 64
_WORDS = re.compile(r"0x(?:[0-9a-fA-F]{64})+")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class _Form(NamedTuple):
    """What a log says: the direction, and which of its topics is the other party.

    `data` are its words, the first of which is the amount.
    """

    direction: Literal["in", "out"]
    other: int
    data: re.Pattern[str] = _WORD


_RECEIVED, _SENT = _Form("in", 1), _Form("out", 2)


def _both_ways(owner: str) -> tuple[tuple[list[str | None], _Form], ...]:
    """Return the topics of logs that tell of tokens to and from an owner, and what those say."""
    padded = _padded(owner)
    return ([TRANSFER, None, padded], _RECEIVED), ([TRANSFER, padded], _SENT)


class Minter(NamedTuple):
    """A contract that has the native coin minted, and what it logs: the receiver is one topic."""

    contract: str
    event: str
    receiver: int

    @property
    def form(self) -> _Form:
        """What its log says."""
        return _Form("in", 3 - self.receiver, _WORDS)

    def topics(self, owner: str) -> list[str | None]:
        """Return the topics of its logs that name an owner as the receiver."""
        return [self.event, *[None] * (self.receiver - 1), _padded(owner)]


_MINTERS = {
    100: Minter("0x481c034c6d9441db23ea48de68bcae812c5d39ba", ADDED_RECEIVER, 1),
    137: Minter("0x0000000000000000000000000000000000001010", DEPOSITED, 2),
}
"""Contracts that have the native coin minted, by chain ids: the block reward contract of Gnosis
Chain, at the end of a block, and the one that stands for the coin on Polygon, as validators bring
the state of Ethereum over. No transaction of anybody and no internal one tells of that coin.

Sources: https://docs.gnosischain.com/bridges/About%20Token%20Bridges/xdai-bridge and `MRC20.sol` of
https://github.com/0xPolygon/pos-contracts
"""


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


def minter_of(chain: Chain) -> Minter | None:
    """Return what has a chain's native coin minted for a bridge, None without one."""
    return _MINTERS.get(int(chain.parameters.get("chain_id", 0)))


async def transfers(
    nodes: Nodes, owner: str, first: int, last: int, minter: Minter | None
) -> list[Transfer]:
    """Return the movements within a range of blocks, those to the address itself left out.

    Raises:
        NodeRefused: when the range is too long for the node.
        ConnectorFailure: when no node gave a usable answer.
    """
    found = [
        each
        for topics, form in _both_ways(owner)
        for each in await _logged(nodes, first, last, {"topics": topics}, form)
    ]
    if minter is not None:
        # What stands for the native coin logs as a token's what explorers tell as the coin's.
        found = [each for each in found if each.contract != minter.contract]
        minted = {"address": minter.contract, "topics": minter.topics(owner)}
        found += await _logged(nodes, first, last, minted, minter.form)
    return [each for each in found if each.other != owner.lower()]


async def logs_minting(nodes: Nodes, owner: str, minter: Minter, txid: str) -> bool:
    """Return whether a transaction brought what was minted for an owner.

    Raises:
        NodeRefused: when the node does not tell the transaction.
        ConnectorFailure: when no node gave a usable answer.
    """
    rows = await _logs_of(nodes, txid)
    minted = [_transfer(row, minter.form) for row in rows if _has(row, minter.topics(owner))]
    return any(each is not None and each.contract == minter.contract for each in minted)


async def logged_in(nodes: Nodes, owner: str, txid: str) -> list[Transfer]:
    """Return the movements of tokens to and from an owner in one transaction.

    Raises:
        NodeRefused: when the node does not tell the transaction.
        ConnectorFailure: when no node gave a usable answer.
    """
    rows = await _logs_of(nodes, txid)
    told = [
        _transfer(row, form)
        for topics, form in _both_ways(owner)
        for row in rows
        if _has(row, topics)
    ]
    return [each for each in told if each is not None]


async def _logs_of(nodes: Nodes, txid: str) -> list[dict[str, object]]:
    receipt = await nodes.call("eth_getTransactionReceipt", [txid])
    logs = receipt.get("logs") if isinstance(receipt, dict) else None
    if not isinstance(logs, list):
        raise ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER, "The node does not tell a transaction.", code="logs"
        )
    return [row for row in logs if isinstance(row, dict)]


def _has(row: Mapping[str, object], wanted: Sequence[str | None]) -> bool:
    """Return whether a log has some topics; None stands for any."""
    topics = row.get("topics")
    if not isinstance(topics, list) or len(topics) < len(wanted):
        return False
    pairs = zip(wanted, topics, strict=False)
    return all(topic is None or str(told).lower() == topic for topic, told in pairs)


def _padded(owner: str) -> str:
    return f"0x{owner[2:].lower():0>64}"


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
    if block is None or index is None or not _are(_WORD, txid, other):
        return None
    if not _are(_ADDRESS, contract) or not _are(form.data, data):
        return None
    at = None if seconds is None else Millis(seconds * SECOND)
    party = f"0x{str(other)[-40:]}".lower()
    amount = int(str(data)[:_FIRST_WORD], 16)
    return Transfer(
        str(contract).lower(), direction, party, amount, block, str(txid).lower(), index, at
    )


def _are(form: re.Pattern[str], *texts: object) -> bool:
    return all(isinstance(text, str) and form.fullmatch(text) for text in texts)
