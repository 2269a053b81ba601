"""One of the workers does what is done for all; another one takes over when it is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from coffers.clock import HOUR, ManualClock
from coffers.metrics import REGISTRY
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.sync.elected import Elected
from factories import NOW

LASTS = 15.0


class Watch:
    """Tells how much time passes for one worker."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def other_store(database_url: str) -> AsyncIterator[Store]:
    opened = Store(database_url)
    yield opened
    await opened.close()


def is_leader(work: str) -> float | None:
    return REGISTRY.get_sample_value("coffers_leader", {"work": work})


async def test_the_first_one_leads_until_it_gives_back(store: Store, other_store: Store) -> None:
    clock = ManualClock(NOW)
    first, second = Elected(store, clock, "tests"), Elected(other_store, clock, "tests")
    await first.look()
    assert is_leader("tests") == 1
    await second.look()
    assert (first.is_ours, second.is_ours) == (True, False)
    await first.give_back()
    assert is_leader("tests") == 0
    await second.look()
    assert (first.is_ours, second.is_ours) == (False, True)


async def test_of_many_that_begin_at_once_one_leads(store: Store) -> None:
    clock = ManualClock(NOW)
    many = [Elected(store, clock, "tests") for _ in range(6)]
    await asyncio.gather(*(each.look() for each in many))
    assert [each.is_ours for each in many].count(True) == 1


async def test_one_that_is_not_heard_of_any_more_is_followed(store: Store) -> None:
    clock, watch = ManualClock(NOW), Watch()
    dead = Elected(store, clock, "tests", LASTS)
    await dead.look()
    alive = Elected(store, clock, "tests", LASTS, watch)
    await alive.look()
    clock.advance(15_001)
    await alive.look()
    assert alive.is_ours
    await dead.look()
    assert not dead.is_ours
    assert alive.is_ours


async def test_a_clock_that_is_ahead_holds_nothing_beyond_death(store: Store) -> None:
    dead = Elected(store, ManualClock(NOW + HOUR), "tests", LASTS)
    await dead.look()
    watch = Watch()
    alive = Elected(store, ManualClock(NOW), "tests", LASTS, watch)
    for _ in range(3):
        assert not alive.is_ours
        await alive.look()
        watch.seconds += LASTS / 3
    await alive.look()
    assert alive.is_ours


async def test_one_that_renews_is_left_alone_whatever_its_clock_says(store: Store) -> None:
    clock, watch = ManualClock(NOW + HOUR), Watch()
    waits = Elected(store, ManualClock(NOW), "tests", LASTS, watch)
    leads = Elected(store, clock, "tests", LASTS)
    for _ in range(9):
        clock.advance(5_000)
        watch.seconds += LASTS / 3
        await leads.look()
        await waits.look()
    assert (leads.is_ours, waits.is_ours) == (True, False)


async def test_one_that_stood_still_knows_that_it_may_lead_no_more(store: Store) -> None:
    watch = Watch()
    stood_still = Elected(store, ManualClock(NOW), "tests", LASTS, watch)
    await stood_still.look()
    watch.seconds += LASTS
    assert not stood_still.is_ours


async def test_only_the_leader_works_and_the_next_one_begins_at_once(
    store: Store, other_store: Store
) -> None:
    clock, done = ManualClock(NOW), {"first": asyncio.Event(), "second": asyncio.Event()}

    def working(name: str, each: Elected) -> asyncio.Task[None]:
        async def work() -> None:
            done[name].set()

        return asyncio.create_task(each.run((60.0, work)))

    first = Elected(store, clock, "tests", 0.3)
    second = Elected(other_store, clock, "tests", 0.3)
    async with asyncio.timeout(20):
        leading = working("first", first)
        await done["first"].wait()
        following = working("second", second)
        first.stop()
        await leading
        await done["second"].wait()
        second.stop()
        await following
    async with store.reading() as tx:
        assert await tx.leases.get("tests") is None


async def test_one_that_cannot_renew_tells_that_it_leads_no_more(sqlite_store: Store) -> None:
    elected, begun = Elected(sqlite_store, ManualClock(NOW), "tests", 0.2), asyncio.Event()

    async def work() -> None:
        begun.set()

    async def fails() -> None:
        raise StoreUnavailable("gone")

    running = asyncio.create_task(elected.run((60.0, work)))
    async with asyncio.timeout(20):
        await begun.wait()
        assert is_leader("tests") == 1
        elected.look = fails  # type: ignore[method-assign]
        while is_leader("tests") != 0:  # noqa: ASYNC110 - a gauge cannot be waited for
            await asyncio.sleep(0.02)
        elected.stop()
        await running
