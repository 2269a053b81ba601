"""What a source is not followed into: answers, lists and waits without an end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coffers.cli import three_commas
from coffers.cli.three_commas import opened
from coffers.client import SignedAuth
from coffers.clock import Millis
from coffers.portfolio.import_source import SourceFailed, SourceStopped

AUTH = SignedAuth("fake-key", "fake-secret")
Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answers: Answers) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("GET", "/{rest:.*}", answers)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def stopped(answers: Answers, waits: Callable[[float], None] = lambda _seconds: None) -> str:
    async with answering(answers) as url, opened(url, AUTH, waits) as source:
        with pytest.raises(SourceStopped) as told:
            await source.accounts()
    return str(told.value)


async def test_an_answer_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three_commas, "MOST_BYTES", 1 << 20)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b" " * 65536)
        return response

    assert await stopped(endless) == "the source answers more than 1 MB at once"


async def test_an_answer_that_trickles_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three_commas, "MOST_SECONDS", -1.0)

    async def trickling(_request: web.Request) -> web.StreamResponse:
        return web.json_response([])

    assert "for more than" in await stopped(trickling)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async def compressed(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"", headers={"Content-Encoding": "gzip"})

    assert "compresses" in await stopped(compressed)


async def test_a_list_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three_commas, "MOST_ACCOUNTS", 250)

    async def growing(request: web.Request) -> web.StreamResponse:
        first = int(request.query["page"]) * 100
        return web.json_response([{"id": first + each, "name": "x"} for each in range(100)])

    assert await stopped(growing) == "the source lists more than 250 accounts"


@pytest.mark.parametrize("date", [-1, 1_760_000_000_000, 10**30])
async def test_what_is_no_moment_brings_no_value(date: int) -> None:
    async def odd(_request: web.Request) -> web.StreamResponse:
        return web.json_response([{"date": date, "usd": "1", "btc": "1"}])

    async with answering(odd) as url, opened(url, AUTH, lambda _seconds: None) as source:
        with pytest.raises(SourceFailed, match="a value at .* that is none"):
            await source.history(1, Millis(0), Millis(1))


async def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three_commas, "MOST_WAITING", 1.5)
    waited: list[float] = []

    async def limited(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "x"}, status=429, headers={"Retry-After": "0"})

    assert "patience" in await stopped(limited, waited.append)
    assert waited == [1.0]
