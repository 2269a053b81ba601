"""The deposits and withdrawals of a wallet: its confirmed transactions since a moment."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from coffers.clock import HOUR, MINUTE, Millis
from coffers.connectors.chain.bitcoin.backend import BATCH_SIZE, Backend, Transaction, ask_all
from coffers.connectors.chain.bitcoin.memory import UNTOLD, BranchMemory, Memory
from coffers.connectors.chain.bitcoin.netting import Coin, flow_of
from coffers.connectors.chain.bitcoin.search import Search
from coffers.connectors.chain.bitcoin.survey import Survey
from coffers.connectors.chain.bitcoin.wallet import Spot
from coffers.valuation.model import Flow

OUT_OF_ORDER = Millis(3 * HOUR)
"""A block may be dated so long before the one below it: nodes accept two hours either way."""

MARGIN = 25
"""Transactions looked at beyond the new ones, where a reorganised chain put some elsewhere."""

SETTLED = Millis(30 * MINUTE)
"""How long a part of a history is looked at again, as a node may not have come as far as the one
that counted."""


LeavingHow = tuple[Coin, Millis]
"""How flows are made: the coin, and when the reading is made."""


@dataclass(slots=True)
class FoundFlows:
    """The flows that were found; `counts` has of how many transactions of each address.

    `seen` are the ids of the transactions in blocks that were looked at. `unsure` has since when
    one cannot be sure that an address's newest ones were among them, None where one is.
    """

    flows: tuple[Flow, ...] = ()
    seen: set[str] = field(default_factory=set)
    is_whole: bool = True
    counts: dict[Spot, int] = field(default_factory=dict)
    unsure: dict[Spot, Millis | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _History:
    """Transactions of an address in blocks; `is_all` that they are as many as it counts.

    `is_part` says that older ones were not asked for, so that nobody can tell.
    """

    shown: list[Transaction]
    is_all: bool = False
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class FlowSearch:
    """Looks through the transactions of those addresses whose count of them has changed."""

    backend: Backend
    search: Search
    survey: Survey
    memory: Memory
    is_late: Callable[[], bool]

    async def since(self, since: Millis, coin: Coin, read_at: Millis) -> FoundFlows:
        """Return the flows since a moment, of as many addresses as time allows."""
        told = FoundFlows()
        seen: dict[str, Transaction] = {}
        for spots in _chunks(self._changed(told)):
            if seen and self.is_late():
                told.is_whole = False
                break
            histories = await ask_all(lambda spot: self._history(spot, since, told), spots)
            for spot, history in zip(spots, histories, strict=True):
                if history is None or not (history.is_all or history.is_part):
                    told.is_whole = False
                else:
                    told.unsure[spot] = self._unsure_since(spot, history, read_at)
                    told.counts[spot] = self.survey.summaries[spot].count
                seen |= {one.txid: one for one in ([] if history is None else history.shown)}
        told.flows = tuple(self._flows(seen.values(), since, coin, read_at))
        return told

    def _flows(
        self, seen: Iterable[Transaction], since: Millis, coin: Coin, read_at: Millis
    ) -> Iterator[Flow]:
        for transaction in seen:
            if transaction.at is not None and transaction.at >= since:
                flow = flow_of(transaction, self.survey.own.__contains__, coin, read_at)
                if flow is not None:
                    yield flow

    def _changed(self, told: FoundFlows) -> list[Spot]:
        changed = []
        for spot, summary in self.survey.summaries.items():
            is_sure = spot.place not in self._known(spot).unsure
            if is_sure and summary.count == max(self._told_of(spot), 0):
                told.counts[spot] = summary.count
            else:
                changed.append(spot)
        return changed

    def _told_of(self, spot: Spot) -> int:
        return self._known(spot).told_of(spot.place)

    def _known(self, spot: Spot) -> BranchMemory:
        return self.memory.branches.get(spot.branch) or BranchMemory()

    def _unsure_since(self, spot: Spot, history: _History, read_at: Millis) -> Millis | None:
        """Return since when the newest transactions may have been left out, None where none are."""
        if history.is_all or self.backend.is_one_server:
            return None
        is_new = self.survey.summaries[spot].count != self._told_of(spot)
        begin = None if is_new else self._known(spot).unsure.get(spot.place)
        if begin is None:
            return read_at
        return Millis(begin) if read_at - begin < SETTLED else None

    async def _history(self, spot: Spot, since: Millis, told: FoundFlows) -> _History | None:
        """Return the transactions of an address since a moment, None where time was up before."""
        found: dict[str, Transaction] = {}
        shown: list[Transaction] = []
        enough = self._enough(spot)
        async with aclosing(self.backend.confirmed(self.search.script(spot))) as pages:
            async for page in pages:
                before = len(found)
                found |= {one.txid: one for one in page}
                told.seen |= found.keys()
                shown = [one for one in found.values() if self._is_shown(one)]
                if len(shown) >= self.survey.summaries[spot].count:
                    return _History(shown, is_all=True)
                earliest = page[-1].at
                if earliest is None or earliest < since - OUT_OF_ORDER:
                    return _History(shown, is_part=True)
                if enough is not None and len(found) >= enough:
                    return _History(shown, is_part=True)
                if self.is_late():
                    return None
                if len(found) == before:  # the same page again
                    break
        return _History(shown, is_all=len(shown) >= self.survey.summaries[spot].count)

    def _enough(self, spot: Spot) -> int | None:
        known = self._told_of(spot)
        new = self.survey.summaries[spot].count - known
        return None if known == UNTOLD else max(new, 0) + MARGIN

    def _is_shown(self, transaction: Transaction) -> bool:
        """Whether the balances of the survey have the transaction in them."""
        return transaction.height is not None and transaction.height <= self.survey.tip.height


@dataclass(frozen=True, slots=True)
class Leaving:
    """Payments that have left the balance and are in no block yet: told as the flows they will be.

    One that never gets into a block, since another one spent the same money, is taken back as soon
    as nobody knows of it any more. `ids` are all that may have to be taken back.
    """

    flows: tuple[Flow, ...]
    undone: frozenset[str]
    ids: frozenset[str]


def leaving(
    survey: Survey, left: frozenset[str], before: Collection[str], told: FoundFlows, how: LeavingHow
) -> Leaving:
    """Return the payments on their way.

    Args:
        survey: what the addresses had.
        left: the ids of payments that are counted as having left.
        before: the ids of those that were told before.
        told: what was found in blocks.
        how: the coin, and the moment of the reading.
    """
    flows = [
        flow
        for txid, transaction in survey.unconfirmed.items()
        if txid in left
        and (flow := flow_of(transaction, survey.own.__contains__, *how)) is not None
        and flow.direction == "out"
    ]
    gone = set(before) - survey.unconfirmed.keys() - told.seen
    # Until all blocks were looked through, one that is gone may be in one.
    undone = frozenset(gone) if told.is_whole else frozenset[str]()
    ids = {flow.external_id for flow in flows} | (set(before) & survey.unconfirmed.keys())
    return Leaving(tuple(flows), undone, frozenset(ids | (gone - undone)))


def _chunks(spots: list[Spot]) -> Iterator[list[Spot]]:
    for begin in range(0, len(spots), BATCH_SIZE):
        yield spots[begin : begin + BATCH_SIZE]
