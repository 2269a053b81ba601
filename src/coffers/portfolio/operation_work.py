"""What workers do for API processes that trades or moves money: the worker's end."""

import asyncio
from collections.abc import Mapping

import msgspec

from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.portfolio.errand_desk import Handler
from coffers.portfolio.errand_forms import PERFORM, PerformAsked, Performed
from coffers.portfolio.operations import Operations

LOOKS_EVERY = 5.0
"""Seconds between two looks for operations that nobody works at any more."""

LONGEST_WAIT = 90.0
"""Seconds for which an operation is waited for; it goes on after them."""

_log = seldom("coffers.operations")


class OperationWork:
    """Does operations where exchanges can be asked."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does what."""
        return {PERFORM: self._perform}

    async def _perform(self, user_id: int, body: bytes) -> Performed:
        asked = msgspec.json.decode(body, type=PerformAsked)
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                ended = await self._operations.perform(user_id, asked.operation_id)
        except TimeoutError:
            return Performed("running")
        return Performed(ended.state)


class OperationWatch:
    """Takes over what other processes left in the middle, until it is stopped."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look for such operations again and again."""
        while not self._stopping.is_set():
            try:
                await self._operations.resume()
            except CoffersError as error:
                _log.warning("operations not looked at", reason=str(error))
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOKS_EVERY)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Come to an end."""
        self._stopping.set()
