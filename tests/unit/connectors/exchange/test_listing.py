"""What ccxt tells of markets and tickers -> pairs with their rules, and rates."""

from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.exchange.listing import pairs_of, read_rates
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.pairs import Rate, VenuePair
from factories import NOW
from unit.connectors.exchange.fakes import FakeExchange, session

DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE = 2, 3, 4

SPOT: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "id": "XBTUSDT",
    "base": "BTC",
    "quote": "USDT",
    "baseId": "XXBT",
    "quoteId": "USDT",
    "spot": True,
    "active": True,
    "taker": "0.0026",
}
SWAP: dict[str, Any] = {
    **SPOT,
    "symbol": "BTC/USDT:USDT",
    "id": "BTC-USDT-SWAP",
    "settle": "USDT",
    "spot": False,
    "swap": True,
    "linear": True,
    "inverse": False,
}


def listed(*markets: dict[str, Any], mode: int = TICK_SIZE) -> list[VenuePair]:
    exchange = FakeExchange()
    exchange.markets = {market["symbol"]: market for market in markets}
    exchange.precisionMode = mode
    return pairs_of(exchange)


def one(mode: int = TICK_SIZE, **changes: Any) -> VenuePair:
    (pair,) = listed({**SPOT, **changes}, mode=mode)
    return pair


@pytest.mark.parametrize(
    ("mode", "precision", "amount_step", "price_step", "price_digits"),
    [
        (TICK_SIZE, {"amount": "0.00001", "price": "0.5"}, "0.00001", "0.5", None),
        (TICK_SIZE, {"amount": "1e-8", "price": 0.01}, "0.00000001", "0.01", None),
        (TICK_SIZE, {"amount": "10", "price": None}, "10", None, None),
        (DECIMAL_PLACES, {"amount": 5, "price": "2"}, "0.00001", "0.01", None),
        (DECIMAL_PLACES, {"amount": 0, "price": -1}, "1", "10", None),
        (SIGNIFICANT_DIGITS, {"amount": 8, "price": 5}, "0.00000001", None, 5),
    ],
)
def test_steps_are_told_in_each_of_the_ways_that_the_library_has(
    mode: int,
    precision: dict[str, Any],
    amount_step: str,
    price_step: str | None,
    price_digits: int | None,
) -> None:
    pair = one(mode, precision=precision)
    assert pair.amount_step == Decimal(amount_step)
    assert pair.price_step == (None if price_step is None else Decimal(price_step))
    assert pair.price_digits == price_digits


@pytest.mark.parametrize(
    ("price", "step"),
    [("73267", "1"), ("0.00001234", "0.000000001"), ("123456", "10"), ("1", "0.0001")],
)
def test_a_step_of_significant_digits_is_that_near_a_price(price: str, step: str) -> None:
    pair = one(SIGNIFICANT_DIGITS, precision={"price": 5})
    assert pair.step_at(Decimal(price)) == Decimal(step)
    assert pair.step_at(None) is None


@pytest.mark.parametrize(
    "precision", [None, {}, {"amount": None}, {"amount": "x"}, {"amount": 0}, {"amount": True}]
)
def test_an_unknown_step_is_none(precision: Any) -> None:
    assert one(precision=precision).amount_step is None


def test_limits_are_told_and_zero_is_none() -> None:
    pair = one(
        limits={
            "amount": {"min": "0.0001", "max": "9000"},
            "price": {"min": "0.10", "max": None},
            "cost": {"min": "5", "max": "0"},
            "market": {"min": "0.00000000", "max": "121.2"},
            "leverage": {"min": 1, "max": "5"},
        },
        margin=True,
    )
    assert (pair.min_amount, pair.max_amount) == (Decimal("0.0001"), Decimal(9000))
    assert (pair.min_price, pair.max_price) == (Decimal("0.10"), None)
    assert (pair.min_cost, pair.max_cost) == (Decimal(5), None)
    assert (pair.min_market_amount, pair.max_market_amount) == (None, Decimal("121.2"))
    assert (pair.min_leverage, pair.max_leverage) == (Decimal(1), Decimal(5))
    assert pair.taker == Decimal("0.0026")
    assert pair.on_margin is True


