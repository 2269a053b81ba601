"""A client of server-sent events, as far as tests need one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from served import Caller

STREAM = "/public/api/v1/stream"
PATIENCE = 20


@dataclass
class Message:
    """One event of a stream."""

    event: str
    data: dict[str, Any]
    id: str | None


@dataclass
class Listener:
    """Reads an open stream."""

    response: httpx.Response
    retry: str | None = None
    last_id: str | None = None
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = self.response.aiter_lines()

    async def next(self) -> Message | None:
        """Return the next event, None where the stream ended in order."""
        found: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if not line and "data" in found:
                    self.last_id = found.get("id", self.last_id)
                    return Message(found["event"], json.loads(found["data"]), found.get("id"))
                name, _, value = line.partition(": ")
                if name == "retry":
                    self.retry = value
                elif line.startswith(":"):
                    self.comments.append(value)
                elif line:
                    found[name] = value
        return None

    async def of_kind(self, *kinds: str) -> Message:
        """Return the next event of one of these kinds; others are passed over."""
        while (message := await self.next()) is not None:
            if message.event in kinds:
                return message
        raise AssertionError("the stream ended")

    async def changes(self, count: int) -> list[int]:
        """Return the numbers of the next events that have one."""
        found: list[int] = []
        while len(found) < count:
            message = await self.next()
            assert message is not None, "the stream ended"
            if message.id is not None and message.event != "open":
                found.append(message.data["id"])
        return found


@asynccontextmanager
async def streaming(
    base: str, caller: Caller, query: str = "", **headers: str
) -> AsyncIterator[Listener]:
    """Open a stream on a real connection."""
    target = f"{STREAM}?{query}" if query else STREAM
    signed = {**caller.headers(target), **{k.replace("_", "-"): v for k, v in headers.items()}}
    async with (
        httpx.AsyncClient(base_url=base, timeout=PATIENCE, trust_env=False) as http,
        http.stream("GET", target, headers=signed) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield Listener(response)
