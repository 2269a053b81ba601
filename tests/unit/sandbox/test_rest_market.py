from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from coffers.sandbox.answering import healthy
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.pairs import PAIRS
from coffers.sandbox.prices import HOUR

NOW = 1_760_000_000_123
Public = Callable[..., Any]


def test_the_time_is_the_exchanges(public: Public) -> None:
    assert public("/api/v3/ping") == {}
    assert public("/api/v3/time") == {"serverTime": NOW}


def test_every_pair_is_listed_with_its_filters(public: Public) -> None:
    info = public("/api/v3/exchangeInfo")
    assert {symbol["symbol"] for symbol in info["symbols"]} == set(PAIRS["binance"])
    btc = next(symbol for symbol in info["symbols"] if symbol["symbol"] == "BTCUSDT")
    filters = {entry["filterType"]: entry for entry in btc["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00000100"
    assert filters["NOTIONAL"]["minNotional"] == "4.00000000"
    assert btc["status"] == "TRADING"
    halted = next(symbol for symbol in info["symbols"] if symbol["symbol"] == "AVAXETH")
    assert halted["status"] == "BREAK"


def test_tickers_come_for_all_for_some_and_for_one(public: Public) -> None:
    path = "/api/v3/ticker/24hr"
    everything = {told["symbol"]: told for told in public(path)}
    assert len(everything) == len(PAIRS["binance"])
    assert public(path, symbol="BTCUSDT") == everything["BTCUSDT"]
    some = public(path, symbols='["BTCUSDT","ETHBTC"]')
    assert [told["symbol"] for told in some] == ["BTCUSDT", "ETHBTC"]


def test_a_ticker_has_the_keys_and_texts_of_the_venue(public: Public) -> None:
    told = public("/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert set(told) == {
        "symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice",
        "lastPrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty", "openPrice",
        "highPrice", "lowPrice", "volume", "quoteVolume", "openTime", "closeTime", "firstId",
        "lastId", "count",
    }  # fmt: skip
    assert len(told["lastPrice"].split(".")[1]) == 8
    change = Decimal(told["lastPrice"]) - Decimal(told["openPrice"])
    assert Decimal(told["priceChange"]) == change


def test_prices_and_best_prices_agree_with_the_ticker(public: Public) -> None:
    day = public("/api/v3/ticker/24hr", symbol="ETHUSDT")
    assert public("/api/v3/ticker/price", symbol="ETHUSDT")["price"] == day["lastPrice"]
    best = public("/api/v3/ticker/bookTicker", symbol="ETHUSDT")
    assert (best["bidPrice"], best["askPrice"]) == (day["bidPrice"], day["askPrice"])


def test_a_halted_pair_shows_zeros_for_a_book(public: Public) -> None:
    told = public("/api/v3/ticker/24hr", symbol="AVAXETH")
    assert told["bidPrice"] == told["askPrice"] == told["volume"] == "0.00000000"
    assert Decimal(told["lastPrice"]) > 0


def test_all_tickers_are_made_once_a_second(exchange: Exchange) -> None:
    call = Call("binance", "GET", "/api/v3/ticker/24hr")
    first = healthy(exchange, call).body
    exchange.clock.freeze(NOW + 500)
    assert healthy(exchange, call).body == first
    exchange.clock.freeze(NOW + 2_000)
    assert healthy(exchange, call).body != first


def test_a_price_that_is_set_shows_at_once(exchange: Exchange) -> None:
    call = Call("binance", "GET", "/api/v3/ticker/price")
    healthy(exchange, call)
    exchange.prices.set(PAIRS["binance"]["BTCUSDT"], Decimal("77777.77"), NOW)
    assert b'"77777.77000000"' in healthy(exchange, call).body


def test_candles_end_with_the_running_one_unless_asked_otherwise(public: Public) -> None:
    told = public("/api/v3/klines", symbol="BTCUSDT", interval="1h", limit=3)
    assert len(told) == 3
    assert told[-1][0] <= NOW <= told[-1][6]
    earlier = public(
        "/api/v3/klines",
        symbol="BTCUSDT",
        interval="1h",
        startTime=NOW - 10 * HOUR,
        endTime=NOW - 8 * HOUR,
    )
    assert [row[0] // HOUR for row in earlier] == [NOW // HOUR - 9, NOW // HOUR - 8]


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("ticker/24hr", {"symbol": "NOSUCH"}, -1121),
        ("ticker/24hr", {"symbols": '["NOSUCH"]'}, -1121),
        ("ticker/24hr", {"symbols": "BTCUSDT"}, -1100),
        ("klines", {"symbol": "BTCUSDT"}, -1102),
        ("klines", {"symbol": "BTCUSDT", "interval": "5h"}, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1h", "limit": "many"}, -1100),
    ],
)
def test_a_wrong_question_gets_the_venues_error(
    public: Public, path: str, params: dict[str, str], code: int
) -> None:
    assert public(f"/api/v3/{path}", **params)["code"] == code


def test_weights_are_told_in_the_headers(exchange: Exchange) -> None:
    healthy(exchange, Call("binance", "GET", "/api/v3/ticker/24hr"))
    answer = healthy(exchange, Call("binance", "GET", "/api/v3/ticker/24hr", "symbol=BTCUSDT"))
    assert answer.headers["x-mbx-used-weight-1m"] == "82"


def test_a_path_that_the_venue_does_not_have_is_not_found(exchange: Exchange) -> None:
    assert healthy(exchange, Call("binance", "GET", "/fapi/v1/exchangeInfo")).status == 404
