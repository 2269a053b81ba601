"""Writing very many rows at once: COPY on PostgreSQL, large transactions on SQLite.

A portion is written whole or not at all. While a database is being filled, foreign keys are not
checked, and a crash of the machine may cost it; what is written is the same as ever.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from bench.population import COLUMNS, Row, Rows

from coffers.store.tables import metadata

_LINES = 5_000
_COUNTED = ("users", "accounts", "api_tokens", "webhooks")


class Bulk(Protocol):
    """A database that is being filled."""

    async def done(self) -> tuple[int, int]:
        """Return the last user and the last account that there are, 0 for none."""
        ...

    async def write(self, rows: Rows, user_id: int, account_id: int) -> None:
        """Write a portion, and up to where ids are given out now."""
        ...

    async def finish(self) -> None:
        """Bring the database into the state that a running service leaves it in, and close it."""
        ...


async def opened(url: str) -> Bulk:
    """Open a database, which has its tables, by the store's URL."""
    _check_columns()
    if url.startswith("sqlite"):
        return SqliteBulk(Path(url.removeprefix("sqlite:///")))
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    # Foreign keys are triggers, which this leaves out.
    await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    return PostgresBulk(connection)


def _check_columns() -> None:
    for name, columns in COLUMNS.items():
        table = metadata.tables[name]
        needed = {c.name for c in table.columns if not c.nullable and c.server_default is None}
        if missing := needed.difference(columns):
            raise RuntimeError(f"{name} needs {sorted(missing)} too")


class SqliteBulk:
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = TRUNCATE", "synchronous = OFF", "cache_size = -400000"):
            self._connection.execute(f"PRAGMA {pragma}").close()

    async def done(self) -> tuple[int, int]:
        """Return the last user and the last account that there are, 0 for none."""
        last = "SELECT coalesce(max(id), 0) FROM"
        found = self._connection.execute(f"SELECT ({last} users), ({last} accounts)").fetchone()
        return found[0], found[1]

    async def write(self, rows: Rows, user_id: int, account_id: int) -> None:
        """Write a portion, and up to where ids are given out now."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            for name, columns in COLUMNS.items():
                places = ",".join("?" * len(columns))
                text = f"INSERT INTO {name} ({','.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
                cursor.executemany(text, rows[name])
            for name in _COUNTED:
                last = account_id if name == "accounts" else user_id
                cursor.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, last))
            cursor.execute("COMMIT")

    async def finish(self) -> None:
        """Keep a journal as a running service does, and close the file."""
        self._connection.execute("PRAGMA journal_mode = WAL").close()
        self._connection.close()


class PostgresBulk:
    """A database of a PostgreSQL server."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def done(self) -> tuple[int, int]:
        """Return the last user and the last account that there are, 0 for none."""
        last = "SELECT coalesce(max(id), 0) FROM"
        found = await self._connection.fetchrow(f"SELECT ({last} users), ({last} accounts)")
        return (0, 0) if found is None else (found[0], found[1])

    async def write(self, rows: Rows, user_id: int, account_id: int) -> None:
        """Write a portion, and up to where ids are given out now."""
        async with self._connection.transaction():
            for name, columns in COLUMNS.items():
                lines = _lines(rows[name])
                await self._connection.copy_to_table(name, source=lines, columns=columns)
            for name in _COUNTED:
                last = account_id if name == "accounts" else user_id
                await self._connection.execute(
                    "INSERT INTO counters VALUES ($1, $2) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    name,
                    last,
                )

    async def finish(self) -> None:
        """Let the planner know the tables, and close the connection."""
        # What autovacuum would have done by now.
        await self._connection.execute("VACUUM (ANALYZE)")
        await self._connection.close()


async def _lines(rows: list[Row]) -> AsyncIterator[bytes]:
    """Return rows in COPY's text form, some at a time."""
    for start in range(0, len(rows), _LINES):
        some = rows[start : start + _LINES]
        yield "".join("\t".join(map(_text, row)) + "\n" for row in some).encode()


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    # Nothing made up here has a tab, a line's end or a backslash in it.
    return f"\\\\x{value.hex()}" if isinstance(value, bytes) else str(value)
