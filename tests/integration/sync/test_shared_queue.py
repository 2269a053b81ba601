"""The queue in PostgreSQL: shared by workers, and lost without harm."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from coffers.store.engine import Store
from coffers.store.jobs import shared_jobs
from coffers.sync.queue import Due, JobQueue

VENUE = "kraken"
SOON = 0.3
"""Seconds after which the jobs of a worker are given up, here."""


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    opened = Store(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def other_store(postgres_url: str) -> AsyncIterator[Store]:
    opened = Store(postgres_url)
    yield opened
    await opened.close()


def made(store: Store) -> JobQueue:
    return JobQueue(shared_jobs(store), (VENUE,), given_up_after=SOON, look_every=0.05)


def due(*account_ids: int) -> list[Due]:
    return [Due(1, account_id, VENUE) for account_id in account_ids]


async def rows(store: Store, table: str) -> int:
    async with store.connection(is_reading=True) as connection:
        return await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608


async def test_workers_share_the_accounts_and_nothing_is_left_behind(
    store: Store, other_store: Store
) -> None:
    queues = made(store), made(other_store)
    seen: list[tuple[int, int]] = []
    all_seen = asyncio.Event()

    async def handle(place: int, account_id: int) -> None:
        seen.append((place, account_id))
        if len(seen) == 40:
            all_seen.set()
        await asyncio.sleep(0.01)

    def handing(place: int) -> asyncio.Task[None]:
        async def taken(_user_id: int, account_id: int) -> None:
            await handle(place, account_id)

        return asyncio.create_task(queues[place].run(taken, 4))

    async with asyncio.timeout(20):
        await queues[0].put(due(*range(40)))
        await queues[1].put(due(*range(40)))
        running = [handing(place) for place in range(2)]
        await all_seen.wait()
        for queue in queues:
            queue.stop()
        await asyncio.gather(*running)
    assert sorted(account_id for _, account_id in seen) == list(range(40))
    assert {place for place, _ in seen} == {0, 1}
    for table in ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics"):
        assert await rows(store, table) == 0


async def test_what_a_worker_had_when_it_was_killed_goes_to_another_one(
    store: Store, other_store: Store
) -> None:
    begun, again = asyncio.Event(), asyncio.Event()

    async def hanging(_user_id: int, _account_id: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def answering(_user_id: int, account_id: int) -> None:
        assert account_id == 7
        again.set()

    killed, alive = made(store), made(other_store)
    async with asyncio.timeout(20):
        await killed.put(due(7))
        dying = asyncio.create_task(killed.run(hanging, 4))
        await begun.wait()
        dying.cancel()
        living = asyncio.create_task(alive.run(answering, 4))
        await again.wait()
        alive.stop()
        await living
    assert await rows(store, "pgqueuer") == 0


async def test_what_takes_long_is_not_taken_from_a_worker_that_lives(
    store: Store, other_store: Store
) -> None:
    runs = 0
    begun = asyncio.Event()

    async def long(_user_id: int, _account_id: int) -> None:
        nonlocal runs
        runs += 1
        begun.set()
        await asyncio.sleep(4 * SOON)

    first, second = made(store), made(other_store)
    async with asyncio.timeout(20):
        await first.put(due(7))
        running = [asyncio.create_task(queue.run(long, 4)) for queue in (first, second)]
        await begun.wait()
        await asyncio.sleep(3 * SOON)
        first.stop()
        second.stop()
        await asyncio.gather(*running)
    assert runs == 1


async def test_a_queue_that_is_emptied_under_its_workers_costs_nothing(store: Store) -> None:
    queue, seen = made(store), []
    begun, freed, later = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(_user_id: int, account_id: int) -> None:
        seen.append(account_id)
        if account_id == 9:
            later.set()
            return
        begun.set()
        await freed.wait()

    running = asyncio.create_task(queue.run(handle, 1))
    async with asyncio.timeout(20):
        await queue.put(due(7, 8))
        await begun.wait()
        async with store.connection() as connection:
            await connection.execute(text("TRUNCATE pgqueuer"))
        freed.set()
        await queue.put(due(9))
        await later.wait()
        queue.stop()
        await running
    assert seen == [7, 9]


async def test_the_migrations_make_what_the_library_installs(store: Store) -> None:
    plan = await shared_jobs(store).plan_upgrade()
    wanted = [" ".join(statement.split()[:4]) for statement in plan.statements]
    # Nobody listens, so that nothing notifies.
    assert [each for each in wanted if "FUNCTION" not in each and "TRIGGER" not in each] == []
