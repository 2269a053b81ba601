"""PostgreSQL through asyncpg; loaded only where it is used."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from sqlalchemy import Connection, CursorResult, Dialect, Executable, ScalarResult, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection as LibraryConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from coffers.store.connection import AsyncConnection, Rows, T
from coffers.store.driver import KEPT_CONNECTIONS, MOST_CONNECTIONS, library_options, without_tls
from coffers.store.prepared import Prepared, Values

# A reading sees one state of the database throughout.
_READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


TRIED_AFTER: Final = 1.0
"""Seconds of rest after which a connection is tried before it is used: one message more."""

TRIED_WITHIN: Final = 2.0
"""Seconds after which a connection that is tried is lost, and with it all that rest as well."""

_RETURNED_AT: Final = "coffers_returned_at"


class PostgresDatabase:
    """A database of a PostgreSQL server."""

    dialect = "postgresql"

    def __init__(self, url: str, *, is_pooled: bool = False) -> None:
        told = make_url(url)
        self.engine = create_async_engine(
            without_tls(told),
            pool_size=KEPT_CONNECTIONS,
            max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
            connect_args=library_options(told, is_pooled=is_pooled),
            # Else an error that is logged tells what was to be stored: hashes, addresses, amounts.
            hide_parameters=True,
        )
        event.listen(self.engine.sync_engine, "checkin", _on_return)
        event.listen(self.engine.sync_engine, "checkout", _on_loan)

    @asynccontextmanager
    async def connection(
        self,
        *,
        is_reading: bool,
        may_be_lost: bool = False,  # noqa: ARG002  # to say so here is one round trip more
        is_shared: bool = False,  # noqa: ARG002  # the server itself gathers commits
    ) -> AsyncIterator[AsyncConnection]:
        """Run a block in a transaction: kept at its end, undone when it raises."""
        async with self.engine.connect() as connection:
            if is_reading:
                await connection.execution_options(**_READING)
            async with connection.begin():
                yield _Connection(connection)

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


def _on_loan(connection: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401 - the dialect's adapter of one
    """Have the pool open another connection in place of one that is lost.

    A server that ends says so to each connection. One that vanishes with its machine does not, but
    is not back within a second either.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError
    if monotonic() - entry.info.get(_RETURNED_AT, monotonic()) <= TRIED_AFTER:
        return
    try:
        connection.run_async(_tried)
    except TimeoutError as error:
        raise InvalidatePoolError from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise DisconnectionError from error


async def _tried(connection: asyncpg.Connection) -> None:
    try:
        async with asyncio.timeout(TRIED_WITHIN):
            await connection.execute("SELECT 1")
    except TimeoutError:
        # To end in order it would wait for the server.
        connection.terminate()
        raise


def _on_return(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.info[_RETURNED_AT] = monotonic()


class _Connection:
    """A connection of the library's, which keeps what it compiled itself."""

    def __init__(self, connection: LibraryConnection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(
        self, statement: Executable, parameters: Rows | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        return await self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable) -> Any:  # noqa: ANN401 - whatever the column holds
        return await self._connection.scalar(statement)

    async def scalars(self, statement: Executable) -> ScalarResult[Any]:
        return await self._connection.scalars(statement)

    async def rows(self, prepared: Prepared, values: Values) -> Sequence[Any]:
        return (await self._connection.execute(prepared.statement, values)).all()

    async def changed(self, prepared: Prepared, values: Values) -> int:
        return (await self._connection.execute(prepared.statement, values)).rowcount

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        return await self._connection.run_sync(work)
