"""Reads wallets of the XRP Ledger: the one door to this folder."""

import asyncio

from coffers.connectors.chain.answers import PATIENCE
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.chain.walk import Trail
from coffers.connectors.chain.xrp.address import checked
from coffers.connectors.chain.xrp.flows import FlowSearch
from coffers.connectors.chain.xrp.holdings import holdings_of
from coffers.connectors.chain.xrp.ledger import Server
from coffers.connectors.reading import Reading, ReadRequest
from coffers.valuation.model import Flow


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of the XRP Ledger's wallets."""
    return XrpReader(surroundings)


class XrpReader:
    """Reads coins, tokens and escrows of an account, all from one validated ledger."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._chain = surroundings.chain
        self._clock = surroundings.clock
        self._server = Server(surroundings.nodes("urls"), surroundings.clock)

    def checked(self, text: str) -> str:
        """Return the classic form of an address; raises AddressRefused for anything else."""
        return checked(text.strip())

    async def resolved(self, text: str) -> str:
        """Return `checked`: the ledger has no names."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the last validated ledger says about an account.

        Raises:
            ConnectorFailure: when no server gave a usable answer about the account itself.
        """
        at, trail = self._clock.now(), opened(request.memory, Trail)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        ledger = await self._server.last()
        holdings = await holdings_of(address, ledger, self._server, self._chain)
        flows: tuple[Flow, ...] = ()
        is_whole = True
        if request.flows_since is not None:
            search = FlowSearch(
                self._chain,
                self._server,
                address,
                ledger,
                trail,
                lambda: loop.time() >= end,
                at,
            )
            is_whole = await search.since(request.flows_since)
            flows = tuple(flow for found in search.flows.values() for flow in found)
        return Reading(
            at,
            frozenset(holdings.parts),
            tuple(holdings.positions),
            holdings.missing,
            flows=flows,
            flows_known=is_whole,
            memory=closed(trail),
        )
