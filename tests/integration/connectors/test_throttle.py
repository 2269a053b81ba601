"""Processes that share a server keep one pace at a venue, and each its part of it without."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import ccxt.async_support as ccxt
import pytest

from coffers import metrics
from coffers.clock import ManualClock
from coffers.connectors.exchange.throttle import Pace, SharedThrottler, shared_throttler
from coffers.connectors.exchange.venues import Venues
from coffers.valkey.server import SharedServer
from factories import NOW
from redisd import Redis, reached, shared

SLOW = Pace(seconds=100.0, burst=1.0, cost=1.0)
"""So slow that what the test itself takes does not count."""


@dataclass
class Naps:
    """Lets no time pass, and keeps how long each wait would have been, in units of the pace."""

    taken: list[int] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(round(seconds / SLOW.seconds))


@pytest.fixture
async def servers(mortal_redis: Redis) -> AsyncIterator[tuple[SharedServer, SharedServer]]:
    """The connections of two processes to one server."""
    both = shared(mortal_redis.url), shared(mortal_redis.url)
    for server in both:
        await server.open()
    yield both
    for server in both:
        await server.close()


async def test_two_processes_together_stay_under_the_venues_rate(
    servers: tuple[SharedServer, SharedServer],
) -> None:
    naps = Naps(), Naps()
    one, other = (
        SharedThrottler(server, "binance:direct", SLOW, nap)
        for server, nap in zip(servers, naps, strict=True)
    )
    for _ in range(4):
        await one()
        await other()
    assert naps[0].taken == [2, 4, 6]
    assert naps[1].taken == [1, 3, 5, 7]


async def test_a_call_takes_as_much_time_as_it_costs(
    servers: tuple[SharedServer, SharedServer],
) -> None:
    naps = Naps()
    throttle = SharedThrottler(servers[0], "binance:direct", SLOW, naps)
    for cost in (5, None, 0.5, 2):
        await throttle(cost)
    await throttle(1)
    assert naps.taken == [5, 6, 6, 8]


async def test_venues_and_ways_to_them_have_rates_of_their_own(
    servers: tuple[SharedServer, SharedServer],
) -> None:
    bucket = {"refillRate": 0.02, "capacity": 1, "cost": 1}
    server = servers[0]
    made = [
        shared_throttler(server, "binance", None, bucket),
        shared_throttler(server, "kraken", None, bucket),
        shared_throttler(server, "binance", "http://secret.example", bucket),
        shared_throttler(server, "binance", "http://other.example", bucket),
    ]
    assert len({throttler._keys for throttler in made}) == 4
    assert "secret" not in str(made[2]._keys)
    assert made[0]._pace == Pace(seconds=0.05, burst=1, cost=1)


async def test_all_that_wait_are_served_by_one_question(
    servers: tuple[SharedServer, SharedServer], mortal_redis: Redis
) -> None:
    throttle = SharedThrottler(servers[0], "okx:direct", Pace(0.001, 1.0, 1.0))
    await throttle()
    before = _asked(mortal_redis)
    await asyncio.gather(*(throttle() for _ in range(50)))
    assert _asked(mortal_redis) - before == 1


def _asked(redis: Redis) -> int:
    told = redis.say("INFO commandstats").decode()
    calls = [line for line in told.splitlines() if line.startswith("cmdstat_evalsha:")]
    return int(calls[0].partition("calls=")[2].partition(",")[0])


async def test_nobody_waits_for_a_moment_of_a_clock_that_was_ahead(
    servers: tuple[SharedServer, SharedServer], mortal_redis: Redis
) -> None:
    naps = Naps()
    throttle = SharedThrottler(servers[0], "okx:direct", SLOW, naps)
    await throttle()
    ahead = int(mortal_redis.say("GET coffers:throttle:okx:direct").splitlines()[1]) + 3_600 * 10**6
    mortal_redis.say(f"SET coffers:throttle:okx:direct {ahead}")
    await throttle()
    await throttle()
    assert naps.taken == [1]


async def test_a_call_that_is_given_up_holds_nobody_up(
    servers: tuple[SharedServer, SharedServer],
) -> None:
    throttle = SharedThrottler(servers[0], "okx:direct", SLOW, Naps())
    given_up, patient = throttle(), throttle()
    given_up.cancel()
    await patient


async def test_without_the_server_a_process_keeps_to_its_part_of_the_rate(
    servers: tuple[SharedServer, SharedServer], mortal_redis: Redis
) -> None:
    naps = Naps()
    throttle = SharedThrottler(servers[0], "binance:direct", SLOW, naps)
    await SharedThrottler(servers[1], "binance:direct", SLOW, Naps())()
    await throttle()
    mortal_redis.kill()
    await reached(servers[0], is_up=False)
    counted = metrics.valkey_misses.labels("throttle")._value
    before = counted.get()
    for _ in range(3):
        await throttle()
    assert naps.taken == [1, 2, 4, 6]
    assert counted.get() == before + 3
    mortal_redis.start()
    await reached(servers[0])
    await throttle()
    assert counted.get() == before + 3


async def test_calls_that_wait_while_the_server_goes_are_made(
    servers: tuple[SharedServer, SharedServer], mortal_redis: Redis
) -> None:
    throttle = SharedThrottler(servers[0], "binance:direct", SLOW, Naps())
    mortal_redis.hang()
    calls = [throttle() for _ in range(5)]
    await asyncio.gather(*calls)
    mortal_redis.wake()


async def test_every_venue_of_the_library_takes_it(
    servers: tuple[SharedServer, SharedServer],
) -> None:
    venues = Venues(None, 5, ManualClock(NOW), servers[0])
    for name in ccxt.exchanges:
        throttler = venues._of(name).prototype.throttler
        assert isinstance(throttler, SharedThrottler)
        assert throttler._pace.seconds > 0
        own = getattr(ccxt, name)
        assert own.throttle is ccxt.Exchange.throttle
    kraken = venues._of("kraken").prototype
    await kraken.throttle(0.001)
    await venues.close()
