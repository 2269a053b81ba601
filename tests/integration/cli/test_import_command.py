"""`coffers import 3commas` from a server of the published form to an exchange that checks keys."""

import asyncio
import json
import os
import pty
import select
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from coffers.sandbox import Exchange, NewKey, SandboxControl, machine_time, running
from forks import Forks
from published import KEY, SECRET, Published, limited, publishing

BITCOIN = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
FIRST, SECOND = "fake-key-one".ljust(64, "x"), "fake-key-two".ljust(64, "x")
SECRETS = f"""\
[source]
api_key = "{KEY}"
secret = "{SECRET}"

[accounts.11]
secret = "fake-exchange-secret"

[accounts.12]
secret = "fake-exchange-secret"
"""


@dataclass
class Moving:
    """The program with a data directory of its own, the source, and the exchange."""

    place: Path
    source: Published
    gateway: str
    forks: Forks

    async def run(
        self, *arguments: str, stdin: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(self.forks.run, arguments, stdin, self.environment | env)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
        return {
            **kept,
            "COFFERS_DATA_DIR": str(self.place / "data"),
            "COFFERS_EXCHANGE_GATEWAY": self.gateway,
            "COFFERS_PRICE_FALLBACKS": "",
            "COLUMNS": "200",
        }

    @property
    def command(self) -> tuple[str, ...]:
        base = ("import", "3commas", "--user", "ann", "--base-url", self.source.url)
        return (*base, "--secrets-file", str(self.place / "secrets.toml"))

    async def moved(self, *options: str) -> Any:
        done = await self.run(*self.command, "--json", *options)
        assert done.stdout, done.stderr
        return {each["source_id"]: each for each in json.loads(done.stdout)}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.place / "data/coffers.db") as database:
            found = database.execute(query).fetchall()
        database.close()
        return found


@pytest.fixture
async def moving(tmp_path: Path, forks: Forks) -> AsyncIterator[Moving]:
    source = Published()
    source.add(11, "My Binance [US]", "binance", api_key=FIRST, include_in_summary=False)
    source.add(12, "x", "binance", api_key=SECOND)
    source.add(13, "Cold", "bitcoin_wallet", api_key="", address=BITCOIN)
    source.add(14, "Drawer", "manual", api_key="")
    source.add(15, "Other world", "no_such_market", api_key="k")
    source.add(16, "Trying", "paper_trading", api_key="")
    source.tables[14] = [
        {"currency_code": "BTC", "position": 0.5},
        {"currency_code": "ETH", "position": 0},
    ]
    (tmp_path / "secrets.toml").write_text(SECRETS)
    (tmp_path / "secrets.toml").chmod(0o600)
    async with (
        running(Exchange(7, machine_time)) as gateway,
        SandboxControl(gateway) as control,
        publishing(source),
    ):
        for key in (FIRST, SECOND):
            held = {"BTC": Decimal(1)}
            made = NewKey(venue="binance", key=key, secret="fake-exchange-secret", balances=held)
            await control.create_key(made)
        moving = Moving(tmp_path, source, gateway, forks)
        assert (await moving.run("user", "add", "ann")).returncode == 0
        yield moving


async def test_everything_that_can_come_comes_once_and_again_changes_nothing(
    moving: Moving,
) -> None:
    moved = await moving.moved()
    assert {each: moved[each]["state"] for each in moved} == {
        11: "done",
        12: "done",
        13: "done",
        14: "done",
        15: "skipped",
        16: "skipped",
    }
    assert "no market 'no_such_market'" in moved[15]["told"]
    assert moving.rows("SELECT name, market_code, include_in_summary FROM accounts") == [
        ("My Binance [US]", "binance", 0),
        ("binance 12", "binance", 1),
        ("Cold", "bitcoin_wallet", 1),
        ("Drawer", "manual", 1),
    ]
    # A day that told nothing but zeros is left out; the last one is today's.
    assert {moved[each]["values"] for each in (11, 12, 13, 14)} == {550}
    windows = moving.source.spans[:2]
    assert windows[0][1] < windows[1][1]
    assert moving.rows("SELECT DISTINCT usd FROM imported_values") == [("100.25",)]
    assert moving.rows("SELECT asset, free FROM positions WHERE account_id = 4") == [("BTC", "0.5")]
    assert moving.rows("SELECT count(*) FROM snapshots WHERE account_id = 1") == [(1,)]
    asked = moving.source.asked.copy()
    again = await moving.moved()
    assert {again[each]["state"] for each in (11, 12, 13, 14)} == {"done"}
    assert moving.rows("SELECT count(*) FROM accounts") == [(4,)]
    assert moving.rows("SELECT count(*) FROM imported_values") == [(4 * 550,)]
    assert set(moving.source.asked - asked) == {""}


