"""One reading of a wallet, from the search for its addresses to what it holds."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from coffers.clock import Millis
from coffers.connectors.chain.bitcoin.backend import Backend, odd_answer
from coffers.connectors.chain.bitcoin.flows import FlowSearch, FoundFlows, Leaving, leaving
from coffers.connectors.chain.bitcoin.memory import (
    BranchMemory,
    Memory,
    remembered,
)
from coffers.connectors.chain.bitcoin.netting import Coin, settled_amounts
from coffers.connectors.chain.bitcoin.search import Search
from coffers.connectors.chain.bitcoin.survey import Survey, surveyed
from coffers.connectors.chain.bitcoin.wallet import Spot, Wallet
from coffers.connectors.chain.memory import closed
from coffers.connectors.reading import Reading, ReadRequest
from coffers.valuation.model import Position

CONFIRMED = "confirmed"
PENDING = "pending"

PATIENCE = 45.0
"""Seconds after which a search stops until the next reading."""

_MOVED = "the chain moved on while it was read; it is read again"


@dataclass(frozen=True, slots=True)
class AccountReading:
    """Reads a wallet from one backend, at our moment `at`."""

    backend: Backend
    wallet: Wallet
    coin: Coin
    at: Millis

    async def read(self, request: ReadRequest) -> Reading:
        """Return what the wallet holds, or how far the search for its addresses has come.

        Raises:
            ConnectorFailure: when the backend gave no usable answer.
        """
        is_late = _late_after(PATIENCE)
        memory = remembered(request.memory)
        search = Search(self.backend, self.wallet, memory, is_late)
        tip = await self.backend.tip()
        if not await search.find():
            return self._unfinished(search, memory)
        await search.look_again()
        survey = await surveyed(self.backend, search, tip)
        if survey is None:
            return Reading(
                self.at, frozenset(), (), {CONFIRMED: _MOVED, PENDING: _MOVED}, flows_known=False
            )
        if request.flows_since is None:
            return self._finished(search, survey, None, memory)
        flows = FlowSearch(self.backend, search, survey, memory, is_late)
        told = await flows.since(request.flows_since, self.coin, self.at)
        found = self._finished(search, survey, told, memory)
        # The worth of those that are stored would be asked for once more.
        return replace(found, flows=request.new_of(found.flows))

    def _unfinished(self, search: Search, memory: Memory) -> Reading:
        reason = f"still looking for its addresses: {search.paid} that were used so far"
        return Reading(
            self.at,
            frozenset(),
            (),
            {CONFIRMED: reason, PENDING: reason},
            flows_known=False,
            memory=_after(search, memory, FoundFlows(), memory.leaving, is_found=False),
        )

    def _finished(
        self, search: Search, survey: Survey, told: FoundFlows | None, memory: Memory
    ) -> Reading:
        amounts = settled_amounts(survey.confirmed, survey.unconfirmed, survey.own.__contains__)
        if max(survey.confirmed, amounts.owned, amounts.pending) > self.coin.most:
            raise odd_answer("an address")
        if told is None:
            told, gone = FoundFlows(), Leaving((), frozenset(), frozenset(memory.leaving))
        else:
            how = (self.coin, self.at)
            gone = leaving(survey, amounts.left, memory.leaving, told, how)
        held = {CONFIRMED: amounts.owned, PENDING: amounts.pending}
        return Reading(
            self.at,
            frozenset(held),
            tuple(
                Position(part, self.coin.asset, self.coin.asset, self.coin.amount(units))
                for part, units in held.items()
                if units
            ),
            flows=(*told.flows, *gone.flows),
            flows_undone=frozenset(("out", txid) for txid in gone.undone),
            flows_known=told.is_whole,
            memory=_after(search, memory, told, gone.ids, is_found=True),
        )


def _late_after(seconds: float) -> Callable[[], bool]:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    return lambda: loop.time() >= end


def _after(
    search: Search,
    memory: Memory,
    told: FoundFlows,
    on_way: Iterable[str],
    *,
    is_found: bool,
) -> str:
    """Return what to remember of a search."""
    branches = {
        id_: _branch_after(search, memory, told, id_, used)
        for id_, (used, _) in search.places.items()
    }
    return closed(
        Memory(is_found=is_found, turn=search.turn, branches=branches, leaving=sorted(on_way))
    )


def _branch_after(
    search: Search, memory: Memory, told: FoundFlows, id_: str, used: int
) -> BranchMemory:
    before = memory.branches.get(id_, BranchMemory())
    spots = [Spot(id_, place) for place in range(used + 1)]
    return BranchMemory(
        used,
        search.places[id_][1],
        [told.counts.get(spot, before.told_of(spot.place)) for spot in spots],
        [spot.place for spot in spots if _holds(search, before, spot)],
        {
            spot.place: since
            for spot in spots
            if (since := told.unsure.get(spot, before.unsure.get(spot.place))) is not None
        },
    )


def _holds(search: Search, before: BranchMemory, spot: Spot) -> bool:
    summary = search.summaries.get(spot)
    return spot.place in before.holding if summary is None else not summary.is_quiet
