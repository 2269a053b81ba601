"""Recorded answers over real HTTP through ccxt: every digit arrives, and no outage is a balance."""

from collections.abc import AsyncIterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from coffers.clock import SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.rules import shapes
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, ReadRequest
from coffers.valuation.model import Position
from integration.connectors.replay import (
    CLASSIC_MODES,
    Recorded,
    Replay,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)

BALANCES = loaded("balances.json")["exchanges"]
SILENT = loaded("silent_empty.json")["cases"]
CLOCK = SystemClock()
NO_FLOWS = ReadRequest(None)

JUNK = {
    "html200": Recorded("<html>maintenance</html>"),
    "html200 as text": Recorded("<html>maintenance</html>", content_type="text/html"),
    "obj": Recorded("{}"),
    "empty": Recorded(""),
    "list": Recorded("[]"),
    "null": Recorded("null"),
    "cut off": Recorded('{"balances": [{"asset": "BTC", "fre'),
}

# These venues send a bare list of what is held, which may really be empty.
BARE_LISTS = {"bitfinex", "bitstamp", "bitvavo"}


def market(venue: str) -> Any:
    return SimpleNamespace(venue=venue, name=venue, market_types=("spot",), wallet=None)


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying(Recorded("{}")) as server:
        server.by_path.update(CLASSIC_MODES)
        yield server


@pytest.fixture
async def venues(replay: Replay) -> AsyncIterator[Venues]:
    made = Venues(replay.url, 60, CLOCK, is_paced=False)
    yield made
    await made.close()


async def positions(venues: Venues, venue: str) -> tuple[Position, ...]:
    with_markets(venues, venue, CLOCK)
    hurried(venues, venue)
    connector = ExchangeConnector(venues, CLOCK)
    return (await connector.read(market(venue), fake_credentials(), NO_FLOWS)).positions


async def failure(venues: Venues, venue: str) -> ConnectorFailure:
    with pytest.raises(ConnectorFailure) as caught:
        await positions(venues, venue)
    return caught.value


@pytest.mark.parametrize("venue", sorted(BALANCES))
async def test_a_recorded_balance_arrives_digit_for_digit(
    replay: Replay, venues: Venues, venue: str
) -> None:
    case = BALANCES[venue]
    replay.otherwise = recorded(case["httpResponse"])
    found = {
        position.venue_code: (position.free, position.in_orders, position.owned)
        for position in await positions(venues, venue)
        if position.wallet == "spot"
    }
    expected = {
        code: tuple(Decimal(entry[part] or "0") for part in ("free", "used", "total"))
        for code, entry in case["parsed"].items()
    }
    for code, (free, used, total) in expected.items():
        if total == 0:
            assert code not in found
        elif case["parsed"][code]["free"] is None:
            assert found[code] == (total, 0, total)
        else:
            assert found[code] == (free, used, total)
    assert set(found) <= set(expected)


@pytest.mark.parametrize("venue", sorted(SILENT))
@pytest.mark.parametrize("junk", sorted(JUNK))
async def test_an_outage_is_never_an_empty_account(
    replay: Replay, venues: Venues, venue: str, junk: str
) -> None:
    if junk == "list" and venue in BARE_LISTS:
        replay.otherwise = JUNK[junk]
        assert await positions(venues, venue) == ()
        return
    replay.otherwise = JUNK[junk]
    assert (await failure(venues, venue)).kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("venue", sorted(set(BALANCES)))
async def test_every_recorded_venue_has_a_rule_for_its_shape(
    replay: Replay, venues: Venues, venue: str
) -> None:
    replay.otherwise = Recorded("{}")
    shared = venues._of(venue).venue
    assert any(name in shapes() for name in shared.family)
    assert (await failure(venues, venue)).kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("venue", ["kucoin", "kraken", "bitflyer", "okx"])
async def test_bare_numbers_of_a_venue_lose_no_digit(
    replay: Replay, venues: Venues, venue: str
) -> None:
    digits = "0.12345678901234567890123"
    bodies = {
        "kucoin": '{"code": "200000", "data": [{"currency": "BTC", "balance": %s, '
        '"available": %s, "holds": 0, "type": "trade"}]}',
        "kraken": '{"error": [], "result": {"XXBT": {"balance": %s, "hold_trade": 0, "x": %s}}}',
        "bitflyer": '[{"currency_code": "BTC", "amount": %s, "available": %s}]',
        "okx": '{"code": "0", "data": [{"details": [{"ccy": "BTC", "eq": %s, "availBal": %s}]}]}',
    }
    replay.otherwise = Recorded(bodies[venue] % (digits, digits))
    position, *_ = await positions(venues, venue)
    assert position.free + position.in_orders == Decimal(digits)


