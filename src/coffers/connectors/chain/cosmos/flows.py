"""The deposits and withdrawals of an address of a Cosmos chain, where a node searches for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from coffers.clock import Millis
from coffers.connectors.chain.cosmos.events import flows_in
from coffers.connectors.chain.cosmos.lcd import ROWS, Block, Lcd, Transaction, moment
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk, cut_between_blocks
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

SAMPLE = 1000
"""Blocks by which it is measured how fast they come."""

GUESSES = 5
"""How often a block of long ago is looked for."""

OVERLAP = 1000
"""Blocks below the finished ones that are looked at again, a quarter of an hour's where one comes
every second: nodes find a transaction some time after its block, and another node may be behind."""

_SIDES = ("coin_received.receiver", "coin_spent.spender")


class Memory(msgspec.Struct):
    """What one reading leaves for the next: two histories, and where unlisted tokens came from."""

    received: Trail = msgspec.field(default_factory=Trail)
    spent: Trail = msgspec.field(default_factory=Trail)
    origins: dict[str, str] = {}


@dataclass(slots=True)
class FlowSearch:
    """Looks through the transactions in which an address received or spent, up to a block.

    `shown` are those that the balances of an earlier reading had already.
    """

    chain: Chain
    lcd: Lcd
    address: str
    block: Block
    memory: Memory
    is_late: Callable[[], bool]
    read_at: Millis
    flows: dict[str, list[Flow]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)

    async def since(self, since: Millis) -> bool:
        """Find the flows since a moment; return whether these are all."""
        trails = (self.memory.received, self.memory.spent)
        try:
            wholes = [
                await self._walk(side, trail, since)
                for side, trail in zip(_SIDES, trails, strict=True)
            ]
            return all(wholes)
        except ConnectorFailure:
            return False

    async def _walk(self, side: str, trail: Trail, since: Millis) -> bool:
        if not await self._reaches(trail, since):
            return False

        async def page(cursor: str | None) -> Page[Transaction]:
            return await self._page(side, self.block.height if cursor is None else int(cursor))

        done = trail.high

        async def take(entries: Sequence[Entry[Transaction]]) -> None:
            self._take(entries)
            self.shown.update(each.txhash.upper() for each in Walk.shown(entries, done))

        walk = Walk(page, take, self.is_late, OVERLAP)
        return await walk.down(trail, since, self.block.height)

    async def _reaches(self, trail: Trail, since: Millis) -> bool:
        """Whether the node has all blocks since then: what it pruned, it does not find."""
        if trail.high is not None and trail.since is not None and trail.since <= since:
            return (await self.lcd.block(trail.high)).height == trail.high
        sample = await self.lcd.block(max(self.block.height - SAMPLE, 1))
        rate = max((self.block.at - sample.at) // max(self.block.height - sample.height, 1), 1)
        back = (self.block.at - since) // rate + SAMPLE
        for _ in range(GUESSES):
            height = max(self.block.height - back, 1)
            if (await self.lcd.block(height)).at <= since or height == 1:
                return True
            back *= 2
        return False

    async def _page(self, side: str, top: int) -> Page[Transaction]:
        query = f"{side}='{self.address}' AND tx.height<={top}"
        entries = [_entry(each) for each in await self.lcd.transactions(query)]
        return cut_between_blocks(entries, ROWS)

    def _take(self, entries: Sequence[Entry[Transaction]]) -> None:
        for entry in entries:
            at = Millis(min(entry.at, self.read_at))
            found = flows_in(entry.what, self.address, at, self.chain)
            self.flows[entry.what.txhash.upper()] = found


def _entry(transaction: Transaction) -> Entry[Transaction]:
    return Entry(int(transaction.height), moment(transaction.timestamp), transaction)
