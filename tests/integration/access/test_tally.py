"""Limit, lockout, ban and replay, counted in memory and by a server: the same in both."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from coffers.access.limits import MemoryLimits, Rules
from coffers.access.replay import PER_TOKEN, SeenSignatures
from coffers.access.shared import SharedTally
from coffers.access.tally import Bar, MemoryTally, Tally, Use
from coffers.clock import DAY, MINUTE, SECOND, ManualClock, Millis
from factories import NOW
from redisd import Redis, shared

Maker = Callable[..., Tally]
RULES = Rules(
    requests=3,
    window=MINUTE,
    lockout=Millis(5 * MINUTE),
    ban_after=4,
    ban_first=Millis(2 * MINUTE),
    ban_longest=Millis(3 * DAY),
)
HOME = "192.0.2.1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(params=["memory", "server"])
async def made(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Maker]:
    """Makes tallies of one kind. Those by the server know nothing by themselves."""

    def in_memory(rules: Rules = RULES, per_token: int = PER_TOKEN) -> Tally:
        return MemoryTally(MemoryLimits(rules, clock), SeenSignatures(clock, per_token))

    if request.param == "memory":
        yield in_memory
        return
    redis: Redis = request.getfixturevalue("redis")
    server = shared(redis.url)
    await server.open()

    def by_server(rules: Rules = RULES, per_token: int = PER_TOKEN) -> Tally:
        return SharedTally(server, rules, clock, per_token)

    yield by_server
    await server.close()


@pytest.fixture
def tally(made: Maker) -> Tally:
    return made()


async def spend(tally: Tally, times: int, token_id: int = 1) -> list[int]:
    bars = [await tally.take(Use(token_id, HOME, None)) for _ in range(times)]
    assert all(bar is None or bar.reason == "limit" for bar in bars)
    return [0 if bar is None else bar.wait for bar in bars]


async def refuse(tally: Tally, times: int, address: str = HOME) -> list[int]:
    return [await tally.refused(address) for _ in range(times)]


async def once(tally: Tally, signature: bytes, token_id: int = 1) -> Bar | None:
    return await tally.take(Use(token_id, HOME, signature))


async def test_a_token_may_call_up_to_its_limit_in_every_window(
    tally: Tally, clock: ManualClock
) -> None:
    for _ in range(5):
        assert await spend(tally, 3) == [0, 0, 0]
        clock.advance(MINUTE)


async def test_a_token_over_its_limit_stays_refused_for_the_lockout(
    tally: Tally, clock: ManualClock
) -> None:
    assert await spend(tally, 5) == [0, 0, 0, 5 * MINUTE, 5 * MINUTE]
    clock.advance(5 * MINUTE - 1)
    assert await spend(tally, 1) == [1]
    clock.advance(1)
    assert await spend(tally, 4) == [0, 0, 0, 5 * MINUTE]


async def test_a_lockout_shorter_than_the_window_ends_it(made: Maker, clock: ManualClock) -> None:
    tally = made(replace(RULES, lockout=SECOND))
    assert await spend(tally, 4) == [0, 0, 0, SECOND]
    clock.advance(SECOND)
    assert await spend(tally, 1) == [0]


async def test_one_token_does_not_use_up_another_ones_limit(tally: Tally) -> None:
    await spend(tally, 10, token_id=1)
    assert await spend(tally, 1, token_id=2) == [0]


async def test_an_address_that_goes_on_is_banned(tally: Tally, clock: ManualClock) -> None:
    assert await refuse(tally, 4) == [0, 0, 0, 2 * MINUTE]
    clock.advance(SECOND)
    assert await tally.banned_for(HOME) == 2 * MINUTE - SECOND
    assert await tally.banned_for("192.0.2.2") == 0
    clock.advance(2 * MINUTE - SECOND)
    assert await tally.banned_for(HOME) == 0


async def test_refusals_far_apart_ban_nobody(tally: Tally, clock: ManualClock) -> None:
    for _ in range(10):
        assert await refuse(tally, 3) == [0, 0, 0]
        clock.advance(RULES.lockout)


async def test_each_ban_is_twice_as_long_as_the_last_up_to_the_longest(
    tally: Tally, clock: ManualClock
) -> None:
    lengths = []
    for _ in range(14):
        lengths.append((await refuse(tally, 4))[-1])
        clock.advance(lengths[-1])
    assert lengths[:4] == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE]
    assert lengths[-2:] == [3 * DAY, 3 * DAY]


async def test_a_first_ban_is_never_above_the_longest(made: Maker) -> None:
    tally = made(replace(RULES, ban_longest=SECOND))
    assert (await refuse(tally, 4))[-1] == SECOND


async def test_a_ban_is_forgotten_after_a_long_peace(tally: Tally, clock: ManualClock) -> None:
    await refuse(tally, 4)
    clock.advance(2 * MINUTE + 3 * DAY)
    assert (await refuse(tally, 4))[-1] == 2 * MINUTE


async def test_calls_that_were_under_way_do_not_make_a_ban_longer(tally: Tally) -> None:
    await refuse(tally, 4)
    assert await refuse(tally, 10) == [0] * 10
    assert await tally.banned_for(HOME) == 2 * MINUTE


async def test_an_ipv6_caller_does_not_escape_by_taking_another_address(
    tally: Tally,
) -> None:
    for last in range(4):
        await tally.refused(f"2001:db8::{last}")
    assert await tally.banned_for("2001:db8::99") == 2 * MINUTE


async def test_a_signature_is_taken_once(tally: Tally) -> None:
    assert await once(tally, b"one") is None
    assert await once(tally, b"one") == Bar("replay", Millis(0))
    assert await once(tally, b"another") is None
    assert await once(tally, b"one", token_id=2) is None


async def test_a_replay_does_not_use_up_the_limit(tally: Tally) -> None:
    for _ in range(10):
        await once(tally, b"one")
    assert await spend(tally, 3) == [0, 0, 5 * MINUTE]


async def test_a_call_over_the_limit_is_not_remembered_as_used(
    tally: Tally, clock: ManualClock
) -> None:
    await spend(tally, 3)
    assert await once(tally, b"one") == Bar("limit", Millis(5 * MINUTE))
    clock.advance(5 * MINUTE)
    assert await once(tally, b"one") is None


async def test_a_signature_is_kept_for_as_long_as_it_could_be_timely(
    made: Maker, clock: ManualClock
) -> None:
    tally = made(replace(RULES, requests=100))
    await once(tally, b"one")
    clock.advance(60 * SECOND)
    await once(tally, b"another")
    assert await once(tally, b"one") == Bar("replay", Millis(0))
    clock.advance(1)
    await once(tally, b"a third")
    assert await once(tally, b"one") is None


async def test_a_token_with_too_many_signatures_waits_for_room(
    made: Maker, clock: ManualClock
) -> None:
    tally = made(replace(RULES, requests=100), 2)
    await once(tally, b"a")
    clock.advance(SECOND)
    await once(tally, b"b")
    bar = await once(tally, b"c")
    assert bar == Bar("limit", Millis(59 * SECOND + 1))
    assert await once(tally, b"c", token_id=2) is None
    clock.advance(bar.wait)
    assert await once(tally, b"c") is None


async def test_a_ban_of_a_clock_that_was_ahead_bars_nobody(
    tally: Tally, clock: ManualClock
) -> None:
    assert await refuse(tally, 4) == [0, 0, 0, 2 * MINUTE]
    clock.advance(-SECOND)
    assert await tally.banned_for(HOME) > 0
    clock.advance(-DAY)
    assert await tally.banned_for(HOME) == 0
    assert await spend(tally, 1) == [0]
