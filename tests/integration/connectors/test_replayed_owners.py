"""Whose account a key opens, and which wallet its markets share, by answers over HTTP."""

from typing import Any

import pytest

from coffers.clock import DAY
from coffers.connectors.exchange.account_rules import ownership_rules
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.markets.catalogue import load_catalogue
from house import MovedClock
from integration.connectors.replay import (
    Recorded,
    Replay,
    fake_credentials,
    hurried,
    recorded,
    replaying,
    with_markets,
)

REQUEST = ReadRequest(flows_since=None)
COIN = {"coin": "BTC", "walletBalance": "1", "equity": "1", "locked": "0", "free": "1"}
BYBIT = {"retCode": 0, "result": {"list": [{"accountType": "UNIFIED", "coin": [COIN]}]}}
FUNDING = {"retCode": 0, "result": {"memberId": 4711, "balance": []}}
DETAILS = {"ccy": "BTC", "cashBal": "2", "eq": "2", "availEq": "2", "upl": "0"}
OKX = {"code": "0", "data": [{"details": [DETAILS]}]}
ASSETS = {"coin": "USDT", "available": "5", "frozen": "0", "locked": "0"}


def bybit(uta: int) -> dict[str, Any]:
    owner = {"userID": 4711, "unified": 0, "uta": uta, "permissions": {}, "readOnly": 1}
    return {
        "/user/query-api": {"retCode": 0, "result": owner},
        "/query-account-coins-balance": FUNDING,
        "/position/list": {"retCode": 0, "result": {"list": []}},
    }


OWNED: dict[str, tuple[Any, dict[str, Any]]] = {
    "bybit": (BYBIT, bybit(1)),
    "okx": (OKX, {"/account/config": {"code": "0", "data": [{"uid": "4711"}]}}),
}


class Asked:
    """A venue that answers, and the connector that asks it."""

    def __init__(self, replay: Replay, connector: ExchangeConnector, clock: MovedClock) -> None:
        self.replay, self.connector, self.clock = replay, connector, clock

    async def read(self, code: str, key: int = 1) -> Reading:
        market = load_catalogue().get(code)
        assert market is not None
        return await self.connector.read(market, fake_credentials(key), REQUEST)

    def asked(self, end: str) -> int:
        return len([path for path in self.replay.paths if path.endswith(end)])


async def asking(venue: str, work: Any, **changes: Recorded) -> Any:
    body, by_path = OWNED[venue]
    async with replaying(recorded(body)) as replay:
        replay.by_path |= {path: recorded(told) for path, told in by_path.items()} | changes
        clock = MovedClock()
        venues = Venues(replay.url, 60, clock, is_paced=False)
        with_markets(venues, venue, clock)
        hurried(venues, venue)
        connector = ExchangeConnector(venues, clock)
        try:
            return await work(Asked(replay, connector, clock))
        finally:
            await connector.close()


@pytest.mark.parametrize(
    ("venue", "codes"), [("bybit", ("bybit", "bybit_spot")), ("okx", ("okex", "okex_futures"))]
)
async def test_two_codes_of_one_wallet_say_that_they_share_it_and_whose_it_is(
    venue: str, codes: tuple[str, str]
) -> None:
    async def both(asked: Asked) -> list[Reading]:
        return [await asked.read(code) for code in codes]

    one, other = await asking(venue, both)
    assert one.identity == other.identity is not None
    assert one.shared_wallet == other.shared_wallet == ownership_rules()[venue].shared.name


async def test_a_classic_account_shares_nothing() -> None:
    classic = {path: recorded(told) for path, told in bybit(0).items()}

    async def spot(asked: Asked) -> Reading:
        return await asked.read("bybit_spot")

    reading = await asking("bybit", spot, **classic)
    assert (reading.shared_wallet, reading.identity is not None) == (None, True)


async def test_whose_a_key_is_is_asked_once_a_day_and_after_a_clock_was_ahead() -> None:
    async def often(asked: Asked) -> list[int]:
        counts = []
        for ahead in (0, 0, DAY, -DAY):
            asked.clock.ahead += ahead
            await asked.read("okex")
            counts.append(asked.asked("/account/config"))
        return counts

    first, second, next_day, back = await asking("okx", often)
    assert first == second < next_day < back


async def test_a_reading_is_not_lost_where_the_owner_is_not_told() -> None:
    refused = recorded({"code": "50030", "msg": "No permission to use this API"})

    async def spot(asked: Asked) -> Reading:
        return await asked.read("okex")

    reading = await asking("okx", spot, **{"/account/config": refused})
    assert (reading.identity, len(reading.positions) > 0) == (None, True)


async def test_a_venue_that_asks_for_a_pause_is_obeyed() -> None:
    limited = recorded({"code": "50011", "msg": "Rate limit reached"}, status=429)

    async def spot(asked: Asked) -> Reading:
        return await asked.read("okex")

    with pytest.raises(ConnectorFailure) as told:
        await asking("okx", spot, **{"/account/config": limited})
    assert told.value.kind is FailureKind.RATE_LIMITED
