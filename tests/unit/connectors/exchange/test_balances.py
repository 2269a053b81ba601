from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from coffers.connectors.exchange import balances
from coffers.connectors.exchange.amounts import Amounts, amounts_of
from coffers.connectors.exchange.balances import read_holdings
from coffers.connectors.exchange.rules import Wallet
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import InvalidAmount
from coffers.valuation.model import Position
from unit.connectors.exchange.fakes import BINANCE, KRAKEN, FakeExchange, ccxt_error, session

PLAIN = {
    "*": {
        "spot": [Wallet("spot", {"type": "spot"})],
        "margin": [Wallet("margin", {"type": "margin"})],
    }
}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every venue have a spot and a margin wallet, as ccxt's balances tell them."""
    monkeypatch.setattr(balances, "wallets", lambda: PLAIN)


def market(*kinds: str) -> Any:
    return SimpleNamespace(market_types=kinds, wallet=None)


def amounts(free: str, in_orders: str = "0", borrowed: str = "0") -> Amounts:
    return Amounts(Decimal(free), Decimal(in_orders), Decimal(borrowed))


def answer(**entries: Any) -> dict[str, Any]:
    return {"info": {"balances": list(entries)}, "free": {}, "used": {}, "total": {}, **entries}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"free": "1.5", "used": "0.5", "total": "2"}, amounts("1.5", "0.5")),
        ({"free": "1.5", "used": "0.5", "total": None}, amounts("1.5", "0.5")),
        ({"free": "1.5", "used": None, "total": "2.0"}, amounts("1.5", "0.5")),
        ({"free": None, "used": "0.5", "total": "2"}, amounts("1.5", "0.5")),
        ({"free": None, "used": None, "total": "2"}, amounts("2")),
        ({"free": "2", "used": None, "total": None}, amounts("2")),
        ({"free": None, "used": "2", "total": None}, amounts("0", "2")),
        ({"free": "", "used": "", "total": "2"}, amounts("2")),
        ({"free": "1.5", "used": "0.2", "total": "2"}, amounts("1.5", "0.5")),
        ({"free": "2", "used": "1", "total": "3", "debt": "0.7"}, amounts("2", "1", "0.7")),
        ({"free": "2", "used": "1", "total": "2.3", "debt": "0.7"}, amounts("2", "1", "0.7")),
        ({"free": 0, "used": 0, "total": 0}, amounts("0")),
        ({"free": "5.426e-05", "used": "0", "total": "0.00005426"}, amounts("0.00005426")),
        ({"free": "0.1234567890123456789012345"}, amounts("0.1234567890123456789012345")),
    ],
)
def test_amounts_are_exact_and_nothing_counts_twice(
    entry: dict[str, Any], expected: Amounts
) -> None:
    assert amounts_of(entry) == expected


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"free": None, "used": None, "total": None}, ValueError),
        ({}, ValueError),
        ({"free": "-1", "used": "0", "total": "-1"}, ValueError),
        ({"free": "3", "used": "-1", "total": "2"}, ValueError),
        ({"free": "3", "used": "0", "total": "2"}, ValueError),
        ({"free": "1", "used": "0", "debt": "-1"}, ValueError),
        ({"free": "NaN"}, InvalidAmount),
        ({"free": "Infinity"}, InvalidAmount),
        ({"free": "1e999"}, InvalidAmount),
        ({"free": "28 .21"}, InvalidAmount),
        ({"free": 0.1}, TypeError),
        ({"free": True}, TypeError),
        ({"free": ["1"]}, TypeError),
    ],
)
def test_amounts_that_make_no_sense_are_refused(
    entry: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        amounts_of(entry)


@pytest.mark.usefixtures("plain")
async def test_a_spot_account_becomes_positions_without_the_empty_ones() -> None:
    entries = {
        "BTC": {"free": "1.5", "used": "0.5", "total": "2"},
        "ETH": {"free": "0", "used": "0", "total": "0"},
        "LDETH": {"free": "3", "used": "0", "total": "3"},
    }
    exchange = FakeExchange(fetch_balance=[answer(**entries)])
    exchange.currencies = {"BTC": {"id": "BTC"}, "ETH": {"id": "ETH"}}
    holdings = await read_holdings(session(exchange), market("spot"))
    assert holdings.wallets == {"spot"}
    assert holdings.missing == {}
    assert holdings.positions == (
        Position("spot", "BTC", "BTC", Decimal("1.5"), Decimal("0.5")),
        Position("spot", "ETH", "LDETH", Decimal(3)),
    )
    assert exchange.asked == [("fetch_balance", ({"type": "spot"},))]


async def test_the_venues_own_code_is_kept() -> None:
    balance = {
        "info": {"result": {"XXBT": {}, "XBT.F": {}}},
        "BTC": {"free": "1", "used": "0", "total": "1"},
        "BTC.F": {"free": "2", "used": "0", "total": "2"},
    }
    exchange = FakeExchange(fetch_balance=[balance])
    exchange.currencies = {"BTC": {"id": "XXBT"}, "BTC.F": {"id": "XBT.F"}}
    holdings = await read_holdings(session(exchange, KRAKEN), market("spot"))
    assert [(p.asset, p.venue_code) for p in holdings.positions] == [
        ("BTC", "XXBT"),
        ("BTC", "XBT.F"),
    ]


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    "entries",
    [{"BTC": {"free": "-1", "total": "-1"}}, {"USDC": {"total": None}}, {"BTC": {"free": "NaN"}}],
)
async def test_one_amount_without_sense_spoils_the_reading(entries: dict[str, Any]) -> None:
    exchange = FakeExchange(fetch_balance=[answer(**entries)])
    with pytest.raises(ConnectorFailure) as caught:
        await read_holdings(session(exchange), market("spot"))
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.usefixtures("plain")
async def test_an_amount_without_a_currency_spoils_the_reading() -> None:
    broken = {**answer(), None: {"free": "1"}}
    broken["info"] = {"balances": [1]}
    with pytest.raises(ConnectorFailure, match="without a currency"):
        await read_holdings(session(FakeExchange(fetch_balance=[broken])), market("spot"))


