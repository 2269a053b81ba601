"""What workers look for every second, or every minute, is looked up and not searched for.

Of SQLite the steps of its machine are counted, of PostgreSQL the pages that are touched: both are
small beside what a walk through one of the tables takes.
"""

import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import apsw
import pytest
from sqlalchemy import Connection, event, func, select, text

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.audit import KeptEvent, TrailFilter
from coffers.store.claims import DuePlace
from coffers.store.engine import Store, Transaction
from coffers.store.fast import ON_POSTGRESQL
from coffers.store.put_off import TRADE_WALKS, Moments
from coffers.store.records import AuditEvent
from coffers.store.tables import accounts
from coffers.store.trades import TradeFilter
from coffers.store.transfers import Span
from coffers.sync.clock_watch import LONGEST, PORTION
from coffers.valuation.transfers import Leg
from crowded import ACCOUNTS, BEFORE, READER, USERS, crowd, token_of, txid_of
from factories import NOW, position
from stored import flow

Look = Callable[[Transaction], Awaitable[object]]


async def _bring_back(moments: Moments, tx: Transaction) -> int:
    return await tx.put_off.bring_back(moments, NOW, Millis(NOW + HOUR), PORTION)


async def _rename_of_one_holder(tx: Transaction) -> None:
    await tx.holdings.replace(2, 2, ["earn"], [position("NEIRO", "1", wallet="earn")])
    await tx.holdings.rename([(["venue2"], "NEIRO", "NEIRO@gate")])
    assert "NEIRO@gate" in await tx.prices.assets_held()


OWNED: Final = range(READER, ACCOUNTS + 1, USERS)
MONTH: Final = [Millis(NOW - day * DAY) for day in range(30)]


async def _flows_of_transactions(tx: Transaction) -> None:
    legs = [Leg(2, "real", flow(str(n), NOW, txid=txid_of(n))) for n in range(2_000, 2_003)]
    assert len(await tx.transfers.tied(1, legs)) == len(legs)


async def _flows_that_may_be_halves(tx: Transaction) -> None:
    last = Millis(BEFORE - 2_000 * HOUR)
    span = Span(1 + USERS, "real", "in", Millis(last - 2 * DAY), last)
    assert len(await tx.transfers.within(1, span)) == 49


async def _older_events(tx: Transaction) -> None:
    event = AuditEvent(1, Millis(BEFORE + 2_000), "k", "", "")
    page = await tx.audit.page(TrailFilter(), 50, KeptEvent(0, "user 1", event))
    assert [each.event.at for each in page] == [BEFORE + 1_999 - number for number in range(50)]


