"""Connections to PostgreSQL that are held open for one prepared statement."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from asyncpg.prepared_stmt import PreparedStatement  # type: ignore[import-untyped]
from sqlalchemy.engine import URL

from coffers.store.driver import HELD_CONNECTIONS, connect
from coffers.store.errors import unavailable


@dataclass(frozen=True, slots=True)
class _Held:
    connection: asyncpg.Connection
    statement: PreparedStatement


class PostgresRows:
    """Finds one row by one text, over a few connections that are opened as they are needed.

    `is_pooled` says that they lead to a pooler that hands out transactions: the statement has no
    name there, and is prepared together with each run of it.
    """

    def __init__(self, url: URL, statement: str, *, is_pooled: bool) -> None:
        self._url = url
        self._is_pooled = is_pooled
        self._statement = statement
        self._places = asyncio.Semaphore(HELD_CONNECTIONS)
        self._idle: list[_Held] = []

    async def find(self, text: str) -> Sequence[Any] | None:
        """Return the row, or None.

        Raises:
            StoreUnavailable: when the server did not answer.
        """
        async with self._places:
            try:
                held = self._take() or await self._connect()
                try:
                    row: Sequence[Any] | None = await held.statement.fetchrow(text)
                except BaseException:
                    _end(held.connection)
                    raise
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                raise unavailable(error) from error
            self._idle.append(held)
        return row

    async def close(self) -> None:
        """Close the connections that nobody uses now."""
        while held := self._take():
            await held.connection.close()

    def _take(self) -> _Held | None:
        while self._idle:
            held = self._idle.pop()
            # A server that was restarted has closed those that were idle meanwhile.
            if not held.connection.is_closed():
                return held
        return None

    async def _connect(self) -> _Held:
        connection = await connect(self._url, is_pooled=self._is_pooled)
        with _ended_by_failure(connection):
            return _Held(connection, await connection.prepare(self._statement))


@contextmanager
def _ended_by_failure(connection: asyncpg.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _end(connection)
        raise


def _end(connection: asyncpg.Connection) -> None:
    # A look that failed or was given up leaves the connection in an unknown state.
    connection.terminate()