async def test_a_kind_of_account_that_is_not_read_is_named() -> None:
    with pytest.raises(ConnectorFailure) as caught:
        await read_holdings(session(FakeExchange()), market("options"))
    assert caught.value.kind is FailureKind.UNSUPPORTED
    assert str(caught.value) == "Coffers does not read options accounts at Binance yet."


@pytest.mark.usefixtures("plain")
async def test_what_a_market_has_beyond_what_is_read_is_missing() -> None:
    exchange = FakeExchange(fetch_balance=[answer(BTC={"free": "1"})])
    holdings = await read_holdings(session(exchange), market("spot", "futures"))
    assert holdings.wallets == {"spot"}
    assert holdings.missing == {"futures": "Coffers does not read futures accounts at Binance yet."}


@pytest.mark.usefixtures("plain")
async def test_borrowed_amounts_of_a_margin_wallet() -> None:
    margin = {"info": {"userAssets": [1]}, "BTC": {"free": "1", "used": "0", "debt": "0.25"}}
    exchange = FakeExchange(fetch_balance=[margin])
    holdings = await read_holdings(session(exchange), market("margin"))
    assert [(p.wallet, p.borrowed, p.owned) for p in holdings.positions] == [
        ("margin", Decimal("0.25"), Decimal("0.75"))
    ]


@pytest.mark.usefixtures("plain")
async def test_a_further_wallet_that_fails_is_missing_and_the_rest_stays() -> None:
    down = ccxt_error("ExchangeNotAvailable", "NetworkError", "BaseError")
    exchange = FakeExchange(fetch_balance=[answer(BTC={"free": "1"}), down])
    holdings = await read_holdings(session(exchange), market("spot", "margin"))
    assert holdings.wallets == {"spot"}
    assert set(holdings.missing) == {"margin"}


@pytest.mark.usefixtures("plain")
async def test_a_rate_limit_met_on_the_way_ends_the_reading() -> None:
    limited = ccxt_error("RateLimitExceeded", "NetworkError", "BaseError")
    exchange = FakeExchange(fetch_balance=[answer(BTC={"free": "1"}), limited])
    with pytest.raises(ConnectorFailure) as caught:
        await read_holdings(session(exchange), market("spot", "margin"))
    assert caught.value.kind is FailureKind.RATE_LIMITED


@pytest.mark.usefixtures("plain")
async def test_the_first_wallet_must_be_read() -> None:
    down = ccxt_error("ExchangeNotAvailable", "NetworkError", "BaseError")
    exchange = FakeExchange(fetch_balance=[down])
    with pytest.raises(ConnectorFailure):
        await read_holdings(session(exchange), market("spot", "margin"))


async def test_a_wallet_in_two_kinds_of_market_has_its_own_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = {"*": {"spot": [Wallet("spot"), Wallet("funding", {"type": "funding"})]}}
    monkeypatch.setattr(balances, "wallets", lambda: table)
    funding = {"info": [1], "BTC": {"free": "2"}}
    exchange = FakeExchange(fetch_balance=[answer(BTC={"free": "1"}), funding])
    holdings = await read_holdings(session(exchange, BINANCE), market("spot"))
    assert [(p.wallet, p.free) for p in holdings.positions] == [
        ("spot", Decimal(1)),
        ("funding", Decimal(2)),
    ]
