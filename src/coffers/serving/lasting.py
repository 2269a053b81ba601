"""The answer that does not end: server-sent events, written as they come."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from coffers import metrics
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.serving.feeds import Feed
from coffers.serving.scope import CONNECTION

BEAT_SECONDS: Final = 15.0
"""Seconds of silence after which a comment is sent: proxies close what is silent for longer."""

BEAT: Final = b": still here\n\n"

RETRY_MILLIS: Final = 3_000
"""How long a client waits before it connects again."""

HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    # Compressed or held back by a proxy, an event would wait for others.
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
}

SEND_SECONDS: Final = 10.0
"""How long a reader may take nothing before its connection is closed."""

LAST_SECONDS: Final = 2.0
"""How long the end of a stream may take to be sent."""

_log = seldom("coffers.stream")

Chunks = AsyncGenerator[bytes, None]


class Connection(Protocol):
    """What the server tells of a connection and does with it."""

    def abort(self) -> None:
        """Close it at once, whatever waits to be sent."""
        ...

    def when_ending(self, tell: Callable[[], None]) -> None:
        """Call back when the server is about to end, at once if it already is."""
        ...


class EventStream(Response):
    """Sends pieces until they end, the client is gone, or the feed is to end."""

    def __init__(self, feed: Feed, pieces: Callable[[], Chunks], close: Callable[[], None]) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._feed = feed
        self._pieces = pieces
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the end."""
        connection: Connection | None = scope.get(CONNECTION)
        try:
            if connection is not None:
                connection.when_ending(lambda: self._feed.end("shutdown"))
            await self._run(receive, send, connection)
        finally:
            self._close()
            metrics.streams_ended.labels(self._feed.ending or "fault").inc()

    async def _run(self, receive: Receive, send: Send, connection: Connection | None) -> None:
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        ending = asyncio.create_task(self._feed.ended.wait())
        tasks = (writing, leaving, ending)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                self._feed.end("client")
            if not writing.done() and not leaving.done():
                await asyncio.wait((writing,), timeout=LAST_SECONDS)
            if not writing.done() and connection is not None:
                connection.abort()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not writing.cancelled() and (fault := writing.exception()) is not None:
            raise fault

    async def _write(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await send(start)
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    async with asyncio.timeout(SEND_SECONDS):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            # The rest of what waits in the connection will not be taken either: it is aborted.
            self._feed.end("slow")
            await asyncio.Event().wait()
        except CoffersError as error:
            # The reader comes again, and goes on from what it has.
            _log.warning("stream ends", reason=str(error))
            self._feed.end("fault")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
