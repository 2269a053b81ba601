"""Connections that the server has closed meanwhile: nobody is told of them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from coffers.store import driver
from coffers.store import postgres as module
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from faults.cable import Cable, laid
from postgres import Postgres

MANY = 6


@pytest.fixture
async def opened(postgres_url: str) -> AsyncIterator[Store]:
    """A store that has all connections open that it keeps."""
    store = Store(postgres_url)
    assert len(set(await sessions(store))) > 1
    yield store
    await store.close()


async def sessions(store: Store) -> list[int]:
    """Return the sessions that some transactions at a time have."""
    together = asyncio.Barrier(MANY)

    async def session() -> int:
        async with store.connection(is_reading=True) as connection:
            await together.wait()
            found: int = await connection.scalar(text("SELECT pg_backend_pid()"))
            return found

    return list(await asyncio.gather(*(session() for _ in range(MANY))))


async def test_sessions_that_were_ended_are_replaced_unseen(
    opened: Store, postgres: Postgres
) -> None:
    before = set(await sessions(opened))
    for session in before:
        ending = f"SELECT pg_terminate_backend({session}, 10000);"
        await asyncio.to_thread(postgres.sql, ending)
    # The server says so in one message and hangs up with the next, which takes turns of the loop.
    await asyncio.sleep(0.5)
    assert not before & set(await sessions(opened))


@pytest.mark.parametrize(("seconds", "is_tried"), [(0.0, True), (3600.0, False)])
async def test_sessions_are_tried_when_they_have_rested(
    opened: Store, monkeypatch: pytest.MonkeyPatch, seconds: float, is_tried: bool
) -> None:
    before = set(await sessions(opened))
    monkeypatch.setattr(module, "TRIED_AFTER", seconds)
    tried = 0

    async def reset(_connection: object) -> None:
        nonlocal tried
        tried += 1
        raise ConnectionResetError

    monkeypatch.setattr(module, "_tried", reset)
    after = set(await sessions(opened))
    assert bool(tried) is is_tried
    assert bool(before & after) is not is_tried


async def test_a_session_that_is_tried_costs_one_message_and_stays(
    opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(await sessions(opened))
    monkeypatch.setattr(module, "TRIED_AFTER", 0.0)
    assert set(await sessions(opened)) & before


async def test_a_server_that_falls_silent_is_away_and_then_back(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "CONNECTED_BY", 0.5)
    monkeypatch.setattr(module, "TRIED_AFTER", 0.0)
    monkeypatch.setattr(module, "TRIED_WITHIN", 0.2)
    async with carried(postgres_url) as (cable, through):
        store = Store(through.render_as_string(hide_password=False))
        await sessions(store)
        cable.stall()
        # All that it had come to the same end, and no more than a few seconds each.
        async with asyncio.timeout(30):
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await sessions(store)
        cable.reset()
        await cable.mend()
        assert await sessions(store)
        await store.close()


async def test_the_system_looks_whether_the_servers_machine_is_there(postgres_url: str) -> None:
    async with carried(postgres_url) as (_, through):
        alone = await driver.connect(through)
        store = Store(through.render_as_string(hide_password=False))
        pooled = (await raw(store)).driver_connection
        for connection in (alone, pooled):
            line = connection._transport.get_extra_info("socket")
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
        await alone.close()
        await store.close()


@asynccontextmanager
async def carried(url: str) -> AsyncIterator[tuple[Cable, URL]]:
    """Lead to the server over a line that can be stalled; its own is a socket in a directory."""
    own = make_url(url)
    async with laid(f"{own.query['host']}/.s.PGSQL.{own.query.get('port', 5432)}") as cable:
        yield cable, own.set(host="127.0.0.1", port=cable.port, query={})


async def raw(store: Store) -> Any:
    async with store.connection() as connection:
        return await connection.run_sync(lambda plain: plain.connection.dbapi_connection)
