"""Connecting from the command line as far as no exchange is needed, and listing sub-accounts."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from coffers.clock import SystemClock
from coffers.connectors.reading import Credentials
from coffers.portfolio.vaulting import open_vault
from coffers.secret import Secret
from coffers.settings import Settings, load_settings
from coffers.store.engine import Store
from coffers.store.records import NewAccount
from coffers.sync.credentials import seal_credentials
from integration.connectors.replay import Replay, recorded, replaying
from program import Run

CONNECT = ("account", "connect", "--user", "ann", "--name", "Mine")
KEY = "0x" + "12" * 32
WALLET = "0x" + "ab" * 20
PAIR = {
    "symbol": "BTCUSDT",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "status": "TRADING",
    "isSpotTradingAllowed": True,
    "permissionSets": [["SPOT"]],
    "filters": [],
}
SUBACCOUNTS = [
    {"email": "one@example.com", "isFreeze": False},
    {"email": "two@example.com", "isFreeze": True},
]


@pytest.fixture
def ann(coffers: Run) -> Run:
    assert coffers("user", "add", "ann").returncode == 0
    return coffers


def test_a_wrong_name_is_told_before_anything_is_asked_for(ann: Run) -> None:
    failed = ann("account", "connect", "--user", "ann", "--market", "binance", "--name", "x")
    assert "name is too short" in failed.stderr
    assert "API key" not in failed.stdout + failed.stderr


@pytest.mark.parametrize(
    ("options", "stdin", "told"),
    [
        (("--market", "hyperliquid", "--address", "vitalik.eth"), "", "0x and 40 hexadecimal"),
        (("--market", "derive", "--address", WALLET), "fake-secret", "64 hexadecimal digits"),
        (("--market", "derive", "--address", WALLET), "", "secret is missing"),
        (("--market", "revolutx", "--api-key", "k"), "no key", "private key in PEM"),
        (("--market", "binance", "--api-key", "k", "--login", "x"), "fake-s", "not asked for by"),
        (("--market", "okex", "--api-key", "k"), "secret alone", "passphrase is missing"),
    ],
)
def test_a_wrong_field_is_named_before_any_exchange_is_asked_and_no_secret_is_shown(
    ann: Run, options: tuple[str, ...], stdin: str, told: str
) -> None:
    failed = ann(*CONNECT, *options, "--secret-stdin", stdin=stdin)
    assert failed.returncode == 1
    assert told in failed.stderr
    assert not stdin or stdin not in failed.stderr


def test_what_is_not_on_the_command_line_is_asked_for_by_the_name_that_the_exchange_uses(
    ann: Run,
) -> None:
    asked = ann(*CONNECT, "--market", "hyperliquid", stdin="vitalik.eth\n")
    assert "Wallet address (of the wallet or sub-account, not of an API wallet)" in asked.stdout
    assert "0x and 40 hexadecimal" in asked.stderr


def test_a_market_that_there_is_not_is_told_before_anything_is_asked_for(ann: Run) -> None:
    done = ann("account", "connect", "--user", "ann", "--market", "nochain", "--name", "Cold")
    assert done.returncode == 2
    assert "--market: there is no market 'nochain'" in done.stderr
    assert "key" not in done.stdout.lower()


def test_a_secret_cannot_be_given_on_the_command_line(ann: Run) -> None:
    for option in ("--secret", "--passphrase", "--private-key"):
        assert ann(*CONNECT, "--market", "binance", option, KEY).returncode == 2


@pytest.fixture
async def gateway() -> AsyncIterator[Replay]:
    async with replaying(recorded({})) as replay:
        replay.by_path |= {
            "/time": recorded({"serverTime": SystemClock().now()}),
            "/exchangeInfo": recorded({"symbols": [PAIR]}),
            "/sub-account/list": recorded({"subAccounts": SUBACCOUNTS}),
        }
        yield replay


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data")


async def stored(settings: Settings, code: str = "binance") -> int:
    """Keep an account as connecting does, without an exchange that would check its key."""
    store, clock = Store(settings.database()), SystemClock()
    vault = await open_vault(settings, store, clock)
    async with store.transaction() as tx:
        new = NewAccount(1, market_code=code, name="Main", api_key="fake-key")
        account = await tx.accounts.add(new, identity="x", credential_id="x", now=clock.now())
        credentials = Credentials("fake-key", Secret("fake-secret"))
        sealed = seal_credentials(vault, 1, account.id, credentials)
        await tx.secrets.put(1, account.id, sealed)
    await store.close()
    return account.id


async def listed(coffers: Run, replay: Replay, *options: str) -> Any:
    where = {"COFFERS_EXCHANGE_GATEWAY": replay.url}
    return await asyncio.to_thread(coffers, "subaccounts", "--user", "ann", *options, **where)


async def test_sub_accounts_are_listed_for_people_and_for_programs(
    ann: Run, gateway: Replay, settings: Settings
) -> None:
    account_id = str(await stored(settings))
    shown = await listed(ann, gateway, account_id)
    assert shown.returncode == 0, shown.stderr
    assert "one@example.com" in shown.stdout
    assert "frozen" in shown.stdout
    plain = json.loads((await listed(ann, gateway, account_id, "--json")).stdout)
    assert plain == [
        {
            "id": each["email"],
            "label": each["email"],
            "type": None,
            "state": "frozen" if each["isFreeze"] else "active",
        }
        for each in SUBACCOUNTS
    ]


async def test_an_account_without_sub_accounts_says_so(
    ann: Run, gateway: Replay, settings: Settings
) -> None:
    gateway.by_path["/sub-account/list"] = recorded({"subAccounts": []})
    shown = await listed(ann, gateway, str(await stored(settings)))
    assert shown.stdout == "The exchange lists no sub-accounts to this key.\n"


async def test_another_user_s_account_is_none(ann: Run, gateway: Replay) -> None:
    failed = await listed(ann, gateway, "7")
    assert (failed.returncode, failed.stdout) == (1, "")
