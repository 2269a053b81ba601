"""What one worker does with very many accounts at one venue, against ccxt alone beside it.

Run as `python -m bench.many DATA_DIR SANDBOX_URL ACCOUNTS READINGS`, in a process of its own, since
it imports ccxt; prints the rows as JSON. Memory is held against what it was after each account was
read, once READINGS more have been made. The worker is the real one and reads every account; then it
and ccxt alone take turns, in the same process, at the same exchange and with as many readings at
once. Neither side throttles.
"""

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from bench.crowd import Member, seed_crowd
from bench.processes import MEGABYTE, median_of
from bench.reading import Call, bare, instance, recorded, unthrottle
from bench.results import Row, Target
from bench.seed import settings_in

from coffers.cli.rooms import VenueRooms, opened_store, opened_vault, opened_venues
from coffers.clock import SystemClock
from coffers.logs import configure_logs
from coffers.markets.catalogue import load_catalogue
from coffers.store.engine import Store
from coffers.sync.queue import EmbeddedQueue
from coffers.sync.syncer import Outcome, Result, Syncer
from coffers.sync.worker import Rhythm, Worker

TURNS = 15
READINGS_A_TURN = 200
AT_ONCE = 16
# An account is due again as soon as it was read, so that the worker always has work.
SYNC_INTERVAL = 0.001
MEMORY = Target(500.0, of_value=True)
RATE = Target(0.6, is_least=True)
FLAT = Target(1.05)
HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What so many readings took, in seconds."""

    readings: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Readings a second."""
        return self.readings / self.wall

    @property
    def cost(self) -> float:
        """Processor time of a reading, in milliseconds."""
        return 1000 * self.cpu / self.readings


@dataclass(slots=True)
class Meter:
    """Counts readings, and lets them begin only while it is open."""

    syncer: Syncer
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    done: int = 0
    wanted: int = 0
    failed: Counter[Outcome] = field(default_factory=Counter)
    is_over: bool = False

    async def sync(self, user_id: int, account_id: int, *, only_if_due: bool) -> Result:
        """Read an account once the meter is open."""
        await self.opened.wait()
        if self.is_over:
            return Result(Outcome.BUSY)
        self.running += 1
        result = Result(Outcome.FAILED)
        try:
            result = await self.syncer.sync(user_id, account_id, only_if_due=only_if_due)
        finally:
            self.running -= 1
            if result.outcome is not Outcome.NOT_DUE:
                if result.outcome is not Outcome.COMPLETE:
                    self.failed[result.outcome] += 1
                self.done += 1
            self._close_when_done()
        return result

    @property
    def _has_failed(self) -> bool:
        """Whether more readings came to nothing than a busy machine explains: 1 in 1,000."""
        return self.failed.total() > 1 + self.done / 1000

    def end(self) -> None:
        """Let go of what still waits, unread."""
        self.is_over = True
        self.opened.set()

    def _close_when_done(self) -> None:
        if self.done >= self.wanted or self._has_failed:
            self.opened.clear()
        if not self.opened.is_set() and not self.running:
            self.idle.set()

    async def let(self, count: int) -> Spent:
        """Let so many readings be made, or some more that had begun, and return what they took."""
        before, self.wanted = self.done, self.done + count
        wall, cpu = time.perf_counter(), time.process_time()
        self.idle.clear()
        self.opened.set()
        await self.idle.wait()
        if self._has_failed:
            raise RuntimeError(f"readings came to nothing: {dict(self.failed)}")
        spent = time.perf_counter() - wall, time.process_time() - cpu
        return Spent(self.done - before, *spent)


async def measure(data_dir: Path, sandbox_url: str, accounts: int, readings: int) -> list[Row]:
    """Return the rows of so many accounts, and of so many readings more than one of each."""
    settings = settings_in(data_dir, exchange_gateway=sandbox_url, sync_interval=SYNC_INTERVAL)
    catalogue = load_catalogue()
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        crowd = await seed_crowd(store, vault, sandbox_url, accounts)
        async with opened_venues(settings, store, vault, SystemClock(), catalogue) as rooms:
            unthrottle()
            async with _working(store, rooms) as meter, bare(sandbox_url) as shared:
                return await _rows(meter, Alone(shared, sandbox_url, crowd), readings)


@asynccontextmanager
async def _working(store: Store, rooms: VenueRooms) -> AsyncIterator[Meter]:
    """Run a worker whose readings go through a meter."""
    meter = Meter(rooms.syncer)
    worker = Worker(
        store,
        load_catalogue(),
        rooms.prices,
        meter,  # type: ignore[arg-type]  # of a syncer, the worker needs this method
        EmbeddedQueue(AT_ONCE),
        SystemClock(),
        Rhythm(HOUR, AT_ONCE),
    )
    await worker.refresh_prices()
    running = asyncio.create_task(worker.run())
    try:
        yield meter
    finally:
        worker.stop()
        meter.end()
        await running


