"""Requests to a venue over a real connection, whose other end answers byte by byte."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, ClientSession

from coffers.connectors.exchange import sending
from coffers.connectors.exchange.sending import Answer, TooLong, send

OK = b"HTTP/1.1 200 OK\r\n"
SOON = 5


@asynccontextmanager
async def answering(
    *parts: bytes, pause: float = 0, ends: bool = True
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer a request with these bytes; lend the address, and what was asked."""
    heard: list[bytes] = []
    is_over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if not ends:
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()
            is_over.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
        await is_over.wait()


async def asked(url: str, seconds: float = SOON, body: str | None = None) -> Answer:
    async with ClientSession() as session:
        return await send(session, "POST" if body else "GET", url, {"X-Key": "1"}, body, seconds)


async def test_an_answer_comes_as_it_was_sent() -> None:
    parts = OK, b"Retry-After: 3\r\nContent-Length: 13\r\n\r\n", ' {"a": "é"}\n'.encode()
    async with answering(*parts) as (url, _):
        answer = await asked(url)
    assert (answer.status, answer.reason, answer.text) == (200, "OK", '{"a": "é"}')
    assert answer.headers["Retry-After"] == "3"


async def test_what_was_signed_goes_out_byte_for_byte() -> None:
    async with answering(OK, b"Content-Length: 2\r\n\r\n", b"{}") as (url, heard):
        await asked(f"{url}/v3/a?x=a%2Fb&y=%7e&signature=ff", body='{"a":"é"}')
    head = heard[0].decode()
    assert head.startswith("POST /v3/a?x=a%2Fb&y=%7e&signature=ff HTTP/1.1\r\n")
    assert "X-Key: 1\r\n" in head
    assert "Content-Length: 10\r\n" in head


@pytest.mark.parametrize(
    "parts", [(), (OK,), (OK, b"Content-Length: 20\r\n\r\n", b'{"a": ')], ids=len
)
async def test_an_answer_that_stops_on_its_way_is_given_up(parts: tuple[bytes, ...]) -> None:
    async with asyncio.timeout(SOON), answering(*parts, ends=False) as (url, _):
        with pytest.raises(TimeoutError):
            await asked(url, 0.1)


async def test_an_answer_that_comes_a_byte_at_a_time_is_given_up_too() -> None:
    parts = OK, b"Content-Length: 999\r\n\r\n", *[b"x"] * 99
    async with asyncio.timeout(SOON), answering(*parts, pause=0.02) as (url, _):
        with pytest.raises(TimeoutError):
            await asked(url, 0.2)


async def test_half_an_answer_is_none() -> None:
    async with answering(OK, b"Content-Length: 20\r\n\r\n", b'{"a": 1}') as (url, _):
        with pytest.raises(ClientError):
            await asked(url)


async def test_nobody_there_is_told_as_that() -> None:
    with pytest.raises(OSError, match="."):
        await asked("http://127.0.0.1:9")


@pytest.mark.parametrize("length", [999, 1_000])
async def test_an_answer_may_be_so_long(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(sending, "LARGEST_ANSWER", 999)
    async with answering(OK, b"Content-Length: %d\r\n\r\n" % length, b"x" * length) as (url, _):
        if length == 999:
            assert (await asked(url)).text == "x" * length
            return
        with pytest.raises(TooLong):
            await asked(url)


async def test_what_is_short_until_it_is_unpacked_is_too_long_as_well() -> None:
    packed = gzip.compress(bytes(sending.LARGEST_ANSWER + 1))
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with answering(OK, head, packed) as (url, _):
        with pytest.raises(TooLong):
            await asked(url)
