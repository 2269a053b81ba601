"""What is counted of calls, each in one step: bans, uses of tokens, signatures seen before.

A tally of one process counts in its memory. The order within `take` is fixed: a replay does not
use up the limit of its token, and a call over the limit is not remembered as used.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import msgspec

from coffers.access.limits import Limits
from coffers.access.replay import SeenSignatures
from coffers.clock import Millis

_FREE: Final = Millis(0)


class Use(msgspec.Struct, frozen=True, gc=False):
    """A call that proved its token. `signature` is set for a token that takes each call once."""

    token_id: int
    address: str
    signature: bytes | None


@dataclass(frozen=True, slots=True)
class Bar:
    """Why a call may not pass, and for how many milliseconds more."""

    reason: Literal["banned", "replay", "limit"]
    wait: Millis


class Tally(Protocol):
    """The counters behind the gate. All spans are in milliseconds, 0 where nothing bars."""

    def banned_here(self, address: str) -> Millis:
        """Return how long the address stays banned as far as this process knows."""
        ...

    async def banned_for(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        ...

    async def refused(self, address: str) -> Millis:
        """Count a refused call of an address; return the length of the ban that it brings."""
        ...

    async def take(self, use: Use) -> Bar | None:
        """Count a call; return what bars it, None when it may pass."""
        ...


class MemoryTally:
    """What one process counts for itself."""

    def __init__(self, limits: Limits, seen: SeenSignatures) -> None:
        self._limits = limits
        self._seen = seen

    def banned_here(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        return self._limits.banned_here(address)

    async def banned_for(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        return await self._limits.banned_for(address)

    async def refused(self, address: str) -> Millis:
        """Count a refused call of an address; return the length of the ban that it brings."""
        return await self._limits.refused(address)

    async def take(self, use: Use) -> Bar | None:
        """Count a call; return what bars it, None when it may pass."""
        if use.signature is None:
            wait = await self._limits.spend(use.token_id)
            return Bar("limit", wait) if wait else None
        if self._is_replay(use):
            return Bar("replay", _FREE)
        if wait := await self._limits.spend(use.token_id):
            return Bar("limit", wait)
        return self._remember(use, use.signature)

    def _is_replay(self, use: Use) -> bool:
        return use.signature is not None and self._seen.has(use.token_id, use.signature)

    def _remember(self, use: Use, signature: bytes) -> Bar | None:
        # Again, since the same call may have come in while the limit was asked.
        if self._is_replay(use):
            return Bar("replay", _FREE)
        if wait := self._seen.wait_for_room(use.token_id):
            return Bar("limit", wait)
        self._seen.add(use.token_id, signature)
        return None