def test_a_fee_of_nothing_is_a_fee() -> None:
    assert one(taker=0).taker == 0
    assert one(taker=None).taker is None


def test_spot_is_named_by_its_assets_and_a_contract_by_the_venues_own_name() -> None:
    inverse = {
        **SWAP,
        "symbol": "BTC/USD:BTC",
        "id": "BTCUSD_PERP",
        "quote": "USD",
        "settle": "BTC",
        "inverse": True,
    }
    pairs = {pair.name: pair for pair in listed(SPOT, SWAP, inverse)}
    assert {name: pair.kind for name, pair in pairs.items()} == {
        "USDT_BTC": "spot",
        "USDT_BTC-USDT-SWAP": "linear_futures",
        "BTC_BTCUSD_PERP": "inverse_futures",
    }
    assert pairs["USDT_BTC"].base_code == "XXBT"


def test_amounts_of_a_linear_contract_are_in_units_of_base() -> None:
    sized = {
        "contractSize": "0.01",
        "precision": {"amount": "0.1", "price": "0.1"},
        "limits": {"amount": {"min": "0.1", "max": "1000"}, "market": {"max": "500"}},
    }
    linear, inverse = listed({**SWAP, **sized}, {**SWAP, **sized, "symbol": "I", "inverse": True})[
        ::-1
    ]
    assert linear.kind == "linear_futures"
    assert (linear.amount_step, linear.min_amount) == (Decimal("0.001"), Decimal("0.001"))
    assert (linear.max_amount, linear.max_market_amount) == (Decimal(10), Decimal(5))
    assert linear.price_step == Decimal("0.1")
    assert inverse.amount_step == Decimal("0.1")


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"spot": False},
        {"spot": False, "option": True},
        {"base": None},
        {"id": ""},
    ],
)
def test_what_is_no_active_pair_is_left_out(changes: dict[str, Any]) -> None:
    assert listed({**SPOT, **changes}) == []


def test_of_two_pairs_with_one_name_the_first_counts() -> None:
    assert [pair.symbol for pair in listed(SPOT, {**SPOT, "symbol": "BTC/USDT again"})] == [
        "BTC/USDT"
    ]


TICKER = {"last": "100.10", "bid": "100", "ask": "0"}


def telling(**methods: Any) -> FakeExchange:
    exchange = FakeExchange(**methods)
    exchange.has = {"fetchTicker": "fetch_ticker" in methods, "fetchTickers": True}
    exchange.markets = {name: {"type": "spot"} for name in "ABCDE"} | {"F": {"type": "swap"}}
    return exchange


async def test_a_rate_is_asked_by_itself_and_no_bid_is_none() -> None:
    exchange = telling(fetch_ticker=[TICKER])
    rates = await read_rates(session(exchange), ["A"])
    assert rates == {"A": Rate(Decimal("100.10"), Decimal(100), None, NOW)}


async def test_many_rates_are_asked_at_once_spot_and_contracts_apart() -> None:
    tickers = dict.fromkeys("ABC", TICKER) | {"D": {"last": None}}
    exchange = telling(fetch_tickers=[tickers], fetch_ticker=[TICKER])
    rates = await read_rates(session(exchange), list("ABCDEF"))
    assert set(rates) == set("ABCF")
    assert exchange.asked == [
        ("fetch_tickers", (["A", "B", "C", "D", "E"],)),
        ("fetch_ticker", ("F",)),
    ]


async def test_a_venue_that_tells_all_tickers_only_is_asked_for_those() -> None:
    exchange = telling(fetch_tickers=[{"A": TICKER, "B": TICKER}])
    assert set(await read_rates(session(exchange), ["A"])) == {"A"}


async def test_a_venue_that_tells_no_tickers_says_so() -> None:
    exchange = telling()
    exchange.has = {}
    with pytest.raises(ConnectorFailure) as failed:
        await read_rates(session(exchange), ["A"])
    assert failed.value.kind is FailureKind.UNSUPPORTED
