"""Reads wallets of TON: the one door to this folder."""

import asyncio

from coffers.connectors.chain.answers import PATIENCE
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.chain.ton.address import checked, in_raw
from coffers.connectors.chain.ton.center import Center
from coffers.connectors.chain.ton.flows import FlowSearch, Memory
from coffers.connectors.chain.ton.holdings import holdings_of
from coffers.connectors.reading import Reading, ReadRequest
from coffers.valuation.model import Flow


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of TON's wallets."""
    return TonReader(surroundings)


class TonReader:
    """Reads coins and tokens of an address."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._chain = surroundings.chain
        self._clock = surroundings.clock
        self._center = Center(
            surroundings.nodes("urls"),
            surroundings.clock,
            is_public=surroundings.chain.endpoints.are_public,
        )

    def checked(self, text: str) -> str:
        """Return the address as wallets show it; raises AddressRefused for anything else."""
        return checked(text.strip())

    async def resolved(self, text: str) -> str:
        """Return `checked`: names are not looked up."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about an address.

        Raises:
            ConnectorFailure: when no service gave a usable answer about the account itself.
        """
        at, memory = self._clock.now(), opened(request.memory, Memory)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        raw = in_raw(address)
        head = await self._center.head()
        holdings = await holdings_of(raw, self._center, self._chain)
        flows: tuple[Flow, ...] = ()
        is_whole = True
        if request.flows_since is not None:
            search = FlowSearch(
                self._chain, self._center, raw, memory, lambda: loop.time() >= end, at
            )
            is_whole = await search.since(request.flows_since, head)
            flows = search.flows()
        return Reading(
            at,
            frozenset(holdings.parts),
            tuple(holdings.positions),
            holdings.missing,
            flows=flows,
            flows_known=is_whole,
            memory=closed(memory),
        )
