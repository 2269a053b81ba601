from collections.abc import Callable
from typing import Any

from coffers.sandbox.assets import ASSETS
from coffers.sandbox.call import Call
from coffers.sandbox.demo import DemoKey

ACCOUNT = "/api/v3/account"
Ask = Callable[[Call], tuple[int, Any]]
Signed = Callable[..., Call]


def test_balances_tell_free_and_locked_of_every_asset(
    ask: Ask, signed: Signed, saver: DemoKey
) -> None:
    told = ask(signed(saver, "GET", ACCOUNT))[1]
    balances = {entry["asset"]: entry for entry in told["balances"]}
    assert set(balances) == set(ASSETS)
    assert balances["SOL"] == {"asset": "SOL", "free": "38.50000000", "locked": "12.00000000"}
    assert balances["DOGE"]["free"] == "0.00000000"


def test_zero_balances_can_be_left_out(ask: Ask, signed: Signed, saver: DemoKey) -> None:
    told = ask(signed(saver, "GET", ACCOUNT, omitZeroBalances="true"))[1]
    assert {entry["asset"] for entry in told["balances"]} == set(saver.balances)


def test_an_order_can_be_found_again(ask: Ask, signed: Signed, trader: DemoKey) -> None:
    terms = {"symbol": "LINKUSDT", "side": "SELL", "type": "MARKET", "quantity": "10"}
    path = "/api/v3/order"
    placed = ask(signed(trader, "POST", path, newClientOrderId="mine", **terms))[1]
    by_id = ask(signed(trader, "GET", path, symbol="LINKUSDT", orderId=placed["orderId"]))[1]
    by_name = ask(signed(trader, "GET", path, symbol="LINKUSDT", origClientOrderId="mine"))[1]
    assert by_id == by_name
    assert by_id["executedQty"] == "10.00000000"
    assert ask(signed(trader, "GET", "/api/v3/allOrders", symbol="LINKUSDT"))[1] == [by_id]
    (trade,) = ask(signed(trader, "GET", "/api/v3/myTrades", symbol="LINKUSDT"))[1]
    assert trade["orderId"] == placed["orderId"]
    assert trade["isBuyer"] is False
    assert ask(signed(trader, "GET", "/api/v3/myTrades", symbol="BTCUSDT"))[1] == []
    assert ask(signed(trader, "GET", "/api/v3/openOrders"))[1] == []


def test_an_order_that_does_not_exist_is_told_so(ask: Ask, signed: Signed, trader: DemoKey) -> None:
    told = ask(signed(trader, "GET", "/api/v3/order", symbol="LINKUSDT", orderId=1))[1]
    assert told == {"code": -2013, "msg": "Order does not exist."}
