"""Refusals over HTTP through ccxt: each leads to the right kind, message, back-off and state."""

from typing import Any

import pytest

from coffers.clock import HOUR, MINUTE, SECOND, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, ReadRequest
from coffers.sync.policy import BACK_OFFS, REFUSALS
from integration.connectors.large_refusals import LARGE, PAUSES
from integration.connectors.replay import (
    Recorded,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)
from integration.connectors.test_junk_everywhere import market
from unit.connectors.exchange.test_failures import EXPECTED, code_of

CLOCK = SystemClock()
CASES = loaded("errors.json")["cases"]

MORE = [
    ("binance", 400, {"code": -2008, "msg": "Invalid Api-Key ID."}, "key_refused"),
    ("binance", 400, {"code": -1002, "msg": "You are not authorized."}, "key_refused"),
    ("binance", 400, {"code": -1001, "msg": "Internal error."}, "venue_down"),
    ("binance", 403, "<html>403 Forbidden</html>", "venue_down"),
    ("binance", 407, "proxy authentication required", "unreachable"),
    ("binanceus", 400, {"code": -2015, "msg": "Invalid API-key."}, "key_refused"),
    ("bingx", 200, {"code": 100419, "msg": "IP does not match IP whitelist"}, "address_refused"),
    ("bingx", 200, {"code": 100413, "msg": "Incorrect apiKey"}, "key_refused"),
    ("bitfinex", 500, ["error", 10100, "apikey: invalid"], "key_refused"),
    ("bitfinex", 500, ["error", 10114, "nonce: small"], "clock_drift"),
    ("bitget", 400, {"code": "40018", "msg": "Invalid IP"}, "address_refused"),
    ("bitget", 400, {"code": "40037", "msg": "Apikey does not exist"}, "key_refused"),
    ("bitget", 400, {"code": "40014", "msg": "Incorrect permissions"}, "permission_denied"),
    ("bitget", 429, {"code": "429", "msg": "Too Many Requests"}, "rate_limited"),
    ("bitstamp", 403, {"status": "error", "reason": "IP address not allowed"}, "address_refused"),
    ("bitstamp", 403, {"status": "error", "reason": "Invalid signature"}, "key_refused"),
    ("bitvavo", 403, {"errorCode": 307, "error": "no access from this IP"}, "address_refused"),
    ("bitvavo", 403, {"errorCode": 309, "error": "The signature is invalid."}, "key_refused"),
    ("bitvavo", 403, {"errorCode": 304, "error": "not within the window"}, "clock_drift"),
    ("bybit", 200, {"retCode": 10009, "retMsg": "IP had been banned"}, "address_refused"),
    ("bybit", 200, {"retCode": 10016, "retMsg": "System error."}, "venue_down"),
    ("coinbase", 401, "Unauthorized", "key_refused"),
    ("cryptocom", 200, {"code": 40103, "message": "IP not whitelisted"}, "address_refused"),
    ("cryptocom", 401, {"code": 40101, "message": "Unauthorized"}, "key_refused"),
    ("cryptocom", 400, {"code": 40102, "message": "Invalid nonce"}, "clock_drift"),
    ("deribit", 400, {"error": {"code": 13004, "message": "invalid_credentials"}}, "key_refused"),
    ("deribit", 400, {"error": {"code": 12005, "message": "banned"}}, "region_refused"),
    ("gate", 403, {"label": "INVALID_KEY", "message": "Invalid key"}, "key_refused"),
    ("gate", 403, {"label": "IP_FORBIDDEN", "message": "not in whitelist"}, "address_refused"),
    ("gate", 403, {"label": "REQUEST_EXPIRED", "message": "expired"}, "clock_drift"),
    ("gate", 429, {"label": "TOO_MANY_REQUESTS", "message": "slow down"}, "rate_limited"),
    ("gemini", 403, {"result": "error", "reason": "MissingRole"}, "permission_denied"),
    ("htx", 200, {"status": "error", "err-code": "api-signature-not-valid"}, "key_refused"),
    ("kraken", 200, {"error": ["EAPI:Invalid key"]}, "key_refused"),
    ("kraken", 200, {"error": ["EService:Market in cancel_only mode"]}, "venue_down"),
    ("kucoin", 200, {"code": "408000", "msg": "Network timeout"}, "venue_down"),
    ("mexc", 400, {"code": 10072, "msg": "Api key info invalid"}, "key_refused"),
    ("mexc", 400, {"code": 700006, "msg": "IP non white list"}, "address_refused"),
    ("mexc", 400, {"code": 700007, "msg": "No permission"}, "permission_denied"),
    ("okx", 401, {"code": "50112", "msg": "Invalid OK-ACCESS-TIMESTAMP"}, "clock_drift"),
    ("okx", 200, {"code": "1", "msg": "System maintenance"}, "venue_down"),
    ("onetrading", 401, {"error": "CLIENT_IP_BLOCKED"}, "address_refused"),
    ("phemex", 401, {"code": "401", "msg": "401 Request IP mismatch."}, "address_refused"),
    ("toobit", 400, {"code": -1021, "msg": "outside of the recvWindow."}, "clock_drift"),
    ("upbit", 401, {"error": {"name": "no_authorization_ip"}}, "address_refused"),
    ("upbit", 401, {"error": {"name": "no_authorization_i_p"}}, "address_refused"),
    ("upbit", 401, {"error": {"name": "invalid_access_key"}}, "key_refused"),
    ("whitebit", 401, {"message": "Unauthorized"}, "key_refused"),
    ("xt", 200, {"rc": 1, "mc": "AUTH_104", "ma": [], "result": None}, "address_refused"),
    ("xt", 200, {"rc": 1, "mc": "AUTH_105", "ma": [], "result": None}, "clock_drift"),
    ("xt", 200, {"rc": 1, "mc": "AUTH_103", "ma": [], "result": None}, "key_refused"),
]
"""Of our own making, after the codes that ccxt's comments and the venues' documents give."""

