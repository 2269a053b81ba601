"""A local server that answers every exchange call with recorded bodies."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from coffers.clock import Clock, Millis, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials, Reading, ReadRequest
from coffers.markets.catalogue import load_catalogue
from coffers.secret import Secret

DATA = Path(__file__).parents[2] / "data" / "connectors"

NEVER = Millis(10**15)


@dataclass(frozen=True)
class Recorded:
    """One answer: the body goes out as it is."""

    body: str
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Replay:
    """Answers by the end of the path, or of path and query; `otherwise` is for all the rest.

    A key of a query ("category=inverse") is looked for anywhere in it; one of a body, "body:" and
    then some of its text, in the body.
    """

    otherwise: Recorded
    by_path: dict[str, Recorded] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.requests.append(request)
        body = await request.text()
        chosen = next(
            (found for end, found in self.by_path.items() if _is_meant(request, body, end)),
            self.otherwise,
        )
        return web.Response(
            body=chosen.body.encode(),
            status=chosen.status,
            content_type=chosen.content_type,
            headers=chosen.headers,
        )


def _is_meant(request: web.Request, body: str, end: str) -> bool:
    if end.startswith("body:"):
        return end.removeprefix("body:") in body
    if "=" in end:
        return set(end.split("&")) <= set(request.query_string.split("&"))
    return request.path.endswith(end)


@asynccontextmanager
async def replaying(otherwise: Recorded) -> AsyncIterator[Replay]:
    replay = Replay(otherwise)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", replay.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    replay.url = f"http://{host}:{port}"
    try:
        yield replay
    finally:
        await runner.cleanup()


def recorded(body: object, **rest: Any) -> Recorded:
    return Recorded(json.dumps(body), **rest)


CLASSIC_MODES: Mapping[str, Recorded] = {
    "/ua/v1/account/mode": recorded({"code": "200000", "data": {"selfAccountMode": "CLASSIC"}})
}
"""What KuCoin is asked before the call whose answer a test is about."""


def loaded(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def with_markets(venues: Venues, venue: str, clock: Clock, *symbols: str) -> Any:
    """Give a venue a market table without asking anybody; return its shared parts."""
    shared = venues._of(venue)
    prototype = shared.prototype
    pairs = [symbol.split("/") for symbol in symbols or ("BTC/USDT", "ETH/USDT", "LTC/USDT")]
    prototype.set_markets([_market(prototype, base, quote) for base, quote in pairs])
    prototype.open()
    prototype.options.setdefault("timeDifference", 0)
    for filled_with_the_markets in prototype.options.get("marketHelperProps", ()):
        prototype.options.setdefault(filled_with_the_markets, {})
    shared._tried_at, shared._holds_for = clock.now(), NEVER
    return shared


def with_contracts(
    venues: Venues, venue: str, clock: Clock, contracts: Sequence[dict[str, Any]]
) -> Any:
    """Give a venue these markets and some spot pairs; return its shared parts."""
    shared = with_markets(venues, venue, clock)
    prototype = shared.prototype
    made = [_contract(prototype, given) for given in contracts]
    prototype.set_markets([*prototype.markets.values(), *made])
    return shared


def _contract(prototype: Any, given: dict[str, Any]) -> dict[str, Any]:
    names = {f"{part}Id": given[part] for part in ("base", "quote", "settle")}
    kind = given.get("type", "swap")
    flags = {"contract": kind != "spot", "spot": False, kind: True, "active": True}
    ways = {way: bool(given.get(way)) for way in ("linear", "inverse")}
    return prototype.safe_market_structure({**names, "type": kind, **flags, **ways, **given})


def hurried(venues: Venues, *names: str) -> None:
    """Let a venue's throttler pass requests as fast as they come."""
    for name in names:
        venues._of(name).prototype.throttler.config["refillRate"] = 1_000


def _market(prototype: Any, base: str, quote: str) -> dict[str, Any]:
    names = {"base": base, "quote": quote, "baseId": base, "quoteId": quote}
    kind = {"type": "spot", "spot": True, "active": True}
    return prototype.safe_market_structure(
        {"id": base + quote, "symbol": f"{base}/{quote}", **names, **kind}
    )


WALLET_LIKE = {
    *("aster", "derive", "dydx", "extended", "grvt", "hyperliquid"),
    *("lighter", "nado", "pacifica", "paradex", "polymarket"),
}
"""Venues that know wallets: secrets are private keys there, where one is needed at all."""

PRIVATE_KEY = "0x" + "12" * 32
ED25519_KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIBISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhIS\n"
    "-----END PRIVATE KEY-----\n"
)
BASE58_KEY = "2DYKaRPBeNM5WdW8rNsYEktjPrnd89Mm4Lzp3qonSzoj"
SECRETS = {
    "lbank": "12" * 16,
    "modetrade": BASE58_KEY,
    "revolutx": ED25519_KEY,
    "woofipro": BASE58_KEY,
    **dict.fromkeys(WALLET_LIKE, PRIVATE_KEY),
}
"""Secrets of venues that want another form than base64."""


def fake_credentials(number: int = 1, venue: str = "") -> Credentials:
    """Return credentials that the venue's signing accepts."""
    key = f"{number:064x}"
    return Credentials(
        api_key=f"account-{key}" if venue == "gemini" else key,
        secret=Secret(SECRETS.get(venue, "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=")),
        passphrase=Secret("fake-passphrase"),
        customer_id="12345",
        address=f"0x{number:040x}",
        login="anna",
    )


async def reading_of(replay: Replay, venue: str, code: str) -> Reading:
    """Read an account of a market for the first time, at a venue whose answers are replayed."""
    clock = SystemClock()
    venues = Venues(replay.url, 60, clock, is_paced=False)
    with_markets(venues, venue, clock)
    hurried(venues, venue)
    market = load_catalogue().get(code)
    assert market is not None
    connector = ExchangeConnector(venues, clock)
    try:
        return await connector.read(market, fake_credentials(), ReadRequest(None))
    finally:
        await connector.close()
