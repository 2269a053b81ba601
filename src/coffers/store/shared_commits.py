"""Transactions of several tasks that SQLite commits as one: one wait for the disk serves them all.

A commit that is on the disk takes a tenth of a millisecond to some ten, in which the event loop
would stand still: it is made in a thread. Each transaction is a savepoint within. What one of them
undoes leaves the others as they are, and none is told that it is kept before the disk has it.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress

from sqlalchemy import Connection

GATHERED_FOR = 0.002
"""Seconds for which transactions are waited for, beginning with the first: before the write lock is
taken, so that other processes have it meanwhile. Ten made a worker a seventh slower, since those
that wait begin nothing new."""

MOST_AT_ONCE = 64
"""The most that are committed as one: they hold the write lock together."""


class _Member:
    """One of the transactions: its turn, the end of its block, and whether it is kept."""

    __slots__ = ("is_whole", "kept", "left", "turn")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.turn: asyncio.Future[Connection] = loop.create_future()
        self.left: asyncio.Future[None] = loop.create_future()
        self.kept: asyncio.Future[None] = loop.create_future()
        self.is_whole = False


class SharedCommits:
    """Gathers transactions and commits them.

    `writing` opens a transaction for a block, with the write lock, and commits it at its end.
    """

    def __init__(self, writing: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        self._writing = writing
        self._waiting: deque[_Member] = deque()
        self._serving: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Connection]:
        """Run a block as one of the transactions; at its end it is on the disk.

        Raises:
            sqlite3.Error, DBAPIError: when the commit failed, or SQLite undid all of them because
                of one: then none of them is kept.
        """
        member = _Member()
        self._waiting.append(member)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        try:
            connection = await member.turn
            with _savepoint(driver_of(connection)):
                yield connection
            member.is_whole = True
        finally:
            member.left.set_result(None)
        await to_its_end(member.kept)

    async def _serve(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHERED_FOR)
                await self._commit_some()
        finally:
            self._serving = None
            # Whoever still waits is being stopped as this is.
            while self._waiting:
                self._waiting.popleft().turn.cancel()

    async def _commit_some(self) -> None:
        members: list[_Member] = []
        has_begun = False
        try:
            async with self._writing() as connection:
                has_begun = True
                await self._run_some(connection, members)
        except BaseException as error:
            if not has_begun:
                self._refuse_all(error)
            for member in members:
                member.kept.set_exception(_as_told(error))
            if not isinstance(error, Exception):
                raise
        else:
            for member in members:
                member.kept.set_result(None)

    async def _run_some(self, connection: Connection, members: list[_Member]) -> None:
        """Let those that wait run, one after the other, and list those that came to their end."""
        driver = driver_of(connection)
        while self._waiting and len(members) < MOST_AT_ONCE:
            member = self._waiting.popleft()
            if member.turn.done():
                # It was cancelled while it waited.
                continue
            member.turn.set_result(connection)
            try:
                await to_its_end(member.left)
            finally:
                # It waits to be told, even if this task is stopped meanwhile.
                if member.is_whole:
                    members.append(member)
            if not driver.in_transaction:
                raise sqlite3.OperationalError("the transaction was undone")

    def _refuse_all(self, error: BaseException) -> None:
        while self._waiting:
            member = self._waiting.popleft()
            if not member.turn.done():
                member.turn.set_exception(_as_told(error))


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection."""
    return connection.connection.driver_connection  # type: ignore[return-value]  # of this driver


async def to_its_end(future: asyncio.Future[None]) -> None:
    """Wait for what must not be left half-way; a cancellation takes effect when it is over."""
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({future})
        # That it failed is nobody's business any more.
        future.exception()
        raise


@contextmanager
def _savepoint(driver: sqlite3.Connection) -> Iterator[None]:
    driver.execute("SAVEPOINT one")
    try:
        yield
    except BaseException:
        # A full disk undoes all of a transaction at once.
        if driver.in_transaction:
            driver.execute("ROLLBACK TO one")
            driver.execute("RELEASE one")
        raise
    driver.execute("RELEASE one")


def _as_told(error: BaseException) -> Exception:
    """Return the error for those who waited: that this process is stopping is not one of theirs."""
    if isinstance(error, Exception):
        return error
    return sqlite3.OperationalError("stopped before the commit")
