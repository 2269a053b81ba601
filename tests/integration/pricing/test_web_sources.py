"""The sources over HTTP: a server of this machine stands in for all of them, by the gateway."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import pytest

from coffers import metrics
from coffers.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from coffers.pricing.fallbacks import Fallbacks
from coffers.pricing.sources.asked import WebSource
from coffers.pricing.sources.coingecko import CoinGecko
from coffers.pricing.sources.coingecko_tokens import CoinGeckoTokens
from coffers.pricing.sources.defillama import DefiLlama
from coffers.pricing.sources.frankfurter import Frankfurter
from coffers.pricing.sources.opened import DIALECTS, opened_fallbacks
from coffers.pricing.sources.source import SourceFailure
from coffers.pricing.sources.web import MOST_BYTES, Web
from coffers.settings import Settings
from factories import NOW
from served import listening
from unit.pricing.sources.recorded import body

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Sources:
    """All sources as one server: each answers what was recorded, or as a test says."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.headers: dict[bytes, bytes] = {}
        self.status = 200
        self.sent_headers: dict[str, str] = {}
        self.body: bytes | None = None
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        self.paths.append(scope["path"])
        self.headers = dict(scope["headers"])
        await self.answering.wait()
        named = scope["path"].split("/")[1]
        headers = [(name.encode(), text.encode()) for name, text in self.sent_headers.items()]
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await send(start)
        recorded = body(named) if self.body is None else self.body
        await send({"type": "http.response.body", "body": recorded})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def server() -> Sources:
    return Sources()


@pytest.fixture
async def web(server: Sources, clock: ManualClock) -> AsyncIterator[Web]:
    async with listening(server) as url:
        opened = Web(url, 5.0, clock)
        yield opened
        await opened.close()


