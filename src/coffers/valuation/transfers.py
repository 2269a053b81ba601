"""Own transfers: which withdrawal of one account is which deposit of another, and what follows.

For each of the two accounts a transfer is a flow like any other. For all of them taken together it
is none: nothing was put in and nothing taken out.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, partial

from coffers import money
from coffers.clock import DAY, HOUR, Millis
from coffers.markets.assets import symbol_of
from coffers.valuation.amounts import Amount
from coffers.valuation.history import History
from coffers.valuation.inflows import Inflows
from coffers.valuation.model import Flow

LATEST = Millis(2 * DAY)
"""How long after its withdrawal a deposit may come that no transaction's id ties to it."""

EARLIEST = HOUR
"""How long before its withdrawal a deposit may be dated: venues' clocks and words differ."""

_HEX = re.compile(r"(?:0x)?([0-9a-f]{40,128})(?::\d+)?")


LegKey = tuple[int, str, str]
"""A flow of a user: the id of its account, its direction, its own id."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A flow of one of a user's accounts. Accounts of two `mode`s have nothing to do."""

    account_id: int
    mode: str
    flow: Flow

    @property
    def key(self) -> LegKey:
        """What tells it from the user's other flows."""
        return self.account_id, self.flow.direction, self.flow.external_id


@dataclass(frozen=True, slots=True, order=True)
class Transfer:
    """A withdrawal of one account that is a deposit of another."""

    out_account_id: int
    out_external_id: str
    in_account_id: int
    in_external_id: str

    @property
    def keys(self) -> tuple[LegKey, LegKey]:
        """Which two flows it is made of."""
        return (
            (self.out_account_id, "out", self.out_external_id),
            (self.in_account_id, "in", self.in_external_id),
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """A transfer with the flows that it is made of."""

    transfer: Transfer
    out: Flow
    into: Flow


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
    likely = _only_choices(_by_amount(_of(rest, "out"), _of(rest, "in")))
    return frozenset(_transfer(edge) for edge in [*certain, *likely])


def may_be_halves(legs: Sequence[Leg], others: Sequence[Leg]) -> list[Leg]:
    """Return those of some others that may be one transfer with one of some legs.

    That is by their amounts and moments, whatever else the two may be part of.
    """
    edges = [
        *_by_amount(_of(legs, "out"), _of(others, "in")),
        *_by_amount(_of(others, "out"), _of(legs, "in")),
    ]
    found = {id(leg) for edge in edges for leg in edge}
    return [leg for leg in others if id(leg) in found]


def other_half_within(direction: str, at: Millis) -> tuple[Millis, Millis]:
    """Return the first and the last moment that the other half of a flow may be of.

    Only the id of its transaction ties it to one of another time.
    """
    before, after = (EARLIEST, LATEST) if direction == "out" else (LATEST, EARLIEST)
    return Millis(at - before), Millis(at + after)


def transaction_of(txid: str) -> str:
    """Return a transaction's id in the one form that venues' spellings of it share."""
    lower = txid.strip().lower()
    matched = _HEX.fullmatch(lower)
    # Other ids tell capital letters apart, as Solana's do.
    return matched.group(1) if matched else txid.strip()


class Together:
    """The pasts of accounts, by id, as they are when the accounts are taken together.

    The deposit of an own transfer counts with the worth of its withdrawal, so that the two cancel
    to the last digit: what the way cost, or gained, is profit when it arrives. Where only one of
    the two is in these pasts, it stays what it is to them: money from outside, or to there.

    `shown` is the currency in which flows of the pasts are summed up, and `counts` tells of an
    account's flow whether it counts for anything.
    """

    def __init__(
        self,
        pasts: Mapping[int, History],
        shown: Amount,
        counts: Callable[[int, Flow], bool],
    ) -> None:
        self._joined = {
            account_id: _Joined(past, shown, partial(counts, account_id))
            for account_id, past in pasts.items()
        }

    @property
    def summed(self) -> list[int]:
        """The accounts of which flows are summed up: of their transfers all flows have to be told.

        Those of the others are in their pasts.
        """
        return [account_id for account_id, each in self._joined.items() if each.is_summed]

    def take_known(self, transfers: Iterable[Transfer]) -> None:
        """Take in transfers between accounts of which no flows are summed up."""
        for each in transfers:
            out = self._flow(each.out_account_id, "out", each.out_external_id)
            into = self._flow(each.in_account_id, "in", each.in_external_id)
            if out is not None and into is not None:
                self.take([Moved(each, out, into)])

    def take(self, moved: Iterable[Moved]) -> None:
        """Take in some of the transfers between the accounts of their user, each of them once."""
        for each in moved:
            out = self._joined.get(each.transfer.out_account_id)
            into = self._joined.get(each.transfer.in_account_id)
            if out is None or into is None or not (out.has(each.out) and into.has(each.into)):
                continue
            told = each.into if each.out.value is None else each.out
            at = told.valued_at or told.at
            for past, flow in (out, each.out), (into, each.into):
                past.change(flow, replace(flow, value=told.value, valued_at=at))

    def _flow(self, account_id: int, direction: str, external_id: str) -> Flow | None:
        past = self._joined.get(account_id)
        return None if past is None else past.alone.get((direction, external_id))

    def pasts(self) -> dict[int, History]:
        """Return the pasts as they are after all transfers that were taken in."""
        return {account_id: each.past() for account_id, each in self._joined.items()}


class _Joined:
    """One of the pasts, of which flows change."""

    def __init__(self, past: History, shown: Amount, counts: Callable[[Flow], bool]) -> None:
        self._past = past
        self._shown = shown
        self._counts = counts
        self.is_summed = bool(past.earlier)
        self._changed: dict[tuple[str, str], Flow] = {}
        self._sums: Inflows | None = None
        self._added: list[Flow] = []

    @cached_property
    def alone(self) -> dict[tuple[str, str], Flow]:
        """The flows that are kept one by one."""
        return {_key(flow): flow for flow in self._past.flows}

    def has(self, flow: Flow) -> bool:
        """Return whether a flow of the account is in its past."""
        return _key(flow) in self.alone or (self._is_in_sums(flow) and self._counts(flow))

    def change(self, flow: Flow, other: Flow) -> None:
        """Let a flow that is in the past have another worth."""
        if _key(flow) in self.alone:
            self._changed[_key(flow)] = other
            return
        if self._sums is None:
            self._sums = Inflows.of(self._past.cuts, self._shown, self._past.earlier)
        self._sums.remove(flow)
        if not self._sums.add(other):
            self._added.append(other)

    def past(self) -> History:
        if not self._changed and self._sums is None:
            return self._past
        flows = (self._changed.get(_key(flow), flow) for flow in self._past.flows)
        earlier = self._past.earlier if self._sums is None else self._sums.sums()
        return replace(self._past, flows=(*self._added, *flows), earlier=earlier)

    def _is_in_sums(self, flow: Flow) -> bool:
        past = self._past
        return self.is_summed and past.opening.at < flow.at <= past.cuts[-1]


def _key(flow: Flow) -> tuple[str, str]:
    return flow.direction, flow.external_id


def _by_transaction(legs: Iterable[Leg]) -> list[_Edge]:
    groups: dict[tuple[str, str, str], list[Leg]] = {}
    for leg in legs:
        if leg.flow.txid:
            key = leg.mode, symbol_of(leg.flow.asset), transaction_of(leg.flow.txid)
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


def _by_amount(gone: Iterable[Leg], came: Iterable[Leg]) -> list[_Edge]:
    into = _of_kinds(came)
    return [
        edge
        for kind, out in _of_kinds(gone).items()
        if kind in into
        for edge in _near(out, into[kind])
    ]


def _of_kinds(legs: Iterable[Leg]) -> dict[tuple[str, str], list[Leg]]:
    groups: dict[tuple[str, str], list[Leg]] = {}
    for leg in legs:
        groups.setdefault((leg.mode, symbol_of(leg.flow.asset)), []).append(leg)
    return groups


def _near(gone: Iterable[Leg], came: Iterable[Leg]) -> Iterable[_Edge]:
    by_time, by_amount = sorted(came, key=_at), sorted(came, key=_amount)
    for out in gone:
        earliest, latest = other_half_within("out", out.flow.at)
        first = bisect_left(by_time, earliest, key=_at)
        last = bisect_right(by_time, latest, key=_at)
        least = bisect_left(by_amount, _least(out), key=_amount)
        most = bisect_right(by_amount, out.flow.amount, key=_amount)
        # Thousands may come within two days, and thousands of the same amount over the years.
        is_short = last - first <= most - least
        found = by_time[first:last] if is_short else by_amount[least:most]
        yield from ((out, leg) for leg in found if _may_be_one(out, leg))


def _may_be_one(out: Leg, into: Leg) -> bool:
    if out.account_id == into.account_id:
        return False
    earliest, latest = other_half_within("out", out.flow.at)
    if not earliest <= into.flow.at <= latest:
        return False
    told = out.flow.txid, into.flow.txid
    if all(told) and len({transaction_of(txid or "") for txid in told}) > 1:
        return False
    return _least(out) <= into.flow.amount <= out.flow.amount


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


def _least(out: Leg) -> Decimal:
    return money.subtract(out.flow.amount, _fee(out.flow))


def _at(leg: Leg) -> Millis:
    return leg.flow.at


def _amount(leg: Leg) -> Decimal:
    return leg.flow.amount
