"""What real processes take of PostgreSQL while hundreds of requests come at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest
from sqlalchemy.engine import make_url

from coffers.store.budget import API, WORKER
from coffers.store.driver import KEPT_CONNECTIONS, connect
from household import Household, household, serving_api, working
from postgres import EMPTYING
from served import LIST

AT_ONCE = 200
REFRESHES = 8
_OPEN = (
    "SELECT count(*) FROM pg_stat_activity"  # noqa: S608 - our own name
    f" WHERE datname = $1 AND application_name <> '{EMPTYING}'"
)


@dataclass
class Count:
    """The most connections that were open to a database at a time."""

    most: int = 0


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[Count]:
    """Look again and again, over a connection that is not counted."""
    database = make_url(url)
    connection: asyncpg.Connection = await connect(database.set(database="postgres"))
    count = Count()

    async def look() -> None:
        while True:
            count.most = max(count.most, await connection.fetchval(_OPEN, database.database))
            await asyncio.sleep(0.01)

    looking = asyncio.create_task(look())
    try:
        yield count
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await connection.close()


@pytest.fixture
async def house(postgres_url: str, tmp_path: Path) -> AsyncIterator[Household]:
    async with household(postgres_url, tmp_path) as prepared:
        # What the test itself had open does not count.
        await prepared.store.close()
        yield prepared


async def test_no_process_takes_more_than_its_budget(
    house: Household, postgres_url: str, tmp_path: Path
) -> None:
    async with serving_api(house) as http:
        async with counted(postgres_url) as alone:
            await load(house, http, LIST, "/public/api/v1/events", "/public/api/v1/accounts")
        assert KEPT_CONNECTIONS < alone.most <= API.total
        async with counted(postgres_url) as together, working(house, tmp_path):
            account = await house.connected(http)
            refresh = f"{LIST}/{account['id']}/load_balances"
            *answers, _ = await asyncio.gather(
                *(house.call(http, refresh, {}) for _ in range(REFRESHES)),
                load(house, http, LIST, "/public/api/v1/events"),
            )
            assert {answer.status_code for answer in answers} == {201}
        assert together.most <= API.total + WORKER.total


async def load(house: Household, http: httpx.AsyncClient, *targets: str) -> None:
    """Make a bounded number of calls, all at once."""
    calls = [house.call(http, targets[each % len(targets)]) for each in range(AT_ONCE)]
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
