"""Snapshots are rolled up: which are kept, that figures and charts stay right, and at what cost."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text

import stored
from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store import rollups
from coffers.store.account_rows import new_columns
from coffers.store.engine import Store
from coffers.store.records import Account, NewAccount
from coffers.store.rollups import DAILY, FINE, HOURLY, TIERS, Batch, Progress, Tier
from coffers.store.tables import accounts, snapshot_rollups, snapshots
from coffers.valuation.amounts import in_usd
from coffers.valuation.history import MONTH, History
from coffers.valuation.model import Flow, Snapshot, Value
from coffers.valuation.reckoning import reckoned
from factories import NOW

_PLAIN = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def _put(store: Store, known: Account, moments: Iterable[int]) -> None:
    async with store.transaction() as tx:
        for at in moments:
            one = stored.snapshot(at, str(at % 1_000_003))
            await tx.history.add_snapshot(known.user_id, known.id, one)


async def _kept(store: Store, known: Account) -> list[int]:
    async with store.reading() as tx:
        page = await tx.history.snapshot_page(known.user_id, known.id, 10_000, until=Millis(2**60))
    return [each.at for each in reversed(page)]


async def _batch(store: Store, tier: Tier, now: int) -> Batch | None:
    async with store.transaction() as tx:
        return await tx.rollups.roll_up(tier, Millis(now))


async def _roll_up(store: Store, now: int, tiers: Iterable[Tier] = TIERS) -> int:
    removed = 0
    for tier in tiers:
        while batch := await _batch(store, tier, now):
            removed += batch.removed
    return removed


async def _begin_anew(store: Store) -> None:
    async with store.connection() as connection:
        await connection.execute(delete(snapshot_rollups))


def _slot_end(at: int, now: int) -> int:
    """Return which slot a snapshot is in; one that is too young is in one of its own."""
    for tier in TIERS:
        if at <= tier.due_to(Millis(now)):
            return -(-at // tier.slot) * tier.slot
    return at


def _model(moments: Iterable[int], now: int) -> list[int]:
    ordered = sorted(set(moments))
    lasts = {_slot_end(at, now): at for at in ordered}
    return sorted({*lasts.values(), *ordered[:1]})


@pytest.mark.parametrize(
    ("tier", "slot"), [(FINE, 5 * MINUTE), (HOURLY, HOUR), (DAILY, DAY)], ids=str
)
async def test_the_last_snapshot_of_each_slot_is_kept_and_the_opening(
    store: Store, tier: Tier, slot: int
) -> None:
    known = await stored.account(store, await stored.user(store))
    end = tier.due_to(NOW) - slot
    of_slot = [end - slot + 1, end - slot + 2, end - 1, end]
    await _put(store, known, [end - 3 * slot + 1, end - 3 * slot + 2, *of_slot, end + 1, end + 2])
    assert await _roll_up(store, NOW, [tier]) == 4
    opening, second = end - 3 * slot + 1, end - 3 * slot + 2
    assert await _kept(store, known) == [opening, second, end, end + 2]


async def test_what_is_younger_than_a_tier_is_left_alone(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    moments = [NOW - 90 * DAY]
    for tier in TIERS:
        edge = tier.due_to(NOW)
        moments += [edge + 1, edge + 2]
    await _put(store, known, moments)
    removed = {tier.name: await _roll_up(store, NOW, [tier]) for tier in TIERS}
    # The edge of a coarser tier is an age at which the finer one works already.
    assert removed == {"daily": 0, "hourly": 1, "fine": 1}


async def test_an_account_without_snapshots_costs_nothing_and_no_other_is_touched(
    store: Store,
) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    empty, one = await stored.account(store, ann, "a"), await stored.account(store, ann, "b")
    other = await stored.account(store, bob, "c")
    at = HOURLY.due_to(NOW) - HOUR
    await _put(store, one, [at - 9, at - 8, at - 7])
    await _put(store, other, [at - 9, at - 7])
    assert await _roll_up(store, NOW) == 1
    assert await _kept(store, empty) == []
    assert await _kept(store, one) == [at - 9, at - 7]
    assert await _kept(store, other) == [at - 9, at - 7]


_EDGES = [tier.due_to(NOW) for tier in TIERS] + [NOW, NOW - DAY, NOW - MONTH]
_SLOTS = [MINUTE, 5 * MINUTE, HOUR, DAY]
_MOMENTS = st.builds(
    lambda edge, slot, count, off: edge - edge % slot - slot * count + off,
    st.sampled_from(_EDGES),
    st.sampled_from(_SLOTS),
    st.integers(0, 4),
    st.integers(-2, 2) | st.integers(-HOUR, 0),
).filter(lambda at: at <= NOW)
_PASTS = st.lists(_MOMENTS, min_size=1, max_size=40, unique=True)


@given(moments=_PASTS, order=st.permutations(TIERS), is_gradual=st.booleans())
@_PLAIN
async def test_neither_the_order_of_roll_ups_nor_their_number_makes_a_difference(
    store: Store, moments: list[int], order: list[Tier], is_gradual: bool
) -> None:
    await _begin_anew(store)
    owner = await stored.user(store, f"user {await _users(store)}")
    known = await stored.account(store, owner, f"{owner.id}")
    await _put(store, known, moments)
    if is_gradual:
        for days in (3, 2, 1):
            await _roll_up(store, NOW - days * DAY, order)
    await _roll_up(store, NOW, order)
    assert await _kept(store, known) == _model(moments, NOW)
    await _begin_anew(store)
    assert await _roll_up(store, NOW) == 0
    assert await _kept(store, known) == _model(moments, NOW)


_AMOUNTS = st.integers(-1_000, 1_000).map(Decimal)
_FLOWS = st.lists(st.tuples(_MOMENTS, st.sampled_from(["in", "out"]), _AMOUNTS), max_size=4)


@given(
    worths=st.dictionaries(_MOMENTS, _AMOUNTS, min_size=1, max_size=30),
    changes=_FLOWS,
    moments=st.lists(_MOMENTS, min_size=1, max_size=6),
)
@_PLAIN
async def test_figures_of_what_is_kept_agree_with_those_of_all_that_there_was(
    store: Store,
    worths: dict[int, Decimal],
    changes: list[tuple[int, str, Decimal]],
    moments: list[int],
) -> None:
    await _begin_anew(store)
    owner = await stored.user(store, f"user {await _users(store)}")
    known = await stored.account(store, owner, f"{owner.id}")
    whole = _whole(worths, changes)
    async with store.transaction() as tx:
        for one in whole.snapshots:
            await tx.history.add_snapshot(owner.id, known.id, one)
        await tx.history.add_flows(owner.id, known.id, list(whole.flows))
    await _roll_up(store, NOW)
    now = Value(Decimal(7), Decimal(7))
    for moment in [*moments, *(NOW - DAY, NOW - MONTH)]:
        as_of = Millis(moment + DAY)
        async with store.reading() as tx:
            seen = (await tx.history.windows(owner.id, [known.id], as_of, as_of))[known.id]
        before, after = reckoned(as_of, now, whole, in_usd), reckoned(as_of, now, seen, in_usd)
        assert after.figures.total == before.figures.total
        assert before.day is not None
        assert after.day is not None
        if _is_untouched(moment):
            assert after.day == before.day
            continue
        begin, end = after.day.earlier[0], (after.day.later or after.day.earlier)[0]
        points = [whole.earned(each, in_usd) for each in whole.snapshots if begin <= each.at <= end]
        earned = [each[1] for each in (*points, after.day.later) if each is not None]
        spread = max(earned) - min(earned)
        assert abs(after.day.earned - before.day.earned) <= spread + Decimal("1e-30")


def _is_untouched(moment: int) -> bool:
    """Return whether a moment is younger than all that is rolled up."""
    return moment > FINE.due_to(NOW)


def _whole(worths: dict[int, Decimal], changes: list[tuple[int, str, Decimal]]) -> History:
    found = tuple(Snapshot(Millis(at), Value(worths[at], worths[at] * 3)) for at in sorted(worths))
    flows = tuple(
        stored.flow(f"{number}", at, Value(worth, worth * 3), direction=direction)
        for number, (at, direction, worth) in enumerate(changes)
    )
    later = sorted((each for each in flows if each.at > found[0].at), key=_order)
    return History(found[0], found, tuple(later))


def _order(flow: Flow) -> tuple[int, str, str]:
    return flow.at, flow.direction, flow.external_id


async def _users(store: Store) -> int:
    async with store.reading() as tx:
        return len(await tx.users.all())


@given(moments=_PASTS)
@_PLAIN
async def test_charts_show_the_same_at_every_full_hour_and_day(
    store: Store, moments: list[int]
) -> None:
    await _begin_anew(store)
    owner = await stored.user(store, f"user {await _users(store)}")
    known = await stored.account(store, owner, f"{owner.id}")
    await _put(store, known, moments)
    today, hour = NOW // DAY * DAY, NOW // HOUR * HOUR
    grid = [Millis(today - days * DAY) for days in range(70)]
    grid += [Millis(hour - hours * HOUR) for hours in range(24 * 58)]
    assert min(grid[70:]) > DAILY.due_to(NOW)
    async with store.reading() as tx:
        before = await tx.history.at_moments(owner.id, [known.id], grid)
    await _roll_up(store, NOW)
    async with store.reading() as tx:
        assert await tx.history.at_moments(owner.id, [known.id], grid) == before


async def test_the_figures_of_now_are_the_same_before_and_after_the_coarser_roll_ups(
    store: Store,
) -> None:
    known = await stored.account(store, await stored.user(store))
    await _put(store, known, range(NOW - 3 * DAY, NOW, 7 * MINUTE))
    await _put(store, known, range(NOW - MONTH - DAY, NOW - MONTH + DAY, 37 * MINUTE))
    await _roll_up(store, NOW - 27 * DAY)
    of = (known.user_id, [known.id])
    async with store.reading() as tx:
        before = await tx.history.windows(*of, Millis(NOW - HOUR), NOW)
    await _roll_up(store, NOW)
    async with store.reading() as tx:
        assert await tx.history.windows(*of, Millis(NOW - HOUR), NOW) == before


def _by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "ACCOUNTS_AT_ONCE", 1)


async def _some(store: Store, count: int) -> list[Account]:
    ann = await stored.user(store)
    at = HOURLY.due_to(NOW) - HOUR
    made = [await stored.account(store, ann, f"{number}") for number in range(count)]
    for known in made:
        await _put(store, known, range(at - 10, at))
    return made


async def test_what_is_cut_off_in_the_middle_goes_on_behind_what_was_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _by_one(monkeypatch)
    first, second, third = await _some(store, 3)
    assert await _batch(store, HOURLY, NOW) == Batch(8, 1)
    with pytest.raises(RuntimeError):
        await _cut_off(store)
    assert [len(await _kept(store, each)) for each in (first, second, third)] == [2, 10, 10]
    assert await _roll_up(store, NOW, [HOURLY]) == 16
    async with store.reading() as tx:
        assert await tx.rollups.progress() == {"hourly": Progress(HOURLY.due_to(NOW))}


async def _cut_off(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tx.rollups.roll_up(HOURLY, NOW) == Batch(8, 1)
        raise RuntimeError


async def test_two_that_roll_up_at_once_do_it_together(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _by_one(monkeypatch)
    made = await _some(store, 6)
    other = Store(database_url)
    removed = await asyncio.gather(_roll_up(store, NOW), _roll_up(other, NOW))
    await other.close()
    assert sum(removed) == 48
    assert [len(await _kept(store, each)) for each in made] == [2] * 6


async def test_a_long_past_is_rolled_up_span_by_span(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    day = DAILY.due_to(NOW)
    await _put(store, known, [day - 3 * DAY, *range(day - 2 * DAY, day, 6 * HOUR)])
    async with store.connection() as connection:
        row = {"name": "daily", "done_to": day - 3 * DAY, "after_user": 0, "after_account": 0}
        await connection.execute(insert(snapshot_rollups).values(**row))
    batches = []
    while batch := await _batch(store, DAILY, NOW):
        batches.append(batch.removed)
    assert batches == [0, 0, 3, 0, 2, 0]


async def test_a_moment_that_is_written_again_when_it_was_rolled_up_is_no_obstacle(
    store: Store,
) -> None:
    known = await stored.account(store, await stored.user(store))
    moments = [NOW - 99 * DAY, NOW - 98 * DAY, NOW - 9 * DAY]
    await _put(store, known, moments)
    await _roll_up(store, NOW)
    await _put(store, known, moments)
    await _begin_anew(store)
    assert await _roll_up(store, NOW) == 3
    assert await _kept(store, known) == moments
    await _put(store, known, moments[1:])
    await _begin_anew(store)
    assert await _roll_up(store, NOW + 60 * DAY) == 2
    assert await _kept(store, known) == moments


async def test_the_first_look_of_all_takes_few_accounts_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "AT_FIRST", 2)
    await _some(store, 5)
    sizes = [batch.accounts for _ in range(4) if (batch := await _batch(store, HOURLY, NOW))]
    assert sizes == [2, 2, 1, 0]
    later = NOW + 3 * HOURLY.span
    assert (await _batch(store, HOURLY, later)) == Batch(0, 5)


async def test_an_account_that_is_removed_loses_the_snapshots_of_every_tier(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    await _put(store, known, [NOW - 90 * DAY, NOW - 89 * DAY, NOW - 9 * DAY, NOW])
    await _roll_up(store, NOW)
    async with store.connection() as connection:
        tiers = select(snapshots.c.tier).order_by(snapshots.c.at)
        assert list(await connection.scalars(tiers)) == [2, 2, 1, 0]
    async with store.transaction() as tx:
        assert await tx.accounts.remove(known.user_id, known.id)
    async with store.connection() as connection:
        assert await connection.scalar(select(func.count()).select_from(snapshots)) == 0


async def test_removing_an_account_waits_for_a_roll_up_of_it(postgres_url: str) -> None:
    store = Store(postgres_url)
    (known,) = await _some(store, 1)
    async with store.transaction() as tx:
        assert await tx.rollups.roll_up(HOURLY, NOW) == Batch(8, 1)
        removing = asyncio.create_task(_remove(store, known))
        while not await _waiting(store):
            pass
    assert await removing
    assert await _kept(store, known) == []
    await store.close()


async def _remove(store: Store, known: Account) -> bool:
    async with store.transaction() as tx:
        return await tx.accounts.remove(known.user_id, known.id)


async def _waiting(store: Store) -> int:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with store.connection() as connection:
        return await connection.scalar(text(f"{waits} AND datname = current_database()"))


_FREE = "(cost=0.00..0.00 "
_EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
async def test_no_roll_up_walks_through_the_snapshots(store: Store, tier: Tier) -> None:
    dialect = store.database.dialect
    async with store.transaction() as tx:
        ann = await tx.users.add("ann", NOW)
    async with store.connection() as connection:
        rows = [
            new_columns(number, NewAccount(ann.id, "binance", f"{number}"), None, "c", NOW)
            for number in range(1, 301)
        ]
        await connection.execute(accounts.insert(), rows)
        for number in (0, 1):
            await connection.execute(text(_many(tier, number)), {"user": ann.id})
        await connection.execute(text("ANALYZE"))
        until = tier.due_to(NOW)
        # Few of those that there are, as it is where the cost matters.
        batch = {"after_user": ann.id, "after": 99, "user": ann.id, "last": 104}
        asked = {**batch, "since": until - tier.span, "until": until}
        named = type(connection.dialect)(paramstyle="named")
        for statement in (rollups._removal(tier), rollups._move(tier)):
            built = statement.statement.compile(dialect=named)
            explained = text(f"{_EXPLAIN[dialect]} {built}".replace("::", r"\:\:"))
            found = await connection.execute(explained, {**built.params, **asked})
            plan = [str(row[-1]) for row in found]
            # An age that the server's own cleaner has seen empty is walked through for nothing.
            walks = [step for step in plan if "Seq Scan" in step and _FREE not in step]
            assert not [*walks, *(step for step in plan if "SCAN snapshots" in step)]
            looks = [step for step in plan if "SEARCH snapshots" in step or "Index Cond" in step]
            searches = [step for step in looks if "ROW(user_id, id)" not in step]
            assert searches
            assert all("account_id" in step for step in searches)


def _many(tier: Tier, number: int) -> str:
    """Fill a tier's span and the time around it, for every account."""
    begin = tier.due_to(NOW) - 2 * tier.span
    numbers = "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 99)"
    at = f"{begin + number} + n * CAST({tier.span // 25} AS BIGINT)"
    return (
        "INSERT INTO snapshots (user_id, account_id, at, btc, usd, tier) "  # noqa: S608 - our own
        f"SELECT :user, id, {at}, 1, 1, {number} FROM accounts, ({numbers} SELECT n FROM n) m"
    )
