"""PostgreSQL through asyncpg; loaded only where it is used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from sqlalchemy.ext.asyncio import create_async_engine

from coffers.store.connection import AsyncConnection

# A reading sees one state of the database throughout.
_READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class PostgresDatabase:
    """A database of a PostgreSQL server."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)

    @asynccontextmanager
    async def connection(self, *, is_reading: bool) -> AsyncIterator[AsyncConnection]:
        """Run a block in a transaction: kept at its end, undone when it raises."""
        async with self.engine.connect() as connection:
            if is_reading:
                await connection.execution_options(**_READING)
            async with connection.begin():
                yield cast("AsyncConnection", connection)

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()
