"""Documented answers of margined accounts through ccxt: equity, debts, open positions, exactly."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import astuple
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.markets.catalogue import load_catalogue
from coffers.valuation.contract import Contract
from coffers.valuation.model import Position
from integration.connectors.replay import (
    Recorded,
    Replay,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_contracts,
)

CASES: dict[str, Any] = {
    code: case for code, case in loaded("derivatives.json").items() if code != "note"
}
CLOCK = SystemClock()
NO_FLOWS = ReadRequest(None)
DOWN = Recorded("<html>", status=503)
PAGE = Recorded("<html>maintenance</html>", content_type="text/html")


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying(Recorded("{}")) as server:
        yield server


@pytest.fixture
async def venues(replay: Replay) -> AsyncIterator[Venues]:
    made = Venues(replay.url, 5, CLOCK, is_paced=False)
    yield made
    await made.close()


async def read(
    venues: Venues, replay: Replay, code: str, changed: Mapping[str, Recorded] | None = None
) -> Reading:
    """Read an account of a case, of which some answers are others."""
    return await read_of(venues, replay, code, CASES[code], changed)


async def read_of(
    venues: Venues,
    replay: Replay,
    code: str,
    case: Mapping[str, Any],
    changed: Mapping[str, Recorded] | None = None,
) -> Reading:
    market = load_catalogue().get(code)
    assert market is not None
    assert market.venue is not None
    headers = case.get("headers", {})
    replay.by_path = {
        end: recorded(body, headers=headers.get(end, {})) for end, body in case["answers"].items()
    }
    replay.by_path |= changed or {}
    shared = with_contracts(venues, market.venue, CLOCK, case["markets"])
    for name, venue_code in case.get("currencies", {}).items():
        currency = {**shared.prototype.currencies.get(name, {}), "id": venue_code, "code": name}
        shared.prototype.currencies[name] = currency
        shared.prototype.currencies_by_id[venue_code] = currency
    hurried(venues, market.venue)
    connector = ExchangeConnector(venues, CLOCK)
    return await connector.read(market, fake_credentials(1, market.venue), NO_FLOWS)


async def failure(
    venues: Venues, replay: Replay, code: str, changed: Mapping[str, Recorded]
) -> ConnectorFailure:
    with pytest.raises(ConnectorFailure) as caught:
        await read(venues, replay, code, changed)
    return caught.value


def held(position: Position) -> tuple[str, ...]:
    amounts = (
        position.free,
        position.in_orders,
        position.borrowed,
        position.interest,
        position.unrealised,
        position.owned,
    )
    return (position.wallet, position.asset, *(plain(amount) for amount in amounts))


def opened(contract: Contract) -> tuple[str | None, ...]:
    wallet, symbol, _, *rest = astuple(contract)
    told = [plain(value) if isinstance(value, Decimal) else value for value in rest]
    return (wallet, symbol, *told)


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.mark.parametrize("code", sorted(CASES))
async def test_equity_debts_and_open_positions_arrive_digit_for_digit(
    replay: Replay, venues: Venues, code: str
) -> None:
    case = CASES[code]
    reading = await read(venues, replay, code)
    assert reading.missing == {}
    assert [held(position) for position in reading.positions] == [
        tuple(row) for row in case["positions"]
    ]
    assert [opened(contract) for contract in reading.contracts] == [
        tuple(row) for row in case["contracts"]
    ]
    assert reading.hedge_mode is case["hedge_mode"]


@pytest.mark.parametrize(
    ("code", "path", "missing"),
    [
        ("binance_margin", "/sapi/v1/margin/isolated/account", "isolated_margin"),
        ("binance_futures", "/fapi/v3/positionRisk", "contracts"),
        ("binance_futures_coin", "/dapi/v1/positionRisk", "contracts"),
        ("bybit", "category=inverse", "inverse_contracts"),
        ("okex_futures", "/api/v5/account/positions", "contracts"),
        ("gate_io_usdt_perpetual", "/api/v4/futures/usdt/positions", "contracts"),
        ("bitget_usdt_futures", "/api/v2/mix/position/all-position", "contracts"),
        ("deribit", "/private/get_positions", "contracts"),
        ("kucoinfutures", "currency=XBT", "btc_futures"),
        ("apex", "/v3/account", "contracts"),
        ("bingx", "/cswap/v1/user/balance", "coin_futures"),
        ("blofin", "/asset/balances", "funding"),
        ("coinbaseinternational", "/get_positions", "contracts"),
        ("dydx", "/perpetualPositions", "contracts"),
        ("extended", "/user/positions", "contracts"),
        ("gate_io", "/margin/accounts", "margin"),
        ("grvt", "/positions", "contracts"),
        ("hyperliquid", "body:userAbstraction", "futures"),
        ("krakenfutures", "/openpositions", "contracts"),
        ("kucoin", "/isolated/accounts", "isolated_margin"),
        ("mexc", "/account/assets", "futures"),
        ("modetrade", "/positions", "contracts"),
        ("paradex", "/positions", "contracts"),
        ("toobit", "/futures/balance", "futures"),
        ("woofipro", "/positions", "contracts"),
    ],
)
@pytest.mark.parametrize("fault", [DOWN, PAGE, Recorded("{}")])
async def test_one_part_that_fails_leaves_the_reading_partial(
    replay: Replay, venues: Venues, code: str, path: str, missing: str, fault: Recorded
) -> None:
    reading = await read(venues, replay, code, {path: fault})
    assert set(reading.missing) == {missing}
    assert missing not in reading.wallets
    whole = [row for row in CASES[code]["positions"] if row[0] != missing]
    assert [held(position) for position in reading.positions] == [tuple(row) for row in whole]


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("binance_margin", "/sapi/v1/margin/account"),
        ("binance_futures", "/fapi/v3/account"),
        ("binance_futures_coin", "/dapi/v1/account"),
        ("bybit", "/v5/account/wallet-balance"),
        ("okex_futures", "/api/v5/account/balance"),
        ("gate_io_usdt_perpetual", "/api/v4/futures/usdt/accounts"),
        ("gate_io_btc_perpetual", "/api/v4/futures/btc/accounts"),
        ("bitget_usdt_futures", "/api/v2/mix/account/accounts"),
        ("deribit", "/private/get_account_summaries"),
        ("kucoinfutures", "currency=USDT"),
        ("apex", "/v3/account-balance"),
        ("bingx", "/spot/v1/account/balance"),
        ("blofin", "/account/balance"),
        ("coinbaseinternational", "/get_account_summaries"),
        ("dydx", "/subaccountNumber/0"),
        ("extended", "/user/spot/balances"),
        ("grvt", "/full/v1/account_summary"),
        ("hibachi", "/trade/account/info"),
        ("hyperliquid", "body:spotClearinghouseState"),
        ("krakenfutures", "/accounts"),
        ("mexc", "/api/v3/account"),
        ("modetrade", "/client/holding"),
        ("paradex", "/balance"),
        ("toobit", "/api/v1/account"),
        ("woofipro", "/client/holding"),
    ],
)
@pytest.mark.parametrize("fault", [PAGE, Recorded("{}"), Recorded("[[]]"), Recorded("null")])
async def test_an_outage_is_never_an_empty_margined_account(
    replay: Replay, venues: Venues, code: str, path: str, fault: Recorded
) -> None:
    assert (await failure(venues, replay, code, {path: fault})).kind in {
        FailureKind.UNEXPECTED_ANSWER,
        FailureKind.UNREACHABLE,
    }


@pytest.mark.parametrize("data", [[], [{}], [{"details": None}]])
async def test_a_trading_account_at_okx_without_its_details_is_not_empty(
    replay: Replay, venues: Venues, data: list[Any]
) -> None:
    empty = {"/api/v5/account/balance": recorded({"code": "0", "data": data})}
    for code in ("okex", "okex_futures"):
        with pytest.raises(ConnectorFailure, match="the shape of a balance"):
            await read_of(venues, replay, code, CASES["okex_futures"], empty)


async def test_a_position_mode_that_is_not_told_is_unknown_and_nothing_is_missing(
    replay: Replay, venues: Venues
) -> None:
    unsaid = {"/api/v5/account/config": recorded({})}
    reading = await read(venues, replay, "okex_futures", unsaid)
    assert reading.is_complete
    assert reading.hedge_mode is True  # as its positions tell it
    unsaid["/api/v5/account/positions"] = recorded({"code": "0", "data": []})
    assert (await read(venues, replay, "okex_futures", unsaid)).hedge_mode is None


async def test_a_unified_gate_account_is_not_read_as_a_futures_account(
    replay: Replay, venues: Venues
) -> None:
    path = "/api/v4/futures/usdt/accounts"
    unified = {**CASES["gate_io_usdt_perpetual"]["answers"][path], "margin_mode": 1}
    refused = await failure(venues, replay, "gate_io_usdt_perpetual", {path: recorded(unified)})
    assert refused.kind is FailureKind.UNSUPPORTED
    assert str(refused) == "Coffers does not read accounts in their present mode at Gate yet."


BITGET_UNIFIED = {
    "/api/v3/account/settings": recorded({"code": "00000", "data": {"assetMode": "union"}}),
    "/api/v3/account/assets": recorded(
        {
            "code": "00000",
            "data": {
                "accountEquity": "50",
                "assets": [
                    {
                        "coin": "USDT",
                        "equity": "50",
                        "usdValue": "50",
                        "balance": "100",
                        "available": "30",
                        "debt": "50",
                        "locked": "0",
                    }
                ],
            },
        }
    ),
    "/api/v3/account/funding-assets": recorded(
        {
            "code": "00000",
            "data": [{"coin": "BGB", "available": "0.01", "frozen": "0.02", "balance": "0.03"}],
        }
    ),
    "/api/v3/position/current-position": recorded(
        {
            "code": "00000",
            "data": {
                "list": [
                    {
                        "symbol": "BTCUSDT",
                        "marginCoin": "USDT",
                        "holdMode": "hedge_mode",
                        "posSide": "long",
                        "marginMode": "crossed",
                        "total": "0.001",
                        "leverage": "20",
                        "avgPrice": "107410.3",
                        "unrealisedPnl": "0.0047",
                        "markPrice": "107415.3",
                    }
                ]
            },
        }
    ),
}
"""As in the comments of the library's class; amounts made up where they tell nothing there."""


