"""Whether the tables are this release's is told as the migration library would tell it."""

from sqlalchemy import text

from coffers.store import migrate, revision
from coffers.store.engine import Store


async def test_the_newest_revision_is_the_migration_librarys() -> None:
    assert migrate._newest() == revision.NEWEST


async def test_a_prepared_database_is_current(store: Store) -> None:
    assert await revision.is_current(store)


async def test_a_database_without_tables_is_not(blank_url: str) -> None:
    blank = Store(blank_url)
    assert not await revision.is_current(blank)
    await blank.close()


async def test_a_database_of_another_release_is_not(store: Store) -> None:
    async with store.connection() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not await revision.is_current(store)
