"""Histories that ccxt does not offer, asked for in the venue's own words -> rows as ccxt has them.

A row has the fields of ccxt's transaction that `flow_rows` reads, and the venue's row as `info`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from coffers.clock import SECOND, Millis
from coffers.connectors.exchange.session import VenueSession

Rows = list[Mapping[str, Any]]
Asker = Callable[[VenueSession, Millis, Millis, int], Awaitable[Rows | None]]
"""Asks for what happened between two moments, in so many rows; None where it is no history."""

_DOLLARS = "USDC"
_WAYS = {
    "deposit": "deposit",
    "withdraw": "withdrawal",
    "accountClassTransfer": "neither",
    "liquidation": "neither",
    "rewardsClaim": "neither",
    "accountActivationGas": "neither",
}
_TRANSFERS = frozenset({"internalTransfer", "spotTransfer", "send", "subAccountTransfer"})
_READ_PLACES = frozenset({"", "spot"})
"""The perpetual exchange that is there from the start, and spot."""

_INTERNAL_STATES = {"1": "pending", "2": "ok", "3": "failed"}


async def bybit_internal_deposits(
    session: VenueSession, since: Millis, until: Millis, limit: int
) -> Rows | None:
    """Ask Bybit for what its other customers sent, by name of account or of mail."""
    span = {"startTime": since, "endTime": until, "limit": limit}
    told = await session.ask("privateGetV5AssetDepositQueryInternalRecord", span)
    result = told.get("result") if isinstance(told, Mapping) else None
    rows = _objects(result.get("rows") if isinstance(result, Mapping) else None)
    return None if rows is None else [_internal_deposit(session, row) for row in rows]


def _objects(told: object) -> Rows | None:
    """Return a list of objects, None where it is something else."""
    is_list = isinstance(told, list) and all(isinstance(row, Mapping) for row in told)
    return cast("Rows", told) if is_list else None


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


async def hyperliquid_ledger(
    session: VenueSession, since: Millis, until: Millis, _limit: int
) -> Rows | None:
    """Ask Hyperliquid for all that moved, whoever sent it; ccxt drops what others sent.

    A row's `type` is "neither" where nothing came in or left, None where that is not known: what
    went into a vault or into staking is read nowhere.
    """
    own = str(session.exchange.walletAddress).lower()
    asked = {"type": "userNonFundingLedgerUpdates", "user": own}
    span = {"startTime": since, "endTime": until}
    rows = _objects(await session.ask("publicPostInfo", {**asked, **span}))
    return None if rows is None else [_ledger_update(session, row, own) for row in rows]


def _ledger_update(session: VenueSession, row: Mapping[str, Any], own: str) -> dict[str, Any]:
    told = row.get("delta")
    delta: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    kind, at, txid = delta.get("type"), row.get("time"), row.get("hash")
    # Some are told with how much they are worth in dollars beside the amount of the token.
    amount = delta.get("amount", delta.get("usdc"))
    code = _ledger_code(session, str(delta.get("token", _DOLLARS)))
    return {
        "info": row,
        # A transaction of the chain itself has no hash of its own.
        "id": f"{txid}:{at}:{kind}:{code}:{amount}",
        "txid": txid,
        "timestamp": at,
        "type": _way(delta, own),
        "currency": code,
        "amount": amount,
        "fee": _ledger_fee(delta, own),
    }


def _ledger_code(session: VenueSession, token: str) -> str:
    """Return ccxt's code, as it is in balances: tokens that stand for others go by these there."""
    # Behind the name may be the token's address.
    code = session.code(token.partition(":")[0])
    return str(session.exchange.update_spot_currency_code(code))


def _way(delta: Mapping[str, Any], own: str) -> str | None:
    kind = str(delta.get("type"))
    if kind in _WAYS:
        return _WAYS[kind]
    if kind not in _TRANSFERS:
        return None
    sender, receiver = (str(delta.get(name)).lower() for name in ("user", "destination"))
    if sender == receiver == own:
        # Between wallets of the account; those at exchanges that others opened are not read.
        places = {str(delta.get(name, "")) for name in ("sourceDex", "destinationDex")}
        return "neither" if places <= _READ_PLACES else None
    if own not in {sender, receiver}:
        return None
    return "deposit" if receiver == own else "withdrawal"


def _ledger_fee(delta: Mapping[str, Any], own: str) -> dict[str, Any] | None:
    """Return what the sender paid on top; whoever receives pays nothing."""
    if str(delta.get("type")) in _TRANSFERS and str(delta.get("user")).lower() != own:
        return None
    return {"cost": delta.get("fee"), "currency": delta.get("feeToken") or _DOLLARS}


OWN_HISTORIES: dict[str, Asker] = {
    "bybitInternalDeposits": bybit_internal_deposits,
    "hyperliquidLedger": hyperliquid_ledger,
}
"""By the name that a rule's `histories` call them."""
