"""Events: numbered without a hole that is filled later, filtered, and forgotten by age."""

import asyncio
from typing import Any

import pytest

import stored
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.events import EventFilter, NewEvent
from coffers.store.records import User
from factories import NOW


def event(kind: Any = "account_renamed", at: int = NOW, **changes: Any) -> NewEvent:
    return NewEvent(kind, Millis(at), {"to": "x"}, **{"account_id": 7, "mode": "real", **changes})


async def add(store: Store, owner: User, *found: NewEvent) -> None:
    async with store.transaction() as tx:
        await tx.events.add(owner.id, found)


async def numbers(store: Store, owner: User, after: int = 0, **wanted: Any) -> list[int]:
    async with store.reading() as tx:
        found = await tx.events.after(owner.id, after, 100, EventFilter(**wanted))
    return [each.number for each in found]


async def test_each_user_counts_from_one(store: Store) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    await add(store, ann, event(), event())
    await add(store, bob, event())
    await add(store, ann, event())
    assert await numbers(store, ann) == [1, 2, 3]
    assert await numbers(store, ann, after=1) == [2, 3]
    assert await numbers(store, bob) == [1]
    async with store.reading() as tx:
        assert await tx.events.heads([ann.id, bob.id, 99]) == {ann.id: 3, bob.id: 1}
        (first, *_) = await tx.events.after(ann.id, 0, 1)
    assert (first.kind, first.account_id, first.at) == ("account_renamed", 7, NOW)
    assert first.body == '{"to":"x"}'


async def test_what_is_undone_takes_no_number(store: Store) -> None:
    ann = await stored.user(store)
    with pytest.raises(AttributeError):
        await add(store, ann, event(), "no event")  # type: ignore[arg-type]
    await add(store, ann, event())
    assert await numbers(store, ann) == [1]


async def test_filters_hold_together_and_what_is_of_no_mode_is_in_each(store: Store) -> None:
    ann = await stored.user(store)
    none = event("webhook_disabled", account_id=None, mode=None)
    await add(store, ann, event(), event(mode="paper", account_id=8), none, event("deposit"))
    assert await numbers(store, ann, mode="real") == [1, 3, 4]
    assert await numbers(store, ann, mode="paper") == [2, 3]
    assert await numbers(store, ann, account_id=7, kinds=("deposit",)) == [4]
    async with store.reading() as tx:
        found = await tx.events.after(ann.id, 0, 100)
    for wanted in (
        EventFilter("real"),
        EventFilter("paper", ("deposit",)),
        EventFilter("real", account_id=7),
    ):
        kept = [each.number for each in found if wanted.takes(each)]
        assert kept == await numbers(
            store, ann, mode=wanted.mode, kinds=wanted.kinds, account_id=wanted.account_id
        )


async def test_a_reader_never_passes_an_event_that_becomes_visible_later(store: Store) -> None:
    """Many transactions at once, each held open for a while, and readers all along."""
    ann = await stored.user(store)
    seen: list[int] = []
    done = asyncio.Event()

    async def write(index: int) -> None:
        async with store.transaction() as tx:
            await tx.events.add(ann.id, [event()] * (1 + index % 3))
            for _ in range(index % 4):
                # Others get their turn between the number and the commit.
                await asyncio.sleep(0)
                await tx.users.get(ann.id)

    async def read() -> None:
        while not done.is_set():
            seen.extend(await numbers(store, ann, after=seen[-1] if seen else 0))
            await asyncio.sleep(0)
        seen.extend(await numbers(store, ann, after=seen[-1] if seen else 0))

    reader = asyncio.create_task(read())
    for _ in range(5):
        await asyncio.gather(*(write(index) for index in range(8)))
    done.set()
    await reader
    async with store.reading() as tx:
        span = await tx.events.span(ann.id)
    assert seen == list(range(1, span.last + 1))


async def test_old_events_are_forgotten_in_portions_and_their_readers_can_tell(
    store: Store,
) -> None:
    ann = await stored.user(store)
    # The first one's clock was ahead, and still is.
    now = Millis(NOW + 5 * DAY)
    await add(store, ann, *(event(at=NOW + n * DAY) for n in (9, 1, 2, 3, 4)))
    async with store.transaction() as tx:
        assert await tx.events.forget(Millis(NOW + 3 * DAY), now, 2) == 2
        assert await tx.events.forget(Millis(NOW + 3 * DAY), now, 2) == 1
        assert await tx.events.forget(Millis(NOW + 3 * DAY), now, 2) == 0
        span = await tx.events.span(ann.id)
    assert (span.first, span.last) == (4, 5)
    assert [span.misses(after) for after in (0, 2, 3, 5, 6)] == [True, True, False, False, True]
    async with store.transaction() as tx:
        await tx.events.forget(Millis(NOW + 9 * DAY), Millis(NOW + 12 * DAY), 9)
        empty = await tx.events.span(ann.id)
    assert (empty.first, empty.last, empty.misses(4), empty.misses(5)) == (None, 5, True, False)
    await add(store, ann, event())
    assert await numbers(store, ann) == [6]


async def test_what_a_clock_behind_wrote_takes_no_newer_events_along(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    # By the days that they tell; the moment of now is 40 days after the first.
    await add(store, ann, *(event(at=NOW + day * DAY) for day in (0, 1, 35, 36, -21, 37, 38)))
    await add(store, bob, *(event(at=NOW + day * DAY) for day in (2, 3, 90, 4, 39)))
    now, before = Millis(NOW + 40 * DAY), Millis(NOW + 10 * DAY)
    async with store.transaction() as tx:
        # What stays is in the way of none of the others.
        assert [await tx.events.forget(before, now, 2) for _ in range(4)] == [2, 2, 2, 0]
    assert await numbers(store, ann) == [3, 4, 5, 6, 7]
    assert await numbers(store, bob) == [5]
    later = Millis(NOW + 37 * DAY)
    async with store.transaction() as tx:
        assert await tx.events.forget(later, Millis(later + 30 * DAY), 9) == 3
    assert await numbers(store, ann) == [6, 7]
