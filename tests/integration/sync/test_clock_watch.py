"""Accounts that wait for a moment of a clock that was wrong are read all the same."""

from dataclasses import replace
from typing import Any, Final

import pytest
from sqlalchemy import Column, Table, select
from structlog.testing import capture_logs

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.portfolio import balancer, claimed, deliveries
from coffers.store.engine import Store
from coffers.store.put_off import VENUE_TASKS, WEBHOOKS
from coffers.store.records import AccountStatus, AutoBalance, NewAccount
from coffers.store.rollups import HOURLY, TIERS, Progress, Tier
from coffers.store.tables import (
    auto_balances,
    errands,
    flow_histories,
    operations,
    snapshot_rollups,
    trade_histories,
    venue_tasks,
    webhook_deliveries,
    webhooks,
)
from coffers.sync import trades, venue_markets, walker
from coffers.sync.clock_watch import (
    LONGEST,
    LONGEST_CLAIM,
    LONGEST_RETRY,
    LOOKS_ANYWAY,
    ClockWatch,
)
from factories import NOW

INTERVAL, PAUSE = Millis(5 * MINUTE), MINUTE


FILLED: Final[dict[type, Any]] = {int: 0, str: "", bool: False, bytes: b"", object: ()}
"""What a column holds that a test says nothing of."""


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
        self.watch = ClockWatch(store, self.clock, INTERVAL, PAUSE, self.seconds)

    async def add(self, next_sync_at: int, failures: int = 0) -> tuple[int, int]:
        async with self.store.transaction() as tx:
            user = await tx.users.by_name("ann") or await tx.users.add("ann", NOW)
            name = f"{next_sync_at}"
            new = NewAccount(user.id, "binance", name, api_key=name)
            account = await tx.accounts.add(new, identity=name, credential_id=name, now=NOW)
            sync = replace(account.sync, next_sync_at=Millis(next_sync_at), failures=failures)
            await tx.accounts.record_status(
                user.id,
                account.id,
                AccountStatus(sync, "ok", is_locked=False, lock_reason=None),
                NOW,
            )
        return user.id, account.id

    async def passes(self, span: int, step: int = 0) -> None:
        """Let time pass, the clock be set by a step beside, and the watch look."""
        self.seconds.now += span / 1000
        self.clock.advance(span + step)
        await self.watch.look()

    async def put(self, table: Table, **values: Any) -> None:
        """Put a row into a table, with whatever it needs else."""
        needed = {
            column.name: FILLED[column.type.python_type]
            for column in table.columns
            if not column.nullable and column.server_default is None
        }
        async with self.store.connection() as connection:
            await connection.execute(table.insert().values({**needed, **values}))

    async def all_of(self, *columns: Column[Any]) -> list[Any]:
        """Return what is in columns of all rows of a table."""
        table = columns[0].table
        async with self.store.connection(is_reading=True) as connection:
            rows = await connection.execute(select(*columns).order_by(*table.primary_key))
            return [row[0] if len(columns) == 1 else tuple(row) for row in rows]

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


async def test_walks_go_on_that_a_clock_that_was_ahead_put_off(place: Place) -> None:
    keys = [await place.add(NOW + number) for number in range(5)]
    own = [{"user_id": user_id, "account_id": account_id} for user_id, account_id in keys]
    late, soon = NOW + DAY, NOW + HOUR
    for table in (flow_histories, trade_histories):
        for each, next_at, failures in zip(
            own, (late, soon, late, None), (0, 0, 1, 0), strict=False
        ):
            await place.put(table, **each, next_at=next_at, failures=failures)
    # This one waits for prices of what it found.
    await place.put(flow_histories, **own[4], next_at=late, is_complete=True)
    await place.watch.look()
    assert await place.all_of(trade_histories.c.next_at) == [NOW, soon, late, None]
    assert await place.all_of(flow_histories.c.next_at) == [NOW, soon, late, None, late]


