"""kill -9 amid a connect, a reading or a rotation: nothing is lost, doubled or half there."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from coffers.sandbox import (
    Exchange,
    FaultKind,
    Move,
    NewFault,
    NewKey,
    SandboxControl,
    machine_time,
    running,
)

KEY = "fake-key-killed".ljust(64, "x")
DEPOSITS = "/sapi/v1/capital/deposit"
CONNECT = ("account", "connect", "--user", "ann", "--market", "binance", "--name", "Main")


@dataclass
class Place:
    """A data directory, a simulated exchange, and the program as processes."""

    data_dir: Path
    gateway: str
    control: SandboxControl

    async def start(self, *arguments: str, stdin: str = "") -> asyncio.subprocess.Process:
        env = {k: v for k, v in os.environ.items() if not k.startswith("COFFERS_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "coffers",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **env,
                "COFFERS_DATA_DIR": str(self.data_dir),
                "COFFERS_EXCHANGE_GATEWAY": self.gateway,
                "COFFERS_VENUE_TIMEOUT": "60",
                "COFFERS_HISTORY_PAUSE": "0.2",
            },
        )
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        return process

    async def run(self, *arguments: str, stdin: str = "") -> str:
        process = await self.start(*arguments, stdin=stdin)
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def connect(self) -> asyncio.subprocess.Process:
        return await self.start(*CONNECT, "--api-key", KEY, "--secret-stdin", stdin="fake-secret\n")

    async def kill_when_asked(self, process: asyncio.subprocess.Process, path: str) -> None:
        """Kill the process while it waits for the venue's answer to a request of this path."""
        async with asyncio.timeout(40):
            while not await self._is_open(path):
                assert process.returncode is None, "it ended before it asked the venue"
                await asyncio.sleep(0.05)
        process.kill()
        await process.communicate()

    async def _is_open(self, path: str) -> bool:
        """Whether a request of this path came in; its answer is made to take long."""
        return any(path in name for name in (await self.control.requests()).counts)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.data_dir / "coffers.db") as database:
            found = database.execute(query).fetchall()
        database.close()
        return found

    def let_claims_run_out(self) -> None:
        with sqlite3.connect(self.data_dir / "coffers.db") as database:
            database.execute("UPDATE accounts SET claimed_until = 0")
        database.close()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with running(Exchange(7, machine_time)) as url, SandboxControl(url) as control:
        await control.create_key(
            NewKey(venue="binance", key=KEY, secret="fake-secret", balances={"BTC": Decimal(1)})
        )
        made = Place(tmp_path / "data", url, control)
        await made.run("user", "add", "ann")
        yield made


def delay(path: str) -> NewFault:
    return NewFault(kind=FaultKind.DELAY, path=path, seconds=30)


async def test_killed_while_the_key_is_checked_nothing_is_stored(place: Place) -> None:
    await place.control.inject(delay("/sapi/v1/account/apiRestrictions"))
    await place.kill_when_asked(await place.connect(), "apiRestrictions")
    assert place.rows("SELECT * FROM accounts") == []
    assert place.rows("SELECT * FROM credentials") == []
    await place.control.clear_faults()
    process = await place.connect()
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


async def test_killed_in_its_first_reading_an_account_is_whole_and_read_later(
    place: Place,
) -> None:
    await place.control.inject(delay(DEPOSITS))
    await place.kill_when_asked(await place.connect(), DEPOSITS)
    assert place.rows("SELECT name, read_at FROM accounts") == [("Main", None)]
    assert place.rows("SELECT count(*) FROM credentials") == [(1,)]
    await place.control.clear_faults()
    place.let_claims_run_out()
    await place.run("account", "sync", "--user", "ann", "1")
    assert place.rows("SELECT asset, free FROM positions") == [("BTC", "1.00000000")]
    assert place.rows("SELECT count(*) FROM snapshots") == [(1,)]


async def test_killed_in_a_reading_what_was_known_stays_and_flows_count_once(
    place: Place,
) -> None:
    process = await place.connect()
    await process.communicate()
    before = place.rows("SELECT read_at, version FROM accounts")
    await place.control.deposit(Move(venue="binance", key=KEY, asset="ETH", amount=Decimal(2)))
    await place.control.clear_requests()
    await place.control.inject(delay("/sapi/v1/capital/withdraw"))
    reading = await place.start("account", "sync", "--user", "ann", "1")
    await place.kill_when_asked(reading, "/sapi/v1/capital/withdraw")
    assert place.rows("SELECT read_at, version FROM accounts") == before
    assert place.rows("SELECT asset FROM positions") == [("BTC",)]
    assert place.rows("SELECT count(*) FROM flows") == [(0,)]
    await place.control.clear_faults()
    place.let_claims_run_out()
    for _ in range(2):
        await place.run("account", "sync", "--user", "ann", "1")
    assert place.rows("SELECT asset FROM positions ORDER BY asset") == [("BTC",), ("ETH",)]
    assert place.rows("SELECT asset, amount FROM flows") == [("ETH", "2.00000000")]


@pytest.mark.long
async def test_killed_at_any_moment_of_a_rotation_every_secret_still_opens(place: Place) -> None:
    process = await place.connect()
    await process.communicate()
    await place.run("token", "create", "--user", "ann", "--json")
    (key,) = place.rows("SELECT api_key FROM api_tokens")
    quickest = 0.3
    for step in range(5):
        rotating = await place.start("vault", "rotate")
        try:
            await asyncio.wait_for(rotating.wait(), quickest + 0.12 * step)
        except TimeoutError:
            rotating.kill()
        await rotating.communicate()
        signed = ("sign", "GET", "/public/api/ver1/accounts", "--api-key", str(key[0]))
        assert "Signature: " in await place.run(*signed)
    await place.run("vault", "rotate")
    await place.run("account", "sync", "--user", "ann", "1")
    assert place.rows("SELECT count(DISTINCT key_id) FROM credentials") == [(1,)]
