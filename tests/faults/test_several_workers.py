"""Several workers on one database: the work is shared, and whoever is killed is replaced."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

import hasty
from coffers.cli.rooms import opened_vault
from coffers.clock import SystemClock
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import load_catalogue
from coffers.sandbox import (
    Exchange,
    FaultKind,
    NewFault,
    NewKey,
    SandboxControl,
    machine_time,
    running,
)
from coffers.secret import Secret
from coffers.settings import load_settings
from coffers.store.engine import Store
from coffers.store.records import NewAccount
from coffers.sync.credentials import credential_id, seal_credentials
from coffers.valuation.model import Price
from faults.test_processes import free_port

INTERVAL = 3.0
"""Seconds between two readings of an account; a tenth more or less, by chance."""

DEADLINE = 120
BALANCES = "/api/v3/account"
LEADS = {"prices", "accounts", "balance"}


@dataclass
class Running:
    """A worker that is a process."""

    process: asyncio.subprocess.Process
    port: int

    async def metrics(self) -> dict[str, dict[str, float]]:
        """Return what it counts: by name, and by the values of its labels, commas between."""
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                page = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
            except httpx.TransportError:
                return {}
        found: dict[str, dict[str, float]] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                labels = ",".join(sample.labels.values())
                found.setdefault(sample.name, {})[labels] = sample.value
        return found

    async def leads(self) -> set[str]:
        """Return what it does for all."""
        told = (await self.metrics()).get("coffers_leader", {})
        return {work for work, value in told.items() if value == 1}

    async def readings(self) -> float:
        """Return how many accounts it has read."""
        return sum((await self.metrics()).get("coffers_syncs_total", {}).values())

    async def kill(self) -> None:
        self.process.kill()
        await self.process.communicate()


@dataclass
class Place:
    """A PostgreSQL database, a simulated exchange, and workers as processes."""

    store: Store
    data_dir: Path
    gateway: str
    control: SandboxControl
    workers: list[Running]

    async def connect(self, venue: str, count: int) -> list[str]:
        """Connect accounts that are due at once; return their keys."""
        settings = load_settings(data_dir=self.data_dir)
        vault, clock = await opened_vault(settings, self.store), SystemClock()
        market = load_catalogue().get({"binanceus": "binance_us"}.get(venue, venue))
        assert market is not None
        keys = [f"fake-key-{venue}-{number}".ljust(64, "x") for number in range(count)]
        price = Price(Decimal(1), Decimal(50_000), (), (venue,), clock.now())
        async with self.store.transaction() as tx:
            user = await tx.users.add(venue, clock.now())
            await tx.prices.save_book({"BTC": price}, clock.now())
        for key in keys:
            held = {"BTC": Decimal(1)}
            await self.control.create_key(
                NewKey(venue=venue, key=key, secret="fake-secret", balances=held)
            )
            credentials = Credentials(key, Secret("fake-secret"))
            async with self.store.transaction() as tx:
                account = await tx.accounts.add(
                    NewAccount(user.id, market.code, key, api_key=key),
                    identity=key,
                    credential_id=credential_id(market, credentials),
                    now=clock.now(),
                )
                sealed = seal_credentials(vault, user.id, account.id, credentials)
                await tx.secrets.put(user.id, account.id, sealed)
        return keys

    async def start(self, **settings: str) -> Running:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("COFFERS_")}
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            hasty.__file__,
            "worker",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={
                **kept,
                "COFFERS_DATA_DIR": str(self.data_dir),
                "COFFERS_DATABASE_URL": self.store.url.replace("+asyncpg", ""),
                "COFFERS_EXCHANGE_GATEWAY": self.gateway,
                "COFFERS_WORKER_METRICS_PORT": str(port),
                "COFFERS_SYNC_INTERVAL": str(INTERVAL),
                "COFFERS_PRICE_INTERVAL": "1",
                "COFFERS_VENUE_TIMEOUT": "60",
                **settings,
            },
        )
        self.workers.append(Running(process, port))
        return self.workers[-1]

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        async with self.store.connection(is_reading=True) as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def readings(self) -> dict[str, list[int]]:
        """Return when each key's balances were asked for, in milliseconds."""
        found: dict[str, list[int]] = {}
        for request in (await self.control.requests()).log:
            if request.path == BALANCES and request.status == 200:
                found.setdefault(request.key, []).append(request.at)
        return found

    async def is_asked(self, path: str) -> bool:
        return any(path in name for name in (await self.control.requests()).counts)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(DEADLINE):
        while not await is_so():  # noqa: ASYNC110 - what is waited for is in other processes
            await asyncio.sleep(0.1)