async def test_a_unified_bitget_account_is_worth_its_equity_under_either_code(
    replay: Replay, venues: Venues
) -> None:
    usdt = ("USDT", "30", "70", "50", "0", "0", "50")
    reading = await read(venues, replay, "bitget_usdt_futures", BITGET_UNIFIED)
    assert reading.is_complete
    assert [held(position) for position in reading.positions] == [("futures", *usdt)]
    (contract,) = reading.contracts
    assert (contract.side, contract.size, contract.leverage) == ("long", Decimal("0.001"), 20)
    case = CASES["bitget_usdt_futures"]
    reading = await read_of(venues, replay, "bitget", case, BITGET_UNIFIED)
    assert reading.is_complete
    assert [held(position) for position in reading.positions] == [
        ("spot", *usdt),
        ("funding", "BGB", "0.01", "0.02", "0", "0", "0", "0.03"),
    ]


def kucoin_accounts(kind: str, **amounts: str) -> Recorded:
    currencies = [{"currency": "USDT", "hold": "0", **amounts}]
    accounts = [{"accountSubtype": None, "riskRatio": "0", "currencies": currencies}]
    return recorded({"code": "200000", "data": {"accountType": kind, "accounts": accounts}})


KUCOIN_UNIFIED = {
    "/account/mode": recorded({"code": "200000", "data": {"selfAccountMode": "UNIFIED"}}),
    "/unified/account/balance": kucoin_accounts(
        "UNIFIED", available="6", balance="10", equity="8", liability="0.5"
    ),
    "accountType=FUNDING": kucoin_accounts(
        "FUNDING", available="5", balance="5", equity="5", liability="0"
    ),
}