WAITS = {
    "key_refused": 5 * MINUTE,
    "permission_denied": 5 * MINUTE,
    "address_refused": 5 * MINUTE,
    "region_refused": HOUR // 2,
    "clock_drift": MINUTE,
    "rate_limited": 2 * MINUTE,
    "venue_down": MINUTE,
    "unreachable": 30 * SECOND,
    "unexpected_answer": MINUTE,
}


async def refused(venue: str, status: int, body: Any, **headers: str) -> ConnectorFailure:
    text = Recorded(body, status=status, content_type="text/html")
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = text if isinstance(body, str) else recorded(body, status=status, headers=told)
    async with replaying(answer) as replay:
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, venue, CLOCK)
        hurried(venues, venue)
        with pytest.raises(ConnectorFailure) as caught:
            await ExchangeConnector(venues, CLOCK).read(
                market(venue), fake_credentials(1, venue), ReadRequest(None)
            )
        await venues.close()
    return caught.value


def named(case: Any) -> str:
    venue, status, body = case[:3]
    said = "-".join(map(str, body.values())) if isinstance(body, dict) else str(body)
    return f"{venue}-{status}-{said[:24]}"


def key_of(case: dict[str, Any]) -> tuple[str, int, str]:
    return case["exchange"], case["http"], code_of(case["body"])


WANTED = {**EXPECTED, ("binance", 200, ""): "unexpected_answer"}
"""The kinds of all collected refusals; the last is a page with status 200."""

ALL = [
    *((case["exchange"], case["http"], case["body"], WANTED[key_of(case)]) for case in CASES),
    *MORE,
    *LARGE,
]


def test_every_collected_refusal_has_a_kind_that_is_wanted() -> None:
    assert len(CASES) == 45
    assert {key_of(case) for case in CASES} == set(WANTED)


@pytest.mark.parametrize("case", PAUSES, ids=lambda case: case[0])
async def test_a_pause_that_an_exchange_asks_for_is_kept(case: tuple[str, int, Any]) -> None:
    failure = await refused(*case, Retry_After="17")
    assert (failure.kind, failure.retry_after) == (FailureKind.RATE_LIMITED, 17 * SECOND)


async def test_a_ban_until_a_moment_is_a_pause_of_three_days_at_most() -> None:
    body = {"code": -1003, "msg": "Way too much; IP banned until 9893456000000."}
    assert (await refused("binance", 418, body)).retry_after == 72 * HOUR


@pytest.mark.parametrize("case", ALL, ids=named)
async def test_a_refusal_gets_its_kind_its_words_and_its_pause(case: Any) -> None:
    venue, status, body, kind = case
    failure = await refused(venue, status, body)
    assert failure.kind == FailureKind(kind)
    assert BACK_OFFS[failure.kind].after(1) == WAITS[kind]
    assert (failure.kind in REFUSALS) is (kind in {"key_refused", "permission_denied"})
    assert str(failure).endswith((".", ")."))
    assert "signature=" not in str(failure)
    assert "127.0.0.1" not in str(failure)
