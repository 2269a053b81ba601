"""Every row of a database, in a form that is the same for both kinds of database.

For backups. Tables are taken as the database has them, not as this release knows them, so that what
an earlier release backed up can be put back as it was and upgraded then.
"""

import base64
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    func,
    select,
    tuple_,
)

from coffers.errors import CoffersError
from coffers.store.connection import AsyncConnection
from coffers.store.engine import Store, Transaction
from coffers.store.migrate import check_known, lock_upgrades, migrated, revision_of
from coffers.store.statements import unhurried
from coffers.store.tables import QUEUE_TABLES, SNAPSHOT_PARTITIONS, metadata, vault_keys

LEFT_OUT = frozenset(
    {
        *("alembic_version", "errands", "leases"),
        *("venue_tasks", "venue_pairs", "venue_currencies", "venue_rates"),
        *("sessions", "sign_in_tickets", "sign_in_failures", "ceremonies"),
        *SNAPSHOT_PARTITIONS,
        *QUEUE_TABLES,
    }
)
"""Tables that are no data: the revision is told apart, errands and leases are over within minutes,
what venues list is found out anew, so is what is due, who is signed in signs in again, and what
partitions hold is in the table that they are of."""

ROWS_AT_ONCE = 500
LARGE_ROWS_AT_ONCE = 20
"""Rows with binary columns may be large, such as price books."""

Row = Sequence[Any]
"""Values by column: None, bool, int, or text (decimals as digits, bytes in base64)."""


class NotEmpty(CoffersError):
    """A database that a backup was to be put into holds something already."""

    def __init__(self) -> None:
        super().__init__(
            "the database is not empty; a backup is put into a new one only, nothing was changed"
        )


class Dump:
    """Reads all rows of a database as they are at one moment."""

    def __init__(self, connection: AsyncConnection, revision: str, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = {table.name: table for table in tables}
        self.revision = revision
        """The revision of the tables."""
        self.transaction = Transaction(connection)
        """What else is to be known of that moment."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables' names, those that others refer to first."""
        return tuple(map(str, self._tables))

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the names of a table's columns, in the order of a row's values."""
        return tuple(map(str, self._tables[name].columns.keys()))

    async def count(self, name: str) -> int:
        """Return how many rows a table has."""
        statement = select(func.count()).select_from(self._tables[name])
        count: int = await self._connection.scalar(statement)
        return count

    async def rows(self, name: str) -> AsyncIterator[list[Row]]:
        """Yield a table's rows, some at a time."""
        table = self._tables[name]
        key = list(table.primary_key.columns)
        at_once = LARGE_ROWS_AT_ONCE if _has_binary(table) else ROWS_AT_ONCE
        statement = select(table).order_by(*key).limit(at_once)
        found = (await self._connection.execute(statement)).all()
        while found:
            yield [[_plain(value) for value in row] for row in found]
            last = [found[-1]._mapping[column] for column in key]  # noqa: SLF001 - its public name
            beyond = statement.where(tuple_(*key) > tuple_(*last))
            found = (await self._connection.execute(beyond)).all()


class Filling:
    """Puts rows into an empty database."""

    def __init__(self, connection: AsyncConnection, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = {table.name: table for table in tables}

    async def add(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows to a table.

        Raises:
            CoffersError: for a table or a column that the database does not have.
        """
        table = self._tables.get(name)
        if table is None or set(columns) != set(table.columns.keys()):
            raise CoffersError(f"the backup's table {name} is not one of its revision")
        takers = [_taker(table.columns[column]) for column in columns]
        values = [
            {
                column: None if value is None else take(value)
                for column, take, value in zip(columns, takers, row, strict=True)
            }
            for row in rows
        ]
        if values:
            await self._connection.execute(table.insert(), values)


@asynccontextmanager
async def dumping(store: Store) -> AsyncIterator[Dump]:
    """Read a database as it is at this moment, whatever is written to it meanwhile.

    Raises:
        StoreUnavailable: when it cannot be read.
        CoffersError: when it has no tables.
    """
    async with store.connection(is_reading=True) as connection:
        await unhurried(connection)
        revision = await connection.run_sync(revision_of)
        if revision is None:
            raise CoffersError("the database is empty: there is nothing to back up")
        yield Dump(connection, revision, await connection.run_sync(_tables))


@asynccontextmanager
async def filling(store: Store, revision: str) -> AsyncIterator[Filling]:
    """Fill an empty database in one transaction, from the tables of a revision up to the newest.

    All of it is there afterwards, or nothing.

    Raises:
        NotEmpty: when there is something in it.
        DatabaseTooNew: for a revision that this release does not know.
        StoreUnavailable: when it cannot be written.
    """
    check_known(revision)
    async with store.connection() as connection:
        await lock_upgrades(connection)
        found = await connection.run_sync(revision_of)
        if found not in {None, revision} or (found and not await _is_empty(connection)):
            raise NotEmpty
        await connection.run_sync(migrated(revision))
        yield Filling(connection, await connection.run_sync(_emptied))
        await connection.run_sync(migrated("head"))
        if connection.dialect.name == "postgresql":
            await _count_on(connection)


async def _count_on(connection: AsyncConnection) -> None:
    """Let the server's own counters go on behind the rows that came with their numbers."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            newest = select(func.coalesce(func.max(column), 0)).scalar_subquery()
            await connection.execute(select(func.setval(sequence, newest + 1, False)))


async def _is_empty(connection: AsyncConnection) -> bool:
    for table in await connection.run_sync(_tables):
        # A server that was started writes which key is to seal; with nothing sealed it is none yet.
        if table.name == vault_keys.name:
            continue
        if (await connection.execute(select(table).limit(1))).first() is not None:
            return False
    return True


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    with warnings.catch_warnings():
        # Indexes are not asked for, and of some of SQLite's the library warns that it reads none.
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based")
        metadata.reflect(connection, only=lambda name, _: name not in LEFT_OUT)
    return metadata.sorted_tables


def _emptied(connection: Connection) -> list[Table]:
    """Return the tables without the rows that migrations put into new ones."""
    tables = _tables(connection)
    for table in reversed(tables):
        connection.execute(table.delete())
    return tables


def _has_binary(table: Table) -> bool:
    return any(isinstance(column.type, LargeBinary) for column in table.columns)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return f"{value:f}"
        case bytes() | memoryview():
            return base64.b64encode(value).decode()
        case _:
            return value


def _taker(column: Column[Any]) -> Callable[[Any], Any]:
    """Return what makes a column's value of one in a dump."""
    match column.type:
        case LargeBinary():
            return base64.b64decode
        case Boolean():
            return bool
        case Integer() | BigInteger():
            return int
        case Numeric():
            return Decimal
        case _:
            return str
