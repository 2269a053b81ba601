"""What one reading of validators leaves for the next: what was found of the addresses."""

import msgspec

from coffers.clock import Millis
from coffers.connectors.chain.evm.deposits import Deposit
from coffers.connectors.chain.walk import Trail


class Notes(msgspec.Struct):
    """Notes on one address, changed while it is looked at.

    `seen` tells, for each list of an explorer's, up to which block its transactions were looked
    through; `deposits` is what it gave to each public key, in billionths of an ether, by the
    transactions `known`; `untold` are deposits that were no flow yet, and `is_told` says that
    others were. `paid` are the indices of validators that paid it, `trail` how far that was looked
    through. `is_whole` says that all of it was, once.
    """

    seen: dict[str, int] = {}
    deposits: dict[str, int] = {}
    known: set[str] = set()
    untold: list[Deposit] = []
    paid: set[int] = set()
    trail: Trail = msgspec.field(default_factory=Trail)
    is_whole: bool = False
    is_told: bool = False


class Memory(msgspec.Struct):
    """Notes on the addresses of one account, by address.

    `queue_told_at` is when a beacon node last told what waits to be taken.
    """

    owners: dict[str, Notes] = {}
    queue_told_at: Millis = Millis(0)

    def of(self, owner: str) -> Notes:
        """Return the notes on an address."""
        return self.owners.setdefault(owner, Notes())


def closed(memory: Memory) -> str:
    """Return the text to be remembered, the same for the same notes."""
    return msgspec.json.encode(memory, order="deterministic").decode()
