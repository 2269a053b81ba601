from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from coffers.sandbox.demo import DemoKey
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.script_rest import handle

NOW = 1_760_000_000_123
KEY = {"venue": "binance", "key": "demo-binance-key-1"}
Told = tuple[int, Any]


@pytest.fixture
def script(exchange: Exchange) -> Callable[..., Told]:
    """Sends a scripting request; gives status and decoded body."""

    def send(method: str, path: str, **order: object) -> Told:
        body = msgspec.json.encode(order) if order else b""
        answer = handle(exchange, {"method": method, "path": f"/_sandbox{path}"}, body)
        return answer.status, msgspec.json.decode(answer.body)

    return send


def test_the_overview_lists_every_order(script: Callable[..., Told]) -> None:
    status, told = script("GET", "")
    assert status == 200
    assert told["venues"] == ["binance", "binanceus"]
    assert "POST /_sandbox/faults" in told["endpoints"]
    assert len(told["endpoints"]) == 21


def test_an_unknown_order_points_at_the_overview(script: Callable[..., Told]) -> None:
    assert script("GET", "/nosuch") == (
        404,
        {"error": "GET /_sandbox lists what can be scripted"},
    )


def test_the_accounts_can_be_looked_at(script: Callable[..., Told], saver: DemoKey) -> None:
    told = script("GET", "/keys")[1]
    assert told[0]["key"] == saver.key
    assert told[0]["spot"]["SOL"] == {"free": "38.5", "locked": "12"}
    assert told[0]["rights"]["trade"] is False


def test_a_key_is_created_with_its_rights_and_balances(
    script: Callable[..., Told], exchange: Exchange
) -> None:
    order = {"venue": "binance", "key": "my-key-0001", "secret": "my-secret"}
    rights = {"trade": True, "withdraw": True, "ips": ["203.0.113.7"], "expires_at": NOW + 5}
    assert script("POST", "/keys", **order, **rights, balances={"BTC": "1.25"})[0] == 200
    account = exchange.ledger.get("binance", "my-key-0001")
    assert account.rights.withdraw
    assert account.rights.ips == ("203.0.113.7",)
    assert account.rights.expires_at == NOW + 5
    assert account.spot["BTC"].free == Decimal("1.25")
    assert account.created_at == NOW


def test_a_crowd_is_created_with_accounts_alike_that_are_their_own(
    script: Callable[..., Told], exchange: Exchange, saver: DemoKey
) -> None:
    status, made = script("POST", "/keys/crowd", venue="binance", like=saver.key, count=3)
    assert status == 200
    assert [each["key"] for each in made] == [f"{saver.key}-{number}" for number in (1, 2, 3)]
    one, two = (exchange.ledger.get("binance", each["key"]) for each in made[:2])
    assert one.spot == two.spot == exchange.ledger.get("binance", saver.key).spot
    assert one.transfers == two.transfers
    assert (one.secret, one.uid) != (two.secret, two.uid)
    one.put("SOL", free=Decimal(1))
    assert one.spot != two.spot


@pytest.mark.parametrize(
    ("method", "path", "order", "reason"),
    [
        ("POST", "/keys", {"venue": "kraken", "key": "k", "secret": "s"}, "the venues are"),
        ("POST", "/keys", {"venue": "binance"}, "missing required field"),
        ("POST", "/keys/crowd", {"venue": "binance", "like": "nosuch", "count": 1}, "has no key"),
        ("POST", "/keys/revoke", {"venue": "binance", "key": "nosuch"}, "has no key"),
        ("POST", "/balances", {**KEY, "asset": "NOSUCH", "free": "1"}, "no asset"),
        ("POST", "/balances", {**KEY, "asset": "BTC", "free": "-1"}, "cannot be"),
        ("POST", "/balances", {**KEY, "asset": "BTC", "amount": "1"}, "unknown field"),
        ("POST", "/prices", {"venue": "binance", "symbol": "NO", "price": "1"}, "does not list"),
        ("POST", "/prices", {"venue": "binance", "symbol": "BTCUSDT", "price": "0"}, "no price"),
        ("POST", "/deposits", {**KEY, "asset": "NOSUCH", "amount": "1"}, "no asset"),
        ("POST", "/withdrawals", {**KEY, "asset": "BTC", "amount": "99"}, "holds only"),
        ("POST", "/transfers/complete", {**KEY, "id": "nosuch"}, "no pending transfer"),
        ("POST", "/faults", {"kind": "nosuch"}, "Invalid enum value"),
        ("POST", "/faults", {"kind": "other_account", "venue": "binance"}, "has no key"),
        ("POST", "/clock", {"offset": 1, "advance": 2}, "takes one of"),
        ("POST", "/clock", {"offset": "soon"}, "Expected `int | null`"),
    ],
)
def test_an_order_that_makes_no_sense_is_told_why(
    script: Callable[..., Told], method: str, path: str, order: dict[str, object], reason: str
) -> None:
    status, told = script(method, path, **order)
    assert status == 400
    assert reason in told["error"]


def test_a_transfer_happens_at_the_moment_that_is_named(
    script: Callable[..., Told], exchange: Exchange, saver: DemoKey
) -> None:
    made = script("POST", "/deposits", **KEY, asset="DOGE", amount="7", at=NOW - 60_000)[1]
    transfer = exchange.ledger.get("binance", saver.key).transfers[-1]
    assert (transfer.id, transfer.at, transfer.network) == (made["id"], NOW - 60_000, "DOGE")


def test_the_clock_can_be_frozen_advanced_and_shifted(script: Callable[..., Told]) -> None:
    assert script("POST", "/clock", freeze_at=500)[1] == {"now": 500}
    assert script("POST", "/clock", advance=20)[1] == {"now": 520}
    assert script("POST", "/clock", offset=-1_000)[1] == {"now": NOW - 1_000}
    assert script("GET", "/clock")[1] == {"now": NOW - 1_000}