async def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(moving: Moving) -> None:
    told = await moving.run(*moving.command, "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "connect it; asks secret; take its past over" in told.stdout
    assert "connect it by its address" in told.stdout
    assert "keep it by hand" in told.stdout
    assert "there is no market 'no_such_market' here" in told.stdout
    assert "Nothing was changed" in told.stderr
    for table in ("accounts", "imports", "imported_values", "credentials"):
        assert moving.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - our names
    assert set(moving.source.asked) == {""}


async def test_accounts_whose_secrets_are_not_given_wait_for_another_run(moving: Moving) -> None:
    path = moving.place / "secrets.toml"
    path.write_text(SECRETS.partition("[accounts.12]")[0])
    moved = await moving.moved("--skip-secrets")
    assert (moved[11]["state"], moved[12]["state"]) == ("done", "left")
    assert moved[12]["told"] == "needs secret"
    path.write_text(SECRETS)
    assert (await moving.moved("--skip-secrets"))[12]["state"] == "done"


async def test_a_key_that_the_exchange_refuses_is_told_and_the_others_come(moving: Moving) -> None:
    wrong = SECRETS.replace("fake-exchange-secret", "fake-wrong-secret", 1)
    (moving.place / "secrets.toml").write_text(wrong)
    done = await moving.run(*moving.command)
    assert done.returncode == 1
    assert "failed: " in done.stdout
    assert "Accounts: 3 done, 0 left, 2 skipped, 1 failed." in done.stderr
    assert "fake-wrong-secret" not in done.stdout + done.stderr
    (moving.place / "secrets.toml").write_text(SECRETS)
    assert (await moving.moved())[11]["state"] == "done"


async def test_an_account_that_is_connected_already_gets_its_past(moving: Moving) -> None:
    connect = ("account", "connect", "--user", "ann", "--market", "binance", "--name", "Mine")
    connected = await moving.run(
        *connect, "--api-key", FIRST, "--secret-stdin", stdin="fake-exchange-secret\n"
    )
    assert connected.returncode == 0, connected.stderr
    moved = await moving.moved()
    assert (moved[11]["state"], moved[11]["account_id"], moved[11]["values"]) == ("done", 1, 550)
    assert moving.rows("SELECT name FROM accounts WHERE id = 1") == [("Mine",)]
    assert moving.rows("SELECT count(*) FROM accounts") == [(4,)]


async def test_a_source_that_asks_for_patience_gets_it(moving: Moving) -> None:
    refusals = [limited(1), limited(1)]
    moving.source.refuses = lambda _: refusals.pop() if refusals else None
    done = await moving.run(*moving.command, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "going on in 1 seconds" in done.stderr


async def test_a_source_that_refuses_the_key_is_told_as_that(moving: Moving) -> None:
    (moving.place / "secrets.toml").write_text(SECRETS.replace(SECRET, "fake-other-secret"))
    done = await moving.run(*moving.command)
    assert done.returncode == 1
    assert "the source refuses its API key or secret" in done.stderr
    assert "Traceback" not in done.stderr
    assert "fake-other-secret" not in done.stderr
    away = await moving.run(*moving.command[:-3], "http://127.0.0.1:1", *moving.command[-2:])
    assert (away.returncode, "does not answer" in away.stderr) == (1, True)


async def test_a_source_that_fails_on_one_account_ends_no_other(moving: Moving) -> None:
    def refuses(request: web.Request) -> web.Response | None:
        if "/11/balance" in request.path:
            return web.Response(status=500, text="<html>")
        if "/12/balance" in request.path:
            return web.json_response([{"date": 1_760_000_000, "usd": "NaN", "btc": "1"}])
        return None

    moving.source.refuses = refuses
    moving.source.tables[14][0]["position"] = "NaN"
    moved = await moving.moved()
    assert [moved[each]["state"] for each in (11, 12, 13, 14)] == [
        *["failed"] * 2,
        "done",
        "failed",
    ]
    assert "does not tell how much BTC it is" in moved[14]["told"]
    assert "500" in moved[11]["told"]
    assert "a value at 1760000000 that is none" in moved[12]["told"]
    moving.source.refuses = lambda _: None
    again = await moving.moved()
    assert [again[each]["values"] for each in (11, 12)] == [550, 550]


async def test_killed_in_the_middle_it_goes_on_and_nothing_comes_twice(moving: Moving) -> None:
    moving.source.hangs_at = "/12/balance_chart_data"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "coffers",
        *moving.command,
        env=moving.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        while not moving.source.asked["/12/balance_chart_data"]:
            assert process.returncode is None
            await asyncio.sleep(0.05)
    process.kill()
    await process.communicate()
    moving.source.hangs_at = None
    assert moving.rows("SELECT count(*), sum(is_complete) FROM imports") == [(2, 1)]
    assert {each["state"] for each in (await moving.moved()).values()} == {"done", "skipped"}
    assert moving.rows("SELECT count(*) FROM accounts") == [(4,)]
    assert moving.rows("SELECT count(*) FROM imported_values") == [(4 * 550,)]


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        (SECRETS, 0o644, "chmod 600"),
        ("fake-secret = ", 0o600, "is no TOML"),
        ("[other]", 0o600, "only source and accounts"),
        ("[accounts.Main]", 0o600, "by their ids"),
        ("[accounts.11]\npin = 'fake-secret'", 0o600, "has no 'pin'"),
        ("[source]\nsecret = 5", 0o600, "holds texts"),
    ],
)
async def test_a_file_of_secrets_that_cannot_be_used_is_a_usage_error(
    moving: Moving, text: str, mode: int, told: str
) -> None:
    path = moving.place / "secrets.toml"
    path.write_text(text)
    path.chmod(mode)
    done = await moving.run(*moving.command)
    assert done.returncode == 2
    assert told in done.stderr
    assert "fake-secret" not in done.stderr


