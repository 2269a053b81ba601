"""What an accepted reading makes of the holdings that were known."""

from collections.abc import Sequence
from typing import TypeVar

from coffers.connectors.reading import Reading
from coffers.store.engine import Transaction
from coffers.sync.known import Known
from coffers.valuation.contract import Contract
from coffers.valuation.model import Position

Held = TypeVar("Held", Position, Contract)


async def keep_holdings(tx: Transaction, known: Known, reading: Reading) -> None:
    """Keep what the parts that were read hold, and what the next reading is to remember.

    What is as it was is not written again.
    """
    own = known.account.user_id, known.account.id
    if set(reading.positions) != set(_of_wallets(known.positions, reading)):
        await tx.holdings.replace(*own, reading.wallets, reading.positions)
        await tx.assets.meet((held.asset for held in reading.positions), reading.at)
    if set(reading.contracts) != set(_of_wallets(known.contracts, reading)):
        await tx.holdings.replace_contracts(*own, reading.wallets, reading.contracts)
    if reading.memory is not None and reading.memory != known.request.memory:
        await tx.memories.put(*own, reading.memory)


def _of_wallets(known: Sequence[Held], reading: Reading) -> list[Held]:
    return [held for held in known if held.wallet in reading.wallets]