LOOKS: Final[dict[str, Look]] = {
    "accounts that are due": lambda tx: tx.accounts.due(NOW, 500),
    "those behind others of the same moment": lambda tx: tx.accounts.due(
        Millis(NOW + DAY), 500, DuePlace(Millis(NOW + DAY), 3_900)
    ),
    "how many are due": lambda tx: tx.accounts.counts(NOW),
    "how many could not be read": lambda tx: tx.accounts.failing(),
    "venues in use": lambda tx: tx.accounts.venues_in_use(),
    "assets held": lambda tx: tx.prices.assets_held(),
    "walks through flows": lambda tx: tx.walks.due(NOW, 8),
    "more of them": lambda tx: tx.walks.due(NOW, 8, (Millis(NOW - DAY), 1_000)),
    "open walks": lambda tx: tx.walks.count_open(),
    "walks through trades": lambda tx: tx.trades.due(NOW, 8),
    "an account's trades behind a place": lambda tx: tx.trades.page(
        1, 1, TradeFilter(), 100, (Millis(NOW - DAY - 3_900 * MINUTE), "BTC/USDT", "3900")
    ),
    "flows whose worth was never looked for": lambda tx: tx.history.unvalued_flows(1, 1, NOW, 20),
    "those of before the opening": lambda tx: tx.history.unvalued_flows(1, 1, NOW, 2, until=NOW),
    "those of after it": lambda tx: tx.history.unvalued_flows(1, 1, NOW, 20, after=BEFORE),
    "when the worth of a flow is looked for": lambda tx: tx.history.next_valuation(1, 1, NOW),
    "trades without a worth": lambda tx: tx.trades.unvalued(1, 1, NOW, 100),
    "when the worth of a trade is looked for": lambda tx: tx.trades.next_valuation(1, 1),
    "flows of some transactions": _flows_of_transactions,
    "flows that may be halves": _flows_that_may_be_halves,
    "known transfers of some flows": lambda tx: tx.transfers.of_flows(
        1, [(1, "in", "1"), (1, "out", "2")]
    ),
    "all users' events": lambda tx: tx.audit.page(TrailFilter(), 50),
    "those of before": _older_events,
    "whether an errand waits": lambda tx: tx.errands.is_waiting(NOW),
    "one of others": lambda tx: tx.errands.is_waiting(NOW, [1]),
    "an errand": lambda tx: tx.errands.take("me", NOW, Millis(NOW + MINUTE)),
    "how many a user asked for that are open": lambda tx: tx.errands.count_open(2, NOW),
    "what errands asked that are over": lambda tx: tx.errands.empty(NOW),
    "old errands": lambda tx: tx.errands.forget(Millis(NOW - DAY)),
    "checked keys": lambda tx: tx.errands.forget_kept("checked", NOW),
    "checks that nobody took": lambda tx: tx.errands.forget_untaken("check", NOW),
    "forsaken operations": lambda tx: tx.operations.forsaken(NOW, 9),
    "accounts to be rebalanced": lambda tx: tx.balancing.due(NOW, 4),
    "webhooks with something to send": lambda tx: tx.webhooks.due(NOW, 160),
    "deliveries that wait": lambda tx: tx.deliveries.count_waiting(),
    "old deliveries": lambda tx: tx.deliveries.forget(Millis(NOW - DAY), Millis(NOW - DAY), 100),
    "old events": lambda tx: tx.events.forget(Millis(NOW - DAY + 2), NOW, 10),
    "some of very many that are old": lambda tx: tx.events.forget(NOW, NOW, 10),
    "old prices": lambda tx: tx.prices.thin(Millis(NOW - 30 * DAY)),
    "venues' tasks": lambda tx: tx.venue_tasks.due(NOW, 50),
    **{
        f"put off: {moments.column.table.name}": partial(_bring_back, moments)
        for moments in (TRADE_WALKS, *(moments for moments, _ in LONGEST))
    },
    "another key of what nobody holds": lambda tx: tx.holdings.rename(
        [(["venue2"], "PUP", "PUP@gate")]
    ),
    "another key of what one account holds": _rename_of_one_holder,
    "master keys that are needed": lambda tx: tx.secrets.key_ids(),
    "what a list tells of the past": lambda tx: tx.history.windows(READER, OWNED, NOW, NOW),
    "the same of one account": lambda tx: tx.history.windows(READER, [READER], NOW, NOW),
    "what a chart shows of it": lambda tx: tx.history.at_moments(READER, [READER], MONTH),
    "what it shows of what was brought along": lambda tx: tx.imports.at_moments(
        READER, [READER], MONTH
    ),
}
MOST_STEPS: Final = 15_000
"""Of SQLite's machine: a walk through 4,000 rows takes 30,000 and more."""

MOST_PAGES: Final = 1_000
"""Of 8 KB: two hundred look-ups in an index three levels deep, and in its table."""

_FEW_ROWS: Final = 500


@dataclass
class Watched:
    """Counts what a database does for statements."""

    store: Store
    texts: list[tuple[str, Any]] = field(default_factory=list)

    async def effort(self, look: Look) -> list[str]:
        """Return what is wrong with the effort of a look."""
        if self.store.database.dialect == "sqlite":
            return await self._steps(look)
        return await self._pages(look)

    async def _steps(self, look: Look) -> list[str]:
        every, counted = 100, [0]

        def count() -> int:
            counted[0] += every
            return 0

        def watch(connection: Connection, number: int) -> None:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, number)

        async with self.store.connection() as connection:
            await connection.run_sync(lambda plain: watch(plain, every))
            await look(Transaction(connection))
            await connection.run_sync(lambda plain: watch(plain, 0))
        return [f"{counted[0]} steps"] if counted[0] > MOST_STEPS else []

    async def _pages(self, look: Look) -> list[str]:
        self.texts.clear()
        async with self.store.connection() as connection:
            await look(Transaction(connection))
        wrong: list[str] = []
        async with self.store.connection() as connection:
            for asked, values in list(self.texts):
                explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}"
                plan = await connection.run_sync(_answer_to(explained, values))
                wrong += _faults(plan)
        return wrong