async def test_each_source_is_asked_at_its_own_place_behind_the_gateway(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    gecko = await WebSource(CoinGecko(), web, clock).prices(["ALGO", "ODD"])
    llama = await WebSource(DefiLlama(), web, clock).prices(["ALGO"])
    ecb = await WebSource(Frankfurter(), web, clock).prices(["PLN"])

    assert server.paths == [
        "/coingecko/api.coingecko.com/api/v3/simple/price",
        "/defillama/coins.llama.fi/prices/current/coingecko:algorand",
        "/frankfurter/api.frankfurter.dev/v1/latest",
    ]
    assert gecko["ALGO"].usd == Decimal("0.21034510000000002")
    assert llama["ALGO"].usd == Decimal("0.2101")
    assert ecb.keys() == {"PLN"}


async def test_nothing_is_said_but_what_is_needed(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    await WebSource(Frankfurter(), web, clock).prices(["PLN"])
    assert server.headers[b"user-agent"] == b"coffers"
    assert b"cookie" not in server.headers
    assert b"authorization" not in server.headers


async def test_a_source_is_not_asked_for_what_it_does_not_know(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    assert await WebSource(CoinGecko(), web, clock).prices(["ODD", "PLN"]) == {}
    assert server.paths == []


async def test_a_source_is_asked_again_only_after_its_rest(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    source = WebSource(CoinGecko(), web, clock)
    assert await source.prices(["ALGO"])
    clock.advance(MINUTE - 1)
    assert await source.prices(["ALGO"]) == {}
    clock.advance(1)
    assert await source.prices(["ALGO"])
    assert len(server.paths) == 2


async def test_what_is_told_nothing_of_is_asked_for_less_and_less(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    first, second = "ethereum:0x" + "1" * 40, "ethereum:0x" + "2" * 40
    source = WebSource(CoinGeckoTokens(), web, clock)
    server.body = b"{}"
    for _ in range(10 * 3):
        assert await source.prices([first, second]) == {}
        clock.advance(20 * SECOND)
    assert len(server.paths) == 2 * 4
    clock.advance(DAY)
    await source.prices([first, second])
    assert len(server.paths) == 2 * 4 + 1


async def test_retry_after_in_seconds_is_obeyed(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    server.status, server.sent_headers = 429, {"retry-after": "600"}
    source = WebSource(CoinGecko(), web, clock)
    with pytest.raises(SourceFailure, match="coingecko answered with status 429"):
        await source.prices(["ALGO"])
    server.status = 200
    clock.advance(600 * SECOND - 1)
    with pytest.raises(SourceFailure, match="coingecko answered with status 429"):
        await source.prices(["ALGO"])
    assert await source.prices(["NOTHING-KNOWN"]) == {}
    assert len(server.paths) == 1
    clock.advance(1)
    assert await source.prices(["ALGO"])
    # Its own pace is no failure.
    assert await source.prices(["ALGO"]) == {}


async def test_a_source_that_is_down_fails_in_each_round_though_it_is_seldom_asked(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    server.status, failures = 503, metrics.price_failures.labels("coingecko")
    fallbacks = Fallbacks([WebSource(CoinGecko(), web, clock)], clock)
    before = failures._value.get()
    for _ in range(60):
        await fallbacks.opinions(["ALGO"])
        clock.advance(30 * SECOND)
    assert failures._value.get() - before == 60
    assert len(server.paths) == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formatdate((NOW + HOUR) / 1000, usegmt=True), HOUR),
        (formatdate((NOW - HOUR) / 1000, usegmt=True), 0),
        ("Thu, 09 Oct 2025 09:53:20 -0000", HOUR),
        ("soon", None),
        ("9" * 40, None),
        ("-5", None),
    ],
)
async def test_retry_after_is_read_as_a_date_too_and_odd_ones_are_none(
    server: Sources, web: Web, text: str, expected: int | None
) -> None:
    server.status, server.sent_headers = 503, {"retry-after": text}
    with pytest.raises(SourceFailure) as failed:
        await web.get("coingecko", "api.coingecko.com", "/")
    assert failed.value.retry_after == expected


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html>Just a moment...</html>", "no JSON"),
        (b'{"bitcoin": NaN}', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'"' + b"x" * MOST_BYTES + b'"', "more than"),
        (b'["bitcoin"]', "a form"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure(
    server: Sources, web: Web, clock: ManualClock, answer: bytes, says: str
) -> None:
    server.body = answer
    with pytest.raises(SourceFailure, match=says):
        await WebSource(CoinGecko(), web, clock).prices(["ALGO"])


async def test_a_redirect_is_not_followed(server: Sources, web: Web) -> None:
    server.status, server.sent_headers = 302, {"location": "/elsewhere"}
    with pytest.raises(SourceFailure, match="302"):
        await web.get("coingecko", "api.coingecko.com", "/")
    assert len(server.paths) == 1


async def test_a_source_that_is_silent_is_given_up(server: Sources, clock: ManualClock) -> None:
    server.answering.clear()
    async with listening(server) as url:
        web = Web(url, 0.05, clock)
        with pytest.raises(SourceFailure, match=r"defillama did not answer in 0\.05 s"):
            await web.get("defillama", "coins.llama.fi", "/")
        server.answering.set()
        await web.close()


async def test_a_source_that_cannot_be_reached_is_a_failure(clock: ManualClock) -> None:
    async with listening(Sources()) as url:
        pass
    web = Web(url, 5.0, clock)
    with pytest.raises(SourceFailure, match="frankfurter cannot be reached"):
        await web.get("frankfurter", "api.frankfurter.dev", "/")
    await web.close()


async def test_a_time_that_is_ahead_makes_no_price_younger(
    server: Sources, web: Web, clock: ManualClock
) -> None:
    server.body = b'{"ethereum": {"usd": 1, "last_updated_at": 99999999999}}'
    told = await WebSource(CoinGecko(), web, clock).prices(["ETH"])
    assert told["ETH"].at == NOW


async def test_only_sources_that_the_settings_name_are_ever_asked(
    server: Sources, clock: ManualClock
) -> None:
    async with listening(server) as url:
        async with opened_fallbacks((), url, clock) as nobody:
            assert nobody.is_empty
            assert await nobody.opinions({"ALGO", "PLN"}) == {}
        async with opened_fallbacks(("frankfurter",), url, clock) as ecb:
            assert (await ecb.opinions({"ALGO", "PLN"})).keys() == {"PLN"}
    assert [path.split("/")[1] for path in server.paths] == ["frankfurter"]


async def test_a_token_that_two_sources_price_has_both_as_its_sources(
    server: Sources, clock: ManualClock
) -> None:
    token = "ethereum:0x" + "1" * 40
    entry = {"usd": 2, "last_updated_at": NOW // 1000}
    llama = {"price": "2.02", "timestamp": NOW // 1000, "confidence": 1}
    server.body = json.dumps({token[9:]: entry, "coins": {token: llama}}).encode()
    async with (
        listening(server) as url,
        opened_fallbacks(("coingecko", "defillama"), url, clock) as fallbacks,
    ):
        told = (await fallbacks.opinions({token, "ALGO"}))[token]
    assert told.sources == ("coingecko", "defillama")
    assert told.usd == Decimal("2.01")


def test_every_source_that_can_be_named_can_be_opened() -> None:
    for name in DIALECTS:
        assert Settings(price_fallbacks=name).price_fallbacks == (name,)
