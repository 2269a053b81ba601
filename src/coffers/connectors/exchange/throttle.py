"""The pace at which a venue is asked, kept by all processes together.

The server holds when the next call of a venue may begin. A process that has calls to make
reserves time for all that wait, a second's worth at most, and lets them go one by one within it:
so one question serves a whole queue, and the rate holds however many processes ask.

While the server is gone a process keeps to its part of the rate: the rate by the number of
processes that asked within the last minute of which it knows.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from uuid import uuid4

from coffers import metrics
from coffers.valkey.server import Gone, Script, SharedServer

_AT_ONCE: Final = 1.0
"""Seconds of a venue's time that one reservation takes, but for a single call that takes more."""

_missed = metrics.valkey_misses.labels("throttle")

# The server's own clock, since machines that disagree about the time would wait for each other.
_RESERVE: Final = Script("""
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now - ARGV[2])
-- No queue is a quarter of an hour long: the clock was ahead, and nobody waits for it.
if free - now > 900000000 then free = now end
redis.call('SET', KEYS[1], string.format('%.0f', free + ARGV[1]),
  'PX', math.ceil((free + ARGV[1] - now) / 1000) + 60000)
redis.call('ZADD', KEYS[2], now, ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60000000)
redis.call('PEXPIRE', KEYS[2], 60000)
return {free - now, redis.call('ZCARD', KEYS[2])}
""")
"""Keys: when the venue is free, who asks it. Arguments: the time to reserve, how much unused time
may be made up for, the process; in microseconds. Returns how soon the reserved time begins (below
0 where unused time is made up for), and how many processes ask.
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """A venue's rate as ccxt has it: seconds that one unit of cost takes, and units of a burst."""

    seconds: float
    burst: float
    cost: float

    @classmethod
    def of(cls, bucket: dict[str, Any]) -> "Pace":
        """Return the pace of ccxt's `tokenBucket`, whose rate is in units per millisecond."""
        return cls(0.001 / bucket["refillRate"], bucket["capacity"], bucket["cost"])


@dataclass(frozen=True, slots=True)
class _Call:
    future: asyncio.Future[None]
    seconds: float


class SharedThrottler:
    """What ccxt awaits before each call, in the place of its own leaky bucket.

    Args:
        server: the server that processes share.
        name: what shares one rate: a venue, asked from one place.
        pace: the venue's rate.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        server: SharedServer,
        name: str,
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None  # ccxt sets it; the running one is used
        self._server = server
        self._keys = (f"coffers:throttle:{name}", f"coffers:throttle:{name}:by")
        self._pace = pace
        self._sleep = sleep
        self._process = uuid4().hex
        self._sharers = 1
        self._free_alone = 0.0
        self._queue: deque[_Call] = deque()
        self._running: asyncio.Task[None] | None = None

    def __call__(self, cost: float | None = None) -> asyncio.Future[None]:
        """Return a future that is done when a call of this cost may begin."""
        loop = asyncio.get_running_loop()
        units = self._pace.cost if cost is None else float(cost)
        call = _Call(loop.create_future(), units * self._pace.seconds)
        self._queue.append(call)
        if self._running is None:
            self._running = loop.create_task(self._serve())
        return call.future

    async def _serve(self) -> None:
        try:
            while self._queue:
                await self._release(self._batch())
        finally:
            self._running = None

    def _batch(self) -> list[_Call]:
        batch = [self._queue.popleft()]
        left = _AT_ONCE - batch[0].seconds
        while self._queue and self._queue[0].seconds <= left:
            left -= self._queue[0].seconds
            batch.append(self._queue.popleft())
        return batch

    async def _release(self, batch: list[_Call]) -> None:
        now = asyncio.get_running_loop().time
        begun = now()
        free, times = await self._reserved(sum(call.seconds for call in batch))
        due = begun + free
        for call in batch:
            if (wait := due - now()) > 0:
                await self._sleep(wait)
            if not call.future.done():
                call.future.set_result(None)
            due += call.seconds * times

    async def _reserved(self, seconds: float) -> tuple[float, int]:
        """Return how soon the time begins, and how many times as long each call takes in it."""
        micros = round(seconds * 1e6)
        burst = round(self._pace.burst * self._pace.seconds * 1e6)
        try:
            free, sharers = await self._server.run(
                _RESERVE, self._keys, micros, burst, self._process
            )
        except Gone:
            _missed.inc()
            return self._reserved_alone(seconds), self._sharers
        self._sharers = max(sharers, 1)
        self._free_alone = asyncio.get_running_loop().time() + free / 1e6 + seconds
        return free / 1e6, 1

    def _reserved_alone(self, seconds: float) -> float:
        now = asyncio.get_running_loop().time()
        free = max(self._free_alone, now - self._pace.burst * self._pace.seconds)
        self._free_alone = free + seconds * self._sharers
        return free - now


def shared_throttler(
    server: SharedServer,
    venue: str,
    gateway: str | None,
    bucket: dict[str, Any],
) -> SharedThrottler:
    """Return the throttler of a venue that is asked by way of a gateway, or directly.

    All processes that ask directly share one rate, since nothing tells whether the venue sees
    them under one address.
    """
    way = "direct" if gateway is None else blake2b(gateway.encode(), digest_size=8).hexdigest()
    return SharedThrottler(server, f"{venue}:{way}", Pace.of(bucket))
