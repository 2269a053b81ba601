"""What one process keeps of limits and bans, and the numbers that the settings give."""

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


async def refuse(limits: MemoryLimits, times: int, address: str = HOME) -> list[int]:
    return [await limits.refused(address) for _ in range(times)]


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


async def test_a_window_of_a_clock_that_was_ahead_bars_nobody(clock: ManualClock) -> None:
    limits = MemoryLimits(RULES, clock)
    assert [await limits.spend(1) for _ in range(4)] == [0, 0, 0, 5 * MINUTE]
    assert [await limits.spend(2) for _ in range(3)] == [0, 0, 0]
    # It is corrected by a little, and nobody gets more by that.
    clock.advance(-SECOND)
    assert [await limits.spend(each) > 0 for each in (1, 2)] == [True, True]
    clock.advance(-DAY)
    assert [await limits.spend(each) for each in (1, 2)] == [0, 0]
