"""A connection to PostgreSQL that is held open for one prepared statement."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from asyncpg.prepared_stmt import PreparedStatement  # type: ignore[import-untyped]
from sqlalchemy.engine import URL

from coffers.store.driver import connect
from coffers.store.errors import unavailable

ANSWERED_BY: Final = 10.0
"""Seconds that a question may take, a new connection counted in; it takes a thousandth of one."""

Row = Sequence[Any]
_Waiting = list[tuple[str, asyncio.Future[Row | None]]]
_FAULTS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


@dataclass(frozen=True, slots=True)
class _Held:
    connection: asyncpg.Connection
    statement: PreparedStatement


class PostgresRows:
    """Finds rows by a text each: `statement` takes the texts as an array, `column` has a row's.

    Whoever comes while the server is being asked is asked for with all the others who do, as soon
    as it has answered: a question costs this process as much as all the rest of a request, and one
    for many hardly more than one for one. Nobody gets what was read before they came.

    `is_pooled` says that the connection leads to a pooler that hands out transactions: the
    statement has no name there, and is prepared together with each run of it.
    """

    def __init__(self, url: URL, statement: str, column: int, *, is_pooled: bool) -> None:
        self._url = url
        self._is_pooled = is_pooled
        self._statement = statement
        self._column = column
        self._held: _Held | None = None
        self._waiting: _Waiting = []
        self._is_asking = self._is_closed = False
        self._asking: asyncio.Task[None] | None = None

    async def find(self, text: str) -> Row | None:
        """Return the row of a text, or None.

        Raises:
            StoreUnavailable: when the server did not answer.
        """
        if self._is_asking:
            found: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
            self._waiting.append((text, found))
            return await found
        # One that is alone asks by itself: a task for it would take a twentieth of the request.
        self._is_asking = True
        try:
            rows = await self._rows((text,))
        except _FAULTS as error:
            raise unavailable(error) from error
        finally:
            if self._waiting:
                self._asking = asyncio.create_task(self._ask())
            else:
                self._is_asking = False
        return rows[0] if rows else None

    async def close(self) -> None:
        """Close the connection for good; whoever still waits is told that nobody answers."""
        self._is_closed = True
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        # It tells them itself, unless it was stopped before it began.
        _refuse(self._waiting, _closed())
        self._waiting = []
        if self._held is not None:
            # Without a farewell, for which a silent server would be waited for.
            self._held.connection.terminate()
            self._held = None

    async def _ask(self) -> None:
        """Ask for all who wait, until nobody does."""
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._answer(waiting)
        finally:
            self._is_asking = False

    async def _answer(self, waiting: _Waiting) -> None:
        try:
            rows = await self._rows({text for text, _ in waiting})
        except BaseException as error:
            _refuse(waiting, error)
            if not isinstance(error, Exception):
                raise
        else:
            by_text = {row[self._column]: row for row in rows}
            for text, found in waiting:
                if not found.done():
                    found.set_result(by_text.get(text))

    async def _rows(self, texts: Collection[str]) -> list[Row]:
        async with asyncio.timeout(ANSWERED_BY):
            held = self._held
            if held is not None and not held.connection.is_closed():
                try:
                    return await self._asked(held, texts)
                except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
                    # It may be the connection's alone: lost since, or prepared before a migration.
                    pass
            return await self._asked(await self._connect(), texts)

    async def _asked(self, held: _Held, texts: Collection[str]) -> list[Row]:
        try:
            found: list[Row] = await held.statement.fetch(list(texts))
        except BaseException:
            # What failed or was given up leaves the connection in an unknown state.
            self._held = None
            held.connection.terminate()
            raise
        return found

    async def _connect(self) -> _Held:
        if self._is_closed:
            raise _closed()
        connection = await connect(self._url, is_pooled=self._is_pooled)
        try:
            statement = await connection.prepare(self._statement)
            if self._is_closed:
                raise _closed()  # noqa: TRY301 - the connection is given up below
        except BaseException:
            connection.terminate()
            raise
        self._held = _Held(connection, statement)
        return self._held


def _closed() -> asyncpg.InterfaceError:
    return asyncpg.InterfaceError("closed")


def _refuse(waiting: _Waiting, error: BaseException) -> None:
    """Tell those who wait of a fault, each by an error of its own."""
    for _, found in waiting:
        # One that was given up is done.
        if not found.done():
            found.set_exception(_as_told(error))


def _as_told(error: BaseException) -> BaseException:
    """Return what those are told who wait; that this process stops is none of their errors."""
    if isinstance(error, Exception) and not isinstance(error, _FAULTS):
        return error
    return unavailable(error)
