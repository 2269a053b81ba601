"""The block that a reading is made at, and what a node's refusal means.

All amounts of one reading are read at one block, so that money that moves between two calls is
neither missed nor counted twice.
"""

import re
from dataclasses import dataclass

from coffers.clock import HOUR, MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.nodes import REVERTED, NodeRefused, Nodes

BEHIND = HOUR
"""A node whose newest block is older than this is not used: it stands still or catches up."""

_HEX = re.compile(r"0x0*[0-9a-fA-F]{1,64}")

_NO_BLOCK = (
    "header not found",
    "unknown block",
    "block not found",
    "missing trie node",
    "block is out of range",
    "historical state",
    "state not available",
    "state is not available",
    "no state available",
    "header for hash not found",
    "could not find block",
)
_FAILED_INSIDE = (
    "revert",
    "out of gas",
    "invalid opcode",
    "bad instruction",
    "invalid jump",
    "stack",
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its number and the moment it was made."""

    number: int
    at: Millis

    @property
    def tag(self) -> str:
        """How a call names it."""
        return hex(self.number)


async def newest(nodes: Nodes, clock: Clock) -> Block:
    """Return the newest block of a node that keeps up with its chain.

    Raises:
        ConnectorFailure: when no node does.
        NodeRefused: when the node tells no block.
    """

    def doubt(answer: object) -> str | None:
        block = told(answer)
        if block is None:
            return "it told no block"
        age = clock.now() - block.at
        return f"its newest block is {age // MINUTE} minutes old" if age > BEHIND else None

    block = told(await nodes.call("eth_getBlockByNumber", ["latest", False], doubt))
    if block is None:
        raise NodeRefused("it told no block", status=200, code=None)
    return block


async def numbered(nodes: Nodes, number: int) -> Block | None:
    """Return a block by its number, None where the node does not have it."""
    return told(await nodes.call("eth_getBlockByNumber", [hex(number), False]))


def told(answer: object) -> Block | None:
    """Return the block that a node's answer tells of."""
    if not isinstance(answer, dict):
        return None
    number, seconds = quantity(answer.get("number")), quantity(answer.get("timestamp"))
    if number is None or seconds is None:
        return None
    return Block(number, Millis(seconds * SECOND))


def quantity(value: object) -> int | None:
    """Return the whole number that JSON-RPC writes in hex, None for anything else.

    No number of the machine is longer than 256 bits.
    """
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        return None
    return int(value, 16)


def lacks_block(refusal: NodeRefused) -> bool:
    """Tell whether a node refused since it does not have the block, or not its state any more."""
    text = str(refusal).lower()
    return any(sign in text for sign in _NO_BLOCK)


def failed_inside(refusal: NodeRefused) -> bool:
    """Tell whether it was the contract that refused, and not the node."""
    text = str(refusal).lower()
    return refusal.code == REVERTED or any(sign in text for sign in _FAILED_INSIDE)
