"""What one reading of a wallet leaves for the next."""

import msgspec

from coffers.connectors.chain.walk import Trail


class Memory(msgspec.Struct):
    """Notes on one wallet, changed while it is read.

    `trails` tell how far the histories of the wallet and of its token accounts were looked through;
    `amounts` what each of those held then. `stakes` are all stake accounts that were ever seen.
    `places` are decimals of unlisted mints, None for those that are left out, as collectibles are.
    """

    trails: dict[str, Trail] = {}
    amounts: dict[str, int] = {}
    stakes: list[str] = []
    places: dict[str, int | None] = {}
