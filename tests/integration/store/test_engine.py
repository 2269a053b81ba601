import asyncio
import sqlite3
import traceback
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

import sharing
import stored
from coffers import money
from coffers.store import sqlite
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable, Unstorable
from coffers.store.migrate import prepare
from coffers.store.records import User
from coffers.valuation.model import Value
from factories import NOW

NUMBERS = [
    "0",
    "-0",
    "0E-30",
    "1.50",
    "24.00",
    "100000",
    "1E+5",
    "-7",
    "0.000828538740745393",
    "27.803249577833449525218306189814814814814814814815",
    "1E-200",
    "9.99E+200",
    "123456789012345678901234567890.000000000000000000000000000000000001",
    "-" + "9" * 150 + "." + "9" * 150,
]


class Stop(Exception):
    """Ends a block half-way."""


@pytest.mark.parametrize("text", NUMBERS)
async def test_a_decimal_comes_back_with_every_digit(store: Store, text: str) -> None:
    known = await stored.account(store, await stored.user(store))
    number = Decimal(text)
    async with store.transaction() as tx:
        snapshot = stored.snapshot(NOW, text, btc=text)
        await tx.history.add_snapshot(known.user_id, known.id, snapshot)
    async with store.reading() as tx:
        found = await tx.history.opening(known.user_id, known.id)
    assert found is not None
    assert found.value == Value(number, number)
    assert money.plain(found.value.btc) == money.plain(number)


async def test_an_exact_product_beyond_the_range_of_amounts_can_be_read_again(
    store: Store,
) -> None:
    known = await stored.account(store, await stored.user(store))
    tiny = money.multiply(Decimal("1E-200"), Decimal("1E-200"))
    async with store.transaction() as tx:
        snapshot = stored.snapshot(NOW, str(tiny))
        await tx.history.add_snapshot(known.user_id, known.id, snapshot)
        found = await tx.history.opening(known.user_id, known.id)
    assert found == snapshot


async def test_a_statement_that_fails_does_not_tell_what_it_was_to_store(store: Store) -> None:
    with pytest.raises((StoreUnavailable, SQLAlchemyError)) as failed:
        await _insert_nowhere(store, str(NOW))
    told = "".join(traceback.format_exception(failed.value))
    assert "nowhere" in told
    assert str(NOW) not in told


async def _insert_nowhere(store: Store, hashed: str) -> None:
    statement = text("INSERT INTO nowhere VALUES (:hash)")
    async with store.transaction() as tx:
        await tx.sign_ins._connection.execute(statement, {"hash": hashed})


async def test_a_transaction_that_fails_half_way_stores_nothing(store: Store) -> None:
    ann = await stored.user(store, "ann")
    with pytest.raises(Stop):
        await _stop_half_way(store, ann)
    async with store.reading() as tx:
        assert await tx.users.all() == [ann]


async def test_a_value_that_no_column_holds_is_no_outage(store: Store) -> None:
    ann = await stored.user(store, "ann")
    with pytest.raises(Unstorable, match="the database cannot hold"):
        async with store.reading() as tx:
            await tx.accounts.get(ann.id, 2**70)
    async with store.reading() as tx:
        assert await tx.users.all() == [ann]


async def test_a_text_that_postgresql_does_not_take_is_no_outage(postgres_url: str) -> None:
    store = Store(postgres_url)
    with pytest.raises(Unstorable):
        await stored.user(store, "a\0b")
    await store.close()


async def test_arithmetic_that_overflows_in_a_transaction_is_not_the_databases(
    store: Store,
) -> None:
    with pytest.raises(OverflowError):
        async with store.reading():
            float(10**400)


async def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    ann = await stored.user(store, "ann")
    async with store.reading() as tx:
        assert await tx.users.all() == [ann]
        await stored.user(store, "bob")
        assert await tx.users.all() == [ann]
    async with store.reading() as tx:
        assert len(await tx.users.all()) == 2


async def test_a_writer_does_not_wait_for_a_reader(store: Store) -> None:
    ann = await stored.user(store, "ann")
    async with store.reading() as tx:
        await tx.users.all()
        async with asyncio.timeout(5):
            await stored.account(store, ann)


async def test_a_connection_that_read_can_write_afterwards(store: Store) -> None:
    for name in ("ann", "bob", "max"):
        async with store.reading() as tx:
            await tx.users.all()
        await stored.user(store, name)


async def test_writers_wait_for_each_other_and_none_fails(store: Store) -> None:
    ann = await stored.user(store, "ann")

    async def touch() -> None:
        async with store.transaction() as tx:
            await tx.users.all()
            await tx.users.touch(ann.id)

    await asyncio.gather(*(touch() for _ in range(12)))
    assert (await stored.fresh(store, ann)).version == 13


async def test_what_was_committed_is_read_by_another_process_connection(store: Store) -> None:
    ann = await stored.user(store, "ann")
    other = Store(store.url)
    assert await stored.fresh(other, ann) == ann
    await other.close()


