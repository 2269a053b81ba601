"""The days of many accounts: found at once, kept for an hour."""

from decimal import Decimal

import pytest

import stored
from coffers.clock import DAY, HOUR, Millis
from coffers.portfolio.sparks import DAYS, Sparks
from coffers.store.engine import Store
from coffers.valuation.model import Snapshot, Value

NOW = Millis(20_000 * DAY + 5 * HOUR)


async def worth(store: Store, user_id: int, account_id: int, at: int, usd: int) -> None:
    async with store.transaction() as tx:
        snapshot = Snapshot(Millis(at), Value(Decimal(1), Decimal(usd)))
        await tx.history.add_snapshot(user_id, account_id, snapshot)


async def test_of_each_day_the_last_snapshot_before_it_is_told(store: Store) -> None:
    ann = await stored.user(store)
    one, two = await stored.account(store, ann, "One"), await stored.account(store, ann, "Two")
    for back in range(40):
        for hour in (1, 20):
            await worth(store, ann.id, one.id, NOW - back * DAY - hour * HOUR, back)
    found = await Sparks(store).of(ann.id, {one.id: Millis(1), two.id: None}, NOW)
    days = found[one.id]
    assert DAYS - 1 <= len(days) <= DAYS + 1
    assert [day.at for day in days] == sorted(day.at for day in days)
    assert all(day.at > NOW - (DAYS + 1) * DAY for day in days)
    assert found[two.id] == []


async def test_they_are_read_again_after_an_hour(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await stored.user(store)
    one = await stored.account(store, ann, "One")
    sparks, opened = Sparks(store), {one.id: Millis(1)}
    # Of a new account each is seen.
    for back in (9, 8, 7):
        await worth(store, ann.id, one.id, NOW - back * DAY, back)
        before = await sparks.of(ann.id, opened, NOW)
        assert before[one.id][-1].value.usd == back
    await worth(store, ann.id, one.id, NOW - 2 * DAY, 2)
    assert await sparks.of(ann.id, opened, Millis(NOW + 1)) == before
    later = await sparks.of(ann.id, opened, Millis(NOW + HOUR))
    assert [day.value.usd for day in later[one.id]] == [9, 8, 7, 2]
    monkeypatch.setattr("coffers.portfolio.sparks.KEPT", 0)
    assert (await sparks.of(ann.id, opened, Millis(NOW + HOUR)))[one.id] == later[one.id]
    assert not sparks._kept


async def test_those_of_an_account_that_was_begun_anew_are_read_again(store: Store) -> None:
    ann = await stored.user(store)
    one = await stored.account(store, ann, "One")
    sparks = Sparks(store)
    for back in range(6):
        await worth(store, ann.id, one.id, NOW - back * DAY, back)
    assert len((await sparks.of(ann.id, {one.id: Millis(1)}, NOW))[one.id]) > 1
    async with store.transaction() as tx:
        await tx.paper.forget_past(ann.id, one.id)
    assert (await sparks.of(ann.id, {one.id: None}, NOW))[one.id] == []
    await worth(store, ann.id, one.id, NOW - 2 * DAY, 7)
    assert len((await sparks.of(ann.id, {one.id: Millis(2)}, NOW))[one.id]) == 1
