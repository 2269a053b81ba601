"""What one reading of a wallet leaves for the next."""

import msgspec

from coffers.connectors.chain.walk import Trail


class TokenFacts(msgspec.Struct, frozen=True):
    """What an unlisted token tells of itself; `decimals` is None where it tells none."""

    symbol: str
    decimals: int | None


class Memory(msgspec.Struct):
    """Notes on one wallet, changed while it is read: of its two histories and unlisted tokens.

    `untold` is when the last transaction was of which it is not known what it moved.
    """

    coins: Trail = msgspec.field(default_factory=Trail)
    tokens: Trail = msgspec.field(default_factory=Trail)
    untold: int | None = None
    told: dict[str, TokenFacts] = {}
