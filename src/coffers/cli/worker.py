"""`coffers worker`: the process that reads accounts and prices."""

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.children import when_parent_ends
from coffers.cli.rooms import opened_store, opened_vault, opened_venues, run_async, service_settings
from coffers.clock import SystemClock
from coffers.logs import logger
from coffers.settings import Settings

if TYPE_CHECKING:
    from coffers.sync.worker import Worker

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
    from coffers.markets.catalogue import load_catalogue
    from coffers.sync.queue import EmbeddedQueue
    from coffers.sync.worker import Rhythm, Worker

    clock, catalogue = SystemClock(), load_catalogue()
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        async with opened_venues(settings, store, vault, clock, catalogue) as rooms:
            rhythm = Rhythm(settings.price_interval, settings.sync_concurrency)
            running = Worker(
                store, catalogue, rooms.keeper, rooms.syncer, EmbeddedQueue(), clock, rhythm
            )
            _stop_on_signals(running)
            if until_stdin_closes:
                loop = asyncio.get_running_loop()
                when_parent_ends(lambda: loop.call_soon_threadsafe(running.stop))
            _serve_metrics(settings)
            _log.info("worker started", sync_interval=settings.sync_interval)
            await running.run()
    _log.info("worker stopped")


def _stop_on_signals(running: "Worker") -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.stop)


def _serve_metrics(settings: Settings) -> None:
    if settings.worker_metrics_port is not None:
        from prometheus_client import start_http_server

        from coffers.metrics import REGISTRY

        start_http_server(settings.worker_metrics_port, settings.host, REGISTRY)
