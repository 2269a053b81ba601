"""The real exchange library against the sandbox, unmodified except for its addresses."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import pytest

from coffers.sandbox import (
    DemoKey,
    Exchange,
    FaultKind,
    NewFault,
    SandboxControl,
    demo_keys,
    machine_time,
    running,
)

DAY = 86_400_000
SAVER, TRADER, AMERICAN = demo_keys()


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async with running(Exchange(7, machine_time)) as url:
        yield url


@pytest.fixture
async def control(base_url: str) -> AsyncIterator[SandboxControl]:
    async with SandboxControl(base_url) as made:
        yield made


class Clients:
    """Makes ccxt exchanges that speak to the sandbox, and closes them."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._made: list[Any] = []

    def make(self, key: DemoKey, **options: object) -> Any:
        spot = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}
        made = getattr(ccxt, key.venue)(
            {
                "apiKey": key.key,
                "secret": key.secret,
                "enableRateLimit": False,
                "options": {**spot, "fetchMargins": False, **options},
            }
        )
        made.number = str
        made.urls["api"] = {
            name: f"{self._base_url}/{made.id}/{urlsplit(url).netloc}{urlsplit(url).path}"
            for name, url in made.urls["api"].items()
        }
        self._made.append(made)
        return made

    async def close(self) -> None:
        for made in self._made:
            await made.close()


@pytest.fixture
async def clients(base_url: str) -> AsyncIterator[Clients]:
    made = Clients(base_url)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("key", "pairs"),
    [
        (SAVER, {"BTC/USDT", "ETH/USDT", "BTC/USDC", "EUR/USDT", "ETH/BTC"}),
        (AMERICAN, {"BTC/USDT", "BTC/USD", "ETH/USD", "USDT/USD", "USDC/USD"}),
    ],
)
async def test_markets_and_tickers_load(clients: Clients, key: DemoKey, pairs: set[str]) -> None:
    venue = clients.make(key)
    markets = await venue.load_markets()
    tickers = await venue.fetch_tickers()
    assert pairs <= set(markets)
    assert set(tickers) == set(markets)
    for symbol in pairs:
        market, ticker = markets[symbol], tickers[symbol]
        assert market["spot"]
        assert market["active"]
        assert Decimal(market["limits"]["cost"]["min"]) > 0
        bid, last, ask = (Decimal(ticker[name]) for name in ("bid", "last", "ask"))
        assert bid <= last <= ask
        assert last % Decimal(market["precision"]["price"]) == 0
        assert Decimal(ticker["quoteVolume"]) > 0


async def test_the_halted_pair_is_inactive(clients: Clients) -> None:
    markets = await clients.make(SAVER).load_markets()
    assert [name for name, market in markets.items() if not market["active"]] == ["AVAX/ETH"]


async def test_currencies_load_with_a_key(clients: Clients) -> None:
    venue = clients.make(SAVER, fetchCurrencies=True)
    await venue.load_markets()
    assert venue.currencies["ORPHAN"]["networks"]
    assert venue.currencies["EUR"]["type"] == "fiat"


@pytest.mark.parametrize("key", demo_keys())
async def test_balances_are_exact(clients: Clients, key: DemoKey) -> None:
    balance = await clients.make(key).fetch_balance()
    for asset, (free, locked) in key.balances.items():
        assert Decimal(balance[asset]["free"]) == free
        assert Decimal(balance[asset]["used"]) == locked
    assert Decimal(balance["TRX"]["total"]) == 0


async def test_the_funding_wallet_is_a_call_of_its_own(clients: Clients) -> None:
    balance = await clients.make(SAVER).fetch_balance({"type": "funding"})
    assert balance["total"] == {}


@pytest.mark.parametrize("key", demo_keys())
async def test_deposits_and_withdrawals_are_told(clients: Clients, key: DemoKey) -> None:
    venue = clients.make(key)
    since = venue.milliseconds() - 90 * DAY + 60_000
    moved = await venue.fetch_deposits(since=since) + await venue.fetch_withdrawals(since=since)
    assert {transfer["status"] for transfer in moved} == {"ok", "pending"}
    assert {transfer["type"] for transfer in moved} == {"deposit", "withdrawal"}
    assert all(Decimal(transfer["amount"]) > 0 for transfer in moved)
    assert all(transfer["timestamp"] >= since - 1_000 for transfer in moved)
    assert all(transfer["id"] for transfer in moved)


