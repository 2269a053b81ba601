"""The deposits and withdrawals of an account of the XRP Ledger."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coffers.clock import Millis
from coffers.connectors.chain.answers import odd_answer
from coffers.connectors.chain.changes import flows_of
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk
from coffers.connectors.chain.xrp.ledger import Closed, History, Server, ToldTransaction, moment
from coffers.connectors.chain.xrp.transactions import changes_in, is_beginning
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow


@dataclass(slots=True)
class FlowSearch:
    """Looks through the transactions of an account, up to the ledger that was read."""

    chain: Chain
    server: Server
    address: str
    ledger: Closed
    trail: Trail
    is_late: Callable[[], bool]
    read_at: Millis
    flows: dict[str, list[Flow]] = field(default_factory=dict)

    async def since(self, since: Millis) -> bool:
        """Find the flows since a moment; return whether these are all."""
        walk = Walk(self._page, self._take, self.is_late)
        try:
            return await walk.down(self.trail, since, self.ledger.index)
        except ConnectorFailure:
            return False

    async def _page(self, cursor: str | None) -> Page[ToldTransaction]:
        marker = None if cursor is None else json.loads(cursor)
        history = await self.server.history(self.address, self.ledger.index, marker)
        entries = [_entry(told) for told in history.transactions if told.validated]
        if history.marker is not None:
            return Page(entries, json.dumps(history.marker))
        return Page(entries, None, is_cut=await self._is_cut(history))

    async def _is_cut(self, history: History) -> bool:
        """Whether the server may know nothing of transactions that still matter."""
        if history.transactions and is_beginning(history.transactions[-1].meta, self.address):
            return False
        first = history.ledger_index_min
        if self.trail.high is not None and first <= self.trail.high:
            return False
        return await self.server.closed_at(first) > (self.trail.since or 0)

    async def _take(self, entries: Sequence[Entry[ToldTransaction]]) -> None:
        for entry in entries:
            txid = entry.what.tx.get("hash")
            if not isinstance(txid, str):
                raise odd_answer("a transaction")
            changes, fee = changes_in(entry.what.tx, entry.what.meta, self.address, self.chain)
            at = Millis(min(entry.at, self.read_at))
            self.flows[txid] = flows_of(txid, at, changes, fee, self.chain.asset)


def _entry(told: ToldTransaction) -> Entry[ToldTransaction]:
    index, date = told.tx.get("ledger_index"), told.tx.get("date")
    if not isinstance(index, int) or not isinstance(date, int):
        raise odd_answer("a transaction")
    return Entry(index, moment(date), told)
