"""The deposits and withdrawals of an address of Tron, told by TronGrid's index."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from coffers.clock import MINUTE, Millis
from coffers.connectors.chain.answers import odd_answer, signed_units, units
from coffers.connectors.chain.changes import Change, flows_of
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.tron.address import in_hex
from coffers.connectors.chain.tron.memory import Memory
from coffers.connectors.chain.tron.node import ROWS, Node
from coffers.connectors.chain.tron.transactions import Moved, coins_moved, token_moved
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

OVERLAP = 15 * MINUTE
"""How far below the finished part is looked again, in ms: the index lists some rows late, and
another machine behind the same address later still."""

_Row = dict[str, Any]


class _NoIndexError(Exception):
    """The node has no histories."""


@dataclass(slots=True)
class _Sum:
    """What a transaction moved, by asset, and the fee that was paid for it."""

    at: Millis
    raw: dict[str, int] = field(default_factory=dict)
    fee: int = 0


@dataclass(slots=True)
class FlowSearch:
    """Looks through both histories of an address and sums what each transaction moved.

    Pages are cut between blocks, never within one, so that all rows of a transaction are in one.
    `done` is the moment up to which an earlier reading looked through both.
    """

    chain: Chain
    node: Node
    address: str
    memory: Memory
    is_late: Callable[[], bool]
    read_at: Millis
    sums: dict[str, _Sum] = field(default_factory=dict)
    done: int = 0

    async def since(self, since: Millis, solid_at: Millis) -> bool:
        """Find what moved since a moment; return whether that is all."""
        path = f"/v1/accounts/{self.address}/transactions"
        histories = (
            (path, self._coins, self.memory.coins),
            (f"{path}/trc20", self._tokens, self.memory.tokens),
        )
        self.done = min(self.memory.coins.high or 0, self.memory.tokens.high or 0)
        try:
            wholes = [await self._walk(*each, since, solid_at) for each in histories]
        except (ConnectorFailure, _NoIndexError):
            return False
        return all(wholes) and (self.memory.untold or 0) < since

    @property
    def shown(self) -> set[str]:
        """The transactions that the balances of an earlier reading had already."""
        return {txid for txid, found in self.sums.items() if found.at <= self.done}

    def flows(self) -> tuple[Flow, ...]:
        """Return what was found as flows, one for each asset of a transaction."""
        return tuple(flow for txid, found in self.sums.items() for flow in self._flows(txid, found))

    def _flows(self, txid: str, found: _Sum) -> Iterator[Flow]:
        # The coins come first, so that the fee goes with them where they leave.
        order = sorted(found.raw, key=lambda id_: (id_ in listed_on("tron"), id_))
        changes = [self._change(id_, found.raw[id_]) for id_ in order]
        fee = units(found.fee, self.chain.decimals)
        yield from flows_of(txid, found.at, changes, fee, self.chain.asset)

    def _change(self, id_: str, raw: int) -> Change:
        token = listed_on("tron").get(id_)
        if token is None:
            asset = self.chain.asset
            return Change(id_, asset, asset, signed_units(raw, self.chain.decimals))
        asset = token.asset or f"{self.chain.id}:{id_}"
        return Change(id_, asset, token.symbol, signed_units(raw, token.decimals))

    async def _walk(
        self,
        path: str,
        add: Callable[[Sequence[Entry[_Row]]], None],
        trail: Trail,
        since: Millis,
        top: Millis,
    ) -> bool:
        async def page(cursor: str | None) -> Page[_Row]:
            return await self._page(path, top if cursor is None else int(cursor))

        async def take(entries: Sequence[Entry[_Row]]) -> None:
            add(entries)

        return await Walk(page, take, self.is_late, OVERLAP).down(trail, since, top)

    async def _page(self, path: str, latest: int) -> Page[_Row]:
        params: dict[str, str | int] = {
            "limit": ROWS,
            "order_by": "block_timestamp,desc",
            "max_timestamp": latest,
        }
        page = await self.node.grid(path, params)
        if page is None:
            raise _NoIndexError
        entries = [_entry(row) for row in page.data]
        if page.meta.fingerprint is None and len(entries) < ROWS:
            return Page(entries, None)
        whole = [entry for entry in entries if entry.height > entries[-1].height]
        if not whole:
            raise odd_answer("a block with so much for one address")
        return Page(whole, str(entries[-1].height))

    def _coins(self, entries: Sequence[Entry[_Row]]) -> None:
        own = frozenset({self.address, in_hex(self.address)})
        rows = [(entry, coins_moved(entry.what, own)) for entry in entries]
        for entry, moved in rows:
            if not moved.is_told:
                self.memory.untold = max(self.memory.untold or 0, entry.at)
        self._keep((entry.at, "native", moved) for entry, moved in rows)

    def _tokens(self, entries: Sequence[Entry[_Row]]) -> None:
        own = frozenset({self.address, in_hex(self.address)})
        listed = listed_on("tron")
        rows = [(entry.at, token_moved(entry.what, own, listed)) for entry in entries]
        self._keep((at, *told) for at, told in rows if told is not None)

    def _keep(self, rows: Iterable[tuple[Millis, str, Moved]]) -> None:
        """Keep what a page moved, in place of what was kept of the same before."""
        raw: dict[tuple[str, str], int] = {}
        fees: dict[str, int] = {}
        for at, asset, moved in rows:
            self.sums.setdefault(moved.txid, _Sum(Millis(min(at, self.read_at))))
            raw[moved.txid, asset] = raw.get((moved.txid, asset), 0) + moved.amount
            fees[moved.txid] = fees.get(moved.txid, 0) + moved.fee
        for (txid, asset), amount in raw.items():
            self.sums[txid].raw[asset] = amount
        for txid, fee in fees.items():
            self.sums[txid].fee = max(self.sums[txid].fee, fee)


def _entry(row: _Row) -> Entry[_Row]:
    time = row.get("block_timestamp")
    if not isinstance(time, int) or isinstance(time, bool) or time < 0:
        raise odd_answer("a transaction")
    return Entry(time, Millis(time), row)
