"""`coffers paper`: made-up money, moved and traded at the terminal."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import stored
from coffers.clock import SystemClock
from coffers.store.engine import Store
from program import Run
from served import add_book


@pytest.fixture
def ann(coffers: Run) -> Run:
    assert coffers("user", "add", "ann").returncode == 0
    return coffers


def told(coffers: Run, *words: str) -> Any:
    shown = coffers("paper", *words, "--user", "ann", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


async def _price(path: Path) -> None:
    store = Store(f"sqlite:///{path}/data/coffers.db")
    await add_book(store, SystemClock().now())
    await store.close()


def test_an_account_is_made_filled_traded_and_reset(ann: Run, tmp_path: Path) -> None:
    made = told(ann, "create", "--name", "Trying", "--balance", "USDT=1000", "--balance", "btc=1")
    assert made["balances"] == {"BTC": "1.0", "USDT": "1000.0"}
    number = str(made["id"])
    assert told(ann, "deposit", number, "usdt", "500")["balances"]["USDT"] == "1500.0"
    assert told(ann, "withdraw", number, "BTC", "1")["balances"] == {"USDT": "1500.0"}
    buying = ("order", number, "buy", "BTC", "USDT", "--quote-amount", "1000", "--key", "k1")
    failed = ann("paper", *buying, "--user", "ann")
    assert (failed.returncode, "there are no prices yet" in failed.stderr) == (1, True)
    asyncio.run(_price(tmp_path))
    assert told(ann, *buying) == told(ann, *buying)
    selling = ("order", number, "sell", "BTC", "USDT", "--amount", "0.01")
    shown = ann("paper", *selling, "--user", "ann")
    assert shown.stdout.startswith("Paid 0.01 BTC, got 499.5 USDT after a fee of 0.5, at 50000.0.")
    assert [each["side"] for each in told(ann, "orders", number)] == ["sell", "buy"]
    assert "499.5 USDT" in ann("paper", "orders", number, "--user", "ann").stdout
    refused = ann("paper", "reset", number, "--user", "ann", stdin="n\n")
    assert (refused.returncode, len(told(ann, "orders", number))) == (1, 2)
    assert told(ann, "reset", number, "--yes")["balances"] == {"BTC": "1.0", "USDT": "1000.0"}
    assert told(ann, "orders", number) == []


def test_an_account_is_shown_with_its_fee(ann: Run) -> None:
    shown = ann("paper", "create", "--user", "ann", "--name", "A [b]", "--fee", "0.002")
    assert shown.stdout.startswith("Paper account 1 (A [b]), fee 0.002.")


def test_a_balance_that_is_none_is_refused(ann: Run) -> None:
    failed = ann("paper", "create", "--user", "ann", "--name", "Trying", "--balance", "USDT")
    assert (failed.returncode, "write it as USDT=10000" in failed.stderr) == (2, True)
    failed = ann("paper", "create", "--user", "ann", "--name", "Trying", "--balance", "USDTT=1")
    assert (failed.returncode, "did you mean USDT?" in failed.stderr) == (1, True)


async def _real(path: Path) -> None:
    store = Store(f"sqlite:///{path}/data/coffers.db")
    async with store.reading() as tx:
        ann = await tx.users.by_name("ann")
    assert ann is not None
    await stored.account(store, ann, "Savings")
    await store.close()


def test_a_list_of_accounts_shows_made_up_money_apart(ann: Run, tmp_path: Path) -> None:
    told(ann, "create", "--name", "Trying", "--balance", "USDT=1000")
    alone = ann("account", "list", "--user", "ann").stdout
    assert alone.startswith("Paper accounts, whose money is made up:")
    asyncio.run(_real(tmp_path))
    real, _, paper = ann("account", "list", "--user", "ann").stdout.partition("\n\nPaper accounts")
    assert ("Savings" in real, "Trying" in real) == (True, False)
    assert ("Savings" in paper, "Trying" in paper) == (False, True)
    listed = json.loads(ann("account", "list", "--user", "ann", "--json").stdout)
    assert {each["name"]: each["mode"] for each in listed} == {"Trying": "paper", "Savings": "real"}


def test_a_balance_that_is_named_twice_is_refused(ann: Run) -> None:
    twice = ("--balance", "USDT=1000", "--balance", "USDT=5")
    made = ann("paper", "create", "--user", "ann", "--name", "Trying", *twice)
    assert (made.returncode, "--balance names an asset twice" in made.stderr) == (2, True)
    told(ann, "create", "--name", "Trying")
    begun = ann("paper", "reset", "1", "--user", "ann", "--yes", *twice)
    assert (begun.returncode, "--balance names an asset twice" in begun.stderr) == (2, True)


def test_an_account_that_is_none_on_paper_is_told_as_what_it_is(ann: Run, tmp_path: Path) -> None:
    asyncio.run(_real(tmp_path))
    failed = ann("paper", "deposit", "--user", "ann", "1", "USDT", "5")
    assert failed.returncode == 1
    assert "account 1 is of binance, and not of paper_trading" in failed.stderr
