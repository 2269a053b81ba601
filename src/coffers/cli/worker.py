"""`coffers worker`: the process that reads accounts and prices."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from coffers.cli.children import when_parent_ends
from coffers.cli.delivering import opened_deliveries
from coffers.cli.rooms import opened_store, opened_vault, opened_venues, run_async, service_settings
from coffers.clock import Millis, SettledClock, SystemClock
from coffers.errors import CoffersError
from coffers.logs import logger
from coffers.settings import Settings

if TYPE_CHECKING:
    from coffers.cli.rooms import VenueRooms
    from coffers.markets.catalogue import Catalogue
    from coffers.portfolio.balance_plans import Planner
    from coffers.portfolio.operations import Operations
    from coffers.portfolio.venue_work import VenueWork
    from coffers.store.engine import Store
    from coffers.vault.vault import Vault

_log = logger("coffers.worker")


def worker(
    until_stdin_closes: Annotated[
        bool,
        typer.Option(hidden=True, help="End when standard input ends: with the parent process."),
    ] = False,
) -> None:
    """Read accounts and prices until stopped; `coffers serve` starts one by itself."""
    run_async(_work(service_settings(), until_stdin_closes=until_stdin_closes))


async def _work(settings: Settings, *, until_stdin_closes: bool) -> None:
    from coffers.markets.chains import catalogue_of
    from coffers.store.notices import FOR_WORKER

    clock, catalogue = SystemClock(), catalogue_of(settings)
    catalogue.check_price_venues(settings.price_venues)
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        await store.listen(settings.direct_database(), FOR_WORKER)
        async with (
            opened_venues(settings, store, vault, clock, catalogue) as rooms,
            opened_deliveries(settings, store, vault, clock) as deliveries,
        ):
            parts = [*_parts(settings, rooms, store, vault, catalogue), deliveries]
            stop = partial(_stop, parts)
            _stop_on_signals(stop)
            if until_stdin_closes:
                loop = asyncio.get_running_loop()
                when_parent_ends(lambda: loop.call_soon_threadsafe(stop))
            _serve_metrics(settings)
            _log.info("worker started", sync_interval=settings.sync_interval)
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(part.run())
    _log.info("worker stopped")


class _Part(Protocol):
    """Something that a worker does until it is stopped."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


def _stop(parts: Sequence[_Part]) -> None:
    for part in parts:
        part.stop()


def _parts(
    settings: Settings,
    rooms: "VenueRooms",
    store: "Store",
    vault: "Vault",
    catalogue: "Catalogue",
) -> list[_Part]:
    from coffers.portfolio.balance_work import BalanceWork
    from coffers.portfolio.balance_worker import BalanceWorker
    from coffers.portfolio.balancer import Balancer
    from coffers.portfolio.errand_desk import ErrandDesk
    from coffers.portfolio.operation_work import OperationWatch, OperationWork
    from coffers.portfolio.trading_work import TradingWork
    from coffers.portfolio.venue_account_work import VenueAccountWork
    from coffers.sync.clock_watch import ClockWatch
    from coffers.sync.queue import queue_of
    from coffers.sync.rollups import RollUpWorker
    from coffers.sync.venue_markets import VenueMarketWorker
    from coffers.sync.walk_worker import WalkWorker
    from coffers.sync.worker import Rhythm, Worker, venue_of

    clock = SystemClock()
    rhythm = Rhythm(settings.price_interval, settings.sync_concurrency)
    queue = queue_of(store, {venue_of(each) for each in catalogue}, settings.venue_concurrency)
    operations = _operations_for(settings, rooms, store, vault, catalogue)
    planner = _planner_for(rooms, store, operations)
    balancer = Balancer(store, planner, operations, clock)
    handlers = {
        **_work_for(settings, rooms, store, vault, catalogue).handlers(),
        **OperationWork(operations).handlers(),
        **VenueAccountWork(store, vault, catalogue, rooms.listings, clock).handlers(),
        **TradingWork(store, vault, catalogue, rooms.exchanges, clock).handlers(),
        **BalanceWork(planner, balancer, clock).handlers(),
    }
    return [
        Worker(store, catalogue, rooms.prices, rooms.syncer, queue, clock, rhythm),
        WalkWorker(store, rooms.walker, clock),
        WalkWorker(store, rooms.trades, clock),
        ErrandDesk(store, vault, clock, handlers),
        OperationWatch(operations),
        VenueMarketWorker(store, catalogue, rooms.listings, clock),
        BalanceWorker(store, balancer, clock),
        RollUpWorker(store, SettledClock(clock)),
        ClockWatch(
            store,
            clock,
            Millis(round(settings.sync_interval * 1000)),
            Millis(round(settings.history_pause * 1000)),
        ),
    ]


def _work_for(
    settings: Settings,
    rooms: "VenueRooms",
    store: "Store",
    vault: "Vault",
    catalogue: "Catalogue",
) -> "VenueWork":
    from coffers.portfolio.connecting import Connecting
    from coffers.portfolio.reconnecting import Reconnecting
    from coffers.portfolio.venue_work import VenueWork
    from coffers.portfolio.wallets import ConnectingWallets

    clock, policy = SystemClock(), settings.key_policy
    connecting = Connecting(store, vault, catalogue, rooms.connector, clock, policy)
    wallets = ConnectingWallets(store, vault, catalogue, rooms.chains, clock)
    reconnecting = Reconnecting(store, vault, catalogue, connecting, clock)
    return VenueWork(store, connecting, wallets, reconnecting, rooms.prices, rooms.syncer, clock)


def _operations_for(
    settings: Settings,
    rooms: "VenueRooms",
    store: "Store",
    vault: "Vault",
    catalogue: "Catalogue",
) -> "Operations":
    from coffers.portfolio.ledger import Ledger
    from coffers.portfolio.operation_notes import Notes
    from coffers.portfolio.operations import Operations, Venues

    clock = SystemClock()
    ledger = Ledger(store, catalogue, clock, is_trading_on=settings.trading)
    notes = Notes(store, rooms.prices, clock, Decimal(str(settings.trading_slippage)))
    venues = Venues(rooms.trading, rooms.syncer)
    return Operations(store, vault, catalogue, venues, ledger, notes, clock)


def _planner_for(rooms: "VenueRooms", store: "Store", operations: "Operations") -> "Planner":
    from coffers.portfolio.balance_plans import Planner
    from coffers.portfolio.reading_now import ReadingNow

    clock = SystemClock()
    reading = ReadingNow(store, rooms.syncer, clock)
    return Planner(store, reading, rooms.prices, operations, clock)


def _stop_on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _serve_metrics(settings: Settings) -> None:
    if settings.worker_metrics_port is not None:
        from prometheus_client import start_http_server

        from coffers.metrics import REGISTRY

        try:
            start_http_server(settings.worker_metrics_port, settings.host, REGISTRY)
        except OSError as error:
            raise CoffersError(
                f"cannot serve metrics on {settings.host}:{settings.worker_metrics_port}: "
                f"{error.strerror}; choose another COFFERS_WORKER_METRICS_PORT"
            ) from error
