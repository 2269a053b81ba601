"""A client's end of a connection, byte by byte, and an application at the other end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive, Scope, Send

from coffers.api.protocol import BoundedProtocol
from served import listening

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
LIST = b"GET /public/api/ver1/accounts HTTP/1.1\r\nHost: x\r\n"
"""Answered where it is read, unlike others."""

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
SOON = 5
"""Seconds by which anything must have happened."""


class App:
    """Answers each request with its body, when it may."""

    def __init__(self) -> None:
        self.reads_bodies = True
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", self.reads_bodies
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        await self.may_answer.wait()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Line:
    """A client's end of a connection, with no manners."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(SOON):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            body = await self._reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers, body

    async def error(self) -> tuple[int, str]:
        """Return the answer's error, which has the wire's form and is the last."""
        status, headers, body = await self.answer()
        assert headers["content-type"] == "application/json"
        assert headers["cache-control"] == "no-store"
        assert headers["connection"] == "close"
        assert headers["x-request-id"]
        assert await self.rest() == b""
        told = json.loads(body)
        assert set(told) == {"error", "error_description"}
        return status, told["error"]

    async def rest(self) -> bytes:
        """Return all that the server sends until it closes the connection."""
        async with asyncio.timeout(SOON):
            return await self._reader.read()

    async def stays_open(self) -> bool:
        """Tell whether the connection outlives a hasty server's patience."""
        try:
            async with asyncio.timeout(0.2):
                return await self._reader.read(1) != b""
        except TimeoutError:
            return True


@asynccontextmanager
async def connected(
    app: App | None = None, http: type[BoundedProtocol] = BoundedProtocol
) -> AsyncIterator[Line]:
    """Serve an application, and connect to it."""
    async with listening(app or App(), http) as base, joined(base) as line:
        yield line


@asynccontextmanager
async def joined(base: str) -> AsyncIterator[Line]:
    """Connect to an address."""
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
