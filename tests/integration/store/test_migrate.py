import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateIndex

from coffers.clock import DAY, HOUR, Millis
from coffers.store.account_rows import new_columns
from coffers.store.engine import Store
from coffers.store.errors import DatabaseTooNew, MigrationNeeded, StoreUnavailable
from coffers.store.migrate import _config, migrated, prepare, revision, upgrade
from coffers.store.records import AuditEvent, NewAccount
from coffers.store.revision import NEWEST, is_current
from coffers.store.rollups import DAILY
from coffers.store.tables import (
    QUEUE_TABLES,
    SNAPSHOT_PARTITIONS,
    accounts,
    audit_events,
    auto_balances,
    metadata,
    users,
    webhooks,
)
from coffers.store.walks import Walk
from coffers.valuation.model import Position
from factories import NOW


@pytest.fixture
async def blank(blank_url: str) -> AsyncIterator[Store]:
    opened = Store(blank_url)
    yield opened
    await opened.close()


async def _tables(store: Store) -> set[str]:
    async with store.connection(is_reading=True) as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return {*names}.difference(SNAPSHOT_PARTITIONS)


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name not in {*QUEUE_TABLES, *SNAPSHOT_PARTITIONS}


def _differences(connection: Connection) -> list[object]:
    ours = {"compare_type": True, "include_name": _is_ours}
    context = MigrationContext.configure(connection, opts=ours)
    return list(compare_metadata(context, metadata))


async def test_a_blank_database_gets_every_table(blank: Store) -> None:
    assert await revision(blank) is None
    await prepare(blank, allow_upgrade=True)
    assert await revision(blank) == NEWEST
    queue = QUEUE_TABLES if blank.database.dialect == "postgresql" else ()
    assert await _tables(blank) == {*metadata.tables, *queue, "alembic_version"}


