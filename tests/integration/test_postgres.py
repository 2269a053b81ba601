"""The tests' own PostgreSQL database: each test finds it prepared and empty."""

from sqlalchemy import text

import stored
from coffers.store.engine import Store
from postgres import PreparedDatabase


async def test_what_a_test_stored_is_gone_for_the_next(postgres_database: PreparedDatabase) -> None:
    store = Store(postgres_database.emptied())
    await stored.account(store, await stored.user(store))
    await store.close()
    again = Store(postgres_database.emptied())
    async with again.reading() as tx:
        assert await tx.users.all() == []
    await again.close()


async def test_a_transaction_that_a_test_left_open_holds_nobody_up(
    postgres_database: PreparedDatabase,
) -> None:
    left = Store(postgres_database.emptied())
    connection = await left.database.engine.connect()
    await connection.exec_driver_sql("LOCK TABLE users")
    store = Store(postgres_database.emptied())
    assert (await stored.user(store)).id == 1
    await store.close()
    await connection.invalidate()
    await connection.close()
    await left.close()


async def test_tables_that_a_test_made_are_gone_for_the_next(
    postgres_database: PreparedDatabase,
) -> None:
    store = Store(postgres_database.emptied())
    async with store.connection() as connection:
        await connection.execute(text("CREATE TABLE other (id INTEGER)"))
        await connection.execute(text("DROP TABLE rates"))
    await store.close()
    again = Store(postgres_database.emptied())
    async with again.connection() as connection:
        found = await connection.execute(text("SELECT to_regclass('other'), count(*) FROM rates"))
        assert tuple(found.one()) == (None, 0)
    await again.close()
