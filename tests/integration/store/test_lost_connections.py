"""Connections that the server has closed meanwhile: nobody is told of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from coffers.store import postgres as module
from coffers.store.engine import Store
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
    adapter = type(await raw(opened))
    monkeypatch.setattr(module, "TRIED_AFTER", seconds)
    tried = 0

    def ping(_self: Any) -> None:
        nonlocal tried
        tried += 1
        raise ConnectionResetError

    monkeypatch.setattr(adapter, "ping", ping)
    after = set(await sessions(opened))
    assert bool(tried) is is_tried
    assert bool(before & after) is not is_tried


async def raw(store: Store) -> Any:
    async with store.connection() as connection:
        return await connection.run_sync(lambda plain: plain.connection.dbapi_connection)
