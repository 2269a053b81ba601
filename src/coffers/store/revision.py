"""Whether a database has this release's tables, told without the slow migration library."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from coffers.store.engine import Store

NEWEST = max(
    path.name.partition("_")[0]
    for path in (Path(__file__).parent / "migrations/versions").glob("[0-9]*.py")
)
"""The revision that this release needs: migrations are named by theirs."""


async def is_current(store: Store) -> bool:
    """Return whether the database is at this release's revision.

    Raises:
        StoreUnavailable: when it cannot be read.
    """
    async with store.connection(is_reading=True) as connection:
        return await connection.run_sync(_found) == NEWEST


def _found(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
