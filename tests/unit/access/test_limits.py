"""Limit, lockout and ban, each for as long as it is said to last."""

from dataclasses import replace

import pytest

from coffers.access.limits import MemoryLimits, NoLimits, Rules, limits_of
from coffers.clock import DAY, MINUTE, SECOND, ManualClock, Millis
from coffers.settings import Settings
from factories import NOW

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


@pytest.fixture
def limits(clock: ManualClock) -> MemoryLimits:
    return MemoryLimits(RULES, clock)


async def spend(limits: MemoryLimits, times: int, token_id: int = 1) -> list[int]:
    return [await limits.spend(token_id) for _ in range(times)]


async def refuse(limits: MemoryLimits, times: int, address: str = HOME) -> list[int]:
    return [await limits.refused(address) for _ in range(times)]


async def test_a_token_may_call_up_to_its_limit_in_every_window(
    limits: MemoryLimits, clock: ManualClock
) -> None:
    for _ in range(5):
        assert await spend(limits, 3) == [0, 0, 0]
        clock.advance(MINUTE)


async def test_a_token_over_its_limit_stays_refused_for_the_lockout(
    limits: MemoryLimits, clock: ManualClock
) -> None:
    assert await spend(limits, 5) == [0, 0, 0, 5 * MINUTE, 5 * MINUTE]
    clock.advance(5 * MINUTE - 1)
    assert await spend(limits, 1) == [1]
    clock.advance(1)
    assert await spend(limits, 4) == [0, 0, 0, 5 * MINUTE]


async def test_a_lockout_shorter_than_the_window_ends_it(clock: ManualClock) -> None:
    limits = MemoryLimits(replace(RULES, lockout=SECOND), clock)
    assert await spend(limits, 4) == [0, 0, 0, SECOND]
    clock.advance(SECOND)
    assert await spend(limits, 1) == [0]


async def test_one_token_does_not_use_up_another_ones_limit(limits: MemoryLimits) -> None:
    await spend(limits, 10, token_id=1)
    assert await spend(limits, 1, token_id=2) == [0]


async def test_an_address_that_goes_on_is_banned(limits: MemoryLimits, clock: ManualClock) -> None:
    assert await refuse(limits, 4) == [0, 0, 0, 2 * MINUTE]
    clock.advance(SECOND)
    assert await limits.banned_for(HOME) == 2 * MINUTE - SECOND
    assert await limits.banned_for("192.0.2.2") == 0
    clock.advance(2 * MINUTE - SECOND)
    assert await limits.banned_for(HOME) == 0


async def test_refusals_far_apart_ban_nobody(limits: MemoryLimits, clock: ManualClock) -> None:
    for _ in range(10):
        assert await refuse(limits, 3) == [0, 0, 0]
        clock.advance(RULES.lockout)


async def test_each_ban_is_twice_as_long_as_the_last_up_to_the_longest(
    limits: MemoryLimits, clock: ManualClock
) -> None:
    lengths = []
    for _ in range(14):
        lengths.append((await refuse(limits, 4))[-1])
        clock.advance(lengths[-1])
    assert lengths[:4] == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE]
    assert lengths[-2:] == [3 * DAY, 3 * DAY]


async def test_a_first_ban_is_never_above_the_longest(clock: ManualClock) -> None:
    limits = MemoryLimits(replace(RULES, ban_longest=SECOND), clock)
    assert (await refuse(limits, 4))[-1] == SECOND


async def test_a_ban_is_forgotten_after_a_long_peace(
    limits: MemoryLimits, clock: ManualClock
) -> None:
    await refuse(limits, 4)
    clock.advance(2 * MINUTE + 3 * DAY)
    assert (await refuse(limits, 4))[-1] == 2 * MINUTE


async def test_calls_that_were_under_way_do_not_make_a_ban_longer(limits: MemoryLimits) -> None:
    await refuse(limits, 4)
    assert await refuse(limits, 10) == [0] * 10
    assert await limits.banned_for(HOME) == 2 * MINUTE


async def test_an_ipv6_caller_does_not_escape_by_taking_another_address(
    limits: MemoryLimits,
) -> None:
    for last in range(4):
        await limits.refused(f"2001:db8::{last}")
    assert await limits.banned_for("2001:db8::99") == 2 * MINUTE


async def test_many_addresses_and_tokens_do_not_grow_the_memory(clock: ManualClock) -> None:
    limits = MemoryLimits(replace(RULES, ban_after=2), clock, size=10)
    for number in range(200):
        await refuse(limits, 3, address=f"192.0.2.{number}")
        await limits.spend(number)
    assert len(limits._refusals) <= 10
    assert len(limits._bans) == len(limits._windows) == 10


async def test_refusals_of_many_addresses_do_not_lift_a_ban(clock: ManualClock) -> None:
    limits = MemoryLimits(RULES, clock, size=10)
    await refuse(limits, 4)
    for number in range(200):
        await refuse(limits, 3, address=f"198.51.100.{number}")
    assert await limits.banned_for(HOME) == 2 * MINUTE


async def test_without_limits_nobody_is_barred() -> None:
    limits = limits_of(Settings(limits_enabled=False), ManualClock(NOW))
    assert isinstance(limits, NoLimits)
    assert {await limits.spend(1) for _ in range(1_000)} == {0}
    assert {await limits.refused(HOME) for _ in range(1_000)} == {0}
    assert await limits.banned_for(HOME) == 0


async def test_the_settings_give_the_published_limits() -> None:
    limits = limits_of(Settings(), ManualClock(NOW))
    spent = [await limits.spend(1) for _ in range(101)]
    assert spent == [0] * 100 + [300 * SECOND]
    bans = [await limits.refused(HOME) for _ in range(50)]
    assert bans == [0] * 49 + [120 * SECOND]
