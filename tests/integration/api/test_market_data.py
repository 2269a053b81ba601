"""Pairs, rates, networks, deposit addresses: the API answers, a worker asks a venue over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import httpx
import pytest

from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.connectors.exchange.listings import ExchangeListings
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials
from coffers.markets.pairs import VenuePair
from coffers.portfolio import errands, market_data
from coffers.portfolio.errands import ErrandDesk
from coffers.portfolio.venue_account_work import VenueAccountWork
from coffers.sandbox import (
    Exchange,
    FaultKind,
    NewFault,
    NewKey,
    SandboxControl,
    machine_time,
    running,
)
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.store.venue_tasks import CURRENCIES, PAIRS, Task, rate_of
from coffers.sync.credentials import seal_credentials
from coffers.sync.venue_markets import EVERY, VenueMarketWorker
from factories import NOW
from integration.connectors.replay import recorded, replaying
from served import LIST, Caller, Served, add_account, serving

PAIRS_V1 = f"{LIST}/market_pairs"
PAIRS_V2 = "/public/api/v2/accounts/market_pairs"
RATES = f"{LIST}/currency_rates"
LEVERAGE = f"{LIST}/currency_rates_with_leverage_data"
KEY, SECRET = "fake-key-of-ann".ljust(64, "x"), "fake-secret"
HELD = {"BTC": Decimal("0.5"), "XRP": Decimal(40)}


@dataclass
class Office:
    """The API with a worker beside it, and the simulated venue that the worker asks."""

    api: Served
    ann: Caller
    control: SandboxControl
    worker: VenueMarketWorker
    store: Store
    accounts: dict[str, Account] = field(default_factory=dict)

    async def get(self, target: str) -> httpx.Response:
        return await self.api.http.get(target)

    async def told(self, target: str) -> Any:
        answer = await self.get(target)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def connected(self, name: str = "Main", code: str = "binance") -> Account:
        account = await add_account(
            self.store, self.ann.user, name, market_code=code, api_key=KEY, held={"BTC": "0.5"}
        )
        credentials = Credentials(KEY, Secret(SECRET))
        vault = self.api.services.vault
        sealed = seal_credentials(vault, account.user_id, account.id, credentials)
        async with self.store.transaction() as tx:
            await tx.secrets.put(account.user_id, account.id, sealed)
        return account

    async def of(self, account: Account, what: str) -> httpx.Response:
        return await self.api.get(self.ann, f"{LIST}/{account.id}/{what}")

    async def calls(self, path: str) -> int:
        return (await self.control.requests()).counts.get(f"binance GET {path}", 0)

    async def broken(self, path: str) -> None:
        await self.control.inject(NewFault(kind=FaultKind.STATUS, path=path, status=503))


@pytest.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    async with at_work(store) as made:
        yield made


@asynccontextmanager
async def at_work(store: Store, *, has_worker: bool = True) -> AsyncIterator[Office]:
    async with (
        serving(store) as api,
        running(Exchange(7, machine_time)) as url,
        SandboxControl(url) as control,
    ):
        await control.create_key(NewKey(venue="binance", key=KEY, secret=SECRET, balances=HELD))
        services, venues = api.services, Venues(url, 2.0, api.clock)
        listings = ExchangeListings(venues)
        worker = VenueMarketWorker(store, services.catalogue, listings, api.clock, lambda: 0.5)
        work = VenueAccountWork(store, services.vault, services.catalogue, listings, api.clock)
        desk = ErrandDesk(store, services.vault, api.clock, work.handlers())
        running_now = [asyncio.create_task(each.run()) for each in (worker, desk) if has_worker]
        try:
            yield Office(api, await api.caller(), control, worker, store)
        finally:
            worker.stop()
            desk.stop()
            await asyncio.gather(*running_now)
            await venues.close()


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


async def test_a_thousand_who_ask_for_a_rate_cost_one_call(office: Office) -> None:
    await office.told(f"{PAIRS_V1}?market_code=binance")
    target = f"{RATES}?market_code=binance&pair=USDT_ETH"
    answers = await asyncio.gather(*(office.get(target) for _ in range(1000)))
    assert {answer.status_code for answer in answers} == {200}
    assert await office.calls("/api/v3/ticker/24hr") == 1
    office.api.clock.advance(6 * SECOND)
    await office.told(target)
    assert await office.calls("/api/v3/ticker/24hr") == 2


async def test_rates_of_one_venue_that_are_due_together_cost_one_call(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        symbols = [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "ADA")]
        async with store.transaction() as tx:
            for symbol in symbols:
                await tx.venue_tasks.ask(rate_of("binance", symbol), NOW, is_due=True)
        await office.worker.work()
        assert await office.calls("/api/v3/ticker/24hr") == 1
        async with store.reading() as tx:
            assert all([await tx.venue_markets.rate("binance", symbol) for symbol in symbols])
            assert await tx.venue_tasks.due(NOW, 9) == []


async def test_a_rate_that_nobody_waits_for_any_more_is_not_asked(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        async with store.transaction() as tx:
            await tx.venue_tasks.ask(rate_of("binance", "BTC/USDT"), NOW, is_due=True)
        office.api.clock.advance(HOUR)
        await office.worker.plan()
        await office.worker.work()
        assert await office.calls("/api/v3/ticker/24hr") == 0


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
        await api.http.get(LIST)
        for target in (PAIRS_V1, PAIRS_V2, RATES, LEVERAGE):
            assert (await api.http.get(target)).status_code == 418


async def test_networks_are_asked_with_the_accounts_key_and_kept(office: Office) -> None:
    account = await office.connected()
    answers = await asyncio.gather(*(office.of(account, "networks_info") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["X-Networks-Age"] == "0.000"
    currencies = {each["currency"]: each for each in answers[0].json()}
    assert currencies["BTC"]["deposit_enable"] is True
    networks = {each["network"]: each for each in currencies["BTC"]["network_list"]}
    assert set(networks) == {"BTC", "BSC"}
    assert networks["BTC"]["default"] is True
    assert networks["BSC"]["deposit_enable"] is False
    assert networks["BSC"]["deposit_tip"] == "Wallet Maintenance, Deposit Suspended"
    assert networks["BTC"]["withdraw_fee"] == "0.0001"
    assert networks["BTC"]["withdraw_min"] == "0.001"
    assert networks["BTC"]["withdrawMultiple"] == "0.00000001"
    assert networks["BTC"]["require_address_tag"] is None
    assert await office.calls("/sapi/v1/capital/config/getall") == 1


async def test_networks_can_be_kept_to_what_can_be_moved(office: Office) -> None:
    account = await office.connected()
    whole = (await office.of(account, "networks_info")).json()
    some = (await office.of(account, "networks_info?purpose=deposit")).json()
    assert {each["currency"] for each in whole} - {each["currency"] for each in some} == {"RUNE"}
    odd = await office.of(account, "networks_info?purpose=both")
    assert odd.status_code == 400
    assert odd.json()["error_attributes"] == {"purpose": ["does not have a valid value"]}


async def test_networks_that_cannot_be_asked_anew_are_told_with_their_age(office: Office) -> None:
    account = await office.connected()
    first = (await office.of(account, "networks_info")).json()
    await office.broken("/sapi/v1/capital/config/getall")
    office.api.clock.advance(7 * HOUR)
    answer = await office.of(account, "networks_info")
    assert answer.json() == first
    assert answer.headers["X-Networks-Age"] == "25200.000"


async def test_a_deposit_address_comes_with_what_is_there_already(office: Office) -> None:
    account = await office.connected()
    told = (await office.of(account, "deposit_data?currency=BTC&network=BTC")).json()
    assert told.pop("address").startswith("sandbox-btc-")
    assert told == {
        "address_tag": "",
        "available_balance": "0.5",
        "in_orders": "0.0",
        "total_balance": "0.5",
    }
    tagged = (await office.of(account, "deposit_data?currency=XRP&network=XRP")).json()
    assert tagged["address_tag"].isdigit()
    assert tagged["total_balance"] == "0.0"


async def test_what_an_unread_account_holds_is_not_known(office: Office) -> None:
    account = await office.connected()
    async with office.store.transaction() as tx:
        await tx.holdings.replace(account.user_id, account.id, {"spot"}, [])
        await tx.accounts.record_standing(
            account.user_id,
            account.id,
            sync=account.sync,
            key_state="ok",
            is_locked=False,
            lock_reason=None,
            now=NOW,
        )
    told = (await office.of(account, "deposit_data?currency=ETH&network=ETH")).json()
    assert told["available_balance"] is told["in_orders"] is told["total_balance"] is None


async def test_a_deposit_that_the_venue_refuses_says_why(office: Office) -> None:
    account = await office.connected()
    closed = await office.of(account, "deposit_data?currency=BTC&network=BSC")
    assert closed.status_code == 422
    assert closed.json()["error"] == "unknown_market_api_error"
    assert "Deposits for this network are currently closed" in closed.json()["error_description"]


async def test_parameters_of_a_deposit_are_checked_against_what_is_known(office: Office) -> None:
    account = await office.connected()
    bare = await office.of(account, "deposit_data")
    assert bare.status_code == 400
    assert bare.json()["error_attributes"] == {
        "currency": ["is missing"],
        "network": ["is missing"],
    }
    await office.of(account, "networks_info")
    for query, field_name in (
        ("currency=MTGOX&network=BTC", "currency"),
        ("currency=BTC&network=DOGE", "network"),
    ):
        answer = await office.of(account, f"deposit_data?{query}")
        assert answer.status_code == 400
        assert answer.json()["error_attributes"] == {field_name: ["does not have a valid value"]}


async def test_a_key_that_the_venue_refuses_is_told_apart(office: Office) -> None:
    account = await office.connected()
    await office.control.revoke("binance", KEY)
    answer = await office.of(account, "deposit_data?currency=BTC&network=BTC")
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid_api_key"


@pytest.mark.parametrize("what", ["networks_info", "deposit_data?currency=BTC&network=BTC"])
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("bitcoin_wallet", "A wallet takes deposits at its own address"),
        ("manual", "No exchange holds this account"),
        ("paper_trading", "No exchange holds this account"),
    ],
)
async def test_what_no_exchange_holds_has_no_networks(
    sqlite_store: Store, what: str, code: str, why: str
) -> None:
    async with serving(sqlite_store) as api:
        ann = await api.caller()
        account = await add_account(sqlite_store, ann.user, "W", market_code=code, address="x")
        answer = await api.get(ann, f"{LIST}/{account.id}/{what}")
    assert answer.status_code == 403
    assert answer.json()["error"] == "Forbidden. Unavailable for this account."
    assert answer.json()["error_description"].startswith(why)


@pytest.mark.parametrize(
    "what",
    ["networks_info", "deposit_data?currency=BTC&network=BTC", "leverage_data?pair=USDT_BTC"],
)
async def test_anothers_account_is_not_found(sqlite_store: Store, what: str) -> None:
    async with serving(sqlite_store) as api:
        bobs = await add_account(sqlite_store, (await api.caller("bob")).user)
        answer = await api.get(await api.caller(), f"{LIST}/{bobs.id}/{what}")
    assert answer.status_code == 404


async def test_leverage_of_an_account_needs_a_pair(office: Office) -> None:
    account = await office.connected()
    assert (await office.of(account, "leverage_data")).status_code == 400
    told = await office.of(account, "leverage_data?pair=USDT_BTC")
    assert [each["code"] for each in told.json()] == ["none"]
    unknown = await office.of(account, "leverage_data?pair=USDT_USDT")
    assert unknown.json()["error"] == "Unknown pair"


async def test_venues_of_accounts_are_listed_unasked_and_again_hours_later(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        await office.connected()
        await office.worker.plan()
        await office.worker.work()
        async with store.reading() as tx:
            limits = {
                (each.base, each.quote): each
                for each in await tx.venue_markets.spot_limits("binance")
            }
            standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
            assert await tx.venue_tasks.standing(Task("binance", CURRENCIES)) is None
        btc = limits["BTC", "USDT"]
        assert (btc.amount_step, btc.min_cost) == (Decimal("0.000001"), Decimal(4))
        assert btc.fee is not None
        assert standing is not None
        assert standing.due_at == NOW + EVERY
        office.api.clock.advance(EVERY - MINUTE)
        await office.worker.plan()
        await office.worker.work()
        assert await office.calls("/api/v3/exchangeInfo") == 1
        office.api.clock.advance(2 * MINUTE)
        await office.worker.work()
        assert await office.calls("/api/v3/exchangeInfo") == 2


async def test_a_venue_that_fails_is_tried_again_ever_later(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        await office.connected()
        await office.broken("/api/v3/exchangeInfo")
        pauses = []
        for _ in range(4):
            await office.worker.plan()
            await office.worker.work()
            async with store.reading() as tx:
                standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
            assert standing is not None
            assert standing.due_at is not None
            pauses.append(standing.due_at - office.api.clock.now())
            office.api.clock.set(standing.due_at)
        assert pauses == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]


async def test_a_venue_that_nobody_is_interested_in_any_more_falls_asleep(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        async with store.transaction() as tx:
            await tx.venue_tasks.ask(Task("binance", PAIRS), NOW, is_due=True)
        await office.worker.work()
        office.api.clock.advance(4 * DAY)
        await office.worker.work()
        async with store.reading() as tx:
            standing = await tx.venue_tasks.standing(Task("binance", PAIRS))
        assert standing is not None
        assert standing.done_at == NOW + 4 * DAY
        assert standing.due_at is None


async def test_two_workers_do_not_list_a_venue_twice(store: Store) -> None:
    async with at_work(store, has_worker=False) as office:
        await office.connected()
        await office.worker.plan()
        await asyncio.gather(office.worker.work(), office.worker.work())
        assert await office.calls("/api/v3/exchangeInfo") == 1


async def test_a_claim_of_a_worker_that_died_runs_out(store: Store) -> None:
    task, later = Task("binance", PAIRS), Millis(NOW + MINUTE)
    async with store.transaction() as tx:
        await tx.venue_tasks.ask(task, NOW, is_due=True)
        assert await tx.venue_tasks.take(task, "dead", NOW, later)
        assert not await tx.venue_tasks.take(task, "other", NOW, later)
        assert await tx.venue_tasks.due(NOW, 9) == []
        after = Millis(later + 1)
        assert await tx.venue_tasks.due(after, 9) == [task]
        assert await tx.venue_tasks.take(task, "other", after, Millis(after + MINUTE))
        assert not await tx.venue_tasks.done(task, "dead", after, None)
        assert await tx.venue_tasks.done(task, "other", after, None)


async def test_a_subaccount_of_the_main_accounts_key_has_no_address_to_tell(
    sqlite_store: Store,
) -> None:
    async with serving(sqlite_store) as api:
        ann = await api.caller()
        account = await add_account(sqlite_store, ann.user, "Sub", subaccount_name="sub-1")
        answer = await api.get(ann, f"{LIST}/{account.id}/deposit_data?currency=BTC&network=BTC")
    assert answer.status_code == 403
    assert "main account's address" in answer.json()["error_description"]


async def test_leverage_that_only_a_key_is_told_is_asked_with_it(sqlite_store: Store) -> None:
    pair = VenuePair(
        *("BTC/USDT:USDT", "linear_futures", "BTC", "USDT", "USDT", "BTC", "USDT", "BTCUSDT"),
        cross=True,
        isolated=True,
    )
    tiers = [{"bracket": n, "initialLeverage": most} for n, most in ((1, 125), (2, 100))]
    listed = {"symbols": [_CONTRACT], "timezone": "UTC", "rateLimits": [], "exchangeFilters": []}
    answers = {
        "leverageBracket": recorded([{"symbol": "BTCUSDT", "brackets": tiers}]),
        "exchangeInfo": recorded(listed),
    }
    async with (
        serving(sqlite_store) as api,
        replaying(recorded({"serverTime": NOW})) as replay,
    ):
        replay.by_path = answers
        services, clock = api.services, api.clock
        venues = Venues(replay.url, 2.0, clock)
        listings = ExchangeListings(venues)
        work = VenueAccountWork(sqlite_store, services.vault, services.catalogue, listings, clock)
        desk = ErrandDesk(sqlite_store, services.vault, clock, work.handlers())
        at_desk = asyncio.create_task(desk.run())
        office = Office(api, await api.caller(), cast("Any", None), cast("Any", None), sqlite_store)
        account = await office.connected(code="binance_futures")
        async with sqlite_store.transaction() as tx:
            await tx.venue_markets.keep_pairs("binanceusdm", [pair])
            await tx.venue_tasks.found(Task("binanceusdm", PAIRS), NOW)
        told = (await office.of(account, "leverage_data?pair=USDT_BTCUSDT")).json()
        desk.stop()
        await at_desk
        await venues.close()
    assert [each["code"] for each in told] == ["none", "cross", "isolated"]
    assert told[1] == {
        "code": "cross",
        "name": "Cross",
        "can_set_leverage_value": True,
        "available_leverage_values": [],
        "max_leverage": "125.0",
        "valid": {"min": None, "max": "125.0"},
    }


async def test_leverage_that_cannot_be_asked_is_null(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "TAKEN_WITHIN", 0.1)
    pair = VenuePair(
        *("BTC/USDT:USDT", "linear_futures", "BTC", "USDT", "USDT", "BTC", "USDT", "BTCUSDT")
    )
    async with serving(sqlite_store) as api:
        ann = await api.caller()
        account = await add_account(sqlite_store, ann.user, market_code="binance_futures")
        async with sqlite_store.transaction() as tx:
            await tx.venue_markets.keep_pairs("binanceusdm", [pair])
            await tx.venue_tasks.found(Task("binanceusdm", PAIRS), NOW)
        answer = await api.get(ann, f"{LIST}/{account.id}/leverage_data?pair=USDT_BTCUSDT")
    assert [each["max_leverage"] for each in answer.json()] == [None, None, None]


_CONTRACT = {
    "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
    "deliveryDate": 4133404800000, "onboardDate": 1569398400000, "baseAsset": "BTC",
    "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3,
    "baseAssetPrecision": 8, "quotePrecision": 8, "filters": [], "orderTypes": ["MARKET"],
}  # fmt: skip
