"""Own transfers, found anew whenever flows come in."""

from collections.abc import Collection

from coffers.store.engine import Transaction
from coffers.valuation.model import PriceBook
from coffers.valuation.transfers import own_transfers


async def pair_transfers(
    tx: Transaction, user_id: int, moved: Collection[str], book: PriceBook | None
) -> None:
    """Find the transfers of some assets between a user's accounts, in place of those known.

    `book` tells what else has their symbols: who sends an asset from one venue to another may be
    told of it by two keys.

    They depend on the stored flows alone, so it does not matter in what order these came, or
    whether an earlier search was cut off. To be called last in a transaction: it waits for others
    of the same user.
    """
    if not moved:
        return
    assets = moved if book is None else set().union(*map(book.keys_of, moved))
    await tx.transfers.lock(user_id)
    found = own_transfers(await tx.transfers.legs(user_id, assets))
    known = await tx.transfers.of_assets(user_id, assets)
    # First what is outdated: a half may have found another one.
    await tx.transfers.remove(user_id, sorted(known - found))
    await tx.transfers.add(user_id, sorted(found - known))
