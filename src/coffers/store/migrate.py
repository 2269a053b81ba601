"""Bringing a database to this release's tables, once, however many processes start."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from coffers.store.connection import AsyncConnection
from coffers.store.engine import Store
from coffers.store.errors import DatabaseTooNew, MigrationNeeded
from coffers.store.statements import unhurried

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x636F6666657273
"""Any number that only upgrades of Coffers lock on PostgreSQL: "coffers" in ASCII."""


async def prepare(store: Store, *, allow_upgrade: bool) -> None:
    """Make sure that the database has this release's tables.

    A SQLite file is upgraded without being asked; a PostgreSQL server only if `allow_upgrade`,
    since processes of an earlier release may still be at work on it.

    Raises:
        MigrationNeeded: when it would have to be upgraded and may not be.
        DatabaseTooNew: when a later release wrote it.
        StoreUnavailable: when it cannot be read or written.
    """
    found = await revision(store)
    if found == _newest():
        return
    if store.database.dialect == "sqlite" or allow_upgrade:
        await upgrade(store)
        return
    check_known(found)
    raise MigrationNeeded(
        f"the database is at revision {found or 'none'} and this release needs {_newest()}; "
        "upgrade it with: coffers migrate"
    )


async def upgrade(store: Store) -> tuple[str | None, str]:
    """Bring the database to this release's tables; return the revisions before and after.

    Raises:
        DatabaseTooNew: when a later release wrote it.
        StoreUnavailable: when it cannot be read or written.
    """
    async with store.connection() as connection:
        await lock_upgrades(connection)
        before = await connection.run_sync(revision_of)
        check_known(before)
        await connection.run_sync(migrated("head"))
    return before, _newest()


async def revision(store: Store) -> str | None:
    """Return the revision that the database is at, None for an empty one.

    Raises:
        StoreUnavailable: when it cannot be read.
    """
    async with store.connection(is_reading=True) as connection:
        return await connection.run_sync(revision_of)


async def lock_upgrades(connection: AsyncConnection) -> None:
    """Let nobody else upgrade the database within this transaction, however long it takes."""
    await unhurried(connection)
    # On SQLite the transaction holds the one write lock from its beginning on.
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _newest() -> str:
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None  # noqa: S101 - the first migration is always there
    return newest


def check_known(found: str | None) -> None:
    """Require a revision that this release knows.

    Raises:
        DatabaseTooNew: for one of a later release.
    """
    if found is None:
        return
    try:
        ScriptDirectory.from_config(_config()).get_revision(found)
    except CommandError as error:
        raise DatabaseTooNew(
            f"a later release wrote the database (its revision {found} is not known to this one); "
            "install that release, or a later one"
        ) from error


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database is at, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def migrated(to: str) -> Callable[[Connection], None]:
    """Return what brings a database up to a revision, "head" for this release's."""

    def upgraded(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    return upgraded
