"""The worker's part that rolls snapshots up."""

import asyncio

import pytest

import stored
from coffers.clock import DAY, HOUR, SETTLED_AFTER, ManualClock, SettledClock
from coffers.metrics import REGISTRY
from coffers.store import rollups
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.store.rollups import HOURLY
from coffers.sync.rollups import BATCHES_AT_ONCE, RollUpWorker
from factories import NOW, settled

EDGE = HOURLY.due_to(NOW)


async def _account(store: Store, name: str = "Main") -> Account:
    owner = await stored.user(store, name)
    known = await stored.account(store, owner, name)
    async with store.transaction() as tx:
        for at in (EDGE - 9 * HOUR, EDGE - 3, EDGE - 2, EDGE - 1):
            await tx.history.add_snapshot(owner.id, known.id, stored.snapshot(at, "1"))
    return known


async def _count(store: Store, known: Account) -> int:
    async with store.reading() as tx:
        page = await tx.history.snapshot_page(known.user_id, known.id, 99, until=NOW)
    return len(page)


def _metric(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"tier": "hourly"}) or 0.0


async def test_what_is_old_enough_is_rolled_up_and_counted(store: Store) -> None:
    known = await _account(store)
    before = _metric("coffers_snapshots_rolled_up_total")
    await RollUpWorker(store, settled(ManualClock(NOW))).look()
    assert await _count(store, known) == 2
    assert _metric("coffers_snapshots_rolled_up_total") - before == 2


async def test_a_look_does_not_do_all_at_once(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "ACCOUNTS_AT_ONCE", 1)
    made = [await _account(sqlite_store, f"{number}") for number in range(BATCHES_AT_ONCE + 2)]
    worker = RollUpWorker(sqlite_store, settled(ManualClock(NOW)))
    counts = []
    for _ in range(4):
        await worker.look()
        counts.append(sum([await _count(sqlite_store, known) == 2 for known in made]))
    assert counts[-1] == len(made)
    assert BATCHES_AT_ONCE in counts


async def test_it_runs_until_it_is_stopped(sqlite_store: Store) -> None:
    known = await _account(sqlite_store)
    worker = RollUpWorker(sqlite_store, settled(ManualClock(NOW)))
    running = asyncio.create_task(worker.run())
    while await _count(sqlite_store, known) > 2:  # noqa: ASYNC110 - only the rows tell
        await asyncio.sleep(0)
    worker.stop()
    await running


async def test_a_clock_that_is_ahead_for_a_moment_removes_nothing(sqlite_store: Store) -> None:
    known = await _account(sqlite_store)
    seconds, clock = [0.0], ManualClock(NOW)
    worker = RollUpWorker(sqlite_store, SettledClock(clock, lambda: seconds[0]))

    async def left(span: int, step: int = 0) -> int:
        seconds[0] += span / 1000
        clock.advance(span + step)
        await worker.look()
        return await _count(sqlite_store, known)

    assert await left(0) == 4
    assert await left(SETTLED_AFTER - 1, step=365 * DAY) == 4
    assert await left(SETTLED_AFTER - 1, step=-365 * DAY) == 4
    assert await left(1) == 2
