"""A connection to PostgreSQL for one statement, through libpq and without a driver's layers.

Its user may stand still for an answer, a millisecond or two. A server that is near has
answered by then, and the process is spared another way through its event loop, which costs as much
as all the rest of a request that finds its answer ready.
"""

import asyncio
import os
import select
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from psycopg import AsyncConnection, OperationalError
from psycopg.conninfo import make_conninfo
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult
from sqlalchemy.engine import URL

from coffers.store.driver import CONNECTED_BY, TLS, driver_options

Raw = tuple[bytes | None, ...]
"""A row as the server sent it; two that are equal hold the same."""

STANDS_STILL: Final = 1
"""Milliseconds that an answer is stood still for at the most."""

_NAME: Final = b"coffers"
_GOOD: Final = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}

_LIBPQS: Final = {
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
    "database": "dbname",
    "ssl": "sslmode",
    "passfile": "passfile",
    "krbsrvname": "krbsrvname",
    "target_session_attrs": "target_session_attrs",
}
"""What libpq calls the options of the other driver that concern the way to the server."""


_LOCAL: Final = "/run/postgresql,/var/run/postgresql,/tmp,localhost"
"""Where a server is looked for that no URL and no PGHOST tells, as the other driver does."""


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


_READERS: Final[dict[int, Callable[[bytes], Any]]] = {
    16: b"\1".__eq__,  # boolean
    17: bytes,  # bytea
    20: _number,  # bigint
    23: _number,  # integer
    25: bytes.decode,  # text
}
"""How a value is read from its binary form, by the server's number of its type."""


class Line:
    """A connection over which one statement is asked, with an array of texts, again and again.

    One question at a time: `ask`, then `stand_still` or `answer` until there are rows. After a
    fault it is to be closed. `types` are those of the columns, once a row has come.
    """

    def __init__(
        self, connection: AsyncConnection[Any], statement: str, *, is_pooled: bool
    ) -> None:
        self._connection = connection
        self._pq = connection.pgconn
        self._statement = statement.encode()
        self._is_pooled = is_pooled
        self.types: Sequence[int] = ()
        self._result: PGresult | None = None
        self._waiting: asyncio.Future[list[Raw]] | None = None
        self.is_asked = False
        self._socket = self._pq.socket
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._is_readable)

    @classmethod
    async def open(cls, url: URL, statement: str, *, is_pooled: bool) -> "Line":
        """Connect. To a pooler that hands out transactions the statement goes with each question.

        Raises:
            psycopg.Error, OSError: when there is no such server, or it takes no statement.
        """
        way = make_conninfo(**_options(url), connect_timeout=round(CONNECTED_BY))
        connection = await AsyncConnection.connect(way, autocommit=True)
        line = cls(connection, statement, is_pooled=is_pooled)
        try:
            if not is_pooled:
                line._pq.send_prepare(_NAME, line._statement)
                line._send()
                await line.answer()
        except BaseException:
            line.close()
            raise
        return line

    @property
    def is_lost(self) -> bool:
        """Whether it leads nowhere any more."""
        return bool(self._pq.status == ConnStatus.BAD)

    def ask(self, texts: Collection[str]) -> None:
        """Ask for the rows of texts.

        Raises:
            psycopg.Error: when the connection is lost.
        """
        given = [_array(texts)]
        if self._is_pooled:
            self._pq.send_query_params(self._statement, given, result_format=Format.BINARY)
        else:
            self._pq.send_query_prepared(_NAME, given, result_format=Format.BINARY)
        self._send()

    def stand_still(self) -> list[Raw] | None:
        """Return the rows if they come within a millisecond or two; nothing else is done then.

        Raises:
            psycopg.Error: when the server refused, or the connection is lost.
        """
        rows = None
        # Twice, since the first that comes may be a part of the answer.
        for _ in range(2):
            if rows is None and self._poll.poll(STANDS_STILL):
                rows = self._heard()
        return rows

    async def answer(self) -> list[Raw]:
        """Return the rows once they have come.

        Raises:
            psycopg.Error: as `stand_still`.
        """
        self._waiting = self._loop.create_future()
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def close(self) -> None:
        """Close the connection, whatever it is doing; whoever waits is told."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(OperationalError("closed"))
        if self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = -1
            # Without a farewell that a silent server would be waited for: the socket never blocks.
            self._pq.finish()

    def _send(self) -> None:
        self.is_asked = True
        if self._pq.flush():
            # More than the socket takes at once.
            self._loop.add_writer(self._socket, self._is_writable)

    def _is_writable(self) -> None:
        try:
            if not self._pq.flush():
                self._loop.remove_writer(self._socket)
        except OperationalError as error:
            self._lose(error)

    def _is_readable(self) -> None:
        try:
            rows = self._heard()
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self._lose(error)
        else:
            if rows is not None and self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(rows)

    def _heard(self) -> list[Raw] | None:
        """Take what the server sent; return the rows once all have come."""
        self._pq.consume_input()
        while self.is_asked and not self._pq.is_busy():
            result = self._pq.get_result()
            if result is not None:
                self._result = result
                continue
            self.is_asked = False
            result, self._result = self._result, None
            if result is None or result.status not in _GOOD:
                raise error_from_result(result) if result else OperationalError("no answer")
            return self._rows(result)
        return None

    def _rows(self, result: PGresult) -> list[Raw]:
        columns = range(result.nfields)
        # A statement without a name is parsed anew each time, maybe after a migration.
        if self._is_pooled or not self.types:
            self.types = [result.ftype(column) for column in columns]
        get = result.get_value
        return [tuple([get(row, column) for column in columns]) for row in range(result.ntuples)]

    def _lose(self, error: Exception) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
        self.close()


def values_of(types: Sequence[int], row: Raw) -> tuple[Any, ...]:
    """Return what a row holds; `types` are those of its columns."""
    return tuple(
        None if value is None else _READERS[kind](value)
        for kind, value in zip(types, row, strict=True)
    )


def _options(url: URL) -> dict[str, str]:
    """Return the way to the server in libpq's words."""
    told = {
        _LIBPQS[name]: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in driver_options(url).items()
        if name in _LIBPQS
    }
    told |= {name: str(url.query[name]) for name in TLS if name in url.query}
    told["client_encoding"] = "utf8"
    if "PGHOST" not in os.environ:
        told.setdefault("host", _LOCAL)
    return told


def _array(texts: Collection[str]) -> bytes:
    """Return texts as PostgreSQL writes an array of them."""
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return ('{"' + '","'.join(quoted) + '"}').encode()