async def test_what_is_put_off_and_found_by_an_index_is_looked_for_again_and_again(
    place: Place,
) -> None:
    await place.watch.look()
    user_id, account_id = await place.add(NOW)
    own = {"user_id": user_id, "account_id": account_id}
    late, soon = NOW + DAY, NOW + HOUR
    await place.put(trade_histories, **own, next_at=late)
    for number, (next_at, failures) in enumerate([(late, 1), (soon, 1), (late, 0)]):
        await place.put(
            webhooks,
            user_id=user_id,
            id=number,
            is_active=True,
            next_at=next_at,
            failures=failures,
        )
    for subject, due_at in (("a", late), ("b", soon), ("c", None)):
        await place.put(venue_tasks, subject=subject, due_at=due_at)
    for number, state in enumerate(["running", "done"]):
        operation = {"id": number, "state": state, "idempotency_key": state, "left": "{}"}
        await place.put(operations, **own, **operation, updated_at=late)
    for _ in range(LOOKS_ANYWAY):
        await place.passes(1000)

    now = place.clock.now()
    assert await place.all_of(trade_histories.c.next_at) == [now]
    assert await place.all_of(webhooks.c.next_at) == [now, soon, late]
    assert await place.all_of(venue_tasks.c.due_at) == [now, soon, None]
    assert await place.all_of(operations.c.updated_at) == [now, late]
    async with place.store.reading() as tx:
        assert await tx.operations.forsaken(Millis(now + 1), 9) == [(user_id, 0)]


async def test_rebalancing_waits_no_longer_than_it_would_from_now_on(place: Place) -> None:
    late, soon, period = NOW + 90 * DAY, NOW + 2 * MINUTE, 1_000
    rows = (
        ({"next_at": late}, NOW + period * HOUR),
        ({"next_at": soon}, soon),
        ({"next_at": late, "failures": 2}, NOW + LONGEST_RETRY),
        ({"next_at": soon, "failures": 2}, soon),
        ({"next_at": late, "by_price": True}, NOW),
        ({"next_at": late, "by_price": True, "failures": 2}, NOW + LONGEST_RETRY),
        ({"next_at": None}, None),
    )
    for number, (values, _) in enumerate(rows):
        user_id, account_id = await place.add(NOW + number)
        async with place.store.transaction() as tx:
            settings = AutoBalance(enabled=True, period_hours=period)
            await tx.accounts.set_auto_balance(user_id, account_id, settings, NOW)
        await place.put(auto_balances, user_id=user_id, account_id=account_id, **values)
    await place.watch.look()
    assert await place.all_of(auto_balances.c.next_at) == [wanted for _, wanted in rows]


async def test_no_claim_of_a_clock_that_was_ahead_is_kept(place: Place) -> None:
    user_id, _ = await place.add(NOW)
    for number, until in enumerate((NOW + DAY, NOW + MINUTE)):
        _, account_id = await place.add(NOW + 1 + number)
        claim = {"claimed_by": "dead", "claimed_until": until}
        owner = {"user_id": user_id}
        await place.put(auto_balances, **owner, account_id=account_id, planned_at=NOW, **claim)
        await place.put(webhooks, **owner, id=number, **claim)
        await place.put(venue_tasks, subject=f"{number}", taken_by="dead", taken_until=until)
    await place.watch.look()
    kept = [(None, None), ("dead", NOW + MINUTE)]
    for table in (auto_balances, webhooks):
        assert await place.all_of(table.c.claimed_by, table.c.claimed_until) == kept
    assert await place.all_of(venue_tasks.c.taken_by, venue_tasks.c.taken_until) == kept


def test_nothing_is_put_off_for_longer_than_it_is_taken_for() -> None:
    longest = {id(moments): span for moments, span in LONGEST}
    assert longest[id(WEBHOOKS)] >= 1.2 * deliveries.RETRIES.longest
    assert longest[id(VENUE_TASKS)] >= max(1.25 * venue_markets.EVERY, venue_markets.RETRY_LONGEST)
    assert balancer.BACK_OFF.longest <= LONGEST_RETRY
    assert trades.LOOK_EVERY <= HOUR
    claims = (balancer.HELD, claimed.CLAIM, deliveries.CLAIM, venue_markets.LASTS, walker.CLAIM)
    assert max(claims) <= LONGEST_CLAIM