@pytest.mark.parametrize(
    ("venue", "path", "body"),
    [
        ("okx", "/asset/balances", {"data": [{"ccy": "BTC", "bal": "3", "availBal": "2"}]}),
        (
            "bybit",
            "/query-account-coins-balance",
            {
                "result": {
                    "balance": [{"coin": "BTC", "walletBalance": "3", "transferBalance": "2"}]
                }
            },
        ),
    ],
)
async def test_the_wallet_that_deposits_arrive_in_is_read_with_spot(
    replay: Replay, venues: Venues, venue: str, path: str, body: dict[str, Any]
) -> None:
    replay.otherwise = recorded(BALANCES[venue]["httpResponse"])
    replay.by_path[path] = recorded({"code": "0", "retCode": 0, **body})
    funding = [p for p in await positions(venues, venue) if p.wallet == "funding"]
    assert [(p.asset, p.free, p.in_orders) for p in funding] == [("BTC", 2, 1)]


# Bodies as in developers.binance.com "Funding Wallet" and "Get Locked Product Position", and in
# www.okx.com/docs-v5 "Get saving balance".
FUNDS = [
    {"asset": "USDT", "free": "1", "locked": "2", "freeze": "3", "withdrawing": "4"},
    {"asset": "BTC", "free": "0", "locked": "0", "freeze": "0", "withdrawing": "0"},
]
SAVED = {"ccy": "USDT", "amt": "11.0010737453457821", "loanAmt": "11", "pendingAmt": "0.001"}


def locked(asset: str, amount: str) -> dict[str, Any]:
    return {"positionId": 123123, "asset": asset, "amount": amount, "rewardAmt": "5.17181528"}


async def test_binances_funding_and_earn_wallets_are_read_with_spot(
    replay: Replay, venues: Venues
) -> None:
    first, second = [locked("AXS", "0.5")] * 100, [locked("AXS", "122.09202928")]
    replay.by_path = {
        "/api/v3/account": recorded({"balances": [{"asset": "ETH", "free": "1", "locked": "0"}]}),
        "/get-funding-asset": recorded(FUNDS),
        "current=1": recorded({"rows": first, "total": 101}),
        "current=2": recorded({"rows": second, "total": 101}),
    }
    found = [(p.wallet, p.asset, p.free, p.in_orders) for p in await positions(venues, "binance")]
    assert found == [
        ("spot", "ETH", 1, 0),
        ("funding", "USDT", 1, 9),
        ("earn", "AXS", 0, Decimal("172.09202928")),
    ]


async def test_nothing_in_funding_and_earn_is_no_outage(replay: Replay, venues: Venues) -> None:
    replay.by_path = {
        "/api/v3/account": recorded({"balances": [{"asset": "ETH", "free": "1", "locked": "0"}]}),
        "/get-funding-asset": recorded([]),
        "/simple-earn/locked/position": recorded({"rows": [], "total": 0}),
    }
    assert [p.wallet for p in await positions(venues, "binance")] == ["spot"]


async def test_okx_savings_are_read_with_spot(replay: Replay, venues: Venues) -> None:
    replay.otherwise = recorded(BALANCES["okx"]["httpResponse"])
    replay.by_path["/finance/savings/balance"] = recorded({"code": "0", "data": [SAVED]})
    saved = [p for p in await positions(venues, "okx") if p.wallet == "earn"]
    assert [(p.asset, p.owned) for p in saved] == [("USDT", Decimal("11.0010737453457821"))]


async def test_a_further_wallet_that_is_down_is_missing(replay: Replay, venues: Venues) -> None:
    replay.otherwise = recorded(BALANCES["okx"]["httpResponse"])
    replay.by_path["/asset/balances"] = Recorded("<html>", status=503)
    replay.by_path["/finance/savings/balance"] = recorded({"code": "0", "data": []})
    with_markets(venues, "okx", CLOCK)
    reading = await ExchangeConnector(venues, CLOCK).read(
        market("okx"), fake_credentials(), NO_FLOWS
    )
    assert reading.wallets == {"spot", "earn"}
    assert reading.missing == {"funding": "OKX is not available at present."}
    assert not reading.is_complete


async def test_collateral_and_the_same_money_beside_it_are_both_kept(
    replay: Replay, venues: Venues
) -> None:
    replay.otherwise = recorded([])
    replay.by_path["/auth/r/wallets"] = recorded(
        [
            ["exchange", "BTC", 1, 0, 1, None, None],
            ["margin", "UST", 5000, 0, 5000, None, None],
            ["margin", "USTF0", 1000, 0, 900, None, None],
        ]
    )
    found = [(p.wallet, p.asset, p.free, p.in_orders) for p in await positions(venues, "bitfinex")]
    assert found == [
        ("spot", "BTC", 1, 0),
        ("margin", "USDT", 5000, 0),
        ("margin", "USDT", 900, 100),
    ]


async def test_a_wallet_of_which_an_answer_has_no_rows_is_empty_and_not_missing(
    replay: Replay, venues: Venues
) -> None:
    replay.otherwise = recorded([])
    replay.by_path["/auth/r/wallets"] = recorded([["exchange", "BTC", 1, 0, 1, None, None]])
    with_markets(venues, "bitfinex", CLOCK)
    connector = ExchangeConnector(venues, CLOCK)
    reading = await connector.read(market("bitfinex"), fake_credentials(), NO_FLOWS)
    assert reading.wallets == {"spot", "margin", "funding"}
    assert reading.is_complete


