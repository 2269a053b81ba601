"""What a listener does when something else than the stream answers."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from coffers.client import AsyncClient, Client, RateLimited, UnexpectedAnswer

BASE = "http://money.test"
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}
OPEN = b'id: 7\nevent: open\ndata: {"mode":"real","after":7}\n\n'
PACKED = {**EVENTS, "Content-Encoding": "gzip"}


class _Bytes(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Bytes that are unpacked as they are read; what is given as content is at once."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        yield self._sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._sent


class Naps:
    """Counts how long a listener waits, and lets none wait for ever."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        assert len(self.taken) < 9, "it comes back for ever"

    async def awaited(self, seconds: float) -> None:
        self(seconds)


@pytest.mark.parametrize(
    "other",
    [
        {"status_code": 302, "headers": {"Location": "https://money.test/"}},
        {"status_code": 200, "html": "<p>Sign in</p>"},
        {"status_code": 200, "content": b"data: {no\n\n", "headers": EVENTS},
        {"status_code": 200, "stream": _Bytes(b"no"), "headers": PACKED},
        {"status_code": 502, "stream": _Bytes(b"no"), "headers": PACKED},
    ],
)
async def test_what_is_no_stream_ends_it(other: dict[str, Any]) -> None:
    transport, naps = httpx.MockTransport(lambda _: httpx.Response(**other)), Naps()
    with httpx.Client(transport=transport) as http, pytest.raises(UnexpectedAnswer):
        next(Client(BASE, http=http, sleep=naps).stream())
    async with httpx.AsyncClient(transport=transport) as asked:
        listener = AsyncClient(BASE, http=asked, sleep=naps.awaited).stream()
        with pytest.raises(UnexpectedAnswer):
            await anext(listener)
    assert naps.taken == []


def test_a_server_that_is_away_behind_its_proxy_is_waited_for() -> None:
    away = [httpx.Response(502), httpx.Response(504)]
    told = [httpx.Response(200, content=OPEN, headers=EVENTS), httpx.Response(429)]
    answers, naps = iter(away + told), Naps()
    with httpx.Client(transport=httpx.MockTransport(lambda _: next(answers))) as http:
        listener = Client(BASE, http=http, sleep=naps).stream()
        assert next(listener).id == "7"
        with pytest.raises(RateLimited):
            next(listener)
    assert naps.taken == [3.0, 3.0, 3.0]