async def test_the_event_loop_goes_on_while_another_process_has_the_write_lock(
    sqlite_store: Store,
) -> None:
    path = sqlite_store.database.engine.url.database
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(stored.user(sqlite_store, "ann"))
        async with asyncio.timeout(2.5):
            for _ in range(50):
                await asyncio.sleep(0.001)
        assert not writing.done()
        other.execute("COMMIT")
    assert (await writing).name == "ann"


async def test_a_folder_that_is_a_file_cannot_hold_the_database(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    await _refuses(f"sqlite:///{tmp_path}/file/coffers.db", "cannot be opened")


async def test_a_folder_that_is_missing_cannot_hold_the_database(tmp_path: Path) -> None:
    await _refuses(f"sqlite:///{tmp_path}/missing/coffers.db", "cannot be opened")


async def test_a_file_of_another_kind_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "coffers.db"
    path.write_bytes(b"This is a letter, not a database.\n" * 200)
    await _refuses(f"sqlite:///{path}", "damaged or no database")
    assert path.read_bytes().startswith(b"This is a letter")


@pytest.mark.parametrize("what", ["SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_TIMEOUT"])
async def test_a_writer_waits_whatever_the_file_is_busy_with(what: str) -> None:
    driver = _BusyOnce(getattr(sqlite3, what))
    await sqlite._begin_writing(driver)
    assert driver.asked == 2


async def test_a_writer_does_not_wait_for_what_does_not_pass() -> None:
    driver = _BusyOnce(sqlite3.SQLITE_READONLY)
    with pytest.raises(sqlite3.OperationalError):
        await sqlite._begin_writing(driver)
    assert driver.asked == 1


async def test_a_read_only_file_can_be_read_and_a_write_says_why_not(sqlite_store: Store) -> None:
    ann = await stored.user(sqlite_store, "ann")
    path = sqlite_store.database.engine.url.database
    read_only = Store(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert await stored.fresh(read_only, ann) == ann
    with pytest.raises(StoreUnavailable, match="the database is read-only"):
        await stored.user(read_only, "bob")
    await read_only.close()


async def test_a_full_disk_says_so_and_keeps_what_was_stored(sqlite_store: Store) -> None:
    ann = await stored.user(sqlite_store, "ann")
    await sqlite_store.close()
    event.listen(sqlite_store.database.engine, "connect", _no_more_room)
    with pytest.raises(StoreUnavailable, match="disk with the database is full"):
        await _add_many(sqlite_store)
    async with sqlite_store.reading() as tx:
        assert await tx.users.all() == [ann]


async def test_only_what_may_be_lost_is_not_waited_for_to_be_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    monkeypatch.setattr(sqlite, "_FULL", sharing.FULL)
    store = Store(sqlite_url)
    full, normal = 2, 1
    asked = text("PRAGMA synchronous")
    for may_be_lost in (False, True, False):
        async with store.connection(may_be_lost=may_be_lost) as connection:
            assert await connection.scalar(asked) == (normal if may_be_lost else full)
    with pytest.raises(Stop):
        await _stopped(store)
    async with store.connection() as connection:
        assert await connection.scalar(asked) == full
    async with store.reading() as tx:
        assert await tx.users.all() == []
    await store.close()


async def test_a_server_that_is_not_there_is_named_as_unavailable(tmp_path: Path) -> None:
    await _refuses(f"postgresql+asyncpg://postgres@/coffers?host={tmp_path}", "did not answer")


async def test_a_database_that_the_server_does_not_have_is_named(postgres_url: str) -> None:
    await _refuses(postgres_url.replace("/test_", "/missing_"), "the database does not exist")


async def test_a_login_that_the_server_refuses_is_named(postgres_url: str) -> None:
    await _refuses(postgres_url.replace("postgres@", "nobody@"), "refused the login")


async def test_a_connection_that_the_server_dropped_is_replaced(postgres_url: str) -> None:
    store = Store(postgres_url)
    ann = await stored.user(store, "ann")
    with pytest.raises(StoreUnavailable):
        async with store.connection() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await stored.fresh(store, ann) == ann
    await store.close()


class _BusyOnce:
    """A connection whose first statement fails with a code."""

    def __init__(self, code: int) -> None:
        self.asked = 0
        self._error = sqlite3.OperationalError("busy")
        self._error.sqlite_errorcode = code

    def execute(self, _statement: str) -> None:
        self.asked += 1
        if self.asked == 1:
            raise self._error


async def _stop_half_way(store: Store, known: User) -> None:
    async with store.transaction() as tx:
        await tx.users.add("bob", NOW)
        await tx.users.touch(known.id)
        raise Stop


async def _add_many(store: Store) -> None:
    async with store.transaction() as tx:
        for number in range(500):
            await tx.users.add(f"user {number} " + "x" * 1_000, NOW)


def _no_more_room(connection: Any, _entry: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA max_page_count = 1")
    cursor.close()


async def _refuses(url: str, sentence: str) -> None:
    store = Store(url)
    with pytest.raises(StoreUnavailable, match=sentence):
        await prepare(store, allow_upgrade=True)
    await store.close()


async def _stopped(store: Store) -> None:
    async with store.transaction(may_be_lost=True) as tx:
        await tx.users.add("ann", NOW)
        raise Stop