@pytest.fixture
async def place(postgres_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    store, workers = Store(postgres_url), list[Running]()
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    async with running(Exchange(7, machine_time)) as url, SandboxControl(url) as control:
        yield Place(store, data_dir, url, control, workers)
        for worker in workers:
            if worker.process.returncode is None:
                await worker.kill()
    await store.close()


async def test_two_workers_share_the_work_and_one_follows_the_other_that_is_killed(
    place: Place,
) -> None:
    keys = await place.connect("binance", 4)
    first, second = [await place.start(COFFERS_SYNC_CONCURRENCY="1") for _ in range(2)]

    async def all_were_read(times: int) -> bool:
        readings = await place.readings()
        return all(len(readings.get(key, ())) >= times for key in keys)

    async def both_have_read() -> bool:
        return await first.readings() > 0 and await second.readings() > 0

    await until(both_have_read)
    await until(lambda: all_were_read(3))
    led = [await worker.leads() for worker in (first, second)]
    assert sorted(work for works in led for work in works) == sorted(LEADS)
    for moments in (await place.readings()).values():
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert min(gaps) > 800 * INTERVAL

    leader, heir = (first, second) if "prices" in led[0] else (second, first)
    before = (await place.rows("SELECT max(epoch) FROM price_books"))[0][0]
    await leader.kill()
    await place.control.clear_requests()

    async def leads_all() -> bool:
        return await heir.leads() == LEADS

    await until(leads_all)
    await until(lambda: all_were_read(2))
    assert isinstance(before, int)
    ((after,),) = await place.rows("SELECT max(epoch) FROM price_books")
    assert isinstance(after, int)
    assert after > before
    heir.process.terminate()
    assert await heir.process.wait() == 0
    assert await place.rows("SELECT name FROM leases") == []
    left = await place.rows("SELECT status FROM pgqueuer WHERE status <> 'queued'")
    assert left == []
    assert await place.rows("SELECT count(*) FROM pgqueuer_log") == [(0,)]


@pytest.mark.long
async def test_what_a_killed_worker_was_reading_another_one_reads_once(place: Place) -> None:
    keys = await place.connect("binance", 3)
    long = {"COFFERS_SYNC_INTERVAL": "600"}
    slow = NewFault(kind=FaultKind.DELAY, path="/sapi/v1/capital/deposit", seconds=50, key=keys[0])
    await place.control.inject(slow)
    killed = await place.start(**long)

    async def others_are_read() -> bool:
        asked = await place.is_asked("/sapi/v1/capital/deposit")
        return asked and await place.rows("SELECT count(*) FROM snapshots") == [(2,)]

    await until(others_are_read)

    async def only_one_is_being_read() -> bool:
        return await place.rows("SELECT count(*) FROM pgqueuer") == [(1,)]

    await until(only_one_is_being_read)
    await killed.kill()
    await place.control.clear_faults()
    await place.start(**long)

    async def is_read() -> bool:
        return await place.rows("SELECT count(*) FROM accounts WHERE read_at IS NULL") == [(0,)]

    async def is_empty() -> bool:
        return await place.rows("SELECT count(*) FROM pgqueuer") == [(0,)]

    await until(is_read)
    await until(is_empty)
    snapshots = await place.rows("SELECT account_id, count(*) FROM snapshots GROUP BY account_id")
    assert sorted(count for _, count in snapshots) == [1, 1, 1]


async def test_a_venue_that_hangs_stops_only_itself(place: Place) -> None:
    hanging = await place.connect("binanceus", 12)
    keys = await place.connect("binance", 4)
    await place.control.inject(
        NewFault(kind=FaultKind.DELAY, venue="binanceus", path=BALANCES, seconds=50)
    )
    few = {"COFFERS_SYNC_CONCURRENCY": "4"}
    workers = [await place.start(**few) for _ in range(2)]

    async def places_are_held() -> bool:
        at_once = (await place.control.requests()).most_at_once
        return sum(any(key in who for who in at_once) for key in hanging) >= 4

    await until(places_are_held)
    await place.control.clear_requests()

    async def others_are_read() -> bool:
        readings = await place.readings()
        return all(len(readings.get(key, ())) >= 2 for key in keys)

    await until(others_are_read)
    held = await place.rows("SELECT entrypoint FROM pgqueuer WHERE status = 'picked'")
    assert Counter(held)[("binanceus",)] == 2 * len(workers)
