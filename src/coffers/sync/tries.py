"""What is kept of each try to read an account, for its owner to look at."""

from typing import Final

from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, Reading
from coffers.store.engine import Transaction
from coffers.store.sync_logs import try_of
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
    kind = came.kind.value if isinstance(came, ConnectorFailure) else ""
    tried = try_of(known.taken_at, now, outcome, kind, _why(came))
    await tx.sync_logs.add(known.account.user_id, known.account.id, tried)


def _why(came: Reading | ConnectorFailure | None) -> str:
    match came:
        case None:
            return HELD_BACK
        case Reading():
            return "; ".join(f"{name}: {why}" for name, why in sorted(came.missing.items()))
    return str(came)
