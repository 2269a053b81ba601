"""Events told by real processes: two APIs on one database, and a worker that is killed."""

import asyncio
import hashlib
import hmac
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import text

from coffers.access.tokens import PERMISSIONS
from coffers.clock import SystemClock
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.portfolio.vaulting import open_vault
from coffers.portfolio.webhooks import Webhooks, WebhookWanted
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from coffers.store.records import User
from coffers.vault.keyring import new_key
from coffers.vault.vault import Vault
from receiver import receiving
from served import Caller, started
from sse import streaming

COUNT = 40
CLOCK = SystemClock()


class Place:
    """A prepared database, and what processes need to work on it."""

    def __init__(self, url: str, home: Path) -> None:
        key = new_key()
        self.store = Store(url)
        self.env = {
            "COFFERS_DATA_DIR": str(home),
            "COFFERS_DATABASE_URL": url.replace("postgresql+asyncpg", "postgresql"),
            "COFFERS_MASTER_KEY": key.material.hex(),
            "COFFERS_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "COFFERS_LIMITS_ENABLED": "false",
            # Nobody answers there: this machine is all that is asked.
            "COFFERS_EXCHANGE_GATEWAY": "http://127.0.0.1:1",
        }
        self.settings = Settings(
            database_url=self.env["COFFERS_DATABASE_URL"],
            master_key=self.env["COFFERS_MASTER_KEY"],
            data_dir=home,
        )

    async def prepare(self) -> None:
        self.vault: Vault = await open_vault(self.settings, self.store, CLOCK)
        async with self.store.transaction() as tx:
            self.user: User = await tx.users.add("ann", CLOCK.now())
        tokens = Tokens(self.store, self.vault, CLOCK)
        issued = await tokens.create(self.user.id, Wanted(PERMISSIONS))
        assert issued.secret is not None
        self.caller = Caller(self.user, issued.token.api_key, issued.secret.reveal())

    async def happened(self, count: int = 1) -> None:
        async with self.store.transaction() as tx:
            event = NewEvent("deposit", CLOCK.now(), {}, 7, "real")
            await tx.events.add(self.user.id, [event] * count)


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(database_url, tmp_path)
    await made.prepare()
    yield made
    await made.store.close()


async def ready(base: str) -> None:
    async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as http:
        assert (await http.get("/readyz")).status_code == 200


async def test_two_processes_on_one_database_stream_the_same(place: Place) -> None:
    with started(place.env) as (one, _), started(place.env) as (two, _):
        await asyncio.gather(ready(one), ready(two))
        async with streaming(one, place.caller) as first, streaming(two, place.caller) as second:
            for heard in (first, second):
                await heard.of_kind("open")
            for _ in range(COUNT):
                await place.happened()
            found = await asyncio.gather(first.changes(COUNT // 2), second.changes(COUNT))
            last = first.last_id
        # Cut off at one process, it goes on at the other.
        async with streaming(two, place.caller, last_event_id=str(last)) as resumed:
            rest = await resumed.changes(COUNT - COUNT // 2)
    everything = list(range(1, COUNT + 1))
    assert found[1] == everything
    assert found[0] + rest == everything


async def test_a_process_that_is_told_to_end_ends_its_streams_at_once(place: Place) -> None:
    with started(place.env) as (base, process):
        await ready(base)
        async with streaming(base, place.caller) as heard:
            await heard.of_kind("open")
            process.terminate()
            assert await heard.next() is None
            assert await asyncio.to_thread(process.wait, 8) in {0, -15}


async def test_streams_of_a_process_that_was_killed_are_not_counted_as_open(
    place: Place, tmp_path: Path
) -> None:
    counts = tmp_path / "counts"
    counts.mkdir()
    shared = {**place.env, "PROMETHEUS_MULTIPROC_DIR": str(counts)}
    with started(shared, workers=2) as (base, process):
        await ready(base)
        async with streaming(base, place.caller) as heard:
            await heard.of_kind("open")
            await open_streams(base, 1)
            for each in serving_processes(process.pid):
                each.kill()
            # Those that take their place tell.
            await open_streams(base, 0)


def serving_processes(parent: int) -> list[psutil.Process]:
    """Return the processes of the API that one supervises."""
    found = psutil.Process(parent).children()
    return [each for each in found if any("spawn_main" in word for word in each.cmdline())]


async def open_streams(base: str, count: int) -> None:
    """Wait until so many streams are counted as open."""
    told = ""
    async with httpx.AsyncClient(base_url=base, timeout=30, trust_env=False) as http:
        for _ in range(100):
            told = (await http.get("/metrics", headers={"Connection": "close"})).text
            if f"\ncoffers_streams {float(count)}\n" in told:
                return
            await asyncio.sleep(0.1)
    pytest.fail(f"not {count} streams are told of: {told[:2_000]}")


async def test_a_worker_that_is_killed_amid_a_delivery_loses_nothing(place: Place) -> None:
    async with receiving() as receiver:
        here = (ip_network("127.0.0.0/8"),)
        webhooks = Webhooks(place.store, place.vault, CLOCK, here)
        made = await webhooks.create(place.user.id, WebhookWanted(receiver.url), "real")
        await place.happened(3)
        receiver.holds.clear()
        async with worker(place) as first:
            await receiver.until(1, seconds=60)
            first.kill()
            await first.wait()
        receiver.holds.set()
        await let_claims_run_out(place)
        async with worker(place):
            await receiver.until(4, seconds=60)
    assert receiver.ids() == [1, 1, 2, 3]
    names = [got.headers["coffers-delivery"] for got in receiver.got]
    assert names[0] == names[1]
    assert made.secret is not None
    for got in receiver.got:
        signed = got.headers["coffers-timestamp"].encode() + b"." + got.body
        digest = hmac.new(made.secret.reveal().encode(), signed, hashlib.sha256).hexdigest()
        assert got.headers["coffers-signature"] == f"v1={digest}"


async def let_claims_run_out(place: Place) -> None:
    async with place.store.connection() as connection:
        await connection.execute(text("UPDATE webhooks SET claimed_until = 0"))


@asynccontextmanager
async def worker(place: Place) -> AsyncIterator[asyncio.subprocess.Process]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COFFERS_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "coffers",
        "worker",
        env={**kept, **place.env},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