SPOT_AND_FUNDING = {
    "bigone": (
        ("/viewer/accounts", {"data": [{"asset_symbol": "BTC", "balance": "3"}]}),
        ("/viewer/fund/accounts", {"data": [{"asset_symbol": "BTC", "balance": "2"}]}),
    ),
    "hitbtc": (
        ("/spot/balance", [{"currency": "BTC", "available": "3", "reserved": "0"}]),
        ("/wallet/balance", [{"currency": "BTC", "available": "2", "reserved": "0"}]),
    ),
    "latoken": (
        (
            "/auth/account",
            [
                {"type": f"ACCOUNT_TYPE_{kind}", "currency": "BTC", "available": free}
                for kind, free in (("SPOT", "3"), ("WALLET", "2"), ("FUTURES", "1"))
            ],
        ),
    ),
    "whitebit": (
        ("/trade-account/balance", {"BTC": {"available": "3", "freeze": "0"}}),
        ("/main-account/balance", {"BTC": {"main_balance": "2"}}),
    ),
}
"""As their documents have it, by the end of the path."""


@pytest.mark.parametrize("venue", sorted(SPOT_AND_FUNDING))
async def test_a_deposit_that_still_lies_in_the_funding_wallet_is_held(
    replay: Replay, venues: Venues, venue: str
) -> None:
    replay.by_path = {end: recorded(body) for end, body in SPOT_AND_FUNDING[venue]}
    found = [(p.wallet, p.asset, p.owned) for p in await positions(venues, venue)]
    assert found == [("spot", "BTC", 3), ("funding", "BTC", 2)]


def coinbase_account(currency: str, free: str, hold: str, kind: str = "CRYPTO") -> dict[str, Any]:
    return {
        "currency": currency,
        "available_balance": {"value": free, "currency": currency},
        "hold": {"value": hold, "currency": currency},
        "type": f"ACCOUNT_TYPE_{kind}",
    }


async def test_coinbase_is_read_to_its_last_page(replay: Replay, venues: Venues) -> None:
    first, second = coinbase_account("MINA", "1.5", "0"), coinbase_account("USD", "7", "3", "FIAT")
    replay.by_path = {
        "cursor=789": recorded({"accounts": [second], "has_next": False, "cursor": ""}),
        "/api/v3/brokerage/accounts": recorded(
            {"accounts": [first], "has_next": True, "cursor": "789"}
        ),
    }
    found = [(p.asset, p.free, p.in_orders) for p in await positions(venues, "coinbase")]
    assert found == [("MINA", Decimal("1.5"), 0), ("USD", 7, 3)]


SPARSE = {
    "bit2c": {"AVAILABLE_NIS": 1.5, "NIS": 2.0, "LOCKED_NIS": 0.5, "Fees": {}},
    "hollaex": {"updated_at": "2020-03-02T22:27:38.428Z", "btc_balance": 2, "btc_available": 1.5},
}
"""As in the comments of ccxt's classes, which make an entry of every currency of the exchange."""


@pytest.mark.parametrize("venue", sorted(SPARSE))
async def test_a_currency_that_an_answer_leaves_out_spoils_nothing(
    replay: Replay, venues: Venues, venue: str
) -> None:
    replay.otherwise = recorded(SPARSE[venue])
    shared = with_markets(venues, venue, CLOCK, "BTC/NIS", "ETH/NIS")
    currencies = shared.prototype.currencies
    shared.prototype.currencies_by_id.clear()
    for currency in currencies.values():
        currency["id"] = currency["id"].lower()
        shared.prototype.currencies_by_id[currency["id"]] = currency
    hurried(venues, venue)
    reading = await ExchangeConnector(venues, CLOCK).read(
        market(venue), fake_credentials(), NO_FLOWS
    )
    assert [(p.free, p.in_orders) for p in reading.positions] == [(Decimal("1.5"), Decimal("0.5"))]
    replay.otherwise = recorded({"NIS": None, "updated_at": "2020-03-02T22:27:38.428Z"})
    with pytest.raises(ConnectorFailure):
        await ExchangeConnector(venues, CLOCK).read(market(venue), fake_credentials(), NO_FLOWS)


async def test_a_contradiction_of_amounts_is_no_balance(replay: Replay, venues: Venues) -> None:
    broken = [{"asset": "BTC", "free": "5", "locked": "-4"}]
    replay.otherwise = recorded({"balances": broken})
    assert "make no sense" in str(await failure(venues, "binance"))


async def test_a_secret_that_cannot_sign_is_the_keys_fault(replay: Replay, venues: Venues) -> None:
    with_markets(venues, "kraken", CLOCK)
    odd = fake_credentials()
    object.__setattr__(odd, "secret", type(odd.secret)("not base64!"))
    with pytest.raises(ConnectorFailure) as caught:
        await ExchangeConnector(venues, CLOCK).read(market("kraken"), odd, NO_FLOWS)
    assert caught.value.kind is FailureKind.KEY_REFUSED
    assert caught.value.code == "malformed_credentials"
    assert replay.paths == []