def _answer_to(text: str, values: Any) -> Callable[[Connection], dict[str, Any]]:
    def answer(connection: Connection) -> dict[str, Any]:
        found = connection.exec_driver_sql(text, values).scalar_one()
        plans = json.loads(found) if isinstance(found, str) else found
        plan: dict[str, Any] = plans[0]["Plan"]
        return plan

    return answer


def _faults(plan: dict[str, Any]) -> list[str]:
    touched = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    found = [f"{touched} pages"] if touched > MOST_PAGES else []
    for node in _nodes(plan):
        seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        if node["Node Type"] == "Seq Scan" and seen > _FEW_ROWS:
            found.append(f"a walk through {seen:.0f} rows of {node['Relation Name']}")
    return found


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", ()) for node in _nodes(inner))]


@pytest.fixture
async def watched(store: Store) -> Watched:
    """A crowded database whose statements are watched."""
    await crowd(store)
    found = Watched(store)
    engine: Any = store.database
    event.listen(
        getattr(engine.engine, "sync_engine", engine.engine),
        "before_cursor_execute",
        lambda _connection, _cursor, text, values, *_rest: found.texts.append((text, values)),
    )
    return found


async def test_no_look_of_a_worker_walks_through_a_table(watched: Watched) -> None:
    efforts = {name: await watched.effort(look) for name, look in LOOKS.items()}
    assert {name: wrong for name, wrong in efforts.items() if wrong} == {}


async def test_a_newer_sqlite_looks_things_up_as_well(sqlite_store: Store) -> None:
    """Each release of SQLite plans in its own way; the image has a newer one than these tests."""
    await crowd(sqlite_store)
    asked = {name: await statements_of(sqlite_store, look) for name, look in LOOKS.items()}
    path = sqlite_store.database.engine.url.database  # type: ignore[attr-defined]  # SQLite's has it
    await sqlite_store.close()
    counted = [0]

    def count() -> bool:
        counted[0] += 100
        return False

    newer = apsw.Connection(path)
    assert apsw.sqlite_lib_version() > sqlite3.sqlite_version
    newer.set_progress_handler(count, 100)
    wrong = []
    for name, texts in asked.items():
        assert texts, name
        counted[0] = 0
        with contextlib.suppress(Undone), newer:
            for each in texts:
                list(newer.execute(each))
            raise Undone
        if counted[0] > MOST_STEPS:
            wrong.append(f"{name}: {counted[0]} steps")
    newer.close()
    assert wrong == []


class Undone(Exception):
    """What was done is to be undone."""


async def statements_of(store: Store, look: Look) -> list[str]:
    """Return what a look asks SQLite, with its values, and undo what it did."""
    texts: list[str] = []

    def watch(plain: Connection, told: Callable[[str], None] | None) -> None:
        driver: Any = plain.connection.driver_connection
        driver.set_trace_callback(told)

    with contextlib.suppress(Undone):
        async with store.connection() as connection:
            await connection.run_sync(lambda plain: watch(plain, texts.append))
            await look(Transaction(connection))
            await connection.run_sync(lambda plain: watch(plain, None))
            raise Undone
    return [each for each in texts if not each.startswith(("BEGIN", "COMMIT", "PRAGMA"))]


async def test_the_look_up_of_each_request_is_planned_once(postgres_url: str) -> None:
    """PostgreSQL plans anew for each run while a plan for these values is cheaper than any other.

    To plan takes it three times what it takes to look up.
    """
    store = Store(postgres_url)
    await crowd(store)
    run = f"EXECUTE look_up(ARRAY['{token_of(7, 7)}'])"
    async with store.connection() as connection:
        await connection.execute(text(f"PREPARE look_up AS {ON_POSTGRESQL}"))
        for _ in range(10):
            assert (await connection.execute(text(run))).one().user_id == 7
        plans = await connection.execute(
            text("SELECT custom_plans FROM pg_prepared_statements WHERE name = 'look_up'")
        )
        # What it tries before it may keep a plan.
        assert plans.scalar_one() == 5
    await store.close()


async def test_that_a_walk_through_a_table_would_be_noticed(watched: Watched) -> None:
    every = select(func.count()).where(accounts.c.name != "")
    assert await watched.effort(lambda tx: tx.users.all()) == []
    assert await watched.effort(lambda tx: tx.accounts._connection.scalar(every)) != []
