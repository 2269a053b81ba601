"""What one reading tells the next: how far addresses were searched, and which had what."""

import msgspec

from coffers.connectors.chain.memory import opened

VERSION = 1

UNTOLD = -1
"""In place of a count of transactions: those of this address were never looked through."""


class BranchMemory(msgspec.Struct):
    """What is known of a branch.

    `used` is the last place that was ever paid, -1 for none; all places before `searched` were
    asked for. `told` has, for each place up to `used`, of how many transactions the flows are
    told; `holding` are the places that held something. `unsure` are places whose newest
    transactions may have been left out, and since when.
    """

    used: int = -1
    searched: int = 0
    told: list[int] = []
    holding: list[int] = []
    unsure: dict[int, int] = {}

    def told_of(self, place: int) -> int:
        """Return of how many transactions of a place the flows were told."""
        return self.told[place] if place < len(self.told) else UNTOLD


class Memory(msgspec.Struct):
    """What is known of a wallet; `is_found` says that the search for its addresses came to its end.

    `turn` is where the round of emptied addresses goes on; `leaving` are the ids of payments that
    were told as flows and were in no block.
    """

    version: int = VERSION
    is_found: bool = False
    turn: int = 0
    branches: dict[str, BranchMemory] = {}
    leaving: list[str] = []


def remembered(text: str | None) -> Memory:
    """Return what a reading before told; nothing where it is unreadable or of another version."""
    memory = opened(text, Memory)
    return memory if memory.version == VERSION else Memory()
