"""SQLite in the event loop's own thread, behind the interface that SQLAlchemy's async engine takes.

A statement here takes some 10 us, and handing it to a thread and back some 80: of a reading's
processor time, threads were the larger half. What may take long does not hold up the loop: a lock
that another process has is waited for asleep, between tries.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Any, Self, TypeVar

LONGEST_WAIT = 10.0
"""Seconds after which a lock that another process holds is an error."""

_PAUSE = 0.002
_T = TypeVar("_T")


class InLoopConnection:
    """A connection whose coroutines end at once, unless the database is locked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = connection

    @property
    def isolation_level(self) -> None:
        """Transactions are begun by statements."""
        return

    def cursor(self) -> "InLoopCursor":
        """Return a new cursor."""
        return InLoopCursor(self._open().cursor())

    async def create_function(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - sqlite3's own
        """Register a function that statements may call."""
        self._open().create_function(*args, **options)

    async def commit(self) -> None:
        """End the transaction, kept."""
        await _patiently(self._open().commit)

    async def rollback(self) -> None:
        """End the transaction, undone."""
        self._open().rollback()

    async def close(self) -> None:
        """Close the file."""
        self.stop()

    def stop(self) -> None:
        """Close the file now."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the connection is closed")
        return self._connection


class InLoopCursor:
    """A cursor whose coroutines end at once, unless the database is locked."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:  # noqa: ANN401 - as DB-API has it
        """Name the columns of the result, None where there is none."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """Return how many rows were changed."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """Return the row id that was inserted last."""
        return self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement."""
        await _patiently(lambda: self._cursor.execute(statement, parameters))

    async def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row."""
        self._cursor.executemany(statement, rows)

    async def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """Let go of the result."""
        self._cursor.close()


def opener(pragmas: Sequence[str]) -> Callable[..., Any]:
    """Return what opens connections for the dialect of aiosqlite, as its `async_creator_fn`."""

    async def connect(*args: Any, **options: Any) -> InLoopConnection:  # noqa: ANN401 - sqlite3's own
        connection = sqlite3.connect(*args, **{**options, "timeout": 0, "isolation_level": None})
        try:
            for pragma in pragmas:
                await _patiently(partial(connection.execute, f"PRAGMA {pragma}"))
        except sqlite3.Error:
            connection.close()
            raise
        return InLoopConnection(connection)

    return connect


async def _patiently(work: Callable[[], _T]) -> _T:
    """Do a piece of work, again and again while another process holds the lock that it needs."""
    given_up = monotonic() + LONGEST_WAIT
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > given_up:
                raise
        await asyncio.sleep(_PAUSE)
