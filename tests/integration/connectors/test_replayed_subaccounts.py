"""Sub-accounts by answers over HTTP: which there are, and what the main account's key reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import Millis, SystemClock
from coffers.connectors.exchange.account_rules import subaccount_rules
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.coverage import SUBACCOUNTS, coverage
from coffers.connectors.exchange.subaccounts import Subaccount
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.past import PastRequest
from coffers.connectors.reading import (
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.markets.catalogue import Market, load_catalogue
from integration.connectors.replay import (
    Replay,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)

CLOCK = SystemClock()
DATA = loaded("subaccounts.json")
REQUEST = ReadRequest(flows_since=Millis(0))


def market_of(venue: str) -> Market:
    return next(market for market in load_catalogue() if market.venue == venue)


def coded(code: str) -> Market:
    found = load_catalogue().get(code)
    assert found is not None
    return found


@asynccontextmanager
async def connected(
    venue: str, bodies: dict[str, Any]
) -> AsyncIterator[tuple[ExchangeConnector, Replay]]:
    async with replaying(recorded({"code": "0", "data": []})) as replay:
        replay.by_path |= {path: recorded(body) for path, body in bodies.items()}
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, venue, CLOCK)
        hurried(venues, venue)
        connector = ExchangeConnector(venues, CLOCK)
        try:
            yield connector, replay
        finally:
            await connector.close()


async def listed(venue: str, path: str, body: Any) -> tuple[Subaccount, ...]:
    async with connected(venue, {path: body}) as (connector, _):
        return await connector.subaccounts(market_of(venue), fake_credentials(1, venue))


def of(case: dict[str, Any]) -> Credentials:
    return replace(fake_credentials(1, case["venue"]), subaccount_name=case["id"])


async def read(case: dict[str, Any], **bodies: Any) -> tuple[Reading, Replay]:
    async with connected(case["venue"], {**case["list"], **case["bodies"], **bodies}) as (
        it,
        heard,
    ):
        return await it.read(coded(case["code"]), of(case), REQUEST), heard


def short(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def by_venue(case: dict[str, Any]) -> str:
    return str(case.get("code", case["venue"]))


@pytest.mark.parametrize("case", DATA["lists"], ids=by_venue)
async def test_sub_accounts_are_listed_with_what_the_exchange_tells(case: dict[str, Any]) -> None:
    found = await listed(case["venue"], case["path"], case["body"])
    told = [[each.id, each.label, each.kind, each.is_frozen] for each in found]
    assert told == case["found"]


def test_every_rule_has_a_list_and_a_reading_here() -> None:
    told = {venue for venue, rule in subaccount_rules().items() if rule.listed}
    assert told == {case["venue"] for case in DATA["lists"]} | {"binancecoinm"}
    read_at = {venue for venue, rule in subaccount_rules().items() if rule.read}
    assert read_at == {case["venue"] for case in DATA["readings"]}


@pytest.mark.parametrize("case", DATA["readings"], ids=by_venue)
async def test_a_sub_account_is_read_with_the_main_key_and_only_itself(
    case: dict[str, Any],
) -> None:
    reading, replay = await read(case)
    held = sorted(
        [each.wallet, each.asset, *map(short, (each.free, each.in_orders, each.unrealised))]
        for each in reading.positions
    )
    assert held == case["holds"]
    assert reading.is_complete
    assert any(case["asks"] in str(request.url.human_repr()) for request in replay.requests)


@pytest.mark.parametrize("case", DATA["readings"], ids=by_venue)
async def test_the_main_account_s_flows_are_never_those_of_a_sub_account(
    case: dict[str, Any],
) -> None:
    reading, replay = await read(case)
    assert (reading.flows, reading.flows_known) == ((), False)
    assert not [path for path in replay.paths if "deposit" in path or "withdraw" in path]
    async with connected(case["venue"], {}) as (connector, asked):
        request = PastRequest(before=CLOCK.now())
        past = await connector.past_flows(coded(case["code"]), of(case), request)
    assert (past.flows, past.cursor, past.is_whole, asked.paths) == ((), None, False, [])


@pytest.mark.parametrize("case", DATA["readings"], ids=by_venue)
async def test_each_sub_account_has_an_identity_of_its_own(case: dict[str, Any]) -> None:
    mine, _ = await read(case)
    again, _ = await read(case)
    assert mine.identity is not None
    assert mine.identity == again.identity
    text = {path: _with(body, case["id"], "another") for path, body in case["list"].items()}
    text |= {path.replace(case["id"], "another"): body for path, body in case["bodies"].items()}
    other = {**case, "id": "another", "list": text, "bodies": {}}
    theirs, _ = await read(other, **{**case["bodies"], **text})
    assert theirs.identity not in {None, mine.identity}


def _with(body: Any, old: str, new: str) -> Any:
    if isinstance(body, dict):
        return {key: _with(value, old, new) for key, value in body.items()}
    if isinstance(body, list):
        return [_with(value, old, new) for value in body]
    return {old: new, "446556860": "446556862"}.get(body, body) if isinstance(body, str) else body


async def test_a_sub_account_that_is_not_listed_is_refused_before_anything_is_read() -> None:
    case = {**DATA["readings"][0], "id": "nobody@example.com"}
    with pytest.raises(ConnectorFailure, match="lists no sub-account 'nobody@example.com'") as told:
        await read(case)
    assert told.value.code == "subaccount"


@pytest.mark.parametrize("venue", ["bybit", "kraken", "binanceus", "deribit"])
async def test_where_the_main_key_reads_none_a_sub_account_is_refused_and_nothing_asked(
    venue: str,
) -> None:
    named = replace(fake_credentials(1, venue), subaccount_name="one")
    async with connected(venue, {}) as (connector, replay):
        with pytest.raises(ConnectorFailure, match="a key of its own") as told:
            await connector.read(market_of(venue), named, REQUEST)
    assert (told.value.kind, replay.paths) == (FailureKind.UNSUPPORTED, [])


async def test_where_none_are_told_the_list_says_so() -> None:
    with pytest.raises(ConnectorFailure, match="cannot list sub-accounts at Kraken"):
        await listed("kraken", "/none", {})


@pytest.mark.parametrize("body", [{}, {"data": "maintenance"}, [1], {"data": {"items": "x"}}])
async def test_an_answer_that_is_no_list_is_no_empty_one(body: Any) -> None:
    with pytest.raises(ConnectorFailure):
        await listed("kucoin", "/sub/user", body)


async def test_null_in_place_of_a_list_means_that_there_are_none() -> None:
    assert await listed("hyperliquid", "/info", []) == ()
    body = {"retCode": 0, "result": {"subMembers": None}}
    assert await listed("bybit", "/query-sub-members", body) == ()


async def test_a_long_list_is_asked_for_page_by_page() -> None:
    full = {"subAccounts": [{"email": f"{n}@example.com", "isFreeze": False} for n in range(200)]}
    last = {"subAccounts": [{"email": "last@example.com", "isFreeze": False}]}
    async with connected("binance", {"page=1": full, "page=2": last}) as (connector, replay):
        found = await connector.subaccounts(coded("binance"), fake_credentials(1, "binance"))
    assert (len(found), found[-1].id, len(replay.paths)) == (201, "last@example.com", 2)


def hundred(own: str, **rest: str) -> list[dict[str, str]]:
    return [{own: str(n), **rest} for n in range(1, 101)]


@pytest.mark.parametrize(
    ("venue", "full", "last", "next_one"),
    [
        (
            "okx",
            {"code": "0", "data": hundred("subAcct", ts="1700000000000")},
            {"code": "0", "data": [{"subAcct": "last"}]},
            "after=1700000000000",
        ),
        (
            "bitget",
            {"code": "00000", "data": {"endId": 51, "subAccountList": hundred("subAccountUid")}},
            {"code": "00000", "data": {"endId": 9, "subAccountList": [{"subAccountUid": "last"}]}},
            "idLessThan=51",
        ),
        (
            "htx",
            {"code": 200, "data": hundred("uid"), "nextId": 300},
            {"code": 200, "data": [{"uid": "last"}]},
            "fromId=300",
        ),
    ],
)
async def test_a_long_list_goes_on_where_an_answer_ended(
    venue: str, full: Any, last: Any, next_one: str
) -> None:
    paths = {"okx": "/subaccount/list", "bitget": "/virtual-subaccount-list", "htx": "/user-list"}
    async with connected(venue, {next_one: last, paths[venue]: full}) as (connector, replay):
        found = await connector.subaccounts(market_of(venue), fake_credentials(1, venue))
    assert (len(found), found[-1].id, len(replay.paths)) == (101, "last", 2)


async def test_reading_the_main_account_asks_nothing_about_sub_accounts() -> None:
    case = DATA["readings"][5]
    main = {
        "/account/balance": case["bodies"]["/account/subaccount/balances"],
        "/account/config": {"code": "0", "data": [{"uid": "446556800"}]},
    }
    async with connected("okx", main) as (connector, replay):
        reading = await connector.read(coded("okex"), fake_credentials(1, "okx"), REQUEST)
    assert not [path for path in replay.paths if "subaccount" in path]
    assert {each.asset for each in reading.positions} == {"BTC"}


async def test_a_sub_account_is_the_same_by_its_own_key_and_by_the_main_one() -> None:
    case = DATA["readings"][5]
    by_main, _ = await read(case)
    own = {
        "/account/balance": case["bodies"]["/account/subaccount/balances"],
        "/account/config": {"code": "0", "data": [{"uid": "446556860", "mainUid": "446556800"}]},
    }
    async with connected("okx", own) as (connector, _):
        by_own = await connector.read(coded("okex"), fake_credentials(2, "okx"), REQUEST)
    assert by_main.identity == by_own.identity
    assert by_main.shared_wallet == by_own.shared_wallet == "trading account"


def test_what_a_main_account_s_reading_leaves_out_is_said() -> None:
    told = coverage(load_catalogue())
    for code in ("okex", "bybit", "gate_io", "binance_margin"):
        assert "accounts of their own" in told[code].not_covered[SUBACCOUNTS]
    for code in ("kraken", "binance_us"):
        assert SUBACCOUNTS not in told[code].not_covered
