"""One open stream as its sender sees it: what waits to be sent, bounded, and why it is to end."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from coffers.portfolio.events import encoded
from coffers.store.events import Event, EventFilter
from coffers.store.records import Mode

_LINE_ENDS: Final = re.compile("\x85|\u2028|\u2029".encode())
"""What many a library ends a line at, also within a text of JSON, where it may stand as it is."""

MOST_WAITING: Final = 1_000
"""Events that may wait for a reader: one that is further behind comes again and catches up."""

Ending = Literal["shutdown", "token", "session", "slow", "client", "fault"]
"""Why a stream ended."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets a reader in, for as long as it is good: a token, or the session of a browser."""

    kind: Literal["token", "session"]
    id: int | str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a stream, and what of it is wanted."""

    user_id: int
    by: Pass
    mode: Mode
    display_currency: str
    wanted: EventFilter


Prices = Callable[[Reader, int], Awaitable[bytes]]
"""Returns what a reader is told of the prices of an epoch, as a piece of a stream."""


class Feed:
    """What waits for one reader.

    Events come in order and each once, however often they are offered. Of prices only the newest
    wait, since older ones say nothing any more.
    """

    def __init__(self, reader: Reader, prices: Prices) -> None:
        self.reader = reader
        self.prices = prices
        self.ending: Ending | None = None
        self.ended = asyncio.Event()
        self.epoch = 0
        self.position = 0
        self._waiting: deque[bytes] = deque()
        self._newest: bytes | None = None
        self._wake = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Take an event in, unless it was before or is not wanted."""
        if event.number <= self.position:
            return
        self.position = event.number
        if not self.reader.wanted.takes(event):
            return
        self.take(event)
        self._wake.set()

    def take(self, event: Event) -> None:
        """Let an event wait that is wanted."""
        if len(self._waiting) >= MOST_WAITING:
            self.end("slow")
        else:
            self._waiting.append(event_piece(event))

    def offer_prices(self, epoch: int, piece: bytes) -> None:
        """Take in the prices of an epoch, in place of older ones that wait."""
        self.epoch = epoch
        self.tell_newest(piece)
        self._wake.set()

    def tell_newest(self, piece: bytes) -> None:
        """Let a piece wait of which the newest alone counts."""
        self._newest = piece

    def end(self, reason: Ending) -> None:
        """Let the stream end; the first reason counts."""
        if self.ending is None:
            self.ending = reason
            self.ended.set()
            self._wake.set()

    async def next(self, seconds: float) -> bytes | None:
        """Return all that waits, "" where nothing came within so many seconds, None at the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return b""
        self._wake.clear()
        if self.ending is not None:
            return None
        pieces = [*self._waiting, self._newest or b""]
        self._waiting.clear()
        self._newest = None
        return b"".join(pieces)


def named_piece(name: str, told: bytes, number: int | None = None) -> bytes:
    """Return JSON in the form of server-sent events, with the number that a reader goes on from."""
    head = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (head, name.encode(), _LINE_ENDS.sub(_escaped, told))


def event_piece(event: Event) -> bytes:
    """Return an event in the form of server-sent events."""
    return named_piece(event.kind, encoded(event), event.number)


def _escaped(end: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(end[0].decode())
