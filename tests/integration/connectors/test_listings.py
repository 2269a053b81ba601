"""Listings through the real library over HTTP: recorded bodies, and how many venues are held."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from coffers.clock import HOUR, MINUTE, ManualClock, Millis, SystemClock
from coffers.connectors.exchange import listings
from coffers.connectors.exchange.listings import ExchangeListings
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.pairs import VenuePair
from coffers.sandbox import Exchange, FaultKind, NewFault, SandboxControl, machine_time, running
from factories import NOW
from integration.connectors.replay import Recorded, loaded, recorded, replaying

BODIES = loaded("markets.json")["fetch_markets"]
ALONE = [
    *("bitbank", "bittrade", "btcmarkets", "coinbaseinternational", "coinsph", "delta", "extended"),
    *("mercado", "modetrade", "ndax", "paradex", "polymarket", "upbit", "zaif"),
]
"""The venues whose one recorded body is all that their table is made of."""


@asynccontextmanager
async def replayed(
    otherwise: Recorded, by_path: Mapping[str, Recorded] | None = None
) -> AsyncIterator[Venues]:
    async with replaying(otherwise) as replay:
        replay.by_path = dict(by_path or {})
        venues = Venues(replay.url, 20.0, SystemClock(), is_paced=False)
        try:
            yield venues
        finally:
            await venues.close()


async def pairs_from(venue: str, body: object) -> dict[str, VenuePair]:
    async with replayed(recorded(body)) as venues:
        listed = await venues.listed(venue, Millis(0))
    return {pair.name: pair for pair in listed.pairs}


@pytest.mark.parametrize("venue", ALONE)
async def test_what_a_venue_was_recorded_to_list_is_listed_digit_for_digit(venue: str) -> None:
    case = next(each for each in BODIES[venue] if each["replay"] == "parsed")
    pairs = {pair.symbol: pair for pair in (await pairs_from(venue, case["httpResponse"])).values()}
    assert pairs
    for market in case["parsed"]:
        pair = pairs.get(market["symbol"])
        is_kept = market["active"] is not False and (market["spot"] or market["swap"])
        assert (pair is not None) is bool(is_kept)
        if pair is None:
            continue
        size = Decimal(market["contractSize"] or 1) if pair.kind == "linear_futures" else Decimal(1)
        limits, steps = market["limits"], market["precision"]
        assert pair.amount_step == _number(steps["amount"], size)
        assert pair.price_step == _number(steps["price"])
        assert pair.min_amount == _number(limits["amount"]["min"], size)
        assert pair.max_amount == _number(limits["amount"]["max"], size)
        assert pair.min_cost == _number(limits["cost"]["min"])
        assert pair.max_price == _number(limits["price"]["max"])
        assert pair.max_leverage == _number(limits["leverage"]["max"])


def _number(told: object, size: Decimal = Decimal(1)) -> Decimal | None:
    number = None if told is None else Decimal(str(told)) * size
    return number or None


async def test_contracts_of_binance_are_named_as_the_published_api_names_them() -> None:
    spot = await pairs_from("binance", BODIES["binance"][1]["httpResponse"])
    assert set(spot) == {"USDT_BTC"}
    coin = await pairs_from("binancecoinm", BODIES["binance"][2]["httpResponse"])
    assert coin["BTC_BTCUSD_200925"].kind == "inverse_futures"
    assert coin["BTC_BTCUSD_200925"].price_step == Decimal("0.1")
    assert (coin["BTC_BTCUSD_200925"].cross, coin["BTC_BTCUSD_200925"].isolated) == (True, True)


async def test_bitfinex_counts_prices_in_significant_digits_and_amounts_in_places() -> None:
    rows = [["BTCUSD", [None, None, None, "0.00004", "2000.0", None, None, None, None, None]]]
    perpetual = [
        "BTCF0:USTF0",
        [None, None, None, "0.0002", "100.0", None, None, None, 0.01, 0.005],
    ]
    markets = recorded([rows, [perpetual], [], ["BTCUSD"]])
    async with replayed(recorded([]), {"pub:list:pair:margin": markets}) as venues:
        listed = await venues.listed("bitfinex", Millis(0))
    pairs = {pair.name: pair for pair in listed.pairs}
    btc = pairs["USD_BTC"]
    assert (btc.price_step, btc.price_digits) == (None, 5)
    assert btc.amount_step == Decimal("0.00000001")
    assert btc.min_amount == Decimal("0.00004")
    assert btc.step_at(Decimal(73267)) == Decimal(1)
    assert btc.on_margin is True
    assert pairs["USDT_tBTCF0:USTF0"].kind == "linear_futures"


async def test_amounts_of_okx_contracts_are_in_units_of_base() -> None:
    swap = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT", "baseCcy": "",
        "quoteCcy": "", "settleCcy": "USDT", "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC",
        "ctType": "linear", "lever": "100", "tickSz": "0.1", "lotSz": "0.01", "minSz": "0.01",
        "maxMktSz": "12000", "maxLmtSz": "100000000", "state": "live", "expTime": "",
        "listTime": "1606468572000",
    }  # fmt: skip
    nothing = recorded({"code": "0", "data": []})
    answers = {
        "public/time": recorded({"code": "0", "data": [{"ts": str(NOW)}]}),
        "instType=SWAP": recorded({"code": "0", "data": [swap]}),
    }
    async with replayed(nothing, answers) as venues:
        (pair,) = (await venues.listed("okx", Millis(0))).pairs
    assert pair.name == "USDT_BTC-USDT-SWAP"
    assert (pair.amount_step, pair.min_amount) == (Decimal("0.0001"), Decimal("0.0001"))
    assert pair.max_market_amount is None
    assert pair.max_leverage == Decimal(100)


async def test_a_page_of_html_is_no_listing() -> None:
    async with replayed(Recorded("<html>busy</html>", content_type="text/html")) as venues:
        with pytest.raises(ConnectorFailure) as failed:
            await venues.listed("binance", Millis(0))
    assert failed.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_a_table_is_taken_as_it_is_until_it_is_too_old() -> None:
    clock = ManualClock(NOW)
    async with running(Exchange(7, machine_time)) as url, SandboxControl(url) as control:
        venues = Venues(url, 20.0, clock, is_paced=False)
        try:
            first = await venues.listed("binance", NOW)
            clock.advance(HOUR)
            assert (await venues.listed("binance", NOW)).at == first.at == NOW
            again = await venues.listed("binance", Millis(NOW + MINUTE))
            assert again.at == NOW + HOUR
            fault = NewFault(kind=FaultKind.STATUS, path="/api/v3/exchangeInfo", status=503)
            await control.inject(fault)
            clock.advance(HOUR)
            with pytest.raises(ConnectorFailure):
                await venues.listed("binance", clock.now())
            # What is there goes on being used.
            assert (await venues.listed("binance", NOW)).at == NOW + HOUR
        finally:
            await venues.close()


async def test_venues_that_nobody_has_an_account_at_are_held_no_longer_than_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listings, "MOST_HELD", 1)
    async with running(Exchange(7, machine_time)) as url:
        venues = Venues(url, 20.0, SystemClock(), is_paced=False)
        asked = ExchangeListings(venues)
        try:
            assert await asked.rates("binance", ["BTC/USDT"])
            assert await asked.rates("binanceus", ["BTC/USDT"])
            assert (venues.is_open("binance"), venues.is_open("binanceus")) == (False, True)
            async with venues.session("binanceus"):
                assert await asked.rates("binance", ["BTC/USDT"])
                # Somebody uses it: it stays.
                assert venues.is_open("binanceus")
        finally:
            await venues.close()


async def test_venues_that_accounts_are_read_at_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MOST_HELD", 0)
    async with running(Exchange(7, machine_time)) as url:
        venues = Venues(url, 20.0, SystemClock(), is_paced=False)
        try:
            async with venues.session("binance"):
                pass
            asked = ExchangeListings(venues)
            assert await asked.rates("binance", ["BTC/USDT"])
            assert venues.is_open("binance")
        finally:
            await venues.close()
