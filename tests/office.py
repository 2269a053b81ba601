"""A worker beside the API or the pages, with a venue that answers as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from coffers.api.services import Services
from coffers.clock import MINUTE, Millis
from coffers.connectors.chain.connector import ChainConnector
from coffers.markets.chains import joined, shipped_chains
from coffers.portfolio.connecting import Connecting
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.reconnecting import Reconnecting
from coffers.portfolio.venue_work import VenueWork
from coffers.portfolio.wallets import ConnectingWallets
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.prices import PriceRounds
from coffers.sync.syncer import Syncer
from fakes import FakeConnector, FakePast


class NoPrices:
    """Prices are in the database already."""

    async def refresh(self) -> None:
        return None


@asynccontextmanager
async def working(services: Services, venue: FakeConnector) -> AsyncIterator[None]:
    store, vault, clock = services.store, services.vault, services.clock
    catalogue = joined(services.catalogue, shipped_chains())
    chains = ChainConnector(shipped_chains(), None, 1.0, clock)
    connecting = Connecting(store, vault, catalogue, venue, clock, "refuse_withdraw")
    work = VenueWork(
        store,
        connecting,
        ConnectingWallets(store, vault, catalogue, chains, clock),
        Reconnecting(store, vault, catalogue, connecting, clock),
        cast("PriceRounds", NoPrices()),
        Syncer(
            store,
            vault,
            catalogue,
            venue,
            FlowValuer(store, FakePast()),
            clock,
            Pace(Millis(5 * MINUTE), lambda: 0.5),
        ),
        clock,
    )
    desk = ErrandDesk(store, vault, clock, work.handlers())
    running = asyncio.create_task(desk.run())
    try:
        yield
    finally:
        desk.stop()
        await running
        await chains.close()
