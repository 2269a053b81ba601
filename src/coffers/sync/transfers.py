"""Own transfers, found anew around flows that come in, or that never happened."""

import asyncio
from collections.abc import Collection, Iterable, Iterator

from coffers.store.engine import Transaction
from coffers.store.records import Account
from coffers.store.transfers import Span
from coffers.valuation.model import Flow
from coffers.valuation.transfers import (
    LATEST,
    Leg,
    LegKey,
    may_be_halves,
    other_half_within,
    own_transfers,
)

_Legs = dict[LegKey, Leg]


async def pair_transfers(
    tx: Transaction, account: Account, came: Collection[Flow], gone: Collection[Flow] = ()
) -> None:
    """Find the transfers that change with flows of an account, which came or were taken back.

    What is known afterwards is what a search among all flows of the user would have found: it does
    not matter in what order they came. Such a flow changes the choices of its own possible halves,
    and so whether these are halves of others. No other flow is looked at, however many there are.
    To be called last in a transaction: it waits for others of the same user.
    """
    if not came and not gone:
        return
    await tx.transfers.lock(account.user_id)
    added, removed = (
        [Leg(account.id, account.mode, flow) for flow in flows] for flows in (came, gone)
    )
    search = _Search(tx, account.user_id)
    # Whom a transaction ties, or no longer ties, is no choice of others, or is one again.
    tied = await search.tied([*added, *removed])
    decided = await search.with_choices(tied | _by_key(added)) | await search.choices(removed)
    if not removed and decided.keys() <= _by_key(added).keys():
        # Nothing goes with what came, and it is too new to have been part of anything.
        return
    legs = await search.with_choices(await search.with_choices(decided))
    legs |= await search.tied(leg for key, leg in legs.items() if key not in tied)
    keys = {*decided, *(leg.key for leg in removed)}
    found = {each for each in own_transfers(legs.values()) if not keys.isdisjoint(each.keys)}
    known = await tx.transfers.of_flows(account.user_id, keys)
    # First what is outdated: a half may have found another one.
    await tx.transfers.remove(account.user_id, sorted(known - found))
    await tx.transfers.add(account.user_id, sorted(found - known))


class _Search:
    """Finds flows of a user, around some that are known."""

    def __init__(self, tx: Transaction, user_id: int) -> None:
        self._transfers = tx.transfers
        self._user_id = user_id
        self._asked: set[LegKey] = set()

    async def tied(self, legs: Iterable[Leg]) -> _Legs:
        """Return the flows that have a transaction with one of these in common, and these."""
        return _by_key(await self._transfers.tied(self._user_id, legs))

    async def with_choices(self, legs: _Legs) -> _Legs:
        """Return flows with what may be the other half of one, by amount and time."""
        found = await self.choices(leg for key, leg in legs.items() if key not in self._asked)
        self._asked |= legs.keys()
        return found | legs

    async def choices(self, legs: Iterable[Leg]) -> _Legs:
        """Return what may be the other half of one of these, by amount and time."""
        found: _Legs = {}
        for some in _portions(legs):
            others = await self._transfers.within(self._user_id, _span_of(some))
            found |= _by_key(may_be_halves(some, others))
            # SQLite is asked in the event loop: let others have their turn.
            await asyncio.sleep(0)
        return found


def _by_key(legs: Iterable[Leg]) -> _Legs:
    return {leg.key: leg for leg in legs}


def _portions(legs: Iterable[Leg]) -> Iterator[list[Leg]]:
    """Return flows by mode and direction, and only those together that are not far apart.

    Of what is between them there may be thousands a day.
    """
    part: list[Leg] = []
    for leg in sorted(legs, key=_place):
        if part and (_kind(leg) != _kind(part[0]) or leg.flow.at - part[0].flow.at > LATEST):
            yield part
            part = []
        part.append(leg)
    if part:
        yield part


def _kind(leg: Leg) -> tuple[str, str]:
    return leg.mode, leg.flow.direction


def _place(leg: Leg) -> tuple[str, str, int]:
    return *_kind(leg), leg.flow.at


def _span_of(legs: list[Leg]) -> Span:
    """Return where the other halves may be of flows, in order of time."""
    owners = {leg.account_id for leg in legs}
    # An account may have thousands a day that are no halves of its own.
    without = owners.pop() if len(owners) == 1 else None
    direction = legs[0].flow.direction
    first, _ = other_half_within(direction, legs[0].flow.at)
    _, last = other_half_within(direction, legs[-1].flow.at)
    other = "in" if direction == "out" else "out"
    return Span(without, legs[0].mode, other, first, last)
