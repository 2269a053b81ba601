"""The one look-up that every signed request makes, with a prepared statement and few layers.

On SQLite it runs in the event loop: it takes less time than a change of threads would, and readers
never wait in WAL mode; what was found holds until somebody writes. On PostgreSQL it takes a
connection that is held open, and one question for all who come at a time; a pool that resets its
connections after each use costs more than the look-up itself.
"""

import sqlite3
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.engine import URL, make_url

from coffers.store.errors import unavailable
from coffers.store.journal import JournalIndex
from coffers.store.records import Mode, Token
from coffers.store.users import token_of

_COLUMNS = """
    t.user_id, t.id, t.api_key, t.kind, t.secret_key_id, t.secret_blob, t.rsa_public_key,
    t.permissions, t.allowed_networks, t.require_timestamp, t.expires_at, t.revoked_at,
    t.created_at, u.mode, u.display_currency, u.version,
    (SELECT max(epoch) FROM price_books)
"""
_FROM = "FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.api_key ="
_ON_SQLITE = f"SELECT {_COLUMNS} {_FROM} ?"
# In a query of its own the array is unknown to the planner. Else it finds, among many tokens, that
# an array of one is cheaper than what it would plan for all, and plans anew for each.
ON_POSTGRESQL = f"SELECT {_COLUMNS} {_FROM} ANY((SELECT $1::text[])::text[])"
_API_KEY = 2  # its place among the columns

KEPT = 4096
"""How many tokens are kept in memory."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A token as it is now, with what decides whether a ready answer to its owner still holds.

    `epoch` is the newest price book's, 0 before the first.
    """

    token: Token
    user_id: int
    mode: Mode
    display_currency: str
    user_version: int
    epoch: int


class FastLook:
    """Looks tokens up; `url` and `is_pooled` are the store's. It connects when it is first used."""

    def __init__(self, url: str, *, is_pooled: bool = False) -> None:
        parsed = make_url(url)
        self._looks: _Looks
        if parsed.get_backend_name() == "sqlite":
            self._looks = _SqliteLooks(parsed)
        else:
            self._looks = _PostgresLooks(parsed, is_pooled=is_pooled)

    def look(self, api_key: str) -> Awaitable[Sighting | None]:
        """Return what is known of a token, revoked or not, or None.

        Raises:
            StoreUnavailable: when the database did not answer; the next look connects anew.
        """
        return self._looks.look(api_key)

    async def close(self) -> None:
        """Give back every connection."""
        await self._looks.close()


class _Looks(Protocol):
    async def look(self, api_key: str) -> Sighting | None: ...

    async def close(self) -> None: ...


class _SqliteLooks:
    def __init__(self, url: URL) -> None:
        self._path = Path(url.database or "").absolute()
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._index: JournalIndex | None = None
        self._head = b""
        self._version = (0,)
        self._kept: dict[str, Sighting] = {}

    async def look(self, api_key: str) -> Sighting | None:
        try:
            return self._current(self._cursor or self._connect(), api_key)
        except sqlite3.Error as error:
            await self.close()
            raise unavailable(error) from error

    async def close(self) -> None:
        self._kept.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = self._cursor = self._index = None

    def _connect(self) -> sqlite3.Cursor:
        uri = f"{self._path.as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        self._cursor = self._connection.cursor()
        # It has begun to use the journal with this, and holds its index.
        self._cursor.execute("SELECT 1 FROM price_books LIMIT 1").fetchall()
        self._index, self._head = JournalIndex(self._path), b""
        return self._cursor

    def _current(self, cursor: sqlite3.Cursor, api_key: str) -> Sighting | None:
        # Read before SQLite is asked: what is written meanwhile is seen at the next look.
        head = self._index.head() if self._index else b""
        if head != self._head or not head or len(self._kept) >= KEPT:
            # It tells whether that was a commit of data.
            version = cursor.execute("PRAGMA data_version").fetchone()
            if version != self._version or len(self._kept) >= KEPT:
                self._kept.clear()
                self._version = version
            self._head = head
        found = self._kept.get(api_key)
        if found is None:
            # All rows are taken, so that the reading transaction ends here.
            rows = cursor.execute(_ON_SQLITE, (api_key,)).fetchall()
            if not rows:
                return None
            found = self._kept[api_key] = _sighting_of(rows[0])
        return found


class _PostgresLooks:
    def __init__(self, url: URL, *, is_pooled: bool) -> None:
        # Here, since a host with SQLite does without the driver.
        from coffers.store.fast_postgres import PostgresRows  # noqa: PLC0415

        self._rows = PostgresRows(url, ON_POSTGRESQL, _API_KEY, is_pooled=is_pooled)
        self._kept: dict[str, tuple[tuple[bytes | None, ...], Sighting]] = {}

    async def look(self, api_key: str) -> Sighting | None:
        row = await self._rows.find(api_key)
        if row is None:
            return None
        # To read a row takes longer than to see that it is the last one.
        kept = self._kept.get(api_key)
        if kept is not None and kept[0] == row:
            return kept[1]
        if len(self._kept) >= KEPT:
            self._kept.clear()
        found = _sighting_of(self._rows.values(row))
        self._kept[api_key] = row, found
        return found

    async def close(self) -> None:
        await self._rows.close()


def _sighting_of(row: Sequence[Any]) -> Sighting:
    mode, display_currency, user_version, epoch = row[13:]
    token = token_of(row)
    return Sighting(token, token.user_id, mode, display_currency, user_version, epoch or 0)
