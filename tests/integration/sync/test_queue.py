"""The embedded queue hands every account out once, so many at a time."""

import asyncio

from coffers.sync.queue import EmbeddedQueue


async def test_accounts_are_handed_out_and_the_queue_stops() -> None:
    queue, seen = EmbeddedQueue(), []

    async def handle(user_id: int, account_id: int) -> None:
        seen.append((user_id, account_id))
        if len(seen) == 3:
            queue.stop()

    await queue.put([(1, 1), (1, 2), (2, 3)])
    async with asyncio.timeout(10):
        await queue.run(handle, 2)
    assert sorted(seen) == [(1, 1), (1, 2), (2, 3)]


async def test_an_account_that_waits_or_runs_is_not_taken_in_again() -> None:
    queue, runs = EmbeddedQueue(), 0
    started, release = asyncio.Event(), asyncio.Event()

    async def handle(_user_id: int, _account_id: int) -> None:
        nonlocal runs
        runs += 1
        started.set()
        await release.wait()

    await queue.put([(1, 1)])
    await queue.put([(1, 1)])
    running = asyncio.create_task(queue.run(handle, 4))
    async with asyncio.timeout(10):
        await started.wait()
        await queue.put([(1, 1)])
        queue.stop()
        release.set()
        await running
    assert runs == 1


async def test_no_more_run_at_once_than_allowed() -> None:
    queue = EmbeddedQueue()
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

    await queue.put([(1, number) for number in range(9)])
    async with asyncio.timeout(20):
        await queue.run(handle, 3)
    assert most <= 3


async def test_what_comes_while_it_runs_is_handed_out_too() -> None:
    queue, seen = EmbeddedQueue(), asyncio.Event()

    async def handle(_user_id: int, account_id: int) -> None:
        if account_id == 2:
            seen.set()

    running = asyncio.create_task(queue.run(handle, 2))
    async with asyncio.timeout(10):
        await queue.put([(1, 1)])
        await queue.put([(1, 2)])
        await seen.wait()
        queue.stop()
        await running


async def test_an_account_may_come_again_once_it_was_read() -> None:
    queue, runs = EmbeddedQueue(), 0
    again = asyncio.Event()

    async def handle(_user_id: int, _account_id: int) -> None:
        nonlocal runs
        runs += 1
        again.set()

    running = asyncio.create_task(queue.run(handle, 2))
    async with asyncio.timeout(15):
        while runs < 2:
            await queue.put([(1, 1)])
            again.clear()
            await asyncio.sleep(0.05)
        queue.stop()
        await running
