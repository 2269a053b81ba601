"""What names an account in recorded balances, over real HTTP through ccxt."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from coffers.clock import SystemClock
from coffers.connectors.exchange.balances import read_holdings
from coffers.connectors.exchange.rules import identities
from coffers.connectors.exchange.venues import Venues
from integration.connectors.replay import (
    Recorded,
    fake_credentials,
    hurried,
    recorded,
    replaying,
    with_markets,
)

CLOCK = SystemClock()


@dataclass(frozen=True)
class Case:
    """A balance with the account's number in it as `NUMBER`, and what comes before it."""

    venue: str
    body: Any
    by_path: dict[str, Any] = field(default_factory=dict)
    kind: str = "spot"
    wallet: str | None = None


NUMBER = 4711

COIN = {"asset": "USDT", "assetId": "USDT", "assetName": "USDT", "free": "40", "locked": "0"}
BYBIT_SPOT = {"accountType": "UNIFIED", "coin": [{"coin": "BTC", "walletBalance": "1"}]}
BYBIT_FUNDING = {"coin": "USDC", "transferBalance": "1", "walletBalance": "1", "bonus": ""}

CASES = [
    Case("binance", {"balances": [COIN], "uid": NUMBER}),
    Case("binanceus", {"balances": [COIN], "uid": NUMBER}),
    Case(
        "bybit",
        {"retCode": 0, "result": {"list": [BYBIT_SPOT]}},
        {
            "query-account-coins-balance": {
                "retCode": 0,
                "result": {"memberId": NUMBER, "accountType": "FUND", "balance": [BYBIT_FUNDING]},
            },
        },
    ),
    Case(
        "delta",
        {
            "result": [{"asset_id": 1, "asset_symbol": "BTC", "balance": "1", "user_id": NUMBER}],
            "success": True,
        },
    ),
    Case("gate", {"user_id": NUMBER, "balances": {"ETH": {"available": "1", "equity": "1"}}}),
    Case(
        "gate",
        {"total": "12.5", "available": "1", "currency": "USDT", "user": NUMBER},
        kind="futures",
        wallet="usdt_futures",
    ),
    Case("hashkey", {"balances": [COIN], "userId": NUMBER}),
    Case(
        "htx",
        {
            "status": "ok",
            "data": {
                "id": NUMBER,
                "type": "spot",
                "list": [{"currency": "btc", "type": "trade", "balance": "1"}],
            },
        },
        {
            "/v1/account/accounts": {
                "status": "ok",
                "data": [{"id": NUMBER, "type": "spot", "subtype": "", "state": "working"}],
            },
        },
    ),
    Case(
        "indodax",
        {"success": 1, "return": {"balance": {"btc": "1"}, "balance_hold": {}, "user_id": NUMBER}},
    ),
    Case(
        "nado",
        {
            "status": "success",
            "data": {
                "subaccount": NUMBER,
                "spot_balances": [{"product_id": 0, "balance": {"amount": "1000000000000000000"}}],
            },
        },
    ),
    Case(
        "ndax",
        [{"OMSId": 1, "AccountId": NUMBER, "ProductId": "BTC", "Amount": "10", "Hold": "0"}],
        {"GetUserAccounts": [NUMBER]},
    ),
    Case(
        "onetrading",
        {
            "account_id": NUMBER,
            "balances": [{"currency_code": "BTC", "available": "10.0", "locked": "0.0"}],
        },
    ),
    Case(
        "poloniex",
        [{"accountId": NUMBER, "balances": [{"currency": "BTC", "available": "1", "hold": "0"}]}],
    ),
    Case("toobit", {"userId": NUMBER, "balances": [COIN]}),
    Case("weex", {"balances": [COIN], "uid": NUMBER}),
]


def naming(value: Any, number: int) -> Recorded:
    return recorded(json.loads(json.dumps(value).replace(str(NUMBER), str(number))))


async def identity(case: Case, number: int) -> str | None:
    market: Any = SimpleNamespace(
        venue=case.venue, name=case.venue, market_types=(case.kind,), wallet=case.wallet
    )
    async with replaying(naming(case.body, number)) as replay:
        replay.by_path |= {path: naming(body, number) for path, body in case.by_path.items()}
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, case.venue, CLOCK)
        hurried(venues, case.venue)
        try:
            async with venues.session(case.venue, fake_credentials(1, case.venue)) as session:
                return (await read_holdings(session, market)).identity
        finally:
            await venues.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.venue}-{case.kind}")
async def test_two_accounts_of_a_venue_are_told_apart(case: Case) -> None:
    mine, again, theirs = [await identity(case, number) for number in (4712, 4712, 4713)]
    assert mine is not None
    assert theirs is not None
    assert mine == again != theirs


def test_every_venue_that_names_accounts_is_among_them() -> None:
    assert set(identities()) <= {case.venue for case in CASES}
