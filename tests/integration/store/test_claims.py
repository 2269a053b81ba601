import asyncio
from contextlib import suppress

import pytest

import stored
from coffers.clock import MINUTE, Millis
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account, AccountStatus, Counts, SyncState
from factories import NOW

UNTIL = Millis(NOW + 5 * MINUTE)
A_MOMENT = 0.1


async def _claim(store: Store, known: Account, holder: str, now: Millis = NOW) -> bool:
    async with store.transaction() as tx:
        return await tx.accounts.claim(
            known.user_id, known.id, holder, now=now, until=Millis(now + 5 * MINUTE)
        )


async def _due(store: Store, now: int = NOW, limit: int = 10) -> list[int]:
    async with store.reading() as tx:
        return [each.account_id for each in await tx.accounts.due(Millis(now), limit)]


async def _at(tx: Transaction, known: Account, at: int) -> None:
    await tx.accounts.due_at(known.user_id, known.id, Millis(at))


async def test_due_accounts_come_longest_due_first_whoever_owns_them(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    known = [await stored.account(store, owner, f"{n}") for n, owner in enumerate([ann, bob, ann])]
    async with store.transaction() as tx:
        await _at(tx, known[0], NOW - 1)
        await _at(tx, known[1], NOW - 2)
        await _at(tx, known[2], NOW + 1)
    async with store.reading() as tx:
        due = await tx.accounts.due(NOW, 10)
        assert [each[:2] for each in due] == [(bob.id, known[1].id), (ann.id, known[0].id)]
        assert await tx.accounts.due(NOW, 1) == due[:1]
        assert await tx.accounts.due(NOW, 10, due[0].place) == due[1:]
        assert await tx.accounts.due(NOW, 10, due[1].place) == []


async def test_an_account_that_has_been_due_for_more_than_a_minute_is_overdue(
    store: Store,
) -> None:
    known = await stored.account(store, await stored.user(store))
    assert await _due(store) == [known.id]
    assert await _claim(store, known, "one")
    async with store.reading() as tx:
        # It is due until its reading is over, and that may take a while.
        assert (await tx.accounts.counts(Millis(NOW + MINUTE))).overdue == 0
        assert (await tx.accounts.counts(Millis(NOW + MINUTE + 1))).overdue == 1


async def test_without_accounts_nothing_is_ever_due(store: Store) -> None:
    assert await _due(store) == []
    async with store.reading() as tx:
        assert await tx.accounts.counts(NOW) == Counts(overdue=0, locked=0)


async def test_locked_accounts_are_counted_and_still_due(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        await tx.accounts.record_status(
            known.user_id,
            known.id,
            AccountStatus(
                SyncState(next_sync_at=NOW),
                "expired",
                is_locked=True,
                lock_reason="invalid_api_key",
            ),
            NOW,
        )
    assert await _due(store) == [known.id]
    async with store.reading() as tx:
        assert (await tx.accounts.counts(NOW)).locked == 1


async def test_a_claimed_account_is_neither_due_nor_claimed_again(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    assert await _claim(store, known, "one")
    assert not await _claim(store, known, "two")
    assert not await _claim(store, known, "one")
    assert await _due(store) == []


async def test_a_claim_runs_out_by_itself(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    assert await _claim(store, known, "one")
    after = Millis(UNTIL + 1)
    async with store.transaction() as tx:
        assert await tx.accounts.holds(known.user_id, known.id, "one", UNTIL)
        assert not await tx.accounts.holds(known.user_id, known.id, "one", after)
    assert await _due(store, UNTIL) == []
    assert not await _claim(store, known, "two", UNTIL)
    assert await _due(store, after) == [known.id]
    assert await _claim(store, known, "two", after)


async def test_a_holder_that_was_overtaken_neither_holds_nor_releases(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    after = Millis(UNTIL + 1)
    await _claim(store, known, "one")
    await _claim(store, known, "two", after)
    async with store.transaction() as tx:
        await tx.accounts.release(known.user_id, known.id, "one")
        assert not await tx.accounts.holds(known.user_id, known.id, "one", after)
        assert await tx.accounts.holds(known.user_id, known.id, "two", after)


async def test_a_released_account_can_be_claimed_at_once(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    await _claim(store, known, "one")
    async with store.transaction() as tx:
        await tx.accounts.release(known.user_id, known.id, "one")
    assert await _due(store) == [known.id]
    assert await _claim(store, known, "two")


async def test_an_account_that_is_not_there_cannot_be_claimed(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    known = await stored.account(store, ann)
    async with store.transaction() as tx:
        assert not await tx.accounts.claim(bob.id, known.id, "one", now=NOW, until=UNTIL)
        assert not await tx.accounts.claim(ann.id, 99, "one", now=NOW, until=UNTIL)
        assert not await tx.accounts.holds(bob.id, known.id, "one", NOW)


async def test_two_accounts_of_one_exchange_key_are_not_read_at_once(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    first = await stored.account(store, ann, credential_id="shared")
    second = await stored.account(store, bob, credential_id="shared")
    other = await stored.account(store, bob, "Other", credential_id="own")
    assert await _claim(store, first, "one")
    assert not await _claim(store, second, "two")
    assert await _claim(store, other, "two")
    async with store.transaction() as tx:
        await tx.accounts.release(ann.id, first.id, "one")
    assert await _claim(store, second, "two")


async def test_a_claim_waits_for_an_unfinished_one_of_the_same_key_and_then_loses(
    store: Store,
) -> None:
    ann = await stored.user(store)
    first, second = [
        await stored.account(store, ann, name, credential_id="shared") for name in ("a", "b")
    ]
    async with store.transaction() as tx:
        assert await tx.accounts.claim(ann.id, first.id, "one", now=NOW, until=UNTIL)
        rival = asyncio.create_task(_claim(store, second, "two"))
        await asyncio.wait({rival}, timeout=A_MOMENT)
        assert not rival.done()
    assert not await rival


class Undone(Exception):
    """Ends a transaction without keeping it."""


async def test_a_claim_wins_when_the_unfinished_one_before_it_is_undone(store: Store) -> None:
    ann = await stored.user(store)
    first, second = [
        await stored.account(store, ann, name, credential_id="shared") for name in ("a", "b")
    ]
    with suppress(Undone):
        async with store.transaction() as tx:
            assert await tx.accounts.claim(ann.id, first.id, "one", now=NOW, until=UNTIL)
            rival = asyncio.create_task(_claim(store, second, "two"))
            await asyncio.wait({rival}, timeout=A_MOMENT)
            raise Undone
    assert await rival


async def test_of_many_claims_of_one_key_at_once_one_wins(store: Store) -> None:
    ann = await stored.user(store)
    known = [
        await stored.account(store, ann, f"{n}", credential_id="shared", mode="paper")
        for n in range(6)
    ]
    for turn in range(3):
        now = Millis(NOW + turn * 10 * MINUTE)
        won = await asyncio.gather(*(_claim(store, one, f"holder {one.id}", now) for one in known))
        assert sum(won) == 1


async def test_a_claim_brings_the_account_as_it_is_then(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    until = Millis(NOW + 5 * MINUTE)
    async with store.transaction() as tx:
        taken = await tx.accounts.claimed(known.user_id, known.id, "one", now=NOW, until=until)
        assert taken == await tx.accounts.get(known.user_id, known.id)
        again = await tx.accounts.claimed(known.user_id, known.id, "two", now=NOW, until=until)
    assert again is None


@pytest.mark.parametrize("frees", [True, False])
async def test_a_claim_goes_with_what_became_of_the_account_if_that_is_said(
    store: Store, frees: bool
) -> None:
    known = await stored.account(store, await stored.user(store))
    assert await _claim(store, known, "one")
    async with store.transaction() as tx:
        await tx.accounts.record_status(
            known.user_id,
            known.id,
            AccountStatus(SyncState(next_sync_at=NOW), "ok", is_locked=False, lock_reason=None),
            NOW,
            frees=frees,
        )
        assert await tx.accounts.holds(known.user_id, known.id, "one", NOW) is not frees
