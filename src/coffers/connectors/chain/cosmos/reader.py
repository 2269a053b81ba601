"""Reads wallets of Cosmos chains: the one door to this folder."""

import asyncio
from collections.abc import Collection

from coffers.connectors.chain.answers import PATIENCE
from coffers.connectors.chain.changes import dated
from coffers.connectors.chain.cosmos.address import checked
from coffers.connectors.chain.cosmos.flows import FlowSearch, Memory
from coffers.connectors.chain.cosmos.holdings import HoldingsReader
from coffers.connectors.chain.cosmos.lcd import BEHIND, Block, Lcd
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.reading import Reading, ReadRequest
from coffers.valuation.model import Flow


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of a Cosmos chain's wallets."""
    return CosmosReader(surroundings)


class CosmosReader:
    """Reads coins, tokens, stakes and rewards of an address, all at one height."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._chain = surroundings.chain
        self._clock = surroundings.clock
        self._lcd = Lcd(surroundings.nodes("urls"), surroundings.chain, surroundings.clock)

    def checked(self, text: str) -> str:
        """Return an address in lower case; raises AddressRefused for anything else."""
        return checked(text.strip(), self._chain)

    async def resolved(self, text: str) -> str:
        """Return `checked`: names are not looked up."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about an address.

        Raises:
            ConnectorFailure: when no node gave a usable answer about its balances.
        """
        at, memory = self._clock.now(), opened(request.memory, Memory)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        last = await self._lcd.latest()
        block = Block(last.height - BEHIND, last.at)
        holdings = await HoldingsReader(self._chain, self._lcd, block.height, memory.origins).read(
            address
        )
        flows: tuple[Flow, ...] = ()
        shown: Collection[str] = ()
        is_whole = True
        if request.flows_since is not None:
            search = FlowSearch(
                self._chain, self._lcd, address, block, memory, lambda: loop.time() >= end, at
            )
            is_whole = await search.since(request.flows_since)
            found = (flow for told in search.flows.values() for flow in told)
            flows, shown = request.new_of(found), search.shown
        return Reading(
            at,
            frozenset(holdings.parts),
            tuple(holdings.positions),
            holdings.missing,
            flows=flows,
            flows_known=is_whole,
            flows_asked_before=dated(flows, shown),
            memory=closed(memory),
        )
