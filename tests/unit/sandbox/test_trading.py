from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.sandbox.call import Call
from coffers.sandbox.demo import DemoKey
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.pairs import PAIRS
from coffers.sandbox.trading import min_notional

LINK = PAIRS["binance"]["LINKUSDT"]
Ask = Callable[[Call], tuple[int, Any]]
Signed = Callable[..., Call]


@pytest.fixture
def order(ask: Ask, signed: Signed, trader: DemoKey) -> Callable[..., Any]:
    """Places an order of the trading demo key; gives the decoded body."""

    def place(**terms: object) -> Any:
        terms = {"symbol": "LINKUSDT", "type": "MARKET"} | terms
        return ask(signed(trader, "POST", "/api/v3/order", **terms))[1]

    return place


def held(exchange: Exchange, trader: DemoKey, asset: str) -> Decimal:
    return exchange.ledger.get("binance", trader.key).spot[asset].free


def test_a_sale_fills_at_the_bid_and_pays_its_fee_in_what_it_brings(
    exchange: Exchange, order: Callable[..., Any], trader: DemoKey
) -> None:
    bid = exchange.prices.book(LINK, exchange.now()).bid
    assert bid is not None
    told = order(side="SELL", quantity="10")
    assert told["status"] == "FILLED"
    assert Decimal(told["cummulativeQuoteQty"]) == 10 * bid
    assert told["fills"][0]["commissionAsset"] == "USDT"
    assert held(exchange, trader, "LINK") == Decimal("86.21")
    assert held(exchange, trader, "USDT") == 10 * bid * Decimal("0.999")


def test_a_purchase_fills_at_the_ask(
    exchange: Exchange, order: Callable[..., Any], trader: DemoKey
) -> None:
    pair = PAIRS["binance"]["BTCFDUSD"]
    ask = exchange.prices.book(pair, exchange.now()).ask
    assert ask is not None
    order(symbol="BTCFDUSD", side="BUY", quantity="0.01")
    assert held(exchange, trader, "FDUSD") == Decimal("2200.5") - ask / 100
    assert held(exchange, trader, "BTC") == Decimal("0.0713") + Decimal("0.00999")


def test_a_purchase_for_a_sum_spends_no_more_than_it(
    exchange: Exchange, order: Callable[..., Any], trader: DemoKey
) -> None:
    told = order(symbol="BTCFDUSD", side="BUY", quoteOrderQty="500")
    assert Decimal(499) < Decimal(told["cummulativeQuoteQty"]) <= Decimal(500)
    assert Decimal(told["executedQty"]) % PAIRS["binance"]["BTCFDUSD"].step == 0
    spent = Decimal("2200.5") - held(exchange, trader, "FDUSD")
    assert spent == Decimal(told["cummulativeQuoteQty"])


@pytest.mark.parametrize(
    ("terms", "code", "text"),
    [
        ({"side": "SELL", "quantity": "1000"}, -2010, "Account has insufficient balance"),
        ({"side": "SELL", "quantity": "0.0001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"side": "SELL", "quantity": "1e40"}, -1013, "Filter failure: LOT_SIZE"),
        ({"side": "BUY", "quoteOrderQty": "1e40"}, -1013, "Filter failure: LOT_SIZE"),
        ({"side": "SELL", "quantity": "0.01"}, -1013, "Filter failure: NOTIONAL"),
        ({"side": "SELL"}, -1102, "Mandatory parameter 'quantity'"),
        ({"side": "SELL", "quantity": "-1"}, -1100, "Illegal characters"),
        ({"side": "SELL", "quantity": "ten"}, -1100, "Illegal characters"),
        ({"side": "HOLD", "quantity": "1"}, -1117, "Invalid side."),
        ({"side": "SELL", "quantity": "1", "type": "LIMIT"}, -1116, "Invalid orderType."),
        ({"side": "SELL", "quantity": "1", "symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"side": "SELL", "quantity": "1", "symbol": "AVAXETH"}, -1013, "Market is closed."),
    ],
)
def test_an_order_that_cannot_be_is_refused_in_the_venues_words(
    exchange: Exchange,
    order: Callable[..., Any],
    trader: DemoKey,
    terms: dict[str, object],
    code: int,
    text: str,
) -> None:
    told = order(**terms)
    assert told["code"] == code
    assert told["msg"].startswith(text)
    assert exchange.ledger.get("binance", trader.key).orders == []


def test_a_key_that_may_only_read_cannot_trade(ask: Ask, signed: Signed, saver: DemoKey) -> None:
    terms = {"symbol": "SOLUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"}
    assert ask(signed(saver, "POST", "/api/v3/order", **terms))[1]["code"] == -2015


def test_a_key_cannot_trade_after_its_expiry(
    exchange: Exchange, order: Callable[..., Any], trader: DemoKey
) -> None:
    account = exchange.ledger.get("binance", trader.key)
    account.rights = replace(account.rights, expires_at=exchange.now())
    assert order(side="SELL", quantity="10")["code"] == -2015


def test_the_smallest_order_is_about_five_dollars_in_any_quote() -> None:
    assert min_notional(LINK) == Decimal(4)
    assert min_notional(PAIRS["binance"]["ETHBTC"]) == Decimal("0.00004")
    assert min_notional(PAIRS["binance"]["BTCTRY"]) == Decimal(200)
