"""Recorded deposits, withdrawals and tickers over real HTTP through ccxt."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY, Millis, SystemClock
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flow_rows import Flows
from coffers.connectors.exchange.flows import read_flows
from coffers.connectors.exchange.past_flows import read_past_flows
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.past import PastRequest
from coffers.connectors.reading import ReadRequest
from coffers.markets.catalogue import load_catalogue
from integration.connectors.replay import (
    Recorded,
    Replay,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)

HISTORY = loaded("history.json")
TICKERS = loaded("tickers.json")
CLOCK = SystemClock()
SPOT = Holdings(frozenset({"spot"}), (), {})
LONG_AGO = ReadRequest(Millis(1_500_000_000_000))
UNTIL = Millis(1_500_000_000_001)

NO_ROWS = {
    "okx": {"code": "0", "data": []},
    "bybit": {"retCode": 0, "result": {"rows": []}},
    "kucoin": {"code": "200000", "data": {"items": [], "currentPage": 1, "totalPage": 1}},
    "kraken": {"error": [], "result": []},
    "binance": [],
}
PATHS = {
    "okx": ("/deposit-history", "/withdrawal-history"),
    "bybit": ("/deposit/query-record", "/withdraw/query-record"),
    "kucoin": ("-deposits", "-withdrawals"),
    "kraken": ("/DepositStatus", "/WithdrawStatus"),
    "binance": ("/deposit/hisrec", "/withdraw/history"),
}


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying(Recorded("{}")) as server:
        yield server


INTERNAL = "/deposit/query-internal-record"


async def told(replay: Replay, venue: str) -> Flows:
    replay.by_path[INTERNAL] = recorded(NO_ROWS["bybit"])
    for method, path in zip(("fetch_deposits", "fetch_withdrawals"), PATHS[venue], strict=True):
        case = HISTORY[method].get(venue)
        replay.by_path[path] = recorded(case["httpResponse"] if case else NO_ROWS[venue])
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    hurried(venues, venue)
    with_markets(venues, venue, CLOCK)
    async with venues.session(venue, fake_credentials()) as session:
        flows = await read_flows(session, LONG_AGO, UNTIL, SPOT, FiatOrders())
    await venues.close()
    return flows


def summary(flows: Flows, direction: str) -> list[tuple[str, str, Decimal, Decimal]]:
    return [
        (flow.external_id, flow.asset, flow.amount, flow.fee)
        for flow in flows.flows
        if flow.direction == direction
    ]


async def test_okx(replay: Replay) -> None:
    flows = await told(replay, "okx")
    assert flows.is_whole
    assert ("4703879", "BTC", Decimal("0.01044408"), 0) in summary(flows, "in")
    assert len(summary(flows, "in")) == 3
    assert summary(flows, "out") == [("4703879", "ETH", Decimal("0.094"), Decimal("0.01"))]


async def test_untold_money_leaves_the_flows_unknown_once_it_is_turned_into_coins_too(
    replay: Replay,
) -> None:
    market = load_catalogue().get("okex")
    assert market is not None
    replay.otherwise = recorded({"code": "0", "data": []})
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    hurried(venues, "okx")
    with_markets(venues, "okx", CLOCK)
    connector, memory, known = ExchangeConnector(venues, CLOCK), None, []
    for coin in ("BTC", "EUR", "BTC"):
        held = {"ccy": coin, "bal": "10", "availBal": "10", "frozenBal": "0"}
        replay.by_path["/asset/balances"] = recorded({"code": "0", "data": [held]})
        replay.by_path["/account/balance"] = recorded({"code": "0", "data": [{"details": []}]})
        request = ReadRequest(Millis(CLOCK.now() - DAY), memory=memory)
        reading = await connector.read(market, fake_credentials(), request)
        memory = reading.memory
        known.append((reading.flows_known, reading.flows_until == reading.at))
    await connector.close()
    assert known == [(True, True), (False, True), (False, True)]


async def test_bybit_leaves_out_what_is_under_way(replay: Replay) -> None:
    flows = await told(replay, "bybit")
    assert summary(flows, "out") == [("9801", "USDT", Decimal(26), 0)]
    ((external_id, *rest),) = summary(flows, "in")
    assert external_id.startswith("tx:")
    assert rest == ["USDT", Decimal(10000), 0]


async def test_bybit_tells_what_its_other_customers_sent_by_a_call_of_its_own(
    replay: Replay,
) -> None:
    row = {
        "id": "1103",
        "amount": "0.1",
        "type": 1,
        "coin": "ETH",
        "address": "xxxx***@gmail.com",
        "status": 2,
        "createdTime": "1705393280",
        "txID": "77c37e5c-d9fa-41e5-bd13-c9b59d95",
    }
    rows = [row, {**row, "txID": "p", "status": 1}, {**row, "txID": "f", "status": 3}]
    for path in PATHS["bybit"]:
        replay.by_path[path] = recorded(NO_ROWS["bybit"])
    replay.by_path[INTERNAL] = recorded({"retCode": 0, "result": {"rows": rows}})
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    hurried(venues, "bybit")
    with_markets(venues, "bybit", CLOCK)
    async with venues.session("bybit", fake_credentials()) as session:
        flows = await read_flows(session, LONG_AGO, UNTIL, SPOT, FiatOrders())
    await venues.close()
    (flow,) = flows.flows
    assert (flow.direction, flow.asset, flow.amount) == ("in", "ETH", Decimal("0.1"))
    assert (flow.external_id, flow.txid, flow.at) == (row["txID"], row["txID"], 1705393280000)
    assert flows.is_whole
    (withdrawals,) = [r for r in replay.requests if r.path.endswith(PATHS["bybit"][1])]
    assert withdrawals.query["withdrawType"] == "2"


async def test_kucoin_has_no_ids_and_bare_numbers(replay: Replay) -> None:
    flows = await told(replay, "kucoin")
    assert [row[1:] for row in summary(flows, "in")] == [
        ("BTC", Decimal("0.03266638"), 0),
        ("KCS", Decimal(1), Decimal("0.0001")),
    ]
    assert [row[1:] for row in summary(flows, "out")] == [("BTC", Decimal("0.534"), 0)]
    assert len({row[0] for row in summary(flows, "in")}) == 2


async def test_kraken(replay: Replay) -> None:
    flows = await told(replay, "kraken")
    assert summary(flows, "in") == [("Q2CANKL-LBFVEE-U4Y2WQ", "ETH", Decimal("7.99992579"), 0)]


async def test_binance_tells_the_fee_on_top_of_the_amount(replay: Replay) -> None:
    flows = await told(replay, "binance")
    assert [row[1:] for row in summary(flows, "out")] == [
        ("USDT", Decimal(51), Decimal(1)),
        ("USDT", Decimal(20), Decimal(20)),
        ("XRP", Decimal("28.75"), Decimal("0.25")),
    ]


@pytest.mark.parametrize("venue", PATHS)
async def test_a_walk_back_finds_what_a_reading_of_the_same_bodies_does(
    replay: Replay, venue: str
) -> None:
    expected = (await told(replay, venue)).flows
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    hurried(venues, venue)
    with_markets(venues, venue, CLOCK)
    found: set[tuple[str, str]] = set()
    before, cursor = Millis(max(flow.at for flow in expected) + DAY), None
    async with venues.session(venue, fake_credentials()) as session:
        # The recorded server tells the same of every window; ccxt leaves out what is too early.
        while len(found) < len(expected):
            request = PastRequest(before, cursor)
            step = await read_past_flows(session, request, SPOT.wallets, FiatOrders())
            found |= {(flow.direction, flow.external_id) for flow in step.flows}
            cursor = step.cursor
            assert cursor is not None or len(found) == len(expected)
    await venues.close()
    assert found == {(flow.direction, flow.external_id) for flow in expected}
    assert all(flow.txid for flow in expected if flow.external_id.startswith("tx:"))


async def test_htx_names_networks_by_its_table_of_currencies(replay: Replay) -> None:
    deposit = {
        "id": 1171,
        "type": "deposit",
        "currency": "xrp",
        "tx-hash": "ed03094b84eafbe4bc16e7ef766ee959885ee5bcb265872baaa9c64e1cf86c2b",
        "chain": "xrp",
        "amount": 7.457467,
        "address": "rae93V8d2mdoUQHwBDBdM4NHCMehRJAsbm",
        "fee": 0,
        "state": "safe",
        "created-at": 1510912472199,
        "updated-at": 1511145876575,
    }
    replay.by_path["type=deposit"] = recorded({"status": "ok", "data": [deposit]})
    replay.by_path["type=withdraw"] = recorded({"status": "ok", "data": []})
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    prototype = with_markets(venues, "htx", CLOCK).prototype
    # As its list of currencies does when the markets are loaded.
    chain = {"chain": "xrp", "displayName": "XRP"}
    prototype.parse_currencies([{"currency": "xrp", "assetType": "1", "chains": [chain]}])
    async with venues.session("htx", fake_credentials()) as session:
        flows = await read_flows(session, LONG_AGO, UNTIL, SPOT, FiatOrders())
    await venues.close()
    assert summary(flows, "in") == [("1171", "XRP", Decimal("7.457467"), 0)]


DELTAS = {
    "success": True,
    "result": [
        {
            "uuid": f"u{number}",
            "amount": "29.889184",
            "asset_id": 5,
            "balance": "29.889184",
            "created_at": "2020-11-15T21:25:01Z",
            "meta_data": {"deposit_id": 3884},
            "transaction_type": kind,
            "user_id": 22142,
        }
        for number, kind in enumerate(("deposit", "withdrawal", "pnl", "commission"))
    ],
}
"""An answer of Delta's as ccxt's source shows one, with some kinds that it translates."""


async def test_where_deposits_are_told_by_the_ledger_alone_its_trades_are_left_out(
    replay: Replay,
) -> None:
    replay.by_path["/wallet/transactions"] = recorded(DELTAS)
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    hurried(venues, "delta")
    with_markets(venues, "delta", CLOCK)
    async with venues.session("delta", fake_credentials()) as session:
        # What ccxt itself makes of the venue's table of currencies.
        session.exchange.options["currenciesByNumericId"] = {"5": {"id": "USDT", "code": "USDT"}}
        request = PastRequest(CLOCK.now())
        step = await read_past_flows(session, request, SPOT.wallets, FiatOrders())
    await venues.close()
    assert [(flow.direction, flow.external_id) for flow in step.flows] == [
        ("in", "u0"),
        ("out", "u1"),
    ]
    assert (step.cursor, step.is_whole) == (None, True)


OWN, OTHER = fake_credentials().address or "", "0x" + "9" * 40
SENT = {"token": "UETH", "amount": "2.5", "user": OTHER, "destination": OWN, "fee": "1.0"}
LEDGER = [
    {"type": "deposit", "usdc": "1000.0"},
    {"type": "withdraw", "usdc": "99.0", "nonce": 1, "fee": "1.0"},
    {"type": "accountClassTransfer", "usdc": "50.0", "toPerp": False},
    {"type": "spotTransfer", "usdcValue": "8000.0", **SENT},
    {"type": "internalTransfer", "usdc": "7.5", "user": OWN, "destination": OTHER, "fee": "0.5"},
    {"type": "send", **SENT, "user": OWN.upper(), "sourceDex": "", "destinationDex": "spot"},
    {"type": "send", **SENT, "token": "PURR:0xc1", "sourceDex": "", "destinationDex": "spot"},
]


@pytest.mark.parametrize(
    ("more", "is_whole"),
    [
        ([], True),
        (
            [{"type": "cStakingTransfer", "token": "HYPE", "amount": "3.0", "isDeposit": True}],
            False,
        ),
        ([{"type": "send", **SENT, "user": OWN, "sourceDex": "", "destinationDex": "xyz"}], False),
        ([{"type": "spotTransfer", **SENT, "destination": OTHER}], False),
    ],
)
async def test_of_hyperliquids_ledger_what_others_sent_is_a_flow_too(
    replay: Replay, more: list[dict[str, Any]], *, is_whole: bool
) -> None:
    rows = [
        {"time": 1_500_000_000_000 + n, "hash": f"0x{n}", "delta": d}
        for n, d in enumerate([*LEDGER, *more])
    ]
    replay.by_path["body:userNonFundingLedgerUpdates"] = recorded(rows)
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    hurried(venues, "hyperliquid")
    with_markets(venues, "hyperliquid", CLOCK)
    both = Holdings(frozenset({"spot", "futures"}), (), {})
    async with venues.session("hyperliquid", fake_credentials(1, "hyperliquid")) as session:
        flows = await read_flows(session, LONG_AGO, UNTIL, both, FiatOrders())
    await venues.close()
    assert [row[1:] for row in summary(flows, "in")] == [
        ("USDC", Decimal(1000), 0),
        ("ETH", Decimal("2.5"), 0),
        ("PURR", Decimal("2.5"), 0),
    ]
    assert [row[1:] for row in summary(flows, "out")] == [
        ("USDC", Decimal(99), 1),
        ("USDC", Decimal("7.5"), Decimal("0.5")),
    ]
    assert flows.is_whole is is_whole


async def test_a_recorded_ticker_keeps_every_digit(replay: Replay) -> None:
    replay.by_path["/ticker/24hr"] = recorded([TICKERS["binanceus"]["httpResponse"]])
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    with_markets(venues, "binanceus", CLOCK)
    (quote,) = await venues.quotes("binanceus")
    await venues.close()
    assert (quote.base, quote.quote, quote.at) == ("BTC", "USDT", 1710328244727)
    assert (quote.bid, quote.ask, quote.last) == (
        Decimal("73267.15"),
        Decimal("73345.89"),
        Decimal("73346.14"),
    )
    assert quote.volume == Decimal("9254480.36011840")


async def test_krakens_ticker_has_no_quote_volume_and_no_time(replay: Replay) -> None:
    replay.by_path["/public/Ticker"] = recorded(TICKERS["kraken"]["httpResponse"])
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    with_markets(venues, "kraken", CLOCK, "XBT/USDT")
    before = CLOCK.now()
    (quote,) = await venues.quotes("kraken")
    await venues.close()
    assert (quote.base, quote.bid, quote.ask) == ("BTC", Decimal("73380.6"), Decimal("73380.7"))
    assert quote.at >= before
    assert quote.volume == Decimal("598.03698452") * Decimal("71501.57520")
