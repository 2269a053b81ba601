"""Processes that stand still within a transaction: PostgreSQL does not wait for them for ever."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from sqlalchemy import text

import stored
from coffers.store import driver
from coffers.store.dump import dumping
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.migrate import lock_upgrades, upgrade
from coffers.store.records import User
from coffers.store.revision import NEWEST

_HELD, _WAITED = "idle_in_transaction_session_timeout", "lock_timeout"
_IMPATIENT = (
    "SET LOCAL idle_in_transaction_session_timeout = '1s'; SET LOCAL lock_timeout = '200ms';"
)
_HOLDING = """
import asyncio, sys
from coffers.store import driver
from coffers.store.engine import Store

driver.BOUNDED = sys.argv[3]

async def hold():
    async with Store(sys.argv[1]).transaction() as tx:
        await tx.transfers.lock(int(sys.argv[2]))
        print("holds", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.fixture(params=[False, True], ids=["direct", "pooled"])
async def pg(postgres_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    opened = Store(postgres_url, is_pooled=request.param)
    yield opened
    await opened.close()


@contextmanager
def stalled(url: str, owner: User) -> Iterator[None]:
    """Let another process stand still while it holds a user."""
    command = [sys.executable, "-c", _HOLDING, url, str(owner.id), _IMPATIENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"holds\n"
            os.kill(process.pid, signal.SIGSTOP)
            yield
        finally:
            process.kill()


async def said(store: Store, *, is_reading: bool = False) -> list[str]:
    async with store.connection(is_reading=is_reading) as connection:
        return [await connection.scalar(text(f"SHOW {name}")) for name in (_HELD, _WAITED)]


async def test_every_transaction_is_bounded_and_nothing_of_it_stays(pg: Store) -> None:
    bounds = [f"{driver.HELD_FOR}s", f"{driver.LOCK_WAITED_FOR}s"]
    assert await said(pg) == await said(pg, is_reading=True) == bounds
    alone = await driver.connect(pg.database.engine.url)  # type: ignore[attr-defined]  # of this one
    assert [await alone.fetchval(f"SHOW {name}") for name in (_HELD, _WAITED)] == ["0", "0"]
    await alone.close()


async def test_a_backup_takes_as_long_as_it_needs(pg: Store) -> None:
    async with dumping(pg) as dump:
        connection = dump.transaction.connection
        found = [await connection.scalar(text(f"SHOW {name}")) for name in (_HELD, _WAITED)]
    assert found == ["0", "0"]


async def test_what_a_process_held_that_stands_still_is_free_again(
    pg: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await stored.user(pg)
    monkeypatch.setattr(driver, "BOUNDED", _IMPATIENT)
    with stalled(pg.url, ann):
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="another change of the same held it up"):
            await touched(pg, ann)
        assert monotonic() - began < 1
        async with asyncio.timeout(10):
            await touched_in_the_end(pg, ann)


async def test_who_stood_still_is_told_that_nothing_was_stored(
    pg: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await stored.user(pg)
    monkeypatch.setattr(driver, "BOUNDED", _IMPATIENT.replace("1s", "50ms"))
    with pytest.raises(StoreUnavailable):
        await touched(pg, ann, seconds=0.5)
    assert await stored.fresh(pg, ann) == ann


async def test_an_upgrade_waits_for_another_one(pg: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BOUNDED", _IMPATIENT)
    async with pg.connection() as connection:
        await lock_upgrades(connection)
        upgrading = asyncio.create_task(upgrade(pg))
        await asyncio.sleep(0.5)
        assert not upgrading.done()
    assert await upgrading == (NEWEST, NEWEST)


async def touched(store: Store, owner: User, seconds: float = 0) -> None:
    """Change a user in a transaction that stands still at its end."""
    async with store.transaction() as tx:
        await tx.users.touch(owner.id)
        await asyncio.sleep(seconds)


async def touched_in_the_end(store: Store, owner: User) -> None:
    while True:
        try:
            return await touched(store, owner)
        except StoreUnavailable:
            continue
