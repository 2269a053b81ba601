"""Connections and transactions: SQLite and PostgreSQL behind one small class.

Writers on SQLite begin with the write lock (BEGIN IMMEDIATE), so that two of them wait for each
other instead of failing half-way. A reading transaction sees one state of the database throughout.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from coffers.store.accounts import Accounts
from coffers.store.audit import Audit
from coffers.store.credentials import SealedSecrets
from coffers.store.errors import unavailable
from coffers.store.history import Histories
from coffers.store.holdings import HeldPositions
from coffers.store.inloop import opener
from coffers.store.prices import Prices
from coffers.store.users import Tokens, Users

_READ_ONLY = {"coffers_read_only": True}
_PRAGMAS = (
    "journal_mode = WAL",
    # With FULL a commit is on the disk before it is answered: a deposit seen is never lost.
    "synchronous = FULL",
    "foreign_keys = ON",
)


class Transaction:
    """One transaction, with the queries by subject."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.users = Users(connection)
        self.tokens = Tokens(connection)
        self.accounts = Accounts(connection)
        self.secrets = SealedSecrets(connection)
        self.holdings = HeldPositions(connection)
        self.history = Histories(connection)
        self.prices = Prices(connection)
        self.audit = Audit(connection)


class Store:
    """The database. `url` names the driver: sqlite+aiosqlite:// or postgresql+asyncpg://."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        # SQLite has one writer at a time. Those of this process queue here, in their order; only
        # those of other processes have to be waited for at the database.
        self._writing = asyncio.Lock() if self.engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Run a block as one writing transaction: all of it is stored, or nothing.

        Raises:
            StoreUnavailable: when the database cannot be reached or written.
        """
        async with self._turn(), self.connection() as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Run a block that reads one state of the database.

        Raises:
            StoreUnavailable: when the database cannot be reached.
        """
        async with self.connection(is_reading=True) as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def connection(self, *, is_reading: bool = False) -> AsyncIterator[AsyncConnection]:
        """Run a block in a transaction of its own, with the bare connection; for migrations.

        Raises:
            StoreUnavailable: when the database cannot be reached or written.
        """
        async with _plain_errors(), self.engine.connect() as connection:
            if is_reading:
                await connection.execution_options(**_read_options(self.engine))
            async with connection.begin():
                yield connection

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._writing or nullcontext()


def make_engine(url: str) -> AsyncEngine:
    """Return an engine with the pragmas and transactions that the store relies on."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)
    engine = create_async_engine(
        url, pool_size=5, max_overflow=20, connect_args={"async_creator_fn": opener(_PRAGMAS)}
    )
    event.listen(engine.sync_engine, "begin", _on_begin)
    return engine


def _read_options(engine: AsyncEngine) -> dict[str, object]:
    if engine.dialect.name == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return dict(_READ_ONLY)


def _on_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("coffers_read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@asynccontextmanager
async def _plain_errors() -> AsyncIterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error, NoFreeConnection, OSError) as error:
        raise unavailable(error) from error
