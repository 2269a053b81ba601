"""Transactions that SQLite commits as one: each is whole or not there, whatever becomes of others.

PostgreSQL commits each by itself, and what holds here holds there.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from sqlalchemy import event

from coffers.store import shared_commits, sqlite
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from factories import NOW


class Stop(Exception):
    """Ends a block half-way."""


@pytest.fixture
async def commits(sqlite_store: Store) -> list[str]:
    """Every commit of the file from now on."""
    found: list[str] = []
    # The connections that there are would not tell.
    await sqlite_store.close()

    def note(statement: str) -> None:
        if statement.startswith("COMMIT"):
            found.append(statement)

    event.listen(
        sqlite_store.database.engine,  # type: ignore[attr-defined]  # of this database
        "connect",
        lambda made, _: made.set_trace_callback(note),
    )
    return found


async def add(store: Store, name: str, end: Callable[[], object] = lambda: None) -> None:
    async with store.transaction(is_shared=True) as tx:
        await tx.users.add(name, NOW)
        # Gives way to the others, as a statement does on PostgreSQL.
        await asyncio.sleep(0)
        end()


async def names(store: Store) -> list[str]:
    async with store.reading() as tx:
        return sorted(user.name for user in await tx.users.all())


def stop() -> None:
    raise Stop


async def test_those_that_come_together_are_committed_together(
    sqlite_store: Store, commits: list[str]
) -> None:
    await asyncio.gather(*(add(sqlite_store, f"user {number}") for number in range(5)))
    assert len(commits) == 1
    assert len(await names(sqlite_store)) == 5


async def test_a_commit_waits_for_no_thread_that_others_keep(sqlite_store: Store) -> None:
    """Names that nobody answers for are looked up in the event loop's threads, half a minute long.

    Until it is committed, nobody else writes.
    """
    goes_on = threading.Event()
    busy = [asyncio.ensure_future(asyncio.to_thread(goes_on.wait, 20)) for _ in range(40)]
    asyncio.get_running_loop().call_later(5, goes_on.set)
    await add(sqlite_store, "ann")
    assert not goes_on.is_set()
    goes_on.set()
    await asyncio.gather(*busy)
    assert await names(sqlite_store) == ["ann"]


async def test_no_more_than_so_many_share_a_commit(
    sqlite_store: Store, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_commits, "MOST_AT_ONCE", 2)
    await asyncio.gather(*(add(sqlite_store, f"user {number}") for number in range(5)))
    assert len(commits) == 3
    assert len(await names(sqlite_store)) == 5


async def test_one_that_fails_leaves_the_others_whole(store: Store) -> None:
    told = await asyncio.gather(
        add(store, "ann"), add(store, "bob", stop), add(store, "cyd"), return_exceptions=True
    )
    assert [type(each) for each in told] == [type(None), Stop, type(None)]
    assert await names(store) == ["ann", "cyd"]


async def test_one_that_is_kept_is_on_the_disk_when_it_is_told(sqlite_store: Store) -> None:
    await add(sqlite_store, "ann")
    with closing(sqlite3.connect(_file(sqlite_store))) as other:
        assert other.execute("SELECT name FROM users").fetchall() == [("ann",)]


async def test_others_work_on_while_some_are_committed(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[list[str]] = []
    to_its_end = shared_commits.to_its_end

    async def looking(future: asyncio.Future[None]) -> None:
        looks.append(await names(sqlite_store))
        await to_its_end(future)

    monkeypatch.setattr(sqlite, "to_its_end", looking)
    await add(sqlite_store, "ann")
    assert len(looks) == 1


async def test_one_that_is_cancelled_in_its_turn_is_undone_alone(store: Store) -> None:
    arrived = asyncio.Event()

    async def hangs() -> None:
        async with store.transaction(is_shared=True) as tx:
            await tx.users.add("bob", NOW)
            arrived.set()
            await asyncio.Event().wait()

    first, hanging = asyncio.create_task(add(store, "ann")), asyncio.create_task(hangs())
    await arrived.wait()
    last = asyncio.create_task(add(store, "cyd"))
    hanging.cancel()
    await asyncio.gather(first, last)
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await names(store) == ["ann", "cyd"]


async def test_one_that_is_cancelled_before_its_turn_writes_nothing(sqlite_store: Store) -> None:
    first, second = (asyncio.create_task(add(sqlite_store, name)) for name in ("ann", "bob"))
    await asyncio.sleep(0)
    second.cancel()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await names(sqlite_store) == ["ann"]


async def test_one_that_is_cancelled_at_its_commit_ends_when_that_is_over(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_its_end = shared_commits.to_its_end

    async def cancelling(future: asyncio.Future[None]) -> None:
        adding.cancel()
        await to_its_end(future)

    monkeypatch.setattr(sqlite, "to_its_end", cancelling)
    adding = asyncio.create_task(add(sqlite_store, "ann"))
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await names(sqlite_store) == ["ann"]


async def test_a_full_disk_is_told_to_all_of_a_commit_and_keeps_none(sqlite_store: Store) -> None:
    await add(sqlite_store, "ann")
    await sqlite_store.close()
    engine: Any = sqlite_store.database.engine  # type: ignore[attr-defined]  # of this database
    event.listen(engine, "connect", _no_more_room)
    told = await asyncio.gather(
        add(sqlite_store, "bob"), add(sqlite_store, "x" * 1_000_000), return_exceptions=True
    )
    assert [type(each) for each in told] == [StoreUnavailable, StoreUnavailable]
    assert await names(sqlite_store) == ["ann"]
    event.remove(engine, "connect", _no_more_room)
    await sqlite_store.close()
    await add(sqlite_store, "cyd")
    assert await names(sqlite_store) == ["ann", "cyd"]


async def test_all_are_told_that_the_lock_cannot_be_had(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LONGEST_WAIT", 0.0)
    with closing(sqlite3.connect(_file(sqlite_store))) as other:
        other.execute("BEGIN IMMEDIATE")
        told = await asyncio.gather(
            add(sqlite_store, "ann"), add(sqlite_store, "bob"), return_exceptions=True
        )
        other.rollback()
    assert [str(each) for each in told] == ["the database stayed locked by another process"] * 2
    await add(sqlite_store, "cyd")
    assert await names(sqlite_store) == ["cyd"]


async def test_a_commit_that_fails_is_told_to_all(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(future: asyncio.Future[None]) -> None:
        await future
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite, "to_its_end", fails)
    told = await asyncio.gather(
        add(sqlite_store, "ann"), add(sqlite_store, "bob"), return_exceptions=True
    )
    assert [str(each) for each in told] == ["the disk with the database gives errors"] * 2


async def test_the_end_of_the_loop_leaves_nobody_waiting(tmp_path: Path) -> None:
    """A worker that is stopped cancels what runs, in any order."""
    ended: list[str] = []

    async def main(store: Store) -> None:
        async def adding(name: str) -> None:
            try:
                await add(store, name)
            finally:
                ended.append(name)

        tasks = [asyncio.create_task(adding(name)) for name in ("ann", "bob")]
        await asyncio.sleep(0.001)
        assert not any(task.done() for task in tasks)

    store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    await asyncio.to_thread(asyncio.run, main(store))
    await store.close()
    assert sorted(ended) == ["ann", "bob"]


async def test_the_end_of_the_loop_leaves_nobody_in_the_middle(tmp_path: Path) -> None:
    async def main(store: Store) -> None:
        at_work = asyncio.Event()

        async def adding() -> None:
            async with store.transaction(is_shared=True):
                at_work.set()
                # What it does then cannot be broken off.
                await asyncio.wait({asyncio.get_running_loop().run_in_executor(None, sleep, 0.1)})

        tasks.append(asyncio.create_task(adding()))
        await at_work.wait()
        serving: asyncio.Task[None] = store.database._shared._serving  # type: ignore[attr-defined]
        serving.cancel()
        with pytest.raises(StoreUnavailable):
            await tasks[0]

    tasks: list[asyncio.Task[None]] = []
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
    await asyncio.wait_for(main(store), 10)
    await store.close()


def _file(store: Store) -> str:
    return store.url.removeprefix("sqlite:///")


def _no_more_room(connection: Any, _entry: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA max_page_count = 1")
    cursor.close()