async def test_a_unified_kucoin_account_is_worth_its_equity_and_has_no_margin_wallets(
    replay: Replay, venues: Venues
) -> None:
    reading = await read(venues, replay, "kucoin", KUCOIN_UNIFIED)
    assert reading.is_complete
    assert [held(position) for position in reading.positions] == [
        ("spot", "USDT", "6", "2.5", "0.5", "0", "0", "8"),
        ("funding", "USDT", "5", "0", "0", "0", "0", "5"),
    ]
    refused = await failure(venues, replay, "kucoinfutures", KUCOIN_UNIFIED)
    assert refused.code == "account_mode"


GATE_DETAIL = "/api/v4/account/detail"
GATE_UNIFIED = {
    GATE_DETAIL: recorded({"user_id": 1, "key": {"mode": 2}}),
    "/unified/accounts": recorded(
        {
            "user_id": 10001,
            "locked": False,
            "balances": {
                "ETH": {
                    "available": "0",
                    "freeze": "0",
                    "borrowed": "0.075393666654",
                    "equity": "1016.1",
                    "total_freeze": "0",
                },
                "USDT": {"available": "0.00000062023", "borrowed": "0", "equity": "16.1"},
            },
            "total": "230.94621713",
            "borrowed": "161.66395521",
        }
    ),
    "/margin/accounts": recorded([]),
}
"""As in the comments of the library's class, but for isolated margin."""


async def test_a_unified_gate_account_is_worth_its_equity(replay: Replay, venues: Venues) -> None:
    reading = await read(venues, replay, "gate_io", GATE_UNIFIED)
    assert reading.is_complete
    assert [held(position) for position in reading.positions] == [
        ("spot", "ETH", "0", "1016.175393666654", "0.075393666654", "0", "0", "1016.1"),
        ("spot", "USDT", "0.00000062023", "16.09999937977", "0", "0", "0", "16.1"),
    ]
    assert reading.wallets == {"spot", "margin"}


