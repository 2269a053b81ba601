"""Histories that ccxt does not offer, asked for in the venue's own words -> rows as ccxt has them.

A row has the fields of ccxt's transaction that `flow_rows` reads, and the venue's row as `info`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from coffers.clock import SECOND, Millis
from coffers.connectors.exchange.session import VenueSession

Rows = list[Mapping[str, Any]]
Asker = Callable[[VenueSession, Millis, Millis, int], Awaitable[Rows | None]]
"""Asks for what happened between two moments, in so many rows; None where it is no history."""

_INTERNAL_STATES = {"1": "pending", "2": "ok", "3": "failed"}


async def bybit_internal_deposits(
    session: VenueSession, since: Millis, until: Millis, limit: int
) -> Rows | None:
    """Ask Bybit for what its other customers sent, by name of account or of mail."""
    span = {"startTime": since, "endTime": until, "limit": limit}
    told = await session.ask("privateGetV5AssetDepositQueryInternalRecord", span)
    result = told.get("result") if isinstance(told, Mapping) else None
    rows = result.get("rows") if isinstance(result, Mapping) else None
    if not isinstance(rows, list):
        return None
    return [_internal_deposit(session, row) for row in rows if isinstance(row, Mapping)]


def _internal_deposit(session: VenueSession, row: Mapping[str, Any]) -> dict[str, Any]:
    state = str(row.get("status"))
    return {
        "info": row,
        "id": row.get("txID"),
        "txid": row.get("txID"),
        "timestamp": _from_seconds(row.get("createdTime")),
        "currency": session.code(str(row["coin"])) if row.get("coin") else None,
        "amount": row.get("amount"),
        "status": _INTERNAL_STATES.get(state, state),
    }


def _from_seconds(told: object) -> int | None:
    text = str(told)
    return int(text) * SECOND if text.isdecimal() else None


OWN_HISTORIES: dict[str, Asker] = {"bybitInternalDeposits": bybit_internal_deposits}
"""By the name that a rule's `histories` call them."""
