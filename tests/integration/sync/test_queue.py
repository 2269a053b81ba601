"""A queue hands every account out once, so many at a time: in one process, and among several."""

import asyncio

import pytest

from coffers.store.engine import Store
from coffers.sync.queue import Due, JobQueue, queue_of

KRAKEN, BYBIT, GATE = "kraken", "bybit", "gate"


@pytest.fixture
def queue(store: Store) -> JobQueue:
    """The queue of a worker, once on each kind of database."""
    return queue_of(store, (KRAKEN, BYBIT, GATE))


async def test_accounts_are_handed_out_and_the_queue_stops(queue: JobQueue) -> None:
    seen = []

    async def handle(user_id: int, account_id: int) -> None:
        seen.append((user_id, account_id))
        if len(seen) == 3:
            queue.stop()

    await queue.put([Due(1, 1, KRAKEN), Due(1, 2, KRAKEN), Due(2, 3, KRAKEN)])
    async with asyncio.timeout(10):
        await queue.run(handle, 2)
    assert sorted(seen) == [(1, 1), (1, 2), (2, 3)]


async def test_an_account_that_waits_or_runs_is_not_taken_in_again(queue: JobQueue) -> None:
    runs = 0
    started, release = asyncio.Event(), asyncio.Event()

    async def handle(_user_id: int, _account_id: int) -> None:
        nonlocal runs
        runs += 1
        started.set()
        await release.wait()

    await queue.put([Due(1, 1, KRAKEN)])
    await queue.put([Due(1, 1, KRAKEN)])
    running = asyncio.create_task(queue.run(handle, 4))
    async with asyncio.timeout(10):
        await started.wait()
        await queue.put([Due(1, 1, KRAKEN)])
        queue.stop()
        release.set()
        await running
    assert runs == 1


async def test_no_more_run_at_once_than_allowed(queue: JobQueue) -> None:
    running = most = done = 0

    async def handle(_user_id: int, _account_id: int) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done += 1
        if done == 9:
            queue.stop()

    await queue.put([Due(1, number, KRAKEN) for number in range(9)])
    async with asyncio.timeout(20):
        await queue.run(handle, 3)
    assert most <= 3


async def test_what_comes_while_it_runs_is_handed_out_too(queue: JobQueue) -> None:
    seen = asyncio.Event()

    async def handle(_user_id: int, account_id: int) -> None:
        if account_id == 2:
            seen.set()

    running = asyncio.create_task(queue.run(handle, 2))
    async with asyncio.timeout(10):
        await queue.put([Due(1, 1, KRAKEN)])
        await queue.put([Due(1, 2, KRAKEN)])
        await seen.wait()
        queue.stop()
        await running


async def test_an_account_may_come_again_once_it_was_read(queue: JobQueue) -> None:
    runs = 0
    again = asyncio.Event()

    async def handle(_user_id: int, _account_id: int) -> None:
        nonlocal runs
        runs += 1
        again.set()

    running = asyncio.create_task(queue.run(handle, 2))
    async with asyncio.timeout(15):
        while runs < 2:
            await queue.put([Due(1, 1, KRAKEN)])
            again.clear()
            await asyncio.sleep(0.05)
        queue.stop()
        await running


async def test_venues_that_hang_stop_only_themselves(queue: JobQueue) -> None:
    answered, freed, at_rest = asyncio.Event(), asyncio.Event(), asyncio.Event()
    hanging: list[int] = []

    async def handle(user_id: int, _account_id: int) -> None:
        if user_id == 3:
            answered.set()
            return
        hanging.append(user_id)
        if len(hanging) == 6:
            at_rest.set()
        await freed.wait()

    running = asyncio.create_task(queue.run(handle, 8))
    async with asyncio.timeout(20):
        await queue.put([Due(1, number, KRAKEN) for number in range(30)])
        await queue.put([Due(2, number, BYBIT) for number in range(30, 60)])
        await at_rest.wait()
        await queue.put([Due(3, 60, GATE)])
        await answered.wait()
        assert (hanging.count(1), hanging.count(2)) == (4, 2)
        queue.stop()
        freed.set()
        await running


async def test_so_many_of_a_venue_run_at_once_as_the_operator_says(store: Store) -> None:
    queue = queue_of(store, (KRAKEN,), per_venue=3)
    running = most = done = 0

    async def handle(_user_id: int, _account_id: int) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        done += 1
        if done == 12:
            queue.stop()

    await queue.put([Due(1, number, KRAKEN) for number in range(12)])
    async with asyncio.timeout(20):
        await queue.run(handle, 4)
    assert most == 3