async def test_fiat_deposits_are_told_when_asked_for(clients: Clients) -> None:
    (deposit,) = await clients.make(AMERICAN).fetch_deposits("USD")
    assert (deposit["currency"], deposit["amount"]) == ("USD", "12000.00000000")
    assert deposit["status"] == "ok"


async def test_the_rights_of_a_key_are_told(clients: Clients) -> None:
    told = await clients.make(TRADER).sapiGetAccountApiRestrictions()
    assert told["enableSpotAndMarginTrading"] is True
    assert told["enableWithdrawals"] is False


async def test_a_market_order_is_filled_and_changes_the_balance(clients: Clients) -> None:
    venue = clients.make(TRADER)
    order = await venue.create_order("LINK/USDT", "market", "sell", 10)
    assert order["status"] == "closed"
    assert Decimal(order["filled"]) == 10
    balance = await venue.fetch_balance()
    proceeds = Decimal(order["cost"]) - Decimal(order["fee"]["cost"])
    assert Decimal(balance["USDT"]["free"]) == proceeds
    bought = await venue.create_market_buy_order_with_cost("ETH/USDT", 50)
    assert Decimal(49) < Decimal(bought["cost"]) <= Decimal(50)
    assert len(await venue.fetch_my_trades("LINK/USDT")) == 1
    assert (await venue.fetch_order(order["id"], "LINK/USDT"))["status"] == "closed"


async def test_too_large_an_order_is_refused(clients: Clients) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await clients.make(TRADER).create_order("LINK/USDT", "market", "sell", 1000)


async def test_candles_are_told(clients: Clients) -> None:
    candles = await clients.make(SAVER).fetch_ohlcv("BTC/USDT", "1h", limit=24)
    assert len(candles) == 24
    assert all(Decimal(low) <= Decimal(high) for _, _, high, low, *_ in candles)


async def test_clock_drift_is_refused_and_cured_by_asking_the_time(
    clients: Clients, control: SandboxControl
) -> None:
    await control.shift_clock(-60_000)
    with pytest.raises(ccxt.InvalidNonce):
        await clients.make(SAVER).fetch_balance()
    cured = clients.make(SAVER, adjustForTimeDifference=True)
    assert Decimal((await cured.fetch_balance())["BTC"]["free"]) > 0


async def test_a_wrong_secret_is_refused(clients: Clients) -> None:
    wrong = DemoKey("binance", SAVER.key, "not-the-secret", {})
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        await clients.make(wrong).fetch_balance()


async def test_an_unknown_key_is_refused(clients: Clients) -> None:
    unknown = DemoKey("binance", "unknown-key-1", "secret", {})
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await clients.make(unknown).fetch_balance()


async def test_used_up_weight_is_refused_with_429(
    clients: Clients, control: SandboxControl
) -> None:
    venue = clients.make(SAVER)
    await venue.load_markets()
    await control.set_limit(20)
    # The library makes DDoSProtection of a bare 429, a sister of RateLimitExceeded.
    with pytest.raises(ccxt.DDoSProtection, match="-1003"):
        await venue.fetch_tickers()


@pytest.mark.parametrize(
    "kind", [FaultKind.HTML, FaultKind.EMPTY_OBJECT, FaultKind.EMPTY_BODY, FaultKind.TRUNCATED]
)
async def test_an_outage_looks_like_an_empty_account_to_the_library(
    clients: Clients, control: SandboxControl, kind: FaultKind
) -> None:
    venue = clients.make(SAVER)
    await venue.load_markets()
    await control.inject(NewFault(kind=kind, path="/api/v3/account", count=1))
    assert (await venue.fetch_balance())["total"] == {}
    assert (await venue.fetch_balance())["total"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.STATUS, ccxt.ExchangeNotAvailable),
        (FaultKind.DROPPED, ccxt.NetworkError),
        (FaultKind.BANNED, ccxt.DDoSProtection),
    ],
)
async def test_a_failing_venue_raises(
    clients: Clients, control: SandboxControl, kind: FaultKind, error: type[Exception]
) -> None:
    venue = clients.make(SAVER)
    await venue.load_markets()
    await control.inject(NewFault(kind=kind, path="/api/v3/account"))
    with pytest.raises(error):
        await venue.fetch_balance()


async def test_a_slow_venue_times_out(clients: Clients, control: SandboxControl) -> None:
    venue = clients.make(SAVER)
    await venue.load_markets()
    venue.timeout = 100
    await control.inject(NewFault(kind=FaultKind.DELAY, seconds=0.5, path="/api/v3/account"))
    with pytest.raises(ccxt.RequestTimeout):
        await venue.fetch_balance()
