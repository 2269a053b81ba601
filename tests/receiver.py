"""A real HTTP server that gets webhooks' deliveries, and answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Decide = Callable[["Received"], int]


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass
class Receiver:
    """What came in, and how it is answered; `holds` lets answers wait while it is not set."""

    url: str = ""
    status: int | Decide = 200
    location: str | None = None
    got: list[Received] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    holds: asyncio.Event = field(default_factory=asyncio.Event)

    def ids(self) -> list[int | None]:
        """Return the events' ids in the order in which they came."""
        return [each.event["id"] for each in self.got]

    async def until(self, count: int, seconds: float = 20) -> None:
        """Wait until so many requests came in."""
        async with asyncio.timeout(seconds):
            while len(self.got) < count:  # noqa: ASYNC110 - a list that another task fills
                await asyncio.sleep(0.01)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            received = await _read(reader)
            self.got.append(received)
            await self.holds.wait()
            status = self.status(received) if callable(self.status) else self.status
            lines = [f"HTTP/1.1 {status} Told", "Content-Length: 2"]
            lines += [f"Location: {self.location}"] if self.location else []
            writer.write("\r\n".join([*lines, "", "ok"]).encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_now -= 1
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    headers = {
        name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)


@asynccontextmanager
async def receiving(port: int = 0, **listening: Any) -> AsyncIterator[Receiver]:
    """Serve on a port of this machine."""
    receiver = Receiver()
    receiver.holds.set()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, **listening)
    scheme = "https" if "ssl" in listening else "http"
    receiver.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield receiver
        receiver.holds.set()
