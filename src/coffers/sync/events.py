"""What a reading, or its failure, changed of an account, as events: pure, no I/O."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

from coffers.clock import Millis, iso
from coffers.connectors.reading import ConnectorFailure, Reading
from coffers.keyrights import KeyRights
from coffers.money import plain
from coffers.store.events import EventKind, NewEvent
from coffers.store.records import Account, AccountStatus
from coffers.sync.flows import told_until
from coffers.sync.known import Known
from coffers.valuation.model import Flow, Position

FAILING_AFTER: Final = 3
"""After so many failed readings in a row an account counts as failing."""

NAMED: Final = 50
"""Assets and wallets that an event names; more are only counted."""


def about(account: Account, kind: EventKind, at: Millis, /, **data: object) -> NewEvent:
    """Return an event of an account."""
    return NewEvent(kind, at, data, account.id, account.mode)


def of_reading(
    known: Known,
    reading: Reading,
    status: AccountStatus,
    rights: KeyRights,
    added: Collection[Flow],
    undone: Collection[str],
) -> list[NewEvent]:
    """Return what an accepted reading changed.

    `added` are the flows that were not known before, `undone` the assets of which one was taken
    back.
    """
    account, at = known.account, reading.at
    found = [*_of_holdings(known, reading, status)]
    if account.sync.read_at is not None:
        found += of_flows(account, _since_connected(account, added), at)
    if undone:
        told = {"assets": _named(undone), "count": len(undone)}
        found.append(about(account, "flows_undone", at, **told))
    found += _of_completeness(account, status, at)
    return [*found, *of_recovery(account, at), *of_rights(account, rights, at)]


def _since_connected(account: Account, added: Iterable[Flow]) -> Iterable[Flow]:
    """Return new flows without those from before an account was connected.

    The first reading that is told of flows looks back further. What is new later on is new.
    """
    connected_at, told = account.created_at, told_until(account.sync)
    if told is not None and told >= connected_at:
        return added
    return [flow for flow in added if flow.at >= connected_at]


def of_recovery(account: Account, at: Millis) -> list[NewEvent]:
    """Return what is over with a good answer to the key of an account, as it was before."""
    found = []
    if account.sync.failures >= FAILING_AFTER:
        found.append(about(account, "readings_recovered", at, failures=account.sync.failures))
    if account.is_locked:
        found.append(about(account, "account_unlocked", at))
    return found


def of_rights(account: Account, rights: KeyRights, at: Millis) -> list[NewEvent]:
    """Return the event of an account's key that may do more or less than before."""
    if rights == account.rights:
        return []
    may = {"read": rights.read, "trade": rights.trade, "withdraw": rights.withdraw}
    return [about(account, "key_rights_changed", at, **may)]


def of_failure(
    account: Account, failure: ConnectorFailure, status: AccountStatus, at: Millis
) -> list[NewEvent]:
    """Return what a failed reading changed: nothing, for most."""
    found = []
    if status.sync.failures == FAILING_AFTER:
        read_at = account.sync.read_at
        told = {"failure": failure.kind.value, "read_at": None if read_at is None else iso(read_at)}
        found.append(about(account, "readings_failing", at, **told))
    if status.is_locked and not account.is_locked:
        told = {"reason": status.lock_reason, "failure": failure.kind.value}
        found.append(about(account, "account_locked", at, **told))
    return found


def of_doubt(account: Account, status: AccountStatus, at: Millis) -> list[NewEvent]:
    """Return the event of a reading that is held back, at its first sight."""
    if status.sync.suspect == account.sync.suspect:
        return []
    return [about(account, "reading_held_back", at)]


def of_flows(account: Account, flows: Iterable[Flow], at: Millis) -> list[NewEvent]:
    """Return the deposits and withdrawals among an account's events, in order of time."""
    return [_of_flow(account, flow, at) for flow in sorted(flows, key=lambda flow: flow.at)]


def of_balances(account: Account, assets: Collection[str], at: Millis) -> list[NewEvent]:
    """Return the event of assets of which an account has more or less than before."""
    if not assets:
        return []
    kind: EventKind = "first_reading" if account.sync.read_at is None else "balances_changed"
    return [about(account, kind, at, assets=_named(assets), count=len(assets))]


def _of_holdings(known: Known, reading: Reading, status: AccountStatus) -> list[NewEvent]:
    account = known.account
    if account.sync.read_at is None:
        if status.sync.read_at is None:
            return []
        assets = {held.asset for held in reading.positions}
        told = {"assets": _named(assets), "count": len(assets)}
        return [about(account, "first_reading", reading.at, **told)]
    before = [held for held in known.positions if held.wallet in reading.wallets]
    return of_balances(account, _changed(before, reading.positions), reading.at)


def _changed(before: Iterable[Position], after: Iterable[Position]) -> set[str]:
    """Return the assets whose amounts differ; what accrues by itself is no change."""
    old, new = _amounts(before), _amounts(after)
    return {key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _amounts(held: Iterable[Position]) -> Mapping[tuple[str, str, str], tuple[Decimal, ...]]:
    return {
        (each.wallet, each.asset, each.venue_code): (each.free, each.in_orders, each.borrowed)
        for each in held
    }


def _of_completeness(account: Account, status: AccountStatus, at: Millis) -> list[NewEvent]:
    before, after = account.sync.missing_wallets, status.sync.missing_wallets
    if before == after:
        return []
    if not after:
        return [about(account, "account_complete", at)]
    told = {"missing_wallets": _named(after), "count": len(after)}
    return [about(account, "account_incomplete", at, **told)]


def _of_flow(account: Account, flow: Flow, at: Millis) -> NewEvent:
    return about(
        account,
        "deposit" if flow.direction == "in" else "withdrawal",
        at,
        id=flow.external_id,
        asset=flow.asset,
        amount=plain(flow.amount),
        at=iso(flow.at),
    )


def _named(names: Iterable[str]) -> list[str]:
    return sorted(names)[:NAMED]
