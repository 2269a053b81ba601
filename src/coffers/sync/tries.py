"""What is kept of each try to read an account, for its owner to look at."""

from typing import Final

from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, Reading
from coffers.store.engine import Transaction
from coffers.store.sync_logs import SyncTry, bounded
from coffers.sync.known import Known

HELD_BACK: Final = "most of what was known is gone; a second reading must agree"


async def note_try(
    tx: Transaction,
    known: Known,
    now: Millis,
    outcome: str,
    came: Reading | ConnectorFailure | None,
) -> None:
    """Note a try among the account's last ones, where somebody outside was asked.

    `came` is the reading that was accepted or the failure, None for a reading that is held back.
    """
    if known.sealed is None:
        return
    tried = SyncTry(
        known.taken_at,
        max(0, now - known.taken_at),
        outcome,
        came.kind.value if isinstance(came, ConnectorFailure) else "",
        bounded(_why(came)),
        tuple(sorted(came.wallets)) if isinstance(came, Reading) else (),
    )
    await tx.sync_logs.add(known.account.user_id, known.account.id, tried)


def _why(came: Reading | ConnectorFailure | None) -> str:
    match came:
        case None:
            return HELD_BACK
        case Reading():
            return "; ".join(f"{name}: {why}" for name, why in sorted(came.missing.items()))
    return str(came)
