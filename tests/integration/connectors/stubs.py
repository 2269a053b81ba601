"""Desks at the library's real exchanges whose requests go no further than this process."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ccxt.base.errors import RequestTimeout

from coffers.clock import SystemClock
from coffers.connectors.exchange.client import Heard, exact_json
from coffers.connectors.exchange.trading import VenueDesk
from coffers.connectors.exchange.venues import Venues
from coffers.markets.catalogue import load_catalogue

CATALOGUE = load_catalogue()

ASK, BID = "2500.17", "2500.16"

MODES: Mapping[str, object] = {
    "api/v4/account/detail": {"key": {"mode": 1}, "user_id": 1},
    "v5/user/query-api": {"retCode": 0, "result": {"unified": 0, "uta": 1, "userID": 1}},
    "v5/account/info": {"retCode": 0, "result": {"unifiedMarginStatus": 5}},
    "api/ua/v1/account/mode": {"code": "200000", "data": {"selfAccountMode": "CLASSIC"}},
    "v1/account/accounts": {
        "status": "ok",
        "data": [{"id": 1, "type": "spot", "state": "working"}],
    },
    "v3/account/settings": (400, {"code": "40084", "msg": "a classic account"}),
    "AP/GetUserAccounts": [1],
    "v1/users/hmac/login": {"authorizer": "1", "token": "t"},
    "v1/accounts/trading-accounts": [
        {"tradingAccountId": "1", "tradingAccountName": "Primary Account"}
    ],
}
"""What exchanges are asked about the mode of an account before its orders, and answer."""

UNSIGNED = {"aster", "backpack", "revolutx"}
"""Exchanges whose requests are signed with keys of a kind that is not made up here."""

Answers = Mapping[str, object]
"""Answers by a part of the address, with another status than 200 as a pair; others time out."""


@dataclass(frozen=True)
class Sent:
    """A request that would have been sent."""

    method: str
    url: str
    body: str

    @property
    def text(self) -> str:
        """All that it says."""
        return f"{self.url} {self.body}"


@dataclass
class Line:
    """What goes out, and what comes back."""

    answers: dict[str, object] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)


@asynccontextmanager
async def stubbed(
    code: str, answers: Answers | None = None
) -> AsyncIterator[tuple[VenueDesk, Line]]:
    """Open a desk at a market that trades ETH/USDT; modes of accounts are told."""
    market = CATALOGUE.get(code)
    assert market is not None
    assert market.venue is not None
    venues = Venues(None, 10, SystemClock(), is_paced=False)
    try:
        shared = venues._of(market.venue)
        _list(shared.prototype)
        session = shared.session(None)
        exchange, line = session.exchange, Line(dict(answers or {}))
        for name in ("apiKey", "password", "uid", "login", "token", "twofa", "accountId"):
            setattr(exchange, name, "1")
        exchange.secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
        exchange.fetch = _fetching(exchange, line)
        if code in UNSIGNED:
            exchange.sign, exchange.sign_in = _unsigned, _entered
        yield VenueDesk(session, market), line
    finally:
        await venues.close()


def _list(exchange: Any) -> None:
    is_tick = exchange.precisionMode == 4
    pair = {
        "id": "1" if exchange.id == "ndax" else "ETHUSDT",
        "symbol": "ETH/USDT",
        "lowercaseId": "ethusdt",
        "uppercaseId": "ETH",
        "base": "ETH",
        "quote": "USDT",
        "baseId": "ETH",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "active": True,
        "contract": False,
        "swap": False,
        "numericId": 1,
        "baseNumericId": 1,
        "quoteNumericId": 2,
        "taker": "0.001",
        "valueScale": 8,
        "precision": {"amount": "0.0001" if is_tick else 4, "price": "0.01" if is_tick else 4},
        "limits": {"amount": {"min": "0.0001"}, "cost": {"min": "1"}},
        "info": {"orderTypes": ["MARKET"], "quoteOrderQtyMarketAllowed": True},
    }
    coins = {
        code: {"id": code, "code": code, "precision": "0.01" if is_tick else 2, "numericId": number}
        for number, code in enumerate(("ETH", "USDT"), start=1)
    }
    exchange.set_markets([exchange.safe_market_structure(pair)], coins)


def _fetching(exchange: Any, line: Line) -> Any:
    async def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        mode = _answer(MODES, url)
        if mode is None:
            line.sent.append(Sent(method, url, str(body or "")))
        answer = _answer(line.answers, url)
        answer = mode if answer is None else answer
        exchange._hears(Heard())
        if answer is None:
            raise RequestTimeout(url)
        status, told = answer if isinstance(answer, tuple) else (200, answer)
        text = json.dumps(told)
        heard = Heard(status, {}, exact_json(text))
        exchange._hears(heard)
        exchange.last_http_response = text
        try:
            exchange.handle_errors(status, "", url, method, {}, text, heard.answer, headers, body)
            if status >= 400:
                exchange.handle_http_status_code(status, "", url, method, text)
        except Exception as error:
            error.heard = heard  # type: ignore[attr-defined]
            raise
        return heard.answer

    return fetch


def _unsigned(
    path: str, _api: object, method: str, params: object, *_: object
) -> dict[str, object]:
    body = json.dumps(params)
    return {"url": f"https://example.test/{path}", "method": method, "body": body, "headers": {}}


async def _entered() -> None:
    pass


def _answer(answers: Answers, url: str) -> object | None:
    return next((answer for part, answer in answers.items() if part in url), None)