async def roll_ups(place: Place, now: Millis) -> None:
    """Roll up all that is due by a moment."""
    for tier in TIERS:
        batch: object = True
        while batch is not None:
            async with place.store.transaction() as tx:
                batch = await tx.rollups.roll_up(tier, now)


async def progress(place: Place) -> dict[str, Progress]:
    async with place.store.reading() as tx:
        return await tx.rollups.progress()


async def test_snapshots_are_rolled_up_again_that_a_clock_ahead_was_done_with(
    place: Place,
) -> None:
    await place.watch.look()
    await roll_ups(place, NOW)
    right = await progress(place)
    await roll_ups(place, Millis(NOW + 365 * DAY))
    assert (await progress(place))["daily"].done_to > NOW
    for _ in range(LOOKS_ANYWAY):
        await place.passes(1000)
    assert await progress(place) == right
    later = Millis(place.clock.now() + DAY)
    for tier in TIERS:
        async with place.store.transaction() as tx:
            assert await tx.rollups.roll_up(tier, later) is not None


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
async def test_a_roll_up_that_a_clock_ahead_began_is_left_where_it_was(
    place: Place, tier: Tier
) -> None:
    due = tier.due_to(NOW)
    began = {"until": due + DAY, "after_user": 3, "after_account": 4}
    for done_to, kept in ((due - DAY, due - DAY), (due + DAY, due)):
        await place.put(snapshot_rollups, name=tier.name, done_to=done_to, **began)
        await place.watch.look()
        assert (await progress(place))[tier.name] == Progress(Millis(kept))
        async with place.store.connection() as connection:
            await connection.execute(snapshot_rollups.delete())
        place.watch = ClockWatch(place.store, place.clock, INTERVAL, PAUSE, place.seconds)


async def test_a_roll_up_that_is_under_way_by_this_clock_goes_on(place: Place) -> None:
    values = {"done_to": HOURLY.due_to(NOW) - DAY, "until": HOURLY.due_to(NOW), "after_user": 3}
    await place.put(snapshot_rollups, name="hourly", **values)
    await place.watch.look()
    found = (await progress(place))["hourly"]
    assert (found.until, found.after) == (values["until"], (3, 0))


async def test_a_clock_that_was_set_ahead_is_told(
    place: Place,
) -> None:
    await place.watch.look()
    with capture_logs() as logs:
        await place.passes(1000, MINUTE)
        assert not logs
        await place.passes(1000, HOUR)
    assert [each["seconds"] for each in logs] == [3600]


async def test_deliveries_that_stepped_aside_wait_no_longer_than_they_can(place: Place) -> None:
    user_id, _ = await place.add(NOW)
    late, soon = NOW + DAY, NOW + HOUR
    await place.put(webhooks, user_id=user_id, id=1, is_active=True, next_at=late)
    own = {"user_id": user_id, "webhook_id": 1}
    rows = (("pending", 3, late), ("pending", 3, soon), ("pending", 0, late), ("given_up", 3, late))
    for number, (state, refusals, next_at) in enumerate(rows):
        values = {"state": state, "refusals": refusals, "next_at": next_at}
        await place.put(webhook_deliveries, **own, number=number, **values)
    await place.watch.look()
    assert await place.all_of(webhook_deliveries.c.next_at) == [NOW, soon, late, late]
    assert await place.all_of(webhooks.c.next_at) == [NOW]


async def test_an_errand_that_a_clock_ahead_took_is_open_to_all(place: Place) -> None:
    user_id, _ = await place.add(NOW)
    for number, (until, outcome) in enumerate(
        ((NOW + DAY, None), (NOW + MINUTE, None), (NOW + DAY, "done"))
    ):
        taken = {"taken_by": "dead", "taken_until": until, "outcome": outcome}
        await place.put(errands, user_id=user_id, id=number, **taken)
    await place.watch.look()
    assert await place.all_of(errands.c.taken_by) == [None, "dead", "dead"]