@dataclass(slots=True)
class Alone:
    """Makes the calls of readings with nothing but ccxt.

    `shared` has the markets and the connections. A new instance is made for each reading, since
    one that is shared can sign for another account; with `is_kept` each of the readings that are
    made at once has one that was made before, which is the least that the calls can cost.
    """

    shared: Any
    sandbox_url: str
    crowd: list[Member]
    calls: list[Call] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    turn: int = 0

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Keep an instance for each of the readings that are made at once, while a block runs."""
        async with AsyncExitStack() as stack:
            self.kept = [await stack.enter_async_context(self._instance()) for _ in range(AT_ONCE)]
            yield

    async def let(self, count: int, *, is_kept: bool = False) -> Spent:
        """Make so many readings and return what they took."""
        left = iter(range(count))
        wall, cpu = time.perf_counter(), time.process_time()
        kept = self.kept if is_kept else [None] * AT_ONCE
        await asyncio.gather(*(self._reader(left, exchange) for exchange in kept))
        return Spent(count, time.perf_counter() - wall, time.process_time() - cpu)

    async def _reader(self, left: Iterator[int], exchange: Any | None) -> None:  # noqa: ANN401
        for _ in left:
            self.turn += 1
            member = self.crowd[self.turn % len(self.crowd)]
            if exchange is not None:
                await self._read(exchange, member)
                continue
            async with self._instance() as made:
                await self._read(made, member)

    async def _read(self, exchange: Any, member: Member) -> None:  # noqa: ANN401
        exchange.apiKey, exchange.secret = member.key, member.secret
        for method, arguments in self.calls:
            await getattr(exchange, method)(*arguments)

    def _instance(self) -> Any:  # noqa: ANN401
        shared = self.shared
        parts = {"session": shared.session, "asyncio_loop": shared.asyncio_loop}
        exchange = instance(self.sandbox_url, parts)
        exchange.ssl_context = shared.ssl_context
        exchange.set_markets_from_exchange(shared)
        return exchange


async def _rows(meter: Meter, alone: Alone, readings: int) -> list[Row]:
    accounts = len(alone.crowd)
    await meter.let(accounts)
    after_all = _held()
    with recorded() as alone.calls:
        one = alone.crowd[0]
        await meter.syncer.sync(one.user_id, one.account_id)
    async with alone.keeping():
        turns = [await _turn(meter, alone) for _ in range(TURNS)]
    before, begun = _held(), meter.done
    await meter.let(readings)
    held = _held()
    return [
        *_compared(turns, f"{accounts:,} accounts", len(alone.calls)),
        Row(
            f"{accounts:,} accounts in a worker, memory after {meter.done:,} readings",
            held,
            "MB",
            f"the same after {accounts:,} readings",
            after_all,
            held / after_all,
            MEMORY,
        ),
        Row(
            f"the same, {meter.done - begun:,} readings later",
            held,
            "MB",
            f"before them, after {begun:,}",
            before,
            held / before,
            FLAT,
        ),
    ]


async def _turn(meter: Meter, alone: Alone) -> tuple[Spent, Spent, Spent]:
    own = await meter.let(READINGS_A_TURN)
    made = await alone.let(READINGS_A_TURN)
    return own, made, await alone.let(READINGS_A_TURN, is_kept=True)


def _compared(turns: list[tuple[Spent, Spent, Spent]], of: str, calls: int) -> list[Row]:
    against = f"ccxt alone, the same {calls} calls"
    rows: list[Row] = []
    for place, instances in ((1, "an instance each"), (2, "instances kept")):
        pairs = [(turn[0], turn[place]) for turn in turns]
        baseline = f"{against}, {instances}"
        rows += [
            Row(
                f"readings of {of}",
                median_of([own.rate for own, _ in pairs]),
                "/s",
                baseline,
                median_of([bare.rate for _, bare in pairs]),
                median_of([own.rate / bare.rate for own, bare in pairs]),
                RATE,
            ),
            Row(
                f"a reading of {of}, CPU",
                median_of([own.cost for own, _ in pairs]),
                "ms",
                baseline,
                median_of([bare.cost for _, bare in pairs]),
                median_of([own.cost / bare.cost for own, bare in pairs]),
            ),
        ]
    return rows


def _held() -> float:
    gc.collect()
    found: float = psutil.Process().memory_info().rss / MEGABYTE
    return found


if __name__ == "__main__":
    # Else logs go where the rows go.
    configure_logs("error", "text")
    found = asyncio.run(measure(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:5])))
    print(json.dumps([asdict(row) for row in found]))
