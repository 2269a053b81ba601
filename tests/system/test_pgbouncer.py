"""Everything through a real PgBouncer in transaction mode, which mixes sessions as it can."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from coffers.clock import SystemClock
from coffers.store.driver import LOCK_WAITED_FOR, connect
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.fast import FastLook
from coffers.store.notices import Topic
from household import ACCOUNT, PATIENCE, Household, household, serving_api, setting_of, working
from pooler import SESSIONS, Pooler, pooling
from postgres import EMPTYING, Postgres
from served import LIST
from sse import streaming

CLIENTS = 50
LISTENERS, OF_THE_TEST = 2, 2
_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"  # noqa: S608
    f" AND application_name <> '{EMPTYING}';"
)
CALLS = 6
_SERVER_FAULTS = r'^coffers_requests_total\{.*status="500"\} (?!0\.0$).*$'


@pytest.fixture
def pooler(postgres_url: str) -> Iterator[Pooler]:
    with pooling(postgres_url) as running:
        yield running


@pytest.fixture
async def house(postgres_url: str, pooler: Pooler, tmp_path: Path) -> AsyncIterator[Household]:
    settings = {
        "COFFERS_DATABASE_URL": setting_of(pooler.url(postgres_url)),
        "COFFERS_DATABASE_DIRECT_URL": setting_of(postgres_url),
        "COFFERS_SYNC_INTERVAL": "2",
        "COFFERS_PRICE_INTERVAL": "2",
    }
    async with household(postgres_url, tmp_path, **settings) as prepared:
        yield prepared


async def test_an_account_lives_through_the_pooler_under_load(
    house: Household, tmp_path: Path, postgres: Postgres, postgres_url: str
) -> None:
    async with serving_api(house) as http, working(house, tmp_path):
        account = await house.connected(http)
        assert (await house.call(http, f"{LIST}/new", ACCOUNT)).status_code == 400
        async with streaming(str(http.base_url), house.caller) as heard:
            assert (await heard.of_kind("open")).data["mode"] == "real"
            assert (await heard.of_kind("prices")).data["accounts"] == 1
            loaded = asyncio.gather(*(_client(house, http) for _ in range(CLIENTS)))
            read = await house.call(http, f"{LIST}/{account['id']}/load_balances", {})
            assert read.status_code == 201, read.text
            (listed,) = (await house.call(http, LIST)).json()
            assert listed["btc_amount"] is not None
            renamed = await house.call(http, f"{LIST}/{account['id']}/rename?name=Other", {})
            assert renamed.is_success, renamed.text
            assert (await heard.of_kind("account_renamed")).data["account_id"] == account["id"]
            assert set(await loaded) == {httpx.codes.OK}
            sessions = postgres.sql(_SESSIONS, postgres_url.partition("@/")[2].partition("?")[0])
        assert int(sessions) <= SESSIONS + LISTENERS + OF_THE_TEST
        metrics = (await http.get("/metrics")).text
        assert "coffers_notices_down 0.0" in metrics
        assert not re.findall(_SERVER_FAULTS, metrics, re.MULTILINE)
    log = (tmp_path / "worker.log").read_text()
    assert "worker stopped" in log
    assert "did not answer" not in log
    assert "work failed" not in log


async def test_a_pooler_that_is_killed_costs_calls_only_while_it_is_away(
    house: Household, pooler: Pooler, tmp_path: Path
) -> None:
    async with serving_api(house) as http, working(house, tmp_path):
        account = await house.connected(http)
        pooler.kill()
        away = await http.get(LIST, headers=house.caller.headers(LIST))
        assert away.status_code == 503
        pooler.start()
        (listed,) = (await house.call(http, LIST)).json()
        assert listed["id"] == account["id"]
        read = await house.call(http, f"{LIST}/{account['id']}/load_balances", {})
        assert read.status_code == 201, read.text
        # The worker goes on by itself: a reading from after all of that.
        after, shown = read.headers["X-Read-At"], ""
        async with asyncio.timeout(PATIENCE):
            while shown <= after:
                await asyncio.sleep(0.5)
                shown = (await house.call(http, f"{LIST}/{account['id']}")).headers["X-Read-At"]
        metrics = (await http.get("/metrics")).text
        assert not re.findall(_SERVER_FAULTS, metrics, re.MULTILINE)


async def _client(house: Household, http: httpx.AsyncClient) -> int:
    """Call again and again, and return the worst status."""
    worst = 0
    for number in range(CALLS):
        target = LIST if number % 2 else f"/public/api/v1/events?after={number}"
        worst = max(worst, (await house.call(http, target)).status_code)
    return worst


async def mixed(url: str) -> None:
    """Make the pooler open all of its sessions: it takes another one for each transaction."""
    connections = [await connect(make_url(url)) for _ in range(SESSIONS)]
    naps = (connection.execute("SELECT pg_sleep(0.5)") for connection in connections)
    await asyncio.gather(*naps)
    await asyncio.gather(*(connection.close() for connection in connections))


async def test_a_statement_without_a_name_is_known_to_every_session(
    pooler: Pooler, postgres_url: str
) -> None:
    url = pooler.url(postgres_url)
    await mixed(url)
    look = FastLook(url, is_pooled=True)
    held = set()
    for _ in range(SESSIONS):
        assert await look.look("nobody") is None
        held.add(look._looks._rows._line)  # type: ignore[attr-defined]
    assert len(held) == 1
    await look.close()


async def test_statements_with_names_would_break(pooler: Pooler, postgres_url: str) -> None:
    url = pooler.url(postgres_url)
    await mixed(url)
    look = FastLook(url, is_pooled=False)
    # Prepared in one session, and asked for in the next, which does not know it.
    with pytest.raises(StoreUnavailable):
        await _looked(look, SESSIONS)
    await look.close()


async def _looked(look: FastLook, times: int) -> None:
    for _ in range(times):
        await look.look("nobody")


async def test_readings_see_one_state_and_claims_exclude_each_other(
    pooler: Pooler, postgres_url: str
) -> None:
    store = Store(pooler.url(postgres_url), is_pooled=True)
    now = SystemClock().now()
    async with store.transaction() as tx:
        await tx.users.add("ann", now)
    async with store.reading() as tx:
        assert await tx.prices.newest_epoch() == 0
        async with store.transaction() as other:
            await other.prices.save_book({}, now)
        assert await tx.prices.newest_epoch() == 0

    async def count() -> None:
        async with store.transaction() as tx:
            await tx.prices.save_book({}, now)

    await asyncio.gather(*(count() for _ in range(40)))
    async with store.reading() as tx:
        assert await tx.prices.newest_epoch() == 41
    await store.close()


async def test_transactions_are_bounded_in_every_session(pooler: Pooler, postgres_url: str) -> None:
    url = pooler.url(postgres_url)
    await mixed(url)
    store = Store(url, is_pooled=True)
    shown = text("SELECT pg_backend_pid(), current_setting('lock_timeout')")
    found = set()
    for _ in range(SESSIONS):
        async with store.connection() as connection:
            found.add(tuple((await connection.execute(shown)).one()))
    assert len(found) == SESSIONS
    assert {bound for _, bound in found} == {f"{LOCK_WAITED_FOR}s"}
    await store.close()


async def test_a_listener_behind_the_pooler_is_found_out(pooler: Pooler, postgres_url: str) -> None:
    url = pooler.url(postgres_url)
    store = Store(url, is_pooled=True)
    await mixed(url)
    await store.listen(url, tuple(Topic))
    assert not store.notices.is_up
    await store.close()


def test_commands_work_through_the_pooler_and_tables_are_made_past_it(
    postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create()
    direct = postgres.url(name)
    with pooling(direct) as pooler:
        env = {
            "COFFERS_DATA_DIR": str(tmp_path),
            "COFFERS_DATABASE_URL": setting_of(pooler.url(direct)),
            "COFFERS_DATABASE_DIRECT_URL": setting_of(direct),
        }

        def coffers(*arguments: str) -> str:
            command = [sys.executable, "-m", "coffers", *arguments]
            done = subprocess.run(  # noqa: S603 - our own program
                command, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout + done.stderr

        coffers("migrate")
        coffers("user", "add", "ann")
        key, backup = str(tmp_path / "key"), str(tmp_path / "backup")
        public = coffers("backup-key", key).split()[-1]
        assert "users 1" in coffers("backup", backup, "--to", public)
    postgres.drop(name)
