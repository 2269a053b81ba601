"""What a key may do, asked over real HTTP through ccxt: the documented path, signed."""

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from coffers.clock import DAY, Clock, ManualClock, SystemClock
from coffers.connectors.exchange.connector import RIGHTS_AGE, ExchangeConnector
from coffers.connectors.exchange.rights import READERS
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, ReadRequest
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
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

BODIES: dict[str, Any] = loaded("rights/bodies.json")
NO_FLOWS = ReadRequest(None)

READ_ONLY = KeyRights(read=True, trade=False, withdraw=False, address_restricted=True)
NO_ADDRESSES = replace(READ_ONLY, address_restricted=None)
TOLD = {
    **dict.fromkeys(READERS, READ_ONLY),
    "bitfinex": NO_ADDRESSES,
    "coinbase": NO_ADDRESSES,
    "gate": replace(READ_ONLY, withdraw=None),
    "gateeu": replace(READ_ONLY, withdraw=None),
}

LIKE = {
    "binanceusdm": "binance",
    "binancecoinm": "binance",
    "bybiteu": "bybit",
    "bybitid": "bybit",
    "gateeu": "gate",
    "kucoinfutures": "kucoin",
    "myokx": "okx",
    "okxus": "okx",
}

SIGNATURES = {
    "binance": "signature",
    "bingx": "signature",
    "bitfinex": "bfx-signature",
    "bitget": "ACCESS-SIGN",
    "bybit": "X-BAPI-SIGN",
    "coinbase": "Authorization",
    "deribit": "Authorization",
    "gate": "SIGN",
    "htx": "Signature",
    "kraken": "API-Sign",
    "kucoin": "KC-API-SIGN",
    "okx": "OK-ACCESS-SIGN",
}
"""Where a venue expects the signature: a header or a parameter."""

REFUSED = {
    "bitget": (400, {"code": "40085", "msg": "You are in Unified Account mode", "data": None}),
    "bybit": (200, {"retCode": 10005, "retMsg": "Permission denied", "result": {}}),
    "coinbase": (403, {"error": "PERMISSION_DENIED", "message": "Missing required scopes"}),
    "deribit": (400, {"error": {"code": 13668, "message": "security_key_authorization_error"}}),
    "gate": (403, {"label": "FORBIDDEN", "message": "API key lacks account permission"}),
    "kraken": (200, {"error": ["EGeneral:Permission denied"]}),
    "kucoin": (403, {"code": "400007", "msg": "Access denied, more permission required"}),
}

JUNK = {
    "html": Recorded("<html>maintenance</html>"),
    "object": Recorded("{}"),
    "list": Recorded("[]"),
    "null": Recorded("null"),
    "empty": Recorded(""),
    "cut off": Recorded('{"result": {"permissions": ["query-'),
}


def market(venue: str) -> Any:
    return SimpleNamespace(venue=venue, name=venue, market_types=("spot",), wallet=None)


def answering(replay: Replay, venue: str) -> None:
    replay.by_path |= {
        call["path"]: recorded(call["body"]) for call in BODIES[LIKE.get(venue, venue)]["calls"]
    }


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying(Recorded("{}")) as server:
        yield server


@pytest.fixture
async def venues(replay: Replay) -> AsyncIterator[Venues]:
    made = Venues(replay.url, 5, SystemClock(), is_paced=False)
    yield made
    await made.close()


def connected(venues: Venues, venue: str, clock: Clock | None = None) -> ExchangeConnector:
    with_markets(venues, venue, SystemClock())
    hurried(venues, venue)
    return ExchangeConnector(venues, clock or SystemClock())


async def rights(venues: Venues, venue: str) -> KeyRights:
    return await connected(venues, venue).rights(market(venue), fake_credentials())


@pytest.mark.parametrize("venue", sorted(READERS))
async def test_the_documented_call_is_signed_and_its_answer_understood(
    replay: Replay, venues: Venues, venue: str
) -> None:
    answering(replay, venue)
    assert await rights(venues, venue) == TOLD[venue]
    like = LIKE.get(venue, venue)
    calls = BODIES[like]["calls"]
    assert len(replay.requests) == len(calls)
    for request, call in zip(replay.requests, calls, strict=True):
        assert request.path.startswith(f"/{venue}/")
        assert request.path.split("/", 3)[3] == call["path"].removeprefix("/")
        assert request.method == call["verb"]
        assert request.headers.get(SIGNATURES[like]) or request.query.get(SIGNATURES[like])


@pytest.mark.parametrize("venue", sorted(REFUSED))
async def test_a_venue_that_does_not_tell_this_key_leaves_its_rights_unknown(
    replay: Replay, venues: Venues, venue: str
) -> None:
    status, body = REFUSED[venue]
    replay.otherwise = recorded(body, status=status)
    assert await rights(venues, venue) == UNKNOWN_RIGHTS


@pytest.mark.parametrize("junk", sorted(JUNK))
@pytest.mark.parametrize("venue", sorted(BODIES))
async def test_an_outage_never_passes_for_rights(
    replay: Replay, venues: Venues, venue: str, junk: str
) -> None:
    replay.otherwise = JUNK[junk]
    with pytest.raises(ConnectorFailure) as caught:
        await rights(venues, venue)
    assert caught.value.kind in {FailureKind.UNEXPECTED_ANSWER, FailureKind.VENUE_DOWN}


async def test_secrets_that_an_answer_shows_stay_out_of_what_is_said(
    replay: Replay, venues: Venues
) -> None:
    body = copy.deepcopy(BODIES["deribit"]["calls"][0]["body"])
    body["result"] = {"keys": body["result"]}
    replay.otherwise = recorded(body)
    with pytest.raises(ConnectorFailure) as caught:
        await rights(venues, "deribit")
    assert "fake-own-secret" not in str(caught.value)


async def test_a_key_that_may_withdraw_from_one_day_on_is_seen_the_day_after(
    replay: Replay, venues: Venues
) -> None:
    clock = ManualClock(SystemClock().now())
    connector = connected(venues, "kraken", clock)
    answering(replay, "kraken")
    replay.otherwise = recorded(loaded("balances.json")["exchanges"]["kraken"]["httpResponse"])

    async def told() -> bool | None:
        reading = await connector.read(market("kraken"), fake_credentials(), NO_FLOWS)
        return reading.rights.withdraw

    assert await told() is False
    body = copy.deepcopy(BODIES["kraken"]["calls"][0]["body"])
    body["result"]["permissions"].append("withdraw-funds")
    replay.by_path["/0/private/GetApiKeyInfo"] = Recorded(json.dumps(body))
    assert await told() is False
    clock.advance(RIGHTS_AGE)
    assert await told() is True
    assert RIGHTS_AGE <= DAY
