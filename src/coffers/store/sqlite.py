"""SQLite in a file, spoken to in the event loop's own thread.

A statement here takes some 10 us, and handing it to a thread and back some 80: of the processor
time of a reading, threads were the larger half. What may take long does not hold up the loop: the
write lock that another process has is waited for asleep, between tries, and readings are committed
in a thread, several at a time.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Executable,
    QueuePool,
    ScalarResult,
    create_engine,
    event,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from coffers.store.connection import AsyncConnection, Rows, T
from coffers.store.prepared import Prepared, Values
from coffers.store.shared_commits import SharedCommits, driver_of, to_its_end

LONGEST_WAIT = 10.0
"""Seconds after which a write lock that another process holds is an error."""

MOST_IDLE = 5
"""Connections that are kept for those who come next; each may hold two megabytes of pages."""

WAITED_WITHIN = 0.1
"""Seconds that SQLite itself waits, and the event loop with it, for what others hold for a moment:
a file that is just being opened or closed."""

_PAUSE = 0.002
_PRAGMAS = ("journal_mode = WAL", "foreign_keys = ON")

_FULL = "FULL"
"""A commit is on the disk before it is answered: a deposit seen is never lost."""

_NORMAL = "NORMAL"
"""It is not waited for; what is committed later takes it along."""

_READING = "reading"
"""Nothing is committed."""


class SqliteDatabase:
    """A SQLite file. Writers begin with the write lock, so that none fails half-way."""

    dialect = "sqlite"

    def __init__(self, url: str) -> None:
        self.engine = create_engine(
            url,
            poolclass=QueuePool,
            max_overflow=-1,
            connect_args={"timeout": WAITED_WITHIN},
            # Else an error that is logged tells what was to be stored: hashes, addresses, amounts.
            hide_parameters=True,
        )
        event.listen(self.engine, "do_connect", _before_connect)
        event.listen(self.engine, "connect", _on_connect)
        # Writers of this process queue here, in their order; only those of other processes have
        # to be waited for at the file.
        self._writing = asyncio.Lock()
        self._shared = SharedCommits(self._writing_together)
        # Its own: those that the event loop lends may all be looking up names that nobody answers
        # for, and who commits has the write lock.
        self._committer = ThreadPoolExecutor(1, "commit")
        # Apart: to tell a connection how it is to commit takes longer than a statement.
        self._idle: dict[str, list[Connection]] = {_FULL: [], _NORMAL: [], _READING: []}

    @asynccontextmanager
    async def connection(
        self, *, is_reading: bool, may_be_lost: bool = False, is_shared: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Run a block in a transaction: kept at its end, undone when it raises.

        One that may be lost is not waited for to be on the disk: a power cut can undo it, the
        death of the process cannot. One that is shared is committed together with others.
        """
        if is_shared:
            async with self._shared.joined() as connection:
                yield _InLoop(connection)
            return
        if is_reading:
            with self._lent(_READING) as connection:
                driver_of(connection).execute("BEGIN")
                yield _InLoop(connection)
                _commit(connection)
            return
        async with self._writing:
            with self._lent(_NORMAL if may_be_lost else _FULL) as connection:
                await _begin_writing(driver_of(connection))
                yield _InLoop(connection)
                _commit(connection)

    @asynccontextmanager
    async def _writing_together(self) -> AsyncIterator[Connection]:
        """Run a block of several transactions, whose commit leaves the loop to others."""
        async with self._writing:
            with self._lent(_FULL) as connection:
                await _begin_writing(driver_of(connection))
                yield connection
                committing = asyncio.get_running_loop().run_in_executor(
                    self._committer, driver_of(connection).commit
                )
                await to_its_end(committing)
                # Only the library is left to be told.
                _commit(connection)

    async def close(self) -> None:
        """Close the file."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
        self.engine.dispose()
        # Whoever opens the file again has another thread.
        self._committer.shutdown()
        self._committer = ThreadPoolExecutor(1, "commit")

    @contextmanager
    def _lent(self, use: str) -> Iterator[Connection]:
        """Lend a connection: to take one out of the pool and back takes longer than a statement."""
        idle = self._idle[use]
        connection = idle.pop() if idle else self._taken(use)
        try:
            yield connection
        except BaseException:
            # The pool undoes what is left of it.
            connection.close()
            raise
        if len(idle) < MOST_IDLE:
            idle.append(connection)
        else:
            connection.close()

    def _taken(self, use: str) -> Connection:
        """Take a connection out of the pool, which may have been of another use before."""
        connection = self.engine.connect()
        driver = driver_of(connection)
        is_reading = use == _READING
        # Writers are the first to meet another process's lock, and wait for that asleep.
        driver.execute(f"PRAGMA busy_timeout = {round(1000 * WAITED_WITHIN) if is_reading else 0}")
        if not is_reading:
            driver.execute(f"PRAGMA synchronous = {use}")
        return connection


class _InLoop:
    """A connection whose coroutines end at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver = driver_of(connection)
        self.dialect = connection.dialect

    async def execute(
        self, statement: Executable, parameters: Rows | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable) -> Any:  # noqa: ANN401 - whatever the column holds
        return self._connection.scalar(statement)

    async def scalars(self, statement: Executable) -> ScalarResult[Any]:
        return self._connection.scalars(statement)

    async def rows(self, prepared: Prepared, values: Values) -> list[Any]:
        native = prepared.native(self.dialect)
        return native.rows(native.run(self._driver, values).fetchall())

    async def changed(self, prepared: Prepared, values: Values) -> int:
        return prepared.native(self.dialect).run(self._driver, values).rowcount

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        if not self._connection.in_transaction():
            # Else the work could begin one of its own, and commit what is not whole yet.
            self._connection.begin()
        return work(self._connection)


def _commit(connection: Connection) -> None:
    """Keep what was written; the library knows of a transaction if a statement went through it."""
    if connection.in_transaction():
        connection.commit()
    else:
        driver_of(connection).commit()


async def _begin_writing(driver: sqlite3.Connection) -> None:
    """Begin a transaction with the write lock, trying again while another process has it."""
    given_up = monotonic() + LONGEST_WAIT
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            # The code's lower byte says busy, the rest with what, such as a recovery.
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or monotonic() > given_up:
                raise
        else:
            return
        await asyncio.sleep(_PAUSE)


def _before_connect(
    _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[Any], _options: dict[str, Any]
) -> None:
    """Make a new file for its owner alone, whoever may read the directory."""
    path = Path(arguments[0])
    if path.is_absolute() and path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)


def _on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Transactions are begun by `_begin`, not by the driver at the first statement that writes.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
