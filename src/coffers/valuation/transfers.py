"""Own transfers: which withdrawal of one account is which deposit of another, and what follows.

For each of the two accounts a transfer is a flow like any other. For all of them taken together it
is none: nothing was put in and nothing taken out.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, HOUR, Millis
from coffers.markets.assets import symbol_of
from coffers.valuation.history import History
from coffers.valuation.model import Flow

LATEST = Millis(2 * DAY)
"""How long after its withdrawal a deposit may come that no transaction's id ties to it."""

EARLIEST = HOUR
"""How long before its withdrawal a deposit may be dated: venues' clocks and words differ."""

_HEX = re.compile(r"(?:0x)?([0-9a-f]{40,128})(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Leg:
    """A flow of one of a user's accounts. Accounts of two `mode`s have nothing to do."""

    account_id: int
    mode: str
    flow: Flow


@dataclass(frozen=True, slots=True, order=True)
class Transfer:
    """A withdrawal of one account that is a deposit of another."""

    out_account_id: int
    out_external_id: str
    in_account_id: int
    in_external_id: str


_Edge = tuple[Leg, Leg]


def own_transfers(legs: Iterable[Leg]) -> frozenset[Transfer]:
    """Return the transfers among a user's accounts, whatever order the flows come in.

    A withdrawal and a deposit of the same symbol, whatever venues mean by it, are one where both
    tell the same transaction; else where the same amount, or less by no more than the fee, came in
    the time that a transfer takes.
    What might belong to two is left as it is.
    """
    all_legs = list(legs)
    certain = _only_choices(_by_transaction(all_legs))
    paired = {id(leg) for edge in certain for leg in edge}
    rest = [leg for leg in all_legs if id(leg) not in paired]
    return frozenset(_transfer(edge) for edge in [*certain, *_only_choices(_by_amount(rest))])


def as_one(pasts: Mapping[int, History], transfers: Iterable[Transfer]) -> dict[int, History]:
    """Return the pasts of accounts, by id, as they are when the accounts are taken together.

    The deposit of an own transfer counts with the worth of its withdrawal, so that the two cancel
    to the last digit: what the way cost, or gained, is profit when it arrives. Where only one of
    the two is in these pasts, it stays what it is to them: money from outside, or to there.
    """
    changed: dict[int, dict[tuple[str, str], Flow]] = {}
    known = {
        (account_id, flow.direction, flow.external_id): flow
        for account_id, past in pasts.items()
        for flow in past.flows
    }
    for transfer in transfers:
        out = known.get((transfer.out_account_id, "out", transfer.out_external_id))
        into = known.get((transfer.in_account_id, "in", transfer.in_external_id))
        if out is None or into is None:
            continue
        told = into if out.value is None else out
        for account_id, flow in (transfer.out_account_id, out), (transfer.in_account_id, into):
            own = changed.setdefault(account_id, {})
            own[flow.direction, flow.external_id] = replace(
                flow, value=told.value, valued_at=told.valued_at or told.at
            )
    return {
        account_id: _with(past, changed[account_id]) if account_id in changed else past
        for account_id, past in pasts.items()
    }


def _with(past: History, changed: Mapping[tuple[str, str], Flow]) -> History:
    flows = (changed.get((flow.direction, flow.external_id), flow) for flow in past.flows)
    return replace(past, flows=tuple(flows))


def _by_transaction(legs: Iterable[Leg]) -> list[_Edge]:
    groups: dict[tuple[str, str, str], list[Leg]] = {}
    for leg in legs:
        if leg.flow.txid:
            key = leg.mode, symbol_of(leg.flow.asset), _transaction(leg.flow.txid)
            groups.setdefault(key, []).append(leg)
    return [
        (out, into)
        for group in groups.values()
        for out in _of(group, "out")
        for into in _of(group, "in")
        if out.account_id != into.account_id
        # One transaction may pay others too: more than was sent is somebody else's.
        and into.flow.amount <= money.add(out.flow.amount, _fee(out.flow))
    ]


def _by_amount(legs: Iterable[Leg]) -> list[_Edge]:
    groups: dict[tuple[str, str], list[Leg]] = {}
    for leg in legs:
        groups.setdefault((leg.mode, symbol_of(leg.flow.asset)), []).append(leg)
    return [edge for group in groups.values() for edge in _near(group)]


def _near(group: Sequence[Leg]) -> Iterable[_Edge]:
    into = sorted(_of(group, "in"), key=_at)
    for out in _of(group, "out"):
        first = bisect_left(into, out.flow.at - EARLIEST, key=_at)
        last = bisect_right(into, out.flow.at + LATEST, key=_at)
        yield from ((out, leg) for leg in into[first:last] if _may_be_one(out, leg))


def _may_be_one(out: Leg, into: Leg) -> bool:
    if out.account_id == into.account_id:
        return False
    told = out.flow.txid, into.flow.txid
    if all(told) and len({_transaction(txid or "") for txid in told}) > 1:
        return False
    least = money.subtract(out.flow.amount, _fee(out.flow))
    return least <= into.flow.amount <= out.flow.amount


def _only_choices(edges: Iterable[_Edge]) -> list[_Edge]:
    """Return the pairs of which neither half has another choice."""
    found = list(edges)
    choices = Counter(id(leg) for edge in found for leg in edge)
    return [edge for edge in found if all(choices[id(leg)] == 1 for leg in edge)]


def _transfer(edge: _Edge) -> Transfer:
    out, into = edge
    return Transfer(out.account_id, out.flow.external_id, into.account_id, into.flow.external_id)


def _of(legs: Iterable[Leg], direction: str) -> list[Leg]:
    return [leg for leg in legs if leg.flow.direction == direction]


def _fee(flow: Flow) -> Decimal:
    return flow.fee if flow.fee_asset == flow.asset else money.ZERO


def _transaction(txid: str) -> str:
    """Return a transaction's id in the one form that venues' spellings of it share."""
    lower = txid.strip().lower()
    matched = _HEX.fullmatch(lower)
    # Other ids tell capital letters apart, as Solana's do.
    return matched.group(1) if matched else txid.strip()


def _at(leg: Leg) -> Millis:
    return leg.flow.at
