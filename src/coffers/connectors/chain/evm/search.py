"""Looks through the logs of a chain for an address's transfers, a stretch of blocks at a time.

The stretch shrinks when the node refuses it and grows again afterwards. A reading looks through so
many stretches and no more; what is left is for the next one, which knows how far this one came.

A node that has not come as far as the others tells the logs that it has and no error, and so may
any machine behind one address. So the newest blocks are looked through again by the next reading.
"""

from coffers.clock import MINUTE, Millis
from coffers.connectors.chain.evm.blocks import Block, numbered
from coffers.connectors.chain.evm.memory import Memory
from coffers.connectors.chain.evm.transfers import Minter, Transfer, transfers
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

FORWARDS = 40
"""Stretches that one reading tries towards the newest block."""

BACKWARDS = 8
"""Stretches that one reading tries towards the first block, for tokens of long ago."""

SETTLED = Millis(15 * MINUTE)
"""How old a block is that every node in use has: its logs are all told."""

_FIRST_STEP = 10_000
_LONGEST_STEP = 500_000
_SHORTEST_STEP = 16
_FIRST_RECENT = 128
_SHRINKING = frozenset({FailureKind.UNREACHABLE, FailureKind.UNEXPECTED_ANSWER})


class Search:
    """Looks through logs for one reading; changes the notes on the wallet as it goes.

    Args:
        nodes: the nodes of the chain.
        owner: the address.
        block: the block of the reading, where the search ends.
        memory: the notes on the wallet.
        minter: what has the native coin minted, see `minter_of`.
    """

    def __init__(
        self, nodes: Nodes, owner: str, block: Block, memory: Memory, minter: Minter | None
    ) -> None:
        self._nodes = nodes
        self._owner = owner
        self._block = block
        self._memory = memory
        self._minter = minter

    async def newer(self, since: Millis | None) -> tuple[list[Transfer], bool]:
        """Return the transfers from a moment on, and whether these are all.

        Of those that were returned before, only the ones of the newest blocks come again. They are
        not all where the budget ends before the newest block does.

        Raises:
            NodeRefused: when the node gives no logs.
            ConnectorFailure: when no node gave a usable answer.
        """
        memory = self._memory
        is_earlier = since is not None and (memory.since is None or since < memory.since)
        if memory.high is None or is_earlier:
            start = self._block.number if since is None else await self._first_after(since)
            memory.high = start - 1
            memory.low = start if memory.low is None else min(start, memory.low)
            memory.since = since
        return await self._forwards(memory.high, await self._settled())

    async def older(self) -> list[Transfer]:
        """Return transfers from before those that were looked through; raises as `newer`."""
        found: list[Transfer] = []
        for _ in range(BACKWARDS):
            low = self._memory.low
            if not low:
                break
            first = max(0, low - self._step)
            part = await self._tried(first, low - 1)
            if part is not None:
                self._memory.low = first
                found += part
        return found

    @property
    def _step(self) -> int:
        return self._memory.step or _FIRST_STEP

    async def _forwards(self, done: int, settled: int) -> tuple[list[Transfer], bool]:
        found: list[Transfer] = []
        high = done
        for _ in range(FORWARDS):
            if high >= self._block.number:
                break
            last = min(self._block.number, high + self._step)
            part = await self._tried(high + 1, last)
            if part is not None:
                high = last
                self._memory.high = max(done, min(high, settled))
                found += part
        return found, high >= self._block.number

    async def _settled(self) -> int:
        """Return the number of a block that is `SETTLED` old.

        It is a later one where the node lets so few blocks pass at once that looking through those
        after it again would take more than a tenth of a reading's stretches.
        """
        recent = self._memory.recent or _FIRST_RECENT
        while not await self._is_settled(self._block.number - recent):
            recent *= 2
        self._memory.recent = recent
        return self._block.number - min(recent, FORWARDS // 10 * self._step)

    async def _is_settled(self, number: int) -> bool:
        if number <= 0:
            return True
        block = await numbered(self._nodes, number)
        if block is None:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER, "The node does not tell a block.", code="node_answer"
            )
        return block.at <= self._block.at - SETTLED

    async def _tried(self, first: int, last: int) -> list[Transfer] | None:
        """Return the transfers of a stretch, None where it must be shorter."""
        try:
            found = await transfers(self._nodes, self._owner, first, last, self._minter)
        except (NodeRefused, ConnectorFailure) as failure:
            is_long = isinstance(failure, NodeRefused) or failure.kind in _SHRINKING
            if not is_long or last - first < _SHORTEST_STEP:
                raise
            self._memory.step = max(_SHORTEST_STEP, (last - first + 1) // 2)
            return None
        if last - first + 1 >= self._step:
            self._memory.step = min(_LONGEST_STEP, self._step * 2)
        return found

    async def _first_after(self, since: Millis) -> int:
        """Return the number of the first block from a moment on, found by halving."""
        low, high = 0, self._block.number + 1
        while low < high:
            middle = (low + high) // 2
            block = await numbered(self._nodes, middle)
            if block is not None and block.at >= since:
                high = middle
            else:
                low = middle + 1
        return low
