"""Reads wallets of Cardano: the one door to this folder."""

import asyncio

from coffers.connectors.chain.answers import PATIENCE
from coffers.connectors.chain.cardano.address import checked
from coffers.connectors.chain.cardano.flows import FlowSearch, Memory
from coffers.connectors.chain.cardano.holdings import holdings_of, parts_of
from coffers.connectors.chain.cardano.koios import Koios
from coffers.connectors.chain.holdings import unsettled
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.reading import Reading, ReadRequest
from coffers.valuation.model import Flow


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of Cardano's wallets."""
    return CardanoReader(surroundings)


class CardanoReader:
    """Reads coins, tokens and rewards of a stake account, or of one address without a stake."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._chain = surroundings.chain
        self._clock = surroundings.clock
        self._koios = Koios(surroundings.nodes("urls"), surroundings.clock)

    def checked(self, text: str) -> str:
        """Return the stake address of an address that names one, else the address."""
        return checked(text.strip())

    async def resolved(self, text: str) -> str:
        """Return `checked`: names are not looked up."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about a stake account or an address.

        Raises:
            ConnectorFailure: when no service gave a usable answer about it.
        """
        at, memory = self._clock.now(), opened(request.memory, Memory)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        tip = await self._koios.tip()
        holdings = await holdings_of(address, self._koios, self._chain)
        if holdings is None:
            return unsettled(at, parts_of(address))
        flows: tuple[Flow, ...] = ()
        is_whole = True
        if request.flows_since is not None:
            search = FlowSearch(
                self._chain, self._koios, address, memory, lambda: loop.time() >= end, at
            )
            is_whole = await search.since(request.flows_since, tip.height)
            flows = tuple(flow for found in search.flows.values() for flow in found)
        return Reading(
            at,
            frozenset(holdings.parts),
            tuple(holdings.positions),
            flows=flows,
            flows_known=is_whole,
            memory=closed(memory),
        )
