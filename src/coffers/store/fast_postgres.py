"""A connection to PostgreSQL that is held open for one prepared statement."""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Any, Final

import psycopg
from sqlalchemy.engine import URL

from coffers.store.errors import unavailable
from coffers.store.libpq import Line, Raw, values_of
from coffers.tasks import in_task

ANSWERED_BY: Final = 10.0
"""Seconds that a question may take, a new connection counted in; it takes a thousandth of one."""

IN_COMPANY_FOR: Final = 0.05
"""Seconds in which more than one is expected to ask at a time, once that has happened."""

FAR_FOR: Final = 0.5
"""Seconds in which a server that did not answer at once, twice, is not expected to."""

_Waiting = list[tuple[str, asyncio.Future[Raw | None]]]
_FAULTS: Final = (psycopg.Error, OSError)


class PostgresRows:
    """Finds rows by a text each: `statement` takes the texts as an array, `column` has a row's.

    Whoever comes while the server is being asked is asked for with all the others who do, as soon
    as it has answered: a question costs this process as much as all the rest of a request, and one
    for many hardly more than one for one. Nobody gets what was read before they came.

    One who comes alone stands still for the answer: to go through the event loop once more would
    cost twice as much. Not so where others came lately, who would have to wait meanwhile, nor where
    the server took longer than `Line.stand_still` allows.

    `is_pooled` says that the connection leads to a pooler that hands out transactions: the
    statement has no name there, and is prepared together with each run of it.
    """

    def __init__(self, url: URL, statement: str, column: int, *, is_pooled: bool) -> None:
        self._url = url
        self._is_pooled = is_pooled
        self._statement = statement
        self._column = column
        self._line: Line | None = None
        self._waiting: _Waiting = []
        self._is_asking = self._is_closed = self._stood_still = self._was_late = False
        self._moves_on_until = 0.0
        self._types: Sequence[int] = ()
        self._asking: asyncio.Task[None] | None = None

    async def find(self, text: str) -> Raw | None:
        """Return the row of a text, or None.

        Raises:
            StoreUnavailable: when the server did not answer.
        """
        if self._is_closed:
            raise unavailable(_closed())
        if "\0" in text:
            return None  # which no text of the database has
        if self._is_asking:
            found: asyncio.Future[Raw | None] = asyncio.get_running_loop().create_future()
            self._waiting.append((text, found))
            return await found
        # One that is alone asks by itself: a task for it would take a twentieth of the request.
        self._is_asking = True
        try:
            rows = self._at_once(text)
            if rows is None:
                rows = await self._rows((text,))
        except _FAULTS as error:
            raise unavailable(error) from error
        finally:
            if self._waiting:
                self._asking = asyncio.create_task(self._ask())
            else:
                self._is_asking = False
        return rows[0] if rows else None

    def values(self, row: Raw) -> tuple[Any, ...]:
        """Return what a row that was just found holds."""
        return values_of(self._types, row)

    async def close(self) -> None:
        """Close the connection for good; whoever still waits is told that nobody answers."""
        self._is_closed = True
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        # It tells them itself, unless it was stopped before it began.
        _refuse(self._waiting, _closed())
        self._waiting = []
        self._hang_up()

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
                    found.set_result(by_text.get(text.encode()))

    def _at_once(self, text: str) -> list[Raw] | None:
        """Return the rows of a text if they come at once; None where it has to be waited for."""
        line, now = self._line, time.monotonic()
        if self._stood_still:
            # Somebody did so since the event loop looked around: they came together.
            self._moves_on_until = now + IN_COMPANY_FOR
        if line is None or now < self._moves_on_until:
            return None
        try:
            line.ask((text,))
            rows = line.stand_still()
            self._types = line.types
        except psycopg.Error:
            # Asked once more over another connection, which tells what is wrong if it is not this.
            self._hang_up()
            return None
        if rows is None:
            # Once may be chance: another process was on the processor.
            if self._was_late:
                self._moves_on_until = now + FAR_FOR
            self._was_late = True
        else:
            self._was_late, self._stood_still = False, True
            asyncio.get_running_loop().call_soon(self._look_around)
        return rows

    def _look_around(self) -> None:
        self._stood_still = False

    async def _rows(self, texts: Collection[str]) -> list[Raw]:
        await in_task()
        async with asyncio.timeout(ANSWERED_BY):
            if self._line is not None and not self._line.is_lost:
                try:
                    return await self._asked(self._line, texts)
                except (psycopg.Error, ConnectionError):
                    # It may be the connection's alone: lost since, or prepared before a migration.
                    pass
            return await self._asked(await self._connect(), texts)

    async def _asked(self, line: Line, texts: Collection[str]) -> list[Raw]:
        try:
            if not line.is_asked:
                line.ask(texts)
            rows = await line.answer()
        except BaseException:
            # What failed or was given up leaves the connection in an unknown state.
            self._hang_up()
            raise
        self._types = line.types
        return rows

    async def _connect(self) -> Line:
        self._hang_up()
        self._check_open()
        line = await Line.open(self._url, self._statement, is_pooled=self._is_pooled)
        try:
            self._check_open()
        except psycopg.Error:
            line.close()
            raise
        self._line = line
        return line

    def _check_open(self) -> None:
        if self._is_closed:
            raise _closed()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _closed() -> psycopg.Error:
    return psycopg.InterfaceError("closed")


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
