from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.sandbox.accounts import Balance, Wallet
from coffers.sandbox.assets import ASSETS
from coffers.sandbox.call import Call
from coffers.sandbox.demo import DemoKey
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.prices import DAY

DEPOSITS = "/sapi/v1/capital/deposit/hisrec"
WITHDRAWALS = "/sapi/v1/capital/withdraw/history"
NOW = 1_760_000_000_123
Ask = Callable[[Call], tuple[int, Any]]
Signed = Callable[..., Call]


@pytest.fixture
def deposits(ask: Ask, signed: Signed, saver: DemoKey) -> Callable[..., Any]:
    return lambda **params: ask(signed(saver, "GET", DEPOSITS, **params))[1]


def test_deposits_of_the_last_90_days_come_newest_first(deposits: Callable[..., Any]) -> None:
    told = deposits()
    assert [entry["coin"] for entry in told] == ["BTC", "SOL", "ETH", "USDT"]
    assert [entry["status"] for entry in told] == [0, 1, 1, 1]
    assert told[1]["amount"] == "10.00000000"


def test_older_deposits_are_in_an_earlier_window(deposits: Callable[..., Any]) -> None:
    (old,) = deposits(startTime=NOW - 240 * DAY, endTime=NOW - 160 * DAY)
    assert (old["coin"], old["amount"]) == ("BTC", "0.35000000")


def test_a_window_is_90_days_at_most(deposits: Callable[..., Any]) -> None:
    start = NOW - 200 * DAY
    assert len(deposits(startTime=start, endTime=start + 90 * DAY)) == 0
    too_long = deposits(startTime=start, endTime=start + 90 * DAY + 1)
    assert too_long == {"code": -4047, "msg": "Time interval must be within 0-90 days"}
    assert deposits(startTime=start)["code"] == -4047


def test_deposits_can_be_paged_and_narrowed(deposits: Callable[..., Any]) -> None:
    assert [entry["coin"] for entry in deposits(offset=1, limit=2)] == ["SOL", "ETH"]
    assert [entry["coin"] for entry in deposits(coin="SOL")] == ["SOL"]
    assert [entry["coin"] for entry in deposits(status=0)] == ["BTC"]


def test_withdrawals_tell_their_fee_and_a_pending_one_has_no_transaction_yet(
    ask: Ask, signed: Signed, trader: DemoKey
) -> None:
    pending, done = ask(signed(trader, "GET", WITHDRAWALS))[1]
    assert (pending["coin"], pending["status"], pending["txId"]) == ("FDUSD", 4, "")
    assert (done["coin"], done["status"], done["transactionFee"]) == ("LINK", 6, "0.35000000")
    assert done["applyTime"] == "2025-09-27 07:53:20"


def test_fiat_money_has_a_history_of_its_own(ask: Ask, signed: Signed, american: DemoKey) -> None:
    told = ask(signed(american, "GET", "/sapi/v1/fiat/orders", transactionType=0))[1]
    assert [entry["amount"] for entry in told["data"]] == ["12000.00000000"]
    assert told["data"][0]["status"] == "Successful"
    coins = ask(
        signed(american, "GET", DEPOSITS, startTime=NOW - 100 * DAY, endTime=NOW - 90 * DAY)
    )
    assert coins[1] == []
    withdrawn = ask(signed(american, "GET", "/sapi/v1/fiat/orders", transactionType=1))[1]
    assert withdrawn["data"] == []


def test_the_rights_of_a_key_are_told(
    exchange: Exchange, ask: Ask, signed: Signed, trader: DemoKey
) -> None:
    path = "/sapi/v1/account/apiRestrictions"
    told = ask(signed(trader, "GET", path))[1]
    assert told["enableReading"] is True
    assert told["enableSpotAndMarginTrading"] is True
    assert told["enableWithdrawals"] is told["ipRestrict"] is False
    assert "tradingAuthorityExpirationTime" not in told
    account = exchange.ledger.get("binance", trader.key)
    account.rights = replace(
        account.rights, withdraw=True, ips=("127.0.0.1",), expires_at=NOW + DAY
    )
    told = ask(signed(trader, "GET", path))[1]
    assert told["enableWithdrawals"] is told["ipRestrict"] is True
    assert told["tradingAuthorityExpirationTime"] == NOW + DAY


def test_every_asset_is_described_with_its_network(
    ask: Ask, signed: Signed, saver: DemoKey
) -> None:
    told = ask(signed(saver, "GET", "/sapi/v1/capital/config/getall"))[1]
    coins = {entry["coin"]: entry for entry in told}
    assert set(coins) == set(ASSETS)
    assert coins["SOL"]["networkList"][0]["network"] == "SOL"
    assert coins["SOL"]["locked"] == "12.00000000"
    assert coins["EUR"]["isLegalMoney"] is True


def test_the_funding_wallet_is_told_apart(
    exchange: Exchange, ask: Ask, signed: Signed, saver: DemoKey
) -> None:
    path = "/sapi/v1/asset/get-funding-asset"
    assert ask(signed(saver, "POST", path))[1] == []
    account = exchange.ledger.get("binance", saver.key)
    exchange.ledger.hold(account, "USDT", Balance(Decimal(25)), Wallet.FUNDING)
    (held,) = ask(signed(saver, "POST", path))[1]
    assert (held["asset"], held["free"]) == ("USDT", "25.00000000")
