"""Where walks stand, and which may go on."""

from dataclasses import replace

import pytest

import stored
from coffers.clock import DAY, MINUTE, Millis
from coffers.store import distinct, walking
from coffers.store.engine import Store
from coffers.store.records import Account, AccountStatus, SyncState
from coffers.store.walks import Walk
from factories import NOW

LATER = Millis(NOW + MINUTE)


async def begun(store: Store, known: Account, at: Millis = NOW) -> None:
    async with store.transaction() as tx:
        await tx.walks.begin(known.user_id, known.id, Millis(NOW - DAY), at)


async def stand(store: Store, known: Account, **state: object) -> None:
    sync = replace(SyncState(next_sync_at=Millis(NOW + DAY)), **state)  # type: ignore[arg-type]
    async with store.transaction() as tx:
        await tx.accounts.record_status(
            known.user_id,
            known.id,
            AccountStatus(sync, "ok", is_locked=False, lock_reason=None),
            NOW,
        )


async def test_a_walk_begins_once_and_stands_where_it_was_left(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    async with store.transaction() as tx:
        assert await tx.walks.get(*of) is None
        await tx.walks.begin(*of, Millis(NOW - DAY), NOW)
        first = Walk(Millis(NOW - DAY), Millis(NOW - DAY), next_at=NOW)
        assert await tx.walks.get(*of) == first
        left = Walk(
            Millis(NOW - DAY),
            Millis(NOW - 9 * DAY),
            Millis(NOW - 99 * DAY),
            '{"a":1}',
            has_gaps=True,
            steps=3,
            failures=2,
            failure_message="no",
            next_at=LATER,
        )
        await tx.walks.keep(*of, left)
        await tx.walks.begin(*of, NOW, NOW)
        assert await tx.walks.get(*of) == left
        assert await tx.walks.count_open() == 1
        await tx.walks.keep(*of, replace(left, is_complete=True, next_at=None))
        assert await tx.walks.count_open() == 0
        assert (await tx.walks.due(Millis(NOW + 9 * DAY), 9)).keys == []


async def test_a_walk_waits_for_readings_and_for_trouble_to_pass(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    own = [(known.user_id, known.id)]
    await begun(store, known)

    async def due(now: Millis = NOW) -> list[tuple[int, int]]:
        async with store.reading() as tx:
            return list((await tx.walks.due(now, 9)).keys)

    assert await due() == [], "a reading is due"
    await stand(store, known)
    assert await due() == own
    assert await due(Millis(NOW - 1)) == []
    await stand(store, known, failures=1)
    assert await due() == []
    await stand(store, known)
    async with store.transaction() as tx:
        assert await tx.accounts.claim(*own[0], "reading", now=NOW, until=LATER)
    assert await due() == []
    assert await due(Millis(LATER + 1)) == own


async def test_the_longest_due_goes_on_first(store: Store) -> None:
    ann = await stored.user(store)
    accounts = [await stored.account(store, ann, name) for name in ("one", "two", "three")]
    for known, at in zip(accounts, (3, 1, 2), strict=True):
        await begun(store, known, Millis(NOW + at))
        await stand(store, known)
    async with store.reading() as tx:
        due = (await tx.walks.due(LATER, 2)).keys
    assert [account_id for _, account_id in due] == [accounts[1].id, accounts[2].id]


async def test_a_look_goes_on_behind_walks_that_have_to_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LOOKED_AT", 2)
    ann = await stored.user(store)
    accounts = [await stored.account(store, ann, name) for name in ("one", "two", "three", "four")]
    for known in accounts:
        await begun(store, known)
        await stand(store, known, failures=int(known is not accounts[3]))
    async with store.reading() as tx:
        first = await tx.walks.due(LATER, 1)
        second = await tx.walks.due(LATER, 1, first.after)
        third = await tx.walks.due(LATER, 1, (NOW, accounts[3].id))
    assert first == walking.Walkable([], (NOW, accounts[1].id))
    assert second == walking.Walkable([(ann.id, accounts[3].id)], None)
    assert third == walking.Walkable([], None)


async def test_open_walks_are_counted_up_to_a_bound(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "COUNTED", 2)
    ann = await stored.user(store)
    for name in ("one", "two", "three"):
        await begun(store, await stored.account(store, ann, name))
    async with store.reading() as tx:
        assert await tx.walks.count_open() == 2


async def test_a_walk_goes_with_its_account(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    await begun(store, known)
    async with store.transaction() as tx:
        await tx.accounts.remove(known.user_id, known.id)
        assert await tx.walks.get(known.user_id, known.id) is None
