"""Many questions to contracts at one block, in as few calls as the node lets pass.

Multicall3 (https://github.com/mds1/multicall) asks hundreds of contracts within one `eth_call`. A
node that finds a call too large, too dear or too slow gets half of it. Questions that fail inside a
call are asked again on their own, since one contract that burns all gas makes the others fail.
"""

import re
from collections.abc import Sequence

from coffers.connectors.chain.evm.blocks import Block, failed_inside, lacks_block
from coffers.connectors.chain.evm.codec import Answer, Call, aggregated, separated
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
"""The address of Multicall3, the same on nearly every chain."""

BATCH_SIZE = 500
"""Questions in one call at first: about 5 million gas and 230 kB."""

SINGLES = 50
"""Questions in one JSON-RPC batch where the chain has no Multicall3."""

PATIENCE = 3
"""Calls that may go unanswered in one reading before the nodes count as down."""

CONFIRMED = 64
"""Calls that one round of questions may spend on asking again what failed."""

_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_SLOW = frozenset({FailureKind.UNREACHABLE, FailureKind.VENUE_DOWN, FailureKind.UNEXPECTED_ANSWER})


class Caller:
    """Asks contracts at one block; made for one reading.

    Args:
        nodes: the nodes of the chain.
        block: the block that every question is asked at.
    """

    def __init__(self, nodes: Nodes, block: Block) -> None:
        self._nodes = nodes
        self._block = block
        self._at_once = BATCH_SIZE
        self._unanswered = 0
        self._again = 0
        self._has_multicall: bool | None = None

    async def ask(self, calls: Sequence[Call]) -> list[Answer]:
        """Return what the contracts answered, in the order of the questions.

        Raises:
            NodeRefused: when the node refuses for a reason of its own; see `lacks_block`.
            ConnectorFailure: when no node gave a usable answer.
        """
        if self._has_multicall is None:
            code = await self._nodes.call("eth_getCode", [MULTICALL3, self._block.tag])
            self._has_multicall = isinstance(code, str) and len(code) > len("0x")
        if not self._has_multicall:
            return await self._one_by_one(calls)
        answers: list[Answer] = []
        self._again = 0
        while len(answers) < len(calls):
            chunk = calls[len(answers) : len(answers) + self._at_once]
            answers += await self._gathered(chunk)
        return answers

    async def _gathered(self, calls: Sequence[Call]) -> list[Answer]:
        """Ask through Multicall3, in halves where the whole is refused."""
        if len(calls) == 1:
            return [await self._alone(calls[0])]
        answers = await self._aggregate(calls)
        if answers is None:
            middle = len(calls) // 2
            self._at_once = max(1, min(self._at_once, middle))
            return await self._gathered(calls[:middle]) + await self._gathered(calls[middle:])
        return await self._confirmed(calls, answers)

    async def _confirmed(self, calls: Sequence[Call], answers: list[Answer]) -> list[Answer]:
        """Ask again what failed, apart from what may have made it fail."""
        failed = [index for index, answer in enumerate(answers) if answer is None]
        middle = (len(failed) + 1) // 2
        for part in (failed[:middle], failed[middle:]):
            if part and self._again < CONFIRMED:
                self._again += 1
                again = await self._gathered([calls[index] for index in part])
                for index, answer in zip(part, again, strict=True):
                    answers[index] = answer
        return answers

    async def _aggregate(self, calls: Sequence[Call]) -> list[Answer] | None:
        """Return the answers of one call of Multicall3, None where it did not go through."""
        try:
            returned = await self._call(MULTICALL3, aggregated(calls))
        except NodeRefused as refusal:
            if lacks_block(refusal):
                raise
            return None
        except ConnectorFailure as failure:
            self._unanswered += 1
            if failure.kind not in _SLOW or self._unanswered >= PATIENCE:
                raise
            return None
        return separated(returned, len(calls))

    async def _alone(self, call: Call) -> Answer:
        try:
            return await self._call(call.to, call.data)
        except NodeRefused as refusal:
            if failed_inside(refusal):
                return None
            raise

    async def _one_by_one(self, calls: Sequence[Call]) -> list[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(calls), SINGLES):
            answers += await self._batch(calls[start : start + SINGLES])
        return answers

    async def _batch(self, calls: Sequence[Call]) -> list[Answer]:
        """Ask in one JSON-RPC batch; what has no result there is asked alone."""
        requests = [
            {"jsonrpc": "2.0", "id": index, "method": "eth_call", "params": self._params(call)}
            for index, call in enumerate(calls)
        ]
        try:
            told = await self._nodes.post("", requests)
        except NodeRefused:
            told = None
        rows = told if isinstance(told, list) else []
        results = {row.get("id"): row.get("result") for row in rows if isinstance(row, dict)}
        answers: list[Answer] = []
        for index, call in enumerate(calls):
            found = _bytes(results.get(index))
            answers.append(await self._alone(call) if found is None else found)
        return answers

    async def _call(self, to: str, data: bytes) -> bytes:
        result = await self._nodes.call("eth_call", self._params(Call(to, data)), _doubt)
        return _bytes(result) or b""

    def _params(self, call: Call) -> list[object]:
        return [{"to": call.to, "data": f"0x{call.data.hex()}"}, self._block.tag]


def _doubt(result: object) -> str | None:
    return "it answered no bytes" if _bytes(result) is None else None


def _bytes(result: object) -> bytes | None:
    if not isinstance(result, str) or not _BYTES.fullmatch(result):
        return None
    return bytes.fromhex(result[2:])
