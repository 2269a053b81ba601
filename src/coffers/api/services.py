"""What the API stands on, opened for a process and closed at its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from coffers.access.gate import Gate
from coffers.access.shared import tally_of
from coffers.clock import Clock, SystemClock
from coffers.markets.catalogue import Catalogue
from coffers.markets.chains import catalogue_of
from coffers.portfolio.bookshelf import BookShelf
from coffers.portfolio.listing import Listing
from coffers.portfolio.pulse import StorePulse
from coffers.portfolio.vaulting import open_vault
from coffers.serving.streams import Streams
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.fast import FastLook
from coffers.store.notices import FOR_API
from coffers.valkey.server import opened_server
from coffers.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes need."""

    settings: Settings
    store: Store
    vault: Vault
    gate: Gate
    listing: Listing
    shelf: BookShelf
    streams: Streams
    catalogue: Catalogue
    clock: Clock


@asynccontextmanager
async def open_services(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Services]:
    """Open what the API stands on; the database must have this release's tables.

    Raises:
        WrongMasterKey: when the database holds secrets that the master key does not open.
        SettingsError: when there is no usable master key, or when a server to share limits by is
            named that this installation cannot talk to.
        StoreUnavailable: when the database cannot be reached.
    """
    clock = clock or SystemClock()
    url, is_pooled = settings.database(), settings.is_pooled
    store, look = Store(url, is_pooled=is_pooled), FastLook(url, is_pooled=is_pooled)
    try:
        vault = await open_vault(settings, store, clock)
        await store.listen(settings.direct_database(), FOR_API)
        async with opened_server(settings) as server:
            gate = Gate(look, vault, clock, tally_of(settings, clock, server))
            async with gate.uses.kept(store):
                yield Services(
                    settings=settings,
                    store=store,
                    vault=vault,
                    gate=gate,
                    listing=Listing(store, clock),
                    shelf=BookShelf(store),
                    streams=Streams(store, StorePulse(store), clock, settings.stream_limit),
                    catalogue=catalogue_of(settings),
                    clock=clock,
                )
    finally:
        await look.close()
        await store.close()