async def test_the_sources_key_comes_from_the_environment_and_from_no_option(
    moving: Moving,
) -> None:
    base = ("import", "3commas", "--user", "ann", "--base-url", moving.source.url, "--dry-run")
    known = {"THREECOMMAS_API_KEY": KEY, "THREECOMMAS_SECRET": SECRET}
    assert (await moving.run(*base, **known)).returncode == 0
    for option in ("--api-key", "--secret"):
        assert (await moving.run(*base, option, "x")).returncode == 2


def _typed(moving: Moving, answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run the command at a terminal, typing each answer when its question is there."""
    terminal, end = pty.openpty()
    base = ("import", "3commas", "--user", "ann", "--base-url", moving.source.url)
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "coffers", *base],
        stdin=end,
        stdout=end,
        stderr=end,
        env=moving.environment,
        start_new_session=True,
    ) as process:
        os.close(end)
        shown, looked, waiting = "", 0, list(answers)
        while select.select([terminal], [], [], 30)[0]:
            try:
                shown += os.read(terminal, 65_536).decode(errors="replace")
            except OSError:
                break
            if waiting and (at := shown.find(waiting[0][0], looked)) >= 0:
                looked = at + len(waiting[0][0])
                os.write(terminal, f"{waiting.pop(0)[1]}\n".encode())
        if process.poll() is None and waiting:
            process.kill()
    os.close(terminal)
    assert waiting == [], shown
    return process.returncode, shown


async def test_at_a_terminal_secrets_are_asked_for_unseen(moving: Moving) -> None:
    del moving.source.accounts[2:]
    answers = [
        ("API key of the source: ", KEY),
        ("Its secret: ", SECRET),
        ("API secret: ", "fake-exchange-secret"),
        ("API secret: ", ""),
    ]
    code, shown = await asyncio.to_thread(_typed, moving, answers)
    assert code == 0, shown
    assert "My Binance [US] (binance): Enter alone leaves it for later." in shown
    assert "Accounts: 1 done, 1 left, 0 skipped, 0 failed." in shown
    assert SECRET not in shown
    assert "fake-exchange-secret" not in shown
