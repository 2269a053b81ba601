"""The deposits and withdrawals of an address of TON.

One act of a user is a chain of transactions, of which several may be the address's own: coins that
go along with a token come back in part. What belongs to one act is summed. Acts are told apart by
their ids; pages end where a minute without any transaction begins, so that none is cut in two.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.answers import odd_answer, signed_units, units
from coffers.connectors.chain.changes import Change, flows_of
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.ton.center import ROWS, Center, Transaction, Transfer, trace_of
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

QUIET = 60
"""Seconds without a transaction of the address, after which an act has ended."""

_NATIVE = "native"


class Memory(msgspec.Struct):
    """What one reading leaves for the next: how far both histories were looked through."""

    coins: Trail = msgspec.field(default_factory=Trail)
    tokens: Trail = msgspec.field(default_factory=Trail)


@dataclass(frozen=True, slots=True)
class _Moved:
    """What a row moved of one asset: raw, negative out of the address; the fee is not in it."""

    trace: str
    asset: str
    amount: int
    fee: int = 0


@dataclass(slots=True)
class _Act:
    at: Millis
    raw: dict[str, int] = field(default_factory=dict)
    fee: int = 0


_Rows = Callable[[int], Awaitable[list[Entry[_Moved]]]]


@dataclass(slots=True)
class FlowSearch:
    """Looks through the transactions and the token transfers of a raw address."""

    chain: Chain
    center: Center
    raw: str
    memory: Memory
    is_late: Callable[[], bool]
    read_at: Millis
    acts: dict[str, _Act] = field(default_factory=dict)

    async def since(self, since: Millis, head: Millis) -> bool:
        """Find the flows since a moment, up to the last block; return whether these are all."""
        histories = ((self._coins, self.memory.coins), (self._tokens, self.memory.tokens))
        try:
            return all(
                [await self._walk(rows, trail, since, head // SECOND) for rows, trail in histories]
            )
        except ConnectorFailure:
            return False

    def flows(self) -> tuple[Flow, ...]:
        """Return what was found as flows, one for each asset of an act."""
        return tuple(flow for trace, act in self.acts.items() for flow in self._flows(trace, act))

    def _flows(self, trace: str, act: _Act) -> list[Flow]:
        # The coins come first, so that the fee goes with them where they leave.
        order = sorted(act.raw, key=lambda asset: (asset != _NATIVE, asset))
        changes = [self._change(asset, act.raw[asset]) for asset in order]
        fee = units(act.fee, self.chain.decimals)
        return flows_of(trace, act.at, changes, fee, self.chain.asset)

    def _change(self, id_: str, raw: int) -> Change:
        token = listed_on("ton").get(id_)
        if token is None:
            asset = self.chain.asset
            return Change(id_, asset, asset, signed_units(raw, self.chain.decimals))
        asset = token.asset or f"{self.chain.id}:{id_}"
        return Change(id_, asset, token.symbol, signed_units(raw, token.decimals))

    async def _walk(self, rows: _Rows, trail: Trail, since: Millis, head: int) -> bool:
        newest = await rows(head)
        top = _quiet_before(head, newest)

        async def page(cursor: str | None) -> Page[_Moved]:
            if cursor is None:
                return _whole(await rows(trail.top or top))
            return _whole(await rows(int(cursor)))

        async def take(entries: Sequence[Entry[_Moved]]) -> None:
            self._keep(entries)

        return await Walk(page, take, self.is_late).down(trail, since, top)

    async def _coins(self, latest: int) -> list[Entry[_Moved]]:
        rows = await self.center.transactions(self.raw, latest)
        return _ordered(Entry(row.now, Millis(row.now * SECOND), _coins_in(row)) for row in rows)

    async def _tokens(self, latest: int) -> list[Entry[_Moved]]:
        rows = await self.center.transfers(self.raw, latest)
        return _ordered(
            Entry(
                row.transaction_now,
                Millis(row.transaction_now * SECOND),
                _tokens_in(row, self.raw),
            )
            for row in rows
        )

    def _keep(self, entries: Sequence[Entry[_Moved]]) -> None:
        """Keep what a page moved, in place of what was kept of the same acts before."""
        raw: dict[tuple[str, str], int] = {}
        fees: dict[str, int] = {}
        listed = listed_on("ton")
        for entry in reversed(entries):
            moved = entry.what
            if moved.asset != _NATIVE and moved.asset not in listed:
                continue
            self.acts.setdefault(moved.trace, _Act(Millis(min(entry.at, self.read_at))))
            key = moved.trace, moved.asset
            raw[key] = raw.get(key, 0) + moved.amount
            fees[moved.trace] = fees.get(moved.trace, 0) + moved.fee
        for (trace, asset), amount in raw.items():
            self.acts[trace].raw[asset] = amount
            if asset == _NATIVE:
                self.acts[trace].fee = fees[trace]


def _coins_in(row: Transaction) -> _Moved:
    """Return the coins that a transaction moved, and what it took for itself and its messages."""
    came = 0 if row.in_msg is None else int(row.in_msg.value or 0)
    went = sum(int(each.value or 0) for each in row.out_msgs)
    fee = int(row.total_fees)
    fee += sum(int(each.fwd_fee or 0) + int(each.ihr_fee or 0) for each in row.out_msgs)
    return _Moved(trace_of(row.trace_id), _NATIVE, came - went, fee)


def _tokens_in(row: Transfer, raw: str) -> _Moved:
    came = (row.destination or "").lower() == raw
    went = (row.source or "").lower() == raw
    amount = 0 if row.transaction_aborted else (came - went) * int(row.amount)
    return _Moved(trace_of(row.trace_id), row.jetton_master.lower(), amount)


def _ordered(rows: Iterable[Entry[_Moved]]) -> list[Entry[_Moved]]:
    entries = list(rows)
    if any(old.height < new.height for old, new in itertools.pairwise(entries)):
        raise odd_answer("a history")
    return entries


def _quiet_before(head: int, newest: Sequence[Entry[_Moved]]) -> int:
    """Return the newest second up to which every act has ended."""
    moments = [head, *(entry.height for entry in newest)]
    for later, earlier in itertools.pairwise(moments):
        if later - earlier >= QUIET:
            return later - QUIET
    if len(newest) < ROWS:
        return moments[-1] - QUIET
    raise odd_answer("an address that never rests")


def _whole(entries: list[Entry[_Moved]]) -> Page[_Moved]:
    """Return a page without the acts at its end that may go on in the next one."""
    if len(entries) < ROWS:
        return Page(entries, None)
    for end in range(len(entries) - 1, 0, -1):
        if entries[end - 1].height - entries[end].height >= QUIET:
            return Page(entries[:end], str(entries[end].height))
    raise odd_answer("an address that never rests")
