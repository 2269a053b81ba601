"""What statements of several subjects need: ids, conflict-aware inserts, version bumps."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, Select, Table, bindparam, func, select, update
from sqlalchemy.dialects import sqlite

from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.tables import accounts, counters, users

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


_UNHURRIED = select(
    *(
        func.set_config(name, "0", True)
        for name in ("lock_timeout", "idle_in_transaction_session_timeout")
    )
)
_BUMP = Prepared(
    update(users).where(users.c.id == bindparam("user")).values(version=users.c.version + 1)
)


def insert(connection: AsyncConnection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Return an insert that may say what happens on a conflict, in the database's dialect."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Return such an insert in the dialect of this name."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 3 MB, if it is used

        return postgresql.insert(table)
    return sqlite.insert(table)


async def unhurried(connection: AsyncConnection) -> None:
    """Let a transaction take as long as it needs, and wait as long for others."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_UNHURRIED)


def held(rows: Select[Any]) -> Select[Any]:
    """Return a query whose rows nobody else changes or removes before the transaction ends.

    What refers to them may be written meanwhile: a transfer that is found names other accounts,
    while their readings hold these and wait for whoever found it.
    """
    return rows.with_for_update(key_share=True)


async def changed(connection: AsyncConnection, statement: Executable) -> int:
    """Run a statement and return how many rows it changed."""
    return (await connection.execute(statement)).rowcount


async def next_id(connection: AsyncConnection, name: str) -> int:
    """Return the next number of a counter, from 1 on; given back if the transaction fails."""
    statement = insert(connection, counters).values(name=name, value=1)
    statement = statement.on_conflict_do_update(
        index_elements=[counters.c.name], set_={"value": counters.c.value + 1}
    )
    value: int = (await connection.scalars(statement.returning(counters.c.value))).one()
    return value


async def bump_user(connection: AsyncConnection, user_id: int, **values: Any) -> None:  # noqa: ANN401 - values of any column
    """Count a user's version up, with other columns where given."""
    if not values:
        await connection.changed(_BUMP, {"user": user_id})
        return
    statement = update(users).where(users.c.id == user_id)
    await connection.execute(statement.values(version=users.c.version + 1, **values))


async def bump_accounts(connection: AsyncConnection, user_id: int) -> None:
    """Count the versions of all of a user's accounts up, and the user's: all is shown anew."""
    # In one order, so that two changes at once do not wait for each other.
    own = select(accounts.c.id).where(accounts.c.user_id == user_id).order_by(accounts.c.id)
    await connection.execute(held(own))
    statement = update(accounts).where(accounts.c.user_id == user_id)
    await connection.execute(statement.values(version=accounts.c.version + 1))
    await bump_user(connection, user_id)
