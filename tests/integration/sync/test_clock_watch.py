"""Accounts that wait for a moment of a clock that was wrong are read all the same."""

from dataclasses import replace

import pytest

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.store.engine import Store
from coffers.store.records import NewAccount
from coffers.sync.clock_watch import LOOKS_ANYWAY, ClockWatch
from factories import NOW

INTERVAL = Millis(5 * MINUTE)


class Seconds:
    """Seconds that pass as they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Place:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock(NOW)
        self.seconds = Seconds()
        self.watch = ClockWatch(store, self.clock, INTERVAL, self.seconds)

    async def add(self, next_sync_at: int, failures: int = 0) -> tuple[int, int]:
        async with self.store.transaction() as tx:
            user = await tx.users.by_name("ann") or await tx.users.add("ann", NOW)
            name = f"{next_sync_at}"
            new = NewAccount(user.id, "binance", name, api_key=name)
            account = await tx.accounts.add(new, identity=name, credential_id=name, now=NOW)
            sync = replace(account.sync, next_sync_at=Millis(next_sync_at), failures=failures)
            await tx.accounts.record_standing(
                user.id,
                account.id,
                sync=sync,
                key_state="ok",
                is_locked=False,
                lock_reason=None,
                now=NOW,
            )
        return user.id, account.id

    async def passes(self, span: int, step: int = 0) -> None:
        """Let time pass, the clock be set by a step beside, and the watch look."""
        self.seconds.now += span / 1000
        self.clock.advance(span + step)
        await self.watch.look()

    async def due_at(self, key: tuple[int, int]) -> int:
        async with self.store.reading() as tx:
            account = await tx.accounts.get(*key)
        assert account is not None
        return account.sync.next_sync_at

    async def is_due(self, key: tuple[int, int]) -> bool:
        async with self.store.reading() as tx:
            found = await tx.accounts.due(self.clock.now(), 10)
        return key in [tuple(each)[:2] for each in found]


@pytest.fixture
def place(store: Store) -> Place:
    return Place(store)


async def test_a_clock_that_is_set_back_makes_due_what_was_put_off_by_it(place: Place) -> None:
    await place.watch.look()
    await place.passes(1000, HOUR)
    key = await place.add(place.clock.now() + INTERVAL)
    await place.passes(1000)
    assert not await place.is_due(key)
    await place.passes(1000, -HOUR)
    assert await place.is_due(key)


async def test_a_claim_of_a_clock_that_was_ahead_is_nobody_s(place: Place) -> None:
    await place.watch.look()
    user_id, account_id = await place.add(NOW - MINUTE)
    ahead = Millis(NOW + DAY)
    async with place.store.transaction() as tx:
        until = Millis(ahead + 5 * MINUTE)
        assert await tx.accounts.claim(user_id, account_id, "dead", now=ahead, until=until)
    await place.passes(1000)
    assert not await place.is_due((user_id, account_id))
    await place.passes(1000, -5000)
    assert await place.is_due((user_id, account_id))


async def test_a_clock_that_goes_on_as_it_should_changes_nothing(place: Place) -> None:
    await place.watch.look()
    key = await place.add(NOW + DAY)
    for _ in range(10):
        await place.passes(1000, -50)
    assert await place.due_at(key) == NOW + DAY


async def test_what_another_machine_put_off_is_found_in_a_while(place: Place) -> None:
    await place.watch.look()
    key = await place.add(NOW + DAY)
    for _ in range(LOOKS_ANYWAY):
        await place.passes(1000)
    assert await place.is_due(key)


async def test_accounts_that_wait_since_they_failed_go_on_waiting(place: Place) -> None:
    key = await place.add(NOW + DAY, failures=3)
    await place.watch.look()
    assert await place.due_at(key) == NOW + DAY


async def test_after_a_start_accounts_are_due_by_the_interval_that_is_set_now(place: Place) -> None:
    soon, late = await place.add(NOW + INTERVAL), await place.add(NOW + HOUR)
    await place.watch.look()
    assert await place.due_at(soon) == NOW + INTERVAL
    assert await place.is_due(late)


async def test_more_accounts_than_one_transaction_takes_are_all_made_due(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.sync.clock_watch.PORTION", 2)
    keys = [await place.add(NOW + DAY + number) for number in range(4)]
    waiting = await place.add(NOW + DAY + 9, failures=1)
    await place.watch.look()
    assert [await place.due_at(key) for key in keys] == [NOW] * 4
    assert await place.due_at(waiting) == NOW + DAY + 9