@pytest.mark.parametrize("code", ["kucoin", "kucoinfutures"])
@pytest.mark.parametrize("junk", [{}, {"code": "200000"}, {"code": "200000", "data": {}}])
async def test_a_kucoin_account_of_which_the_mode_is_not_told_is_not_taken_for_a_classic_one(
    venues: Venues, replay: Replay, code: str, junk: Any
) -> None:
    told = await failure(venues, replay, code, {"/account/mode": recorded(junk)})
    assert told.kind is FailureKind.UNEXPECTED_ANSWER


async def test_a_gate_account_of_which_the_mode_is_not_told_is_not_taken_for_a_classic_one(
    replay: Replay, venues: Venues
) -> None:
    down = {**GATE_UNIFIED, GATE_DETAIL: DOWN}
    assert (await failure(venues, replay, "gate_io", down)).kind is FailureKind.VENUE_DOWN
    for junk in ({}, {"key": {"mode": 2}}, {"user_id": 1, "key": {"mode": 3}}):
        told = await failure(venues, replay, "gate_io", {GATE_DETAIL: recorded(junk)})
        assert told.kind is FailureKind.UNEXPECTED_ANSWER
    forbidden = recorded({"label": "FORBIDDEN", "message": "lacks permission"}, status=403)
    reading = await read(venues, replay, "gate_io", {GATE_DETAIL: forbidden})
    assert [held(position) for position in reading.positions] == [
        tuple(row) for row in CASES["gate_io"]["positions"]
    ]


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin"])
async def test_a_hyperliquid_account_of_one_wallet_is_counted_once(
    replay: Replay, venues: Venues, mode: str
) -> None:
    told = {"body:userAbstraction": recorded(mode)}
    reading = await read(venues, replay, "hyperliquid", told)
    assert {position.wallet for position in reading.positions} == {"spot"}
    assert reading.missing == {
        "futures": "Coffers does not read accounts in their present mode at Hyperliquid yet."
    }


async def test_profit_that_no_wallet_tells_is_not_left_out(replay: Replay, venues: Venues) -> None:
    path = "/user/positions"
    (known,) = CASES["extended"]["answers"][path]["data"]
    untold = {path: recorded({"status": "OK", "data": [{**known, "unrealisedPnl": None}]})}
    reading = await read(venues, replay, "extended", untold)
    assert "does not tell the profit of BTC/USDC:USDC" in reading.missing["contracts"]
    nothing_open = {path: recorded({"status": "OK", "data": []})}
    assert (await read(venues, replay, "extended", nothing_open)).is_complete


async def test_practice_money_is_no_money(replay: Replay, venues: Venues) -> None:
    path = "/swap/v3/user/balance"
    (real,) = CASES["bingx"]["answers"][path]["data"]
    both = {path: recorded({"code": 0, "data": [real, {**real, "asset": "VST"}]})}
    reading = await read(venues, replay, "bingx", both)
    assert {p.asset for p in reading.positions if p.wallet == "futures"} == {"USDT"}


async def test_a_contract_that_the_market_table_lacks_is_told_without_its_unit(
    replay: Replay, venues: Venues
) -> None:
    path = "/fapi/v3/positionRisk"
    known, _ = CASES["binance_futures"]["answers"][path]
    new = {path: recorded([{**known, "symbol": "NEWUSDT"}])}
    (contract,) = (await read(venues, replay, "binance_futures", new)).contracts
    assert (contract.symbol, contract.size, contract.unit) == ("NEWUSDT", Decimal("0.002"), None)


async def test_a_position_without_a_size_spoils_its_part_only(
    replay: Replay, venues: Venues
) -> None:
    path = "/api/v5/account/positions"
    known, *_ = CASES["okex_futures"]["answers"][path]["data"]
    broken = {path: recorded({"code": "0", "data": [{**known, "pos": None}]})}
    reading = await read(venues, replay, "okex_futures", broken)
    assert "its position in BTC/USDT:USDT makes no sense" in reading.missing["contracts"]


async def test_futures_tables_are_loaded_from_the_futures_host_alone(
    replay: Replay, venues: Venues
) -> None:
    replay.by_path["/exchangeInfo"] = recorded({"symbols": []})
    replay.by_path["/time"] = recorded({"serverTime": 1_700_000_000_000})
    for venue in ("binanceusdm", "binancecoinm"):
        with pytest.raises(ConnectorFailure, match="list of markets is empty"):
            await venues._of(venue).ready()
    assert {path for path in replay.paths if not path.endswith("/time")} == {
        "/binanceusdm/fapi.binance.com/fapi/v1/exchangeInfo",
        "/binancecoinm/dapi.binance.com/dapi/v1/exchangeInfo",
    }
