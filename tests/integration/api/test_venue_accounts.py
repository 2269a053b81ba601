"""Networks, deposit addresses and leverage of accounts: a worker asks with the account's key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from coffers.clock import HOUR
from coffers.connectors.exchange.listings import ExchangeListings
from coffers.connectors.exchange.venues import Venues
from coffers.markets.pairs import VenuePair
from coffers.portfolio import errands
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.venue_account_work import VenueAccountWork
from coffers.store.engine import Store
from coffers.store.records import Account, AccountStatus
from coffers.store.venue_tasks import PAIRS, Task
from factories import NOW
from integration.connectors.replay import recorded, replaying
from market_office import KEY, Office, at_work
from served import LIST, add_account, serving


@pytest.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    async with at_work(store) as made:
        yield made


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
    assert await office.answered("/sapi/v1/capital/config/getall") == 1


async def test_networks_can_be_kept_to_what_can_be_moved(office: Office) -> None:
    account = await office.connected()
    whole = (await office.of(account, "networks_info")).json()
    some = (await office.of(account, "networks_info?purpose=deposit")).json()
    assert {each["currency"] for each in whole} - {each["currency"] for each in some} == {"RUNE"}
    odd = await office.of(account, "networks_info?purpose=both")
    assert odd.status_code == 400
    assert odd.json()["error_attributes"] == {"purpose": ["does not have a valid value"]}


async def test_nobody_waits_for_networks_that_another_user_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "TAKEN_WITHIN", 1.0)
    async with at_work(store, has_worker=False) as office:
        ann, bob = await office.connected(), await office.api.caller("bob")
        his = await add_account(store, bob.user)
        asked = [
            asyncio.create_task(office.api.get(bob, f"{LIST}/{his.id}/networks_info")),
            asyncio.create_task(office.of(ann, "networks_info")),
        ]
        while not all([await _has_asked(office, each) for each in (ann, his)]):
            assert not any(task.done() for task in asked)
            await asyncio.sleep(0.02)
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503}


async def _has_asked(office: Office, account: Account) -> bool:
    async with office.store.reading() as tx:
        return await tx.errands.count_open(account.user_id, office.api.clock.now()) == 1


async def test_networks_that_cannot_be_asked_anew_are_told_with_their_age(office: Office) -> None:
    account = await office.connected()
    first = (await office.of(account, "networks_info")).json()
    await office.broken("/sapi/v1/capital/config/getall")
    office.api.clock.advance(7 * HOUR)
    answer = await office.of(account, "networks_info")
    assert answer.json() == first
    assert answer.headers["X-Networks-Age"] == "25200.000"


async def test_networks_of_a_clock_that_was_ahead_are_asked_anew(office: Office) -> None:
    account = await office.connected()
    office.api.clock.advance(HOUR)
    await office.of(account, "networks_info")
    office.api.clock.advance(-HOUR)
    answer = await office.of(account, "networks_info")
    assert answer.headers["X-Networks-Age"] == "0.000"
    assert await office.answered("/sapi/v1/capital/config/getall") == 2


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
        await tx.accounts.record_status(
            account.user_id,
            account.id,
            AccountStatus(account.sync, "ok", is_locked=False, lock_reason=None),
            NOW,
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
        ("bitcoin_wallet", "A wallet lies on its chain"),
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
        venues = Venues(replay.url, 20.0, clock, is_paced=False)
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
