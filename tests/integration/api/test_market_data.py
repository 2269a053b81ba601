"""Pairs and rates: the API answers, a worker asks a venue over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from coffers.clock import DAY, HOUR, SECOND
from coffers.portfolio import market_data
from coffers.store.engine import Store
from coffers.store.venue_tasks import PAIRS, Task
from market_office import Office, at_work
from served import LIST, serving

PAIRS_V1 = f"{LIST}/market_pairs"
PAIRS_V2 = "/public/api/v2/accounts/market_pairs"
RATES = f"{LIST}/currency_rates"
LEVERAGE = f"{LIST}/currency_rates_with_leverage_data"


@pytest.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    async with at_work(store) as made:
        yield made


async def test_a_market_that_nobody_asked_about_before_is_asked_and_awaited(
    office: Office,
) -> None:
    answer = await office.get(f"{PAIRS_V1}?market_code=binance")
    assert answer.status_code == 200
    names = answer.json()
    assert {"USDT_BTC", "BTC_ETH", "USDC_SOL"} <= set(names)
    assert "ETH_AVAX" not in names  # halted at the venue
    assert names == sorted(names)
    assert answer.headers["X-Pairs-At"] == "2025-10-09T08:53:20.000Z"
    assert answer.headers["X-Pairs-Age"] == "0.000"
    assert await office.told(f"{PAIRS_V2}?market_code=binance") == names
    assert await office.calls("/api/v3/exchangeInfo") == 1


async def test_a_rate_comes_with_what_the_venue_demands_of_orders(office: Office) -> None:
    answer = await office.get(f"{RATES}?market_code=binance&pair=USDT_BTC&limit_type=bot")
    assert answer.status_code == 200
    told = answer.json()
    assert list(told)[:3] == ["last", "bid", "ask"]
    assert Decimal(told["bid"]) < Decimal(told["ask"])
    assert told["orderbook_price_currency"] == "USDT"
    assert told["instrumentKind"] == "spot"
    assert (told["priceStep"], told["minPrice"]) == ("0.01", "0.01")
    assert (told["lotStep"], told["minLotSize"]) == ("0.000001", "0.000001")
    # The venue writes 0 as the least of a market order: it is that of all orders then.
    assert told["minMarketBuyAmount"] == "0.000001"
    assert Decimal(told["maxMarketBuyAmount"]) == Decimal(told["maxLotSize"])
    assert told["minTotal"] == told["minMarketTotal"] == "4.0"
    assert told["maxTotal"] == "9000000.0"
    assert told["bidMultiplierUp"] is None
    assert "leverage_data" not in told
    assert answer.headers["X-Rate-Age"] == "0.000"


async def test_leverage_comes_with_the_rate_where_it_is_asked_for(office: Office) -> None:
    told = await office.told(f"{LEVERAGE}?market_code=binance&pair=USDT_BTC")
    assert told["leverage_data"] == [
        {
            "code": "none",
            "name": "Not specified",
            "can_set_leverage_value": False,
            "available_leverage_values": [],
            "max_leverage": None,
            "valid": {},
        }
    ]


async def test_many_who_ask_for_a_rate_at_once_cost_one_call(office: Office) -> None:
    await office.told(f"{PAIRS_V1}?market_code=binance")
    target = f"{RATES}?market_code=binance&pair=USDT_ETH"
    answers = await asyncio.gather(*(office.get(target) for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert await office.calls("/api/v3/ticker/24hr") == 1
    office.api.clock.advance(6 * SECOND)
    await office.told(target)
    assert await office.calls("/api/v3/ticker/24hr") == 2


async def test_a_rate_that_cannot_be_had_anew_is_told_with_its_age(office: Office) -> None:
    target = f"{RATES}?market_code=binance&pair=USDT_ETH"
    first = await office.told(target)
    await office.broken("/api/v3/ticker/24hr")
    office.api.clock.advance(90 * SECOND)
    answer = await office.get(target)
    assert answer.json()["last"] == first["last"]
    assert answer.headers["X-Rate-Age"] == "90.000"
    unknown = await office.get(f"{RATES}?market_code=binance&pair=USDT_SOL")
    assert unknown.status_code == 503
    assert unknown.json()["error"] == "exchange_unavailable"


async def test_older_clients_name_a_market_by_its_display_type(office: Office) -> None:
    names = await office.told(f"{PAIRS_V1}?market_code=binance")
    assert await office.told(f"{PAIRS_V1}?pretty_display_type=Binance") == names != []


async def test_what_lies_ahead_of_the_clock_is_asked_anew_or_told_without_an_age(
    office: Office,
) -> None:
    target = f"{RATES}?market_code=binance&pair=USDT_ETH"
    office.api.clock.advance(HOUR)
    await office.told(target)
    office.api.clock.advance(-HOUR)
    asked = await office.calls("/api/v3/ticker/24hr")
    assert (await office.get(target)).headers["X-Rate-Age"] == "0.000"
    assert await office.calls("/api/v3/ticker/24hr") == asked + 1
    await office.broken("/api/v3/ticker/24hr")
    office.api.clock.advance(-HOUR)
    answer = await office.get(target)
    assert answer.status_code == 200
    assert "X-Rate-Age" not in answer.headers


async def test_a_listing_that_cannot_be_had_anew_stays_with_its_age(office: Office) -> None:
    target = f"{PAIRS_V1}?market_code=binance"
    names = await office.told(target)
    await office.broken("/api/v3/exchangeInfo")
    office.api.clock.advance(DAY)
    answer = await office.get(target)
    assert answer.json() == names
    assert answer.headers["X-Pairs-Age"] == "86400.000"
    async with office.store.reading() as tx:
        standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
    assert standing is not None
    assert standing.failure == "venue_down"


async def test_pairs_of_a_clock_that_was_ahead_are_asked_anew(office: Office) -> None:
    target = f"{PAIRS_V1}?market_code=binance"
    office.api.clock.advance(HOUR)
    await office.told(target)
    asked = await office.calls("/api/v3/exchangeInfo")
    office.api.clock.advance(-HOUR)
    assert (await office.get(target)).headers["X-Pairs-Age"] == "0.000"
    assert await office.calls("/api/v3/exchangeInfo") == asked + 1


async def test_what_no_worker_finds_out_is_an_error_that_says_so(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market_data, "LONGEST_WAIT", 0.2)
    async with at_work(sqlite_store, has_worker=False) as office:
        answer = await office.get(f"{PAIRS_V1}?market_code=binance")
    assert answer.status_code == 503
    assert answer.json()["error"] == "service_unavailable"
    assert "no worker" in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("target", "attributes"),
    [
        (PAIRS_V1, {"market_code": ["is missing"]}),
        (f"{PAIRS_V1}?pretty_display_type=", {"market_code": ["is missing"]}),
        (
            f"{PAIRS_V1}?pretty_display_type=binance",
            {"pretty_display_type": ["does not have a valid value"]},
        ),
        # The code goes before it.
        (
            f"{PAIRS_V1}?market_code=mtgox&pretty_display_type=Binance",
            {"market_code": ["does not have a valid value"]},
        ),
        (f"{PAIRS_V2}?market_code=", {"market_code": ["is missing"]}),
        (f"{PAIRS_V1}?market_code=mtgox", {"market_code": ["does not have a valid value"]}),
        (f"{PAIRS_V1}?market_code=bitcoin_wallet", {"market_code": ["has no pairs of its own"]}),
        (f"{PAIRS_V1}?market_code=paper_trading", {"market_code": ["has no pairs of its own"]}),
        (RATES, {"market_code": ["is missing"], "pair": ["is missing"]}),
        (f"{LEVERAGE}?market_code=binance", {"pair": ["is missing"]}),
        (f"{RATES}?market_code=binance&pair=%00", {"pair": ["is invalid"]}),
        (
            f"{RATES}?market_code=binance&pair=USDT_BTC&limit_type=all",
            {"limit_type": ["does not have a valid value"]},
        ),
    ],
)
async def test_bad_parameters_are_named(
    sqlite_store: Store, target: str, attributes: dict[str, list[str]]
) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.http.get(target)
    assert answer.status_code == 400
    assert answer.json()["error_attributes"] == attributes


async def test_a_pair_that_a_market_does_not_trade_is_unknown(office: Office) -> None:
    for name in ("BTC_USDT", "ETH_AVAX", "nonsense"):
        answer = await office.get(f"{RATES}?market_code=binance&pair={name}")
        assert answer.status_code == 400
        assert answer.json()["error"] == "Unknown pair"


async def test_a_venue_without_margin_pairs_shows_none_of_them(office: Office) -> None:
    assert await office.told(f"{PAIRS_V1}?market_code=binance_margin") == []


async def test_a_banned_address_gets_no_pairs(sqlite_store: Store) -> None:
    async with serving(sqlite_store, ban_after=1) as api:
        await api.http.get(LIST, headers={"Apikey": "guess"})
        for target in (PAIRS_V1, PAIRS_V2, RATES, LEVERAGE):
            assert (await api.http.get(target)).status_code == 418
