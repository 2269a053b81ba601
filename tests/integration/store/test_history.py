from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

import stored
from coffers.clock import DAY, HOUR, Millis
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.history import MONTH, History
from coffers.valuation.model import Flow, Snapshot, Value
from factories import NOW, figures_of

WORTH = Value(Decimal("1.2"), Decimal("120000.5"))


async def _history(store: Store, known: Account, snapshots: list[Snapshot]) -> History:
    async with store.transaction() as tx:
        for one in snapshots:
            await tx.history.add_snapshot(known.user_id, known.id, one)
        found = await tx.history.windows(known.user_id, [known.id], NOW, Millis(NOW + HOUR))
    return found[known.id]


async def test_the_first_snapshot_is_the_opening(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        assert await tx.history.opening(known.user_id, known.id) is None
        for at in (NOW + 2, NOW, NOW + 1):
            await tx.history.add_snapshot(known.user_id, known.id, stored.snapshot(at, "3.5"))
        assert await tx.history.opening(known.user_id, known.id) == stored.snapshot(NOW, "3.5")


async def test_a_second_snapshot_of_one_moment_takes_the_place_of_the_first(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    twice = [stored.snapshot(NOW, "1"), stored.snapshot(NOW, "2")]
    assert (await _history(store, known, twice)).snapshots == (stored.snapshot(NOW, "2"),)


async def test_flows_are_added_once_and_a_known_one_keeps_its_worth(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    first = stored.flow("f1", NOW, WORTH)
    async with store.transaction() as tx:
        assert await tx.history.add_flows(*of, []) == 0
        assert await tx.history.add_flows(*of, [first, stored.flow("f2", NOW)]) == 2
        again = [stored.flow("f1", NOW), stored.flow("f3", NOW + 1, direction="out")]
        assert await tx.history.add_flows(*of, again) == 1
        assert await tx.history.add_flows(*of, again) == 0
        unvalued = await tx.history.unvalued_flows(*of, NOW, 9)
    assert [flow.external_id for flow in unvalued] == ["f3", "f2"]


async def test_one_venue_id_may_name_a_deposit_and_a_withdrawal(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    both = [stored.flow("f1", NOW), stored.flow("f1", NOW, direction="out")]
    async with store.transaction() as tx:
        assert await tx.history.add_flows(*of, both) == 2
        assert await tx.history.known_flows(*of, NOW) == {("in", "f1"), ("out", "f1")}
        assert await tx.history.known_flows(*of, Millis(NOW + 1)) == frozenset()


async def test_many_flows_are_added_at_once(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    many = [stored.flow(f"f{n}", NOW + n) for n in range(2_500)]
    async with store.transaction() as tx:
        assert await tx.history.add_flows(known.user_id, known.id, many[:1_000]) == 1_000
        assert await tx.history.add_flows(known.user_id, known.id, many) == 1_500


async def test_a_flow_gets_its_worth_later_and_keeps_every_digit(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    flow = stored.flow("f1", NOW + 1)
    worth = Value(Decimal(1) / Decimal(3), Decimal("27.803249577833449525218306189814814814"))
    valued = replace(flow, value=worth)
    async with store.transaction() as tx:
        await tx.history.add_snapshot(*of, stored.snapshot(NOW, "1"))
        await tx.history.add_flows(*of, [flow, stored.flow("f1", NOW + 2, direction="out")])
        await tx.history.value_flow(*of, valued)
        assert [one.direction for one in await tx.history.unvalued_flows(*of, NOW, 9)] == ["out"]
        found = await tx.history.windows(known.user_id, [known.id], NOW, NOW)
    assert found[known.id].flows[0] == valued
    assert found[known.id].has_unvalued_flows


async def test_the_past_of_another_user_is_not_told(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    known = await stored.account(store, ann)
    async with store.transaction() as tx:
        await tx.history.add_snapshot(ann.id, known.id, stored.snapshot(NOW, "1"))
        await tx.history.add_flows(ann.id, known.id, [stored.flow("f1", NOW)])
        await tx.history.value_flow(bob.id, known.id, stored.flow("f1", NOW, WORTH))
        assert await tx.history.windows(bob.id, [known.id], NOW, NOW) == {}
        assert await tx.history.opening(bob.id, known.id) is None
        assert await tx.history.known_flows(bob.id, known.id, Millis(0)) == frozenset()
        assert await tx.history.unvalued_flows(bob.id, known.id, NOW, 9) == []
        assert len(await tx.history.unvalued_flows(ann.id, known.id, NOW, 9)) == 1


async def test_an_account_without_a_snapshot_has_no_history(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        await tx.history.add_flows(known.user_id, known.id, [stored.flow("f1", NOW)])
        assert await tx.history.windows(known.user_id, [known.id], NOW, NOW) == {}
        assert await tx.history.windows(known.user_id, [], NOW, NOW) == {}


async def test_windows_hold_the_snapshots_around_a_day_and_a_month_ago(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    moments = {
        "opening": NOW - 2 * MONTH,
        "too old": NOW - MONTH - 2 * HOUR,
        "before the month": NOW - MONTH - HOUR,
        "in the month's hour": NOW - MONTH + 5,
        "after the month": NOW - MONTH + 3 * HOUR,
        "in between": NOW - 10 * DAY,
        "before the day": NOW - DAY - HOUR,
        "at the day's start": NOW - DAY,
        "at the day's end": NOW - DAY + HOUR,
        "after the day": NOW - DAY + 2 * HOUR,
        "too new": NOW - HOUR,
    }
    kept = await _history(store, known, [stored.snapshot(at, "1") for at in moments.values()])
    assert kept.opening.at == moments["opening"]
    names = {at: name for name, at in moments.items()}
    assert [names[one.at] for one in kept.snapshots] == [
        "opening",
        "before the month",
        "in the month's hour",
        "after the month",
        "at the day's start",
        "at the day's end",
        "after the day",
    ]


async def test_flows_before_the_opening_are_part_of_it(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    flows = [stored.flow("f3", NOW + 9), stored.flow("f1", NOW), stored.flow("f2", NOW + 1)]
    async with store.transaction() as tx:
        await tx.history.add_flows(known.user_id, known.id, flows)
    kept = await _history(store, known, [stored.snapshot(NOW, "1")])
    assert [flow.external_id for flow in kept.flows] == ["f2", "f3"]


_AROUND = st.sampled_from([0, HOUR, DAY, DAY - HOUR, MONTH, MONTH - HOUR, MONTH + DAY])
_AGES = st.builds(lambda edge, off: edge + off, _AROUND, st.integers(-3, 3)) | st.integers(
    -2 * HOUR, 40 * DAY
)
_AMOUNTS = st.decimals("-1000", "1000", places=6)
_VALUES = st.builds(Value, _AMOUNTS, _AMOUNTS)
_SNAPSHOTS = st.dictionaries(_AGES.map(lambda age: NOW - age), _VALUES, min_size=1, max_size=25)
_FLOWS = st.lists(st.tuples(_AGES, st.sampled_from(["in", "out"]), st.none() | _VALUES), max_size=6)


def _rate_at(at: Millis) -> Decimal:
    return 1 + Decimal(at % 7) / 10


@given(
    pasts=st.lists(st.tuples(_SNAPSHOTS, _FLOWS), min_size=1, max_size=3),
    offset=st.integers(0, HOUR) | st.sampled_from([0, 1, HOUR]),
    now=_VALUES,
)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_figures_from_the_windows_are_those_from_the_whole_past(
    store: Store,
    pasts: list[tuple[dict[int, Value], list[tuple[int, str, Value | None]]]],
    offset: int,
    now: Value,
) -> None:
    owner = await stored.user(store, f"user {await _count(store)}")
    as_of = Millis(NOW + offset)
    whole: dict[int, History] = {}
    for number, (worths, changes) in enumerate(pasts):
        known = await stored.account(store, owner, f"{number}")
        whole[known.id] = _whole(worths, changes)
        async with store.transaction() as tx:
            for one in whole[known.id].snapshots:
                await tx.history.add_snapshot(owner.id, known.id, one)
            await tx.history.add_flows(owner.id, known.id, _flows(changes))
    async with store.reading() as tx:
        kept = await tx.history.windows(owner.id, list(whole), NOW, Millis(NOW + HOUR))
    euro = DisplayCurrency("EUR", _rate_at)
    for account_id, history in whole.items():
        expected = figures_of(as_of, now, history, euro)
        assert figures_of(as_of, now, kept[account_id], euro) == expected


async def _count(store: Store) -> int:
    async with store.reading() as tx:
        return len(await tx.users.all())


def _whole(worths: dict[int, Value], changes: list[tuple[int, str, Value | None]]) -> History:
    snapshots = tuple(Snapshot(Millis(at), worths[at]) for at in sorted(worths))
    later = tuple(flow for flow in _flows(changes) if flow.at > snapshots[0].at)
    return History(snapshots[0], snapshots, later)


def _flows(changes: list[tuple[int, str, Value | None]]) -> list[Flow]:
    return [
        stored.flow(f"{n}", NOW - age, value, direction=direction)
        for n, (age, direction, value) in enumerate(changes)
    ]


async def test_openings_are_the_first_snapshots_of_those_that_have_one(store: Store) -> None:
    ann = await stored.user(store)
    one, two, none = [await stored.account(store, ann, name) for name in ("1", "2", "3")]
    async with store.transaction() as tx:
        for known, at in ((one, 5), (one, 3), (two, 9)):
            await tx.history.add_snapshot(ann.id, known.id, stored.snapshot(at, "1"))
        found = await tx.history.openings(ann.id, [one.id, two.id, none.id])
        assert await tx.history.openings(ann.id + 1, [one.id]) == {}
    assert found == {one.id: 3, two.id: 9}


async def test_at_moments_the_last_snapshot_before_each_is_seen_and_no_other(store: Store) -> None:
    ann = await stored.user(store)
    one, two = [await stored.account(store, ann, name) for name in ("1", "2")]
    async with store.transaction() as tx:
        for at in (10, 20, 21, 29, 30, 40, 55):
            await tx.history.add_snapshot(ann.id, one.id, stored.snapshot(at, str(at)))
        await tx.history.add_snapshot(ann.id, two.id, stored.snapshot(35, "2"))
        moments = [Millis(at) for at in (5, 25, 30, 50)]
        found = await tx.history.at_moments(ann.id, [one.id, two.id], moments)
        other = await tx.history.at_moments(ann.id + 1, [one.id], moments)
    assert [each.at for each in found[one.id].snapshots] == [10, 21, 30, 40]
    assert found[one.id].opening == stored.snapshot(10, "10")
    assert [each.at for each in found[two.id].snapshots] == [35]
    assert other == {}


async def test_at_moments_all_flows_after_the_opening_come_too(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    async with store.transaction() as tx:
        await tx.history.add_snapshot(*of, stored.snapshot(10, "1"))
        await tx.history.add_flows(*of, [stored.flow(str(at), at, WORTH) for at in (9, 11, 99)])
        found = await tx.history.at_moments(*of[:1], [known.id], [Millis(20)])
    assert [flow.at for flow in found[known.id].flows] == [11, 99]


async def test_snapshots_are_looked_up_and_not_walked_through(sqlite_store: Store) -> None:
    known = await stored.account(sqlite_store, await stored.user(sqlite_store))
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(
        sqlite_store.database.engine,  # type: ignore[attr-defined]  # SQLite's has one
        "before_cursor_execute",
        lambda _connection, _cursor, text, values, *_rest: asked.append((text, values)),
    )
    async with sqlite_store.connection(is_reading=True) as connection:
        moments = [Millis(NOW - day * DAY) for day in range(366)]
        await Transaction(connection).history.at_moments(known.user_id, [known.id], moments)
        text, values = next(each for each in asked if "moments" in each[0])
        plan = await connection.run_sync(
            lambda plain: plain.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
        )
    steps = [row[3] for row in plan if "snapshots" in row[3]]
    assert len(steps) == 3
    assert all(step.startswith("SEARCH snapshots") for step in steps)
    assert all("account_id=?" in step for step in steps)


@pytest.mark.parametrize("count", [1, 40])
async def test_a_list_reads_what_it_needs_of_a_long_past_and_no_more(
    store: Store, count: int
) -> None:
    ann = await stored.user(store)
    known = [await stored.account(store, ann, f"{number}") for number in range(40)]
    hours = "WITH RECURSIVE h(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM h WHERE n < 2999)"
    rows = text(
        "INSERT INTO snapshots (user_id, account_id, at, btc, usd, tier) "  # noqa: S608 - our own
        f"SELECT user_id, id, {NOW} - n * CAST({HOUR} AS BIGINT), 1, 1, n / 1000 "
        f"FROM accounts, ({hours} SELECT n FROM h) m"
    )
    asked: list[tuple[str, tuple[object, ...]]] = []
    async with store.connection() as connection:
        await connection.execute(rows)
        await connection.execute(text("ANALYZE"))
    engine = store.database.engine  # type: ignore[attr-defined]  # both have one
    is_sqlite = store.database.dialect == "sqlite"
    if not is_sqlite:
        event.listen(
            engine.sync_engine,
            "before_cursor_execute",
            lambda _connection, _cursor, said, values, *_rest: asked.append((said, values)),
        )
    async with store.connection(is_reading=True) as connection:
        histories = Transaction(connection).history
        if is_sqlite:
            await connection.run_sync(
                lambda plain: plain.connection.driver_connection.set_trace_callback(  # type: ignore[union-attr]  # SQLite's own
                    lambda said: asked.append((said, ()))
                )
            )
        ids = [one.id for one in known[:count]]
        found = await histories.windows(ann.id, ids, NOW, Millis(NOW + HOUR))
        said, values = next(each for each in asked if "edges" in each[0])
        kind = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        plan = await connection.run_sync(
            lambda plain: plain.exec_driver_sql(f"{kind} {said}", values).all()
        )
    assert {len(each.snapshots) for each in found.values()} == {7}
    steps = [str(row[-1]) for row in plan]
    # An age that the server's own cleaner has seen empty is walked through for nothing.
    costly = [step for step in steps if "(cost=0.00..0.00 " not in step]
    assert not [step for step in costly if "Seq Scan on snapshots" in step]
    assert not [step for step in steps if "Join" in step]
    assert not [step for step in steps if "SCAN snapshots" in step]
