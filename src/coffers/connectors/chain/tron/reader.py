"""Reads wallets of Tron: the one door to this folder."""

import asyncio
from collections.abc import Collection

from coffers.connectors.chain.answers import PATIENCE
from coffers.connectors.chain.changes import dated
from coffers.connectors.chain.holdings import unsettled
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.chain.spam import APART
from coffers.connectors.chain.tron.address import checked
from coffers.connectors.chain.tron.flows import FlowSearch
from coffers.connectors.chain.tron.holdings import HoldingsReader
from coffers.connectors.chain.tron.memory import Memory
from coffers.connectors.chain.tron.node import Node
from coffers.connectors.reading import Reading, ReadRequest
from coffers.valuation.model import Flow

_PARTS = ("native", "staked", "tokens", *APART)


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of Tron's wallets."""
    return TronReader(surroundings)


class TronReader:
    """Reads coins, stakes and tokens of an address."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._chain = surroundings.chain
        self._clock = surroundings.clock
        self._node = Node(surroundings.nodes("urls"), surroundings.clock)

    def checked(self, text: str) -> str:
        """Return an address as it is written; raises AddressRefused for anything else."""
        return checked(text.strip())

    async def resolved(self, text: str) -> str:
        """Return `checked`: names are not looked up."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about an address.

        Raises:
            ConnectorFailure: when no node gave a usable answer about the account itself.
        """
        at, memory = self._clock.now(), opened(request.memory, Memory)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        solid_at = await self._node.solid_at()
        holdings = await HoldingsReader(self._chain, self._node, memory).read(address)
        if holdings is None:
            return unsettled(at, _PARTS)
        flows: tuple[Flow, ...] = ()
        shown: Collection[str] = ()
        is_whole = True
        if request.flows_since is not None:
            search = FlowSearch(
                self._chain, self._node, address, memory, lambda: loop.time() >= end, at
            )
            is_whole = await search.since(request.flows_since, solid_at)
            flows, shown = request.new_of(search.flows()), search.shown
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