@pytest.mark.filterwarnings("ignore:autogenerate skipping .* expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
async def test_the_migrations_make_exactly_the_tables_that_the_code_names(blank: Store) -> None:
    await prepare(blank, allow_upgrade=True)
    async with blank.connection(is_reading=True) as connection:
        assert await connection.run_sync(_differences) == []


async def test_the_migrations_make_exactly_the_indexes_that_the_code_names(
    tmp_path: Path,
) -> None:
    """Of SQLite's that have expressions the comparison above sees nothing."""
    store = Store(f"sqlite:///{tmp_path}/new.db")
    await prepare(store, allow_upgrade=False)
    told = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    async with store.connection(is_reading=True) as connection:
        made = {row.name: row.sql for row in await connection.execute(told)}
        named = {
            str(index.name): str(CreateIndex(index).compile(dialect=connection.dialect))
            for table in metadata.tables.values()
            for index in table.indexes
        }
    assert made == named
    await store.close()


async def test_foreign_keys_and_their_cascades_are_those_that_the_code_names(
    blank: Store,
) -> None:
    await prepare(blank, allow_upgrade=True)
    async with blank.connection(is_reading=True) as connection:
        found = await connection.run_sync(lambda sync: inspect(sync).get_multi_foreign_keys())
    for table in metadata.tables.values():
        made = {(key["name"], key["options"].get("ondelete")) for key in found[None, table.name]}
        named = {(key.name, key.ondelete) for key in table.foreign_key_constraints}
        assert made == named


async def test_preparing_again_changes_nothing(blank: Store) -> None:
    assert await upgrade(blank) == (None, NEWEST)
    async with blank.transaction() as tx:
        ann = await tx.users.add("ann", NOW)
    assert await upgrade(blank) == (NEWEST, NEWEST)
    await prepare(blank, allow_upgrade=False)
    async with blank.reading() as tx:
        assert await tx.users.get(ann.id) == ann


async def test_the_quick_check_of_the_revision_says_the_same_as_the_migrations(
    blank: Store,
) -> None:
    assert not await is_current(blank)
    _, newest = await upgrade(blank)
    assert newest == NEWEST
    assert await is_current(blank)


async def test_processes_that_start_at_once_upgrade_once(blank: Store) -> None:
    others = [Store(blank.url) for _ in range(3)]
    results = await asyncio.gather(*(upgrade(store) for store in (blank, *others)))
    assert sorted(results, key=str) == [(NEWEST, NEWEST)] * 3 + [(None, NEWEST)]
    for store in others:
        await store.close()


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(blank: Store) -> None:
    async with blank.connection() as connection:
        await connection.execute(text("CREATE TABLE audit_events (note TEXT)"))
    with pytest.raises(StoreUnavailable):
        await upgrade(blank)
    assert await revision(blank) is None
    assert await _tables(blank) == {"audit_events"}


async def test_the_database_of_a_later_release_is_refused_and_left_alone(store: Store) -> None:
    async with store.connection() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for allow_upgrade in (True, False):
        with pytest.raises(DatabaseTooNew, match=r"later release.*9999"):
            await prepare(store, allow_upgrade=allow_upgrade)
    with pytest.raises(DatabaseTooNew):
        await upgrade(store)
    assert await revision(store) == "9999"


def _upgrade_to_the_first(connection: Connection) -> None:
    _move_to(connection, "0001")


def _move_to(connection: Connection, wanted: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    is_back = (MigrationContext.configure(connection).get_current_revision() or "") > wanted
    (command.downgrade if is_back else command.upgrade)(config, wanted)


_WEBHOOK = {
    "url": "https://example.com",
    "kinds": (),
    "mode": "real",
    "key_id": "k1",
    "blob": b"",
    "enqueued_to": 3,
    "numbered": 0,
    "failures": 0,
    "created_at": NOW,
    "updated_at": NOW,
}


async def test_accounts_that_were_read_before_walk_back_from_their_first_reading(
    blank: Store,
) -> None:
    async with blank.connection() as connection:
        await connection.run_sync(_upgrade_to_the_first)
    async with blank.transaction() as tx:
        ann = await tx.users.add("ann", NOW)
    day = 86_400_000
    async with blank.connection() as connection:
        for number, read_at in ((1, NOW), (2, NOW), (3, None)):
            new = NewAccount(ann.id, "binance", "Main")
            columns = new_columns(number, new, None, "c", NOW) | {"read_at": read_at}
            await connection.execute(accounts.insert().values(**columns))
        for at in (NOW + day, NOW + 2 * day):
            insert = "INSERT INTO snapshots (user_id, account_id, at, btc, usd) "
            values = text(f"{insert} VALUES (:user, 1, :at, '1', '1')")
            await connection.execute(values, {"user": ann.id, "at": at})
    await upgrade(blank)
    async with blank.reading() as tx:
        walks = [await tx.walks.get(ann.id, number) for number in (1, 2, 3)]
    opened, unopened = NOW + day - 14 * day, NOW - 14 * day
    assert walks == [
        Walk(Millis(opened), Millis(opened), next_at=Millis(opened)),
        Walk(Millis(unopened), Millis(unopened), next_at=Millis(unopened)),
        None,
    ]


async def test_webhooks_and_rebalancing_that_there_were_are_found_by_what_finds_them_now(
    blank: Store,
) -> None:
    async with blank.connection() as connection:
        await connection.run_sync(migrated("0015"))
    async with blank.transaction() as tx:
        ids = [(await tx.users.add(name, NOW)).id for name in ("ann", "bob", "cyd")]
    new = NewAccount(ids[0], "binance", "Main")
    columns = new_columns(1, new, None, "c", NOW) | {"auto_balance_method": "currency_change"}
    balance = {"user_id": ids[0], "account_id": 1, "next_at": NOW, "failures": 0, "prices": "{}"}
    async with blank.connection() as connection:
        await connection.execute(accounts.insert().values(**columns))
        await connection.execute(auto_balances.insert().values(**balance))
        await connection.execute(users.update().values(last_event=5))
        for user_id, is_active in ((ids[0], True), (ids[1], False)):
            row = {**_WEBHOOK, "user_id": user_id, "id": user_id, "is_active": is_active}
            await connection.execute(webhooks.insert().values(**row))
    await upgrade(blank)
    async with blank.reading() as tx:
        assert [due.user_id for due in await tx.webhooks.due(NOW, 9)] == [ids[0]]
        assert await tx.balancing.due(NOW, 9) == []
    async with blank.connection(is_reading=True) as connection:
        found = select(users.c.has_webhooks, users.c.has_unsent).order_by(users.c.id)
        flags = [tuple(row) for row in await connection.execute(found)]
        assert flags == [(True, True), (False, False), (False, False)]
        assert await connection.scalar(select(auto_balances.c.by_price))


async def test_what_the_release_before_stored_is_kept(blank: Store) -> None:
    async with blank.connection() as connection:
        await connection.run_sync(_upgrade_to_the_first)
    async with blank.transaction() as tx:
        ann = await tx.users.add("ann", NOW)
    # With the columns of then: what reads accounts today asks for later ones too.
    columns = new_columns(1, NewAccount(ann.id, "binance", "Main"), None, "c", NOW)
    insert = text(
        "INSERT INTO positions (user_id, account_id, wallet, asset, venue_code, free, in_orders, "
        "borrowed, interest) VALUES (:user, :account, 'spot', 'BTC', :code, '1.5', '0.5', '0', '0')"
    )
    ids = {"user": ann.id, "account": 1}
    async with blank.connection() as connection:
        await connection.execute(accounts.insert().values(**columns))
        await connection.execute(insert, {**ids, "code": "before"})
    assert await upgrade(blank) == ("0001", NEWEST)
    async with blank.connection() as connection:
        # As the release before writes it, which may still be at work beside this one.
        await connection.execute(insert, {**ids, "code": "beside"})
    async with blank.reading() as tx:
        kept = await tx.accounts.get(ann.id, 1)
        assert kept is not None
        assert (kept.name, kept.venue_identity) == ("Main", None)
        assert await tx.holdings.of_account(ann.id, 1) == [
            Position("spot", "BTC", code, Decimal("1.5"), Decimal("0.5"))
            for code in ("before", "beside")
        ]


async def test_audit_events_of_a_database_that_was_restored_before_are_written_again(
    blank: Store,
) -> None:
    async with blank.connection() as connection:
        await connection.run_sync(migrated("0025"))
        # With their numbers, as a restore put them in.
        came_back = [
            {"id": number, "at": NOW, "kind": "k", "subject": "", "details": ""}
            for number in (1, 2, 7)
        ]
        await connection.execute(audit_events.insert(), came_back)
    await upgrade(blank)
    async with blank.transaction() as tx:
        await tx.audit.add(AuditEvent(None, NOW, "k", "", ""))
        numbers = await tx.connection.scalars(select(audit_events.c.id))
        assert sorted(numbers) == [1, 2, 7, 8]


async def test_a_postgresql_server_is_upgraded_only_when_that_is_asked_for(
    postgres_url: str,
) -> None:
    store = Store(postgres_url)
    async with store.connection() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(MigrationNeeded, match=f"none.*{NEWEST}"):
        await prepare(store, allow_upgrade=False)
    assert await revision(store) is None
    await store.close()


async def test_a_sqlite_file_is_upgraded_without_being_asked(tmp_path: object) -> None:
    store = Store(f"sqlite:///{tmp_path}/new.db")
    await prepare(store, allow_upgrade=False)
    assert await revision(store) == NEWEST
    await store.close()


async def test_snapshots_of_before_are_all_kept_and_rolled_up_from_the_first_on(
    blank: Store,
) -> None:
    async with blank.connection() as connection:
        await connection.run_sync(lambda sync: _move_to(sync, "0015"))
    async with blank.transaction() as tx:
        ann = await tx.users.add("ann", NOW)
    # With the columns of then: what reads accounts today asks for later ones too.
    columns = new_columns(1, NewAccount(ann.id, "binance", "Main"), None, "c", NOW)
    async with blank.connection() as connection:
        await connection.execute(accounts.insert().values(**columns))
    begin = NOW - 100 * DAY
    moments = [begin + hours * HOUR for hours in range(0, 60, 5)]
    insert = "INSERT INTO snapshots (user_id, account_id, at, btc, usd) "
    values = text(f"{insert} VALUES (:user, :account, :at, '1.10', '2')")
    ids = {"user": ann.id, "account": 1}
    async with blank.connection() as connection:
        await connection.execute(values, [{**ids, "at": at} for at in moments])
    await upgrade(blank)
    assert await _moments(blank, ann.id) == moments
    async with blank.connection() as connection:
        # As a program writes it that knows of no tiers.
        await connection.execute(values, {**ids, "at": NOW})
    async with blank.reading() as tx:
        begun = (await tx.rollups.progress())["daily"].done_to
    assert begin - DAY <= begun < begin
    while await _roll_up(blank):
        pass
    days = {-(-at // DAY): at for at in moments}
    assert await _moments(blank, ann.id) == [begin, *days.values(), NOW]
    async with blank.connection() as connection:
        await connection.run_sync(lambda sync: _move_to(sync, "0015"))
        kept = await connection.scalars(text("SELECT at FROM snapshots ORDER BY at"))
        assert list(kept) == [begin, *days.values(), NOW]
    await upgrade(blank)
    assert await _moments(blank, ann.id) == [begin, *days.values(), NOW]


async def _roll_up(store: Store) -> bool:
    async with store.transaction() as tx:
        return await tx.rollups.roll_up(DAILY, NOW) is not None


async def _moments(store: Store, user_id: int) -> list[int]:
    async with store.reading() as tx:
        page = await tx.history.snapshot_page(user_id, 1, 100, until=NOW)
    return [each.at for each in reversed(page)]
