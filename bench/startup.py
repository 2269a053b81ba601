"""How long the processes take to start, what memory they hold, and that the API has no ccxt."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psutil
from bench.processes import MEGABYTE, ROOT, Server, coffers, end, median_of, start
from bench.results import Row, Target
from bench.seed import settings_in
from bench.servers import STATIC, api, static

from coffers.store.engine import Store

STARTS = 3
READY = Target(1.5, of_value=True)
MEMORY = Target(90.0, of_value=True)
NO_CCXT = Target(0.0, of_value=True)
WORKER_READY_WITHIN = 60.0

_BARE_CCXT = (
    "import ccxt.async_support, psutil;"
    "exchange = ccxt.async_support.binance();"
    f"print(psutil.Process().memory_info().rss / {MEGABYTE})"
)
_IMPORTED = (
    "import sys, coffers.cli.main, coffers.api.app, coffers.api.server;"
    "print(sum(name.partition('.')[0] == 'ccxt' for name in sys.modules))"
)


def measure_startup(data_dir: Path, body: Path) -> list[Row]:
    """Return the rows of the API's start."""
    own: list[float] = []
    base: list[float] = []
    for _ in range(STARTS):
        with api(data_dir) as server:
            own.append(server.ready_after)
        with static(body) as server:
            base.append(server.ready_after)
    ready, baseline = median_of(own), median_of(base)
    return [
        Row("API, start until ready", ready, "s", STATIC, baseline, ready / baseline, READY),
        Row("modules of ccxt in the API", _printed(_IMPORTED), "", target=NO_CCXT),
    ]


def memory_of(server: Server, static_server: Server) -> Row:
    """Return the row of the API's memory, as it is now."""
    held, base = server.rss_mb(), static_server.rss_mb()
    return Row("API, memory after the lists", held, "MB", STATIC, base, held / base, MEMORY)


def measure_worker(data_dir: Path, sandbox_url: str) -> Row:
    """Return the row of a worker's memory, once it has written its first price book."""
    env = {
        "COFFERS_DATA_DIR": str(data_dir),
        "COFFERS_EXCHANGE_GATEWAY": sandbox_url,
        "COFFERS_LOG_LEVEL": "error",
    }
    child = start(coffers("worker"), env)
    try:
        _await_next_book(data_dir)
        held = psutil.Process(child.pid).memory_info().rss / MEGABYTE
    finally:
        end(child)
    bare = _printed(_BARE_CCXT)
    return Row("worker, memory", held, "MB", "a process that imports ccxt", bare, held / bare)


def _await_next_book(data_dir: Path) -> None:
    first, deadline = asyncio.run(_epoch(data_dir)), time.monotonic() + WORKER_READY_WITHIN
    while asyncio.run(_epoch(data_dir)) == first:
        if time.monotonic() > deadline:
            raise RuntimeError("the worker wrote no price book")
        time.sleep(0.1)


async def _epoch(data_dir: Path) -> int:
    store = Store(settings_in(data_dir).database())
    try:
        async with store.reading() as tx:
            return await tx.prices.newest_epoch()
    finally:
        await store.close()


def _printed(code: str) -> float:
    """Return the number that a fresh Python prints when it runs this code."""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return float(found.stdout)
