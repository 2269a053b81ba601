"""What processes with nothing to do cost PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

from coffers.store.driver import connect
from household import PATIENCE, Household, household, serving_api, working
from postgres import EMPTYING

WATCHED = 6.0
"""Seconds of looking on."""

LATE = 2.0
"""Seconds after which the server has counted a transaction of a session that goes on."""

A_SECOND, AT_FIRST = 20, 60
"""Transactions of an idle worker, and those of its start that may still be counted."""

_STATES = (
    "SELECT pid, state_change FROM pg_stat_activity"  # noqa: S608 - our own name
    f" WHERE datname = $1 AND application_name <> '{EMPTYING}'"
    " AND query NOT LIKE 'NOTIFY coffers_proof_%' ORDER BY pid"
)
_COUNT = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1"


@pytest.fixture
async def house(postgres_url: str, tmp_path: Path) -> AsyncIterator[Household]:
    async with household(postgres_url, tmp_path, COFFERS_PRICE_INTERVAL="3600") as prepared:
        await prepared.store.close()
        yield prepared


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to another database of the same server."""
    connection = await connect(make_url(postgres_url).set(database="postgres"))
    yield connection
    await connection.close()


async def test_an_idle_api_process_asks_nothing(
    house: Household, server: asyncpg.Connection, postgres_url: str
) -> None:
    database = make_url(postgres_url).database
    async with serving_api(house):
        before = await server.fetch(_STATES, database)
        await asyncio.sleep(WATCHED)
        assert before
        assert await server.fetch(_STATES, database) == before


async def test_an_idle_worker_looks_seldom(
    house: Household, server: asyncpg.Connection, postgres_url: str, tmp_path: Path
) -> None:
    database = make_url(postgres_url).database
    async with working(house, tmp_path):
        await _started(tmp_path / "worker.log")
        await asyncio.sleep(WATCHED)
        before = await server.fetchval(_COUNT, database)
        await asyncio.sleep(WATCHED)
        after = await server.fetchval(_COUNT, database)
    assert after - before <= A_SECOND * (WATCHED + LATE) + AT_FIRST


async def _started(log: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while not _is_told(log):  # noqa: ASYNC110 - a file tells nobody of its changes
            await asyncio.sleep(0.1)


def _is_told(log: Path) -> bool:
    return "worker started" in log.read_text()
