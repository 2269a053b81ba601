"""What one reading of a wallet leaves for the next: tokens found, and how far was searched."""

import msgspec

MOST_FOUND = 500
"""Unlisted tokens that are remembered; some addresses are sent thousands."""


class UnlistedToken(msgspec.Struct, frozen=True):
    """An unlisted token: what it tells of itself. `pretends` is `spam.pretends`."""

    symbol: str | None
    decimals: int | None
    pretends: bool


class Memory(msgspec.Struct):
    """Notes on one wallet, changed while it is read.

    Contracts are in lower case. `found` are unlisted tokens, None before they were asked what they
    are; `places` are decimals that the list does not tell; `held` the listed tokens with a balance
    at the last reading, and `silent_since` the moment since which one of them tells none. All
    transfers from block `low` to block `high` were looked through; those since the moment `since`
    were reported as flows. `step` is how many blocks the node lets pass at once, `recent` how many
    of the newest are too young for every node to have told all of them. `shown` is when the block
    was made that the last balances are of. `exchanges` are movements of the native coin that were
    found to be exchanges with its wrapped form, by their ids.
    """

    found: dict[str, UnlistedToken | None] = {}
    places: dict[str, int] = {}
    held: list[str] = []
    silent_since: dict[str, int] = {}
    low: int | None = None
    high: int | None = None
    since: int | None = None
    step: int | None = None
    recent: int | None = None
    shown: int | None = None
    exchanges: list[str] = []

    def discover(self, contract: str) -> None:
        """Remember that there is an unlisted token, if there is room."""
        if contract not in self.found and len(self.found) < MOST_FOUND:
            self.found[contract] = None
