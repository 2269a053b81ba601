"""The rooms of the house, opened for one command and closed after it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from coffers.clock import DAY, Clock, Millis, SystemClock
from coffers.errors import CoffersError, SettingsError
from coffers.logs import configure_logs, is_json, logger
from coffers.markets.catalogue import Catalogue
from coffers.markets.chains import load_chains
from coffers.settings import Settings, load_settings

if TYPE_CHECKING:
    from coffers.connectors.chain.connector import ChainConnector
    from coffers.connectors.listings import Listings
    from coffers.connectors.reading import Connector
    from coffers.connectors.trades import TradesConnector
    from coffers.connectors.trading import Trading
    from coffers.store.engine import Store
    from coffers.sync.past import PastWalker
    from coffers.sync.prices import PriceRounds
    from coffers.sync.syncer import Syncer
    from coffers.sync.trades import TradeWalker
    from coffers.valkey.server import SharedServer
    from coffers.vault.vault import Vault

_FOR_GOOD = Millis(365 * DAY)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class VenueRooms:
    """What talks to exchanges and chains: the connectors, the prices, the readings, the walks back.

    `connector` reads accounts of every kind; `chains` also checks addresses; `listings` asks what
    exchanges tell beside accounts.
    """

    connector: "Connector"
    chains: "ChainConnector"
    prices: "PriceRounds"
    syncer: "Syncer"
    walker: "PastWalker"
    trading: "Trading"
    listings: "Listings"
    trades: "TradeWalker"
    exchanges: "TradesConnector"


def service_settings(**overrides: object) -> Settings:
    """Return the settings with the command's options on top, logs set up by them."""
    settings = load_settings(**overrides)
    configure_logs(settings.log_level, settings.log_format)
    return settings


def settings_for() -> Settings:
    """Return the settings for a command that tells its outcome itself: it logs errors only."""
    settings = load_settings()
    level = "debug" if settings.log_level == "debug" else "error"
    configure_logs(level, settings.log_format)
    return settings


def tell(settings: Settings, service: str, sentence: str, **facts: str) -> None:
    """Tell who started a service something, at any level of the logs; in JSON where those are."""
    if not is_json(settings.log_format):
        typer.echo(sentence, err=True)
        return
    logging.getLogger(service).setLevel(logging.INFO)
    logger(service).info(sentence, **facts)


def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's work to its end."""
    return asyncio.run(work)


def make_data_dir(settings: Settings) -> None:
    """Make the data directory, readable by its owner only, where it does not exist.

    Raises:
        SettingsError: when it cannot be made.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the data directory {settings.data_dir} cannot be made: {error.strerror}"
        ) from error


@asynccontextmanager
async def opened_store(settings: Settings) -> "AsyncIterator[Store]":
    """Open the database, brought to this release's tables where that may be done unasked.

    Raises:
        CoffersError: when it cannot be opened, is newer than the program, or needs a migration.
    """
    from coffers.store.engine import Store
    from coffers.store.revision import is_current

    make_data_dir(settings)
    store = Store(settings.database(), is_pooled=settings.is_pooled)
    try:
        if not await is_current(store):
            from coffers.store.migrate import prepare

            await prepare(store, allow_upgrade=False)
        yield store
    finally:
        await store.close()


async def opened_vault(settings: Settings, store: "Store") -> "Vault":
    """Open the vault, its key checked against the database."""
    from coffers.portfolio.vaulting import open_vault

    return await open_vault(settings, store, SystemClock())


def load_exchange_library() -> None:
    """Load the exchange library, which takes seconds, ahead of `opened_venues`.

    Raises:
        CoffersError: when this installation has none.
    """
    try:
        import_module("coffers.connectors.exchange.connector")
    except ModuleNotFoundError as error:
        raise CoffersError(
            "this installation has no exchange library; install coffers[worker]"
        ) from error


@asynccontextmanager
async def opened_venues(
    settings: Settings,
    store: "Store",
    vault: "Vault",
    clock: Clock,
    catalogue: Catalogue,
    *,
    is_paced: bool = True,
) -> AsyncIterator[VenueRooms]:
    """Open what talks to exchanges; without a pace only where they are simulated.

    Those list the same for good, however quickly their days pass.

    Raises:
        CoffersError: when the exchange library, or what talks to the shared server, is missing.
    """
    load_exchange_library()
    from coffers.valkey.server import opened_server

    async with (
        opened_server(settings) as server,
        _opened_venues(
            settings, store, vault, clock, catalogue, server, is_paced=is_paced
        ) as rooms,
    ):
        yield rooms


@asynccontextmanager
async def _opened_venues(
    settings: Settings,
    store: "Store",
    vault: "Vault",
    clock: Clock,
    catalogue: Catalogue,
    server: "SharedServer | None",
    *,
    is_paced: bool,
) -> AsyncIterator[VenueRooms]:
    from coffers.connectors.chain.connector import ChainConnector
    from coffers.connectors.dispatch import Connectors
    from coffers.connectors.exchange.connector import ExchangeConnector
    from coffers.connectors.exchange.listings import ExchangeListings
    from coffers.connectors.exchange.shared import MARKETS_AGE
    from coffers.connectors.exchange.trading import ExchangeTrading
    from coffers.connectors.exchange.venues import Venues
    from coffers.pricing.keeper import PriceKeeper
    from coffers.pricing.past import CandlePrices
    from coffers.pricing.sources.opened import opened_fallbacks
    from coffers.sync.flows import FlowValuer
    from coffers.sync.past import PastWalker
    from coffers.sync.policy import Pace
    from coffers.sync.prices import PriceRounds
    from coffers.sync.syncer import Syncer
    from coffers.sync.trades import TradeWalker

    gateway, timeout = settings.exchange_gateway, settings.venue_timeout
    age = MARKETS_AGE if is_paced else _FOR_GOOD
    venues = Venues(gateway, timeout, clock, server, is_paced=is_paced, markets_age=age)
    exchanges = ExchangeConnector(venues, clock)
    chains = ChainConnector(load_chains(settings), gateway, timeout, clock)
    connector = Connectors(exchanges, chains)
    valuer = FlowValuer(store, CandlePrices(venues), settings.price_venues)
    pace = Pace(Millis(round(settings.sync_interval * 1000)))
    syncer = Syncer(store, vault, catalogue, connector, valuer, clock, pace)
    pause = Millis(round(settings.history_pause * 1000))
    walker = PastWalker(store, vault, catalogue, exchanges, valuer, clock, pause)
    trades = TradeWalker(store, vault, catalogue, exchanges, valuer, clock, pause)
    try:
        async with opened_fallbacks(settings.price_fallbacks, gateway, clock) as fallbacks:
            floor, spike = Decimal(str(settings.price_floor)), Decimal(str(settings.price_spike))
            keeper = PriceKeeper(store, venues, clock, floor, fallbacks, spike)
            prices = PriceRounds(store, catalogue, keeper, settings.price_venues)
            trading, listings = ExchangeTrading(venues), ExchangeListings(venues)
            yield VenueRooms(
                connector=connector,
                chains=chains,
                prices=prices,
                syncer=syncer,
                walker=walker,
                trading=trading,
                listings=listings,
                trades=trades,
                exchanges=exchanges,
            )
    finally:
        await connector.close()
        await venues.close()
