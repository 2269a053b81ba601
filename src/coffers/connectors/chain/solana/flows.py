"""The deposits and withdrawals of a wallet of Solana: what its transactions changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.answers import odd_answer, together
from coffers.connectors.chain.changes import flows_of
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.node import MAX_CONCURRENT
from coffers.connectors.chain.solana.cluster import Cluster, Signature
from coffers.connectors.chain.solana.holdings import Holdings
from coffers.connectors.chain.solana.memory import Memory
from coffers.connectors.chain.solana.transactions import effect_of
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

SIGNATURES = 50
"""Transactions that are asked for of a history at once: each is then asked for on its own."""

OVERLAP = 300
"""Slots, a minute's, that are looked at again: a node may list a transaction late."""

SHORTEST_SLOT = 150
"""What a slot takes at least, in ms, over some time: they were made to take 400, and are made
shorter step by step, to 200 in the end (SIMD-525)."""


@dataclass(slots=True)
class FlowSearch:
    """Looks through the histories of a wallet and of its token accounts.

    A transfer to a token account need not name the wallet, so the account's own history is
    looked through when its amount changed or a transaction of the wallet names it. `shown` are the
    transactions that the balances of an earlier reading had already.
    """

    chain: Chain
    cluster: Cluster
    wallet: str
    memory: Memory
    known: frozenset[str]
    is_late: Callable[[], bool]
    read_at: Millis
    flows: dict[str, list[Flow]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    knows_stakes: bool = True

    async def since(self, since: Millis, holdings: Holdings) -> bool:
        """Find the flows since a moment; return whether these are all."""
        self.knows_stakes = "staked" not in holdings.missing
        try:
            if not await self._walk(self.wallet, since, holdings.slot):
                return False
            return await self._through_tokens(since, holdings)
        except ConnectorFailure:
            return False

    async def _through_tokens(self, since: Millis, holdings: Holdings) -> bool:
        if "tokens" in holdings.missing:
            return False
        listed = listed_on("solana")
        amounts = {token.address: token.amount for token in holdings.tokens if token.mint in listed}
        before = self.memory.amounts
        changed = {address for address in amounts if before.get(address) != amounts[address]}
        gone = before.keys() - amounts.keys()
        for address in sorted(changed | gone | (self.touched & amounts.keys())):
            if self.is_late() or not await self._walk(address, since, holdings.slot):
                return False
            self._remember(address, amounts.get(address))
        return True

    def _remember(self, address: str, amount: int | None) -> None:
        if amount is None:
            self.memory.amounts.pop(address, None)
            self.memory.trails.pop(address, None)
        else:
            self.memory.amounts[address] = amount

    async def _walk(self, address: str, since: Millis, slot: int) -> bool:
        trail = self.memory.trails.setdefault(address, Trail())

        async def page(cursor: str | None) -> Page[str]:
            found = await self.cluster.history(address, slot, cursor, SIGNATURES)
            entries = [_entry(one) for one in found]
            if len(entries) >= SIGNATURES:
                # The last one comes again with the next page, which is then never empty.
                return Page(entries[:-1], entries[-2].what)
            is_lost = cursor is not None and not entries
            is_cut = is_lost or await self._is_cut(entries, trail, since, slot)
            return Page(entries, None, is_cut)

        done = trail.high

        async def take(entries: Sequence[Entry[str]]) -> None:
            await self._take(entries)
            self.shown.update(Walk.shown(entries, done))

        return await Walk(page, take, self.is_late, OVERLAP).down(trail, since, slot)

    async def _is_cut(
        self, entries: Sequence[Entry[str]], trail: Trail, since: Millis, slot: int
    ) -> bool:
        """Whether the node may have dropped transactions that still matter."""
        done = -1 if trail.high is None else trail.high
        if entries and (entries[-1].height <= done or entries[-1].at < since):
            return False
        try:
            first = await self.cluster.first_slot()
            if first <= done:
                return False
            at = await self.cluster.time_of(first)
        except ConnectorFailure:
            return True
        if at is None:
            at = Millis(self.read_at - (slot - first) * SHORTEST_SLOT)
        return at > since

    async def _take(self, entries: Sequence[Entry[str]]) -> None:
        new = [
            entry
            for entry in entries
            if entry.what not in self.known and entry.what not in self.flows
        ]
        for begin in range(0, len(new), MAX_CONCURRENT):
            await together([self._look_at(entry) for entry in new[begin : begin + MAX_CONCURRENT]])

    async def _look_at(self, entry: Entry[str]) -> None:
        answer = await self.cluster.transaction(entry.what)
        if answer is None:
            raise odd_answer("a transaction")
        effect = effect_of(answer, self.wallet, frozenset(self.memory.stakes), self.chain)
        if effect.is_staking and not self.knows_stakes:
            # It may have moved coins into a stake of the wallet that is not known yet.
            raise odd_answer("a stake")
        self.touched |= effect.touched
        at = Millis(min(entry.at, self.read_at))
        self.flows[entry.what] = flows_of(
            entry.what, at, effect.changes, effect.fee, self.chain.asset
        )


def _entry(one: Signature) -> Entry[str]:
    if one.block_time is None:
        raise odd_answer("the time of a transaction")
    return Entry(one.slot, Millis(one.block_time * SECOND), one.signature)
