"""`coffers asset`: what assets are, and what a user says of them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from coffers.store.engine import Store
from factories import NOW
from program import Run
from served import add_account, add_book


@pytest.fixture
def held(coffers: Run, tmp_path: Path) -> None:
    assert coffers("user", "add", "ann").returncode == 0
    asyncio.run(_hold(f"sqlite:///{tmp_path}/data/coffers.db"))


async def _hold(url: str) -> None:
    store = Store(url)
    await add_book(store, ABC="2")
    async with store.reading() as tx:
        user = await tx.users.by_name("ann")
    assert user is not None
    await add_account(store, user, held={"BTC": "1", "ABC": "5", "ODD": "3"})
    async with store.transaction() as tx:
        await tx.assets.meet(["ABC"], NOW)
    await store.close()


def told(coffers: Run, *words: str) -> Any:
    shown = coffers("asset", *words, "--user", "ann", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


@pytest.mark.usefixtures("held")
def test_assets_are_listed_and_shown(coffers: Run) -> None:
    states = {each["asset"]: each["state"] for each in told(coffers, "list", "--held")}
    assert states == {"ABC": "priced", "BTC": "priced", "ODD": "unpriced"}
    assert [each["asset"] for each in told(coffers, "list", "--search", "abc")] == ["ABC"]
    assert "unpriced" in coffers("asset", "list", "--user", "ann", "--held").stdout
    shown = coffers("asset", "show", "--user", "ann", "odd").stdout
    assert "unpriced: No connected exchange trades it" in shown
    assert "account 1 (binance, spot): 3.0 as ODD" in shown
    assert coffers("asset", "show", "--user", "ann", "NEVER").returncode == 1


@pytest.mark.usefixtures("held")
def test_what_is_said_counts_and_is_taken_back(coffers: Run) -> None:
    assert told(coffers, "set", "ABC", "--ignore", "--name", "Spam")["state"] == "ignored"
    (account,) = json.loads(coffers("account", "list", "--user", "ann", "--json").stdout)
    assert (account["usd_amount"], account["ignored"]) == ("50000.0", ["ABC"])
    assert "Spam" in coffers("asset", "show", "--user", "ann", "ABC").stdout
    assert told(coffers, "set", "ABC", "--not-by-symbol")["state"] == "unpriced"
    assert told(coffers, "unset", "ABC")["state"] == "priced"
    assert coffers("asset", "unset", "--user", "ann", "ABC").returncode == 1
    failed = coffers("asset", "set", "--user", "ann", "ABC", "--contract", "0xabc")
    assert "contract must be a chain and an address" in failed.stderr
    said = ("--symbol", "NEW", "--contract", f"Ethereum:0x{'AB' * 20}", "--not-by-symbol")
    told_back = coffers("asset", "set", "--user", "ann", "ABC", *said).stdout
    own = f"symbol NEW; priced as ethereum:0x{'ab' * 20}; what is paid for its symbol is no price"
    assert f"you say: {own}\n" in told_back


@pytest.mark.usefixtures("held")
def test_a_code_is_mapped_and_the_mapping_taken_back(coffers: Run) -> None:
    where = ("--user", "ann", "--market", "binance", "--code", "ODD")
    said = "ODD of binance is taken for ABC from now on.\n"
    assert coffers("asset", "map", *where, "ABC").stdout == said
    amounts = [each["amount"] for each in told(coffers, "show", "ABC")["held"]]
    assert sorted(amounts) == ["3.0", "5.0"]
    assert json.loads(coffers("asset", "map", *where, "--remove", "--json").stdout) == {
        "removed": "ODD"
    }
    assert len(told(coffers, "show", "ABC")["held"]) == 1
    assert coffers("asset", "map", *where).returncode == 2
    assert coffers("asset", "map", *where, "--remove").returncode == 1
