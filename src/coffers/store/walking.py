"""Which walks through the pasts of accounts may go on: some looked at a time, wherever they stand.

Readings come first, so the walk of an account that is due for one, being read, or in trouble waits
and stays at the front of those that are due. There may be many thousands of such: a look takes a
portion of the walks that are due, and the next one goes on behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, func, select, tuple_

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.tables import accounts

LOOKED_AT = 200
"""Walks of one portion."""

Place = tuple[Millis, int]
"""Where a walk stands in the order of what is due: its moment and its account's id."""

_A = accounts.c


@dataclass(frozen=True, slots=True)
class Walkable:
    """Accounts whose walks may go on, as (user id, account id), the longest due first.

    `after` is where the next look goes on, None where it begins at the front again.
    """

    keys: Sequence[tuple[int, int]]
    after: Place | None


async def walkable(
    connection: AsyncConnection, table: Table, now: Millis, limit: int, after: Place | None
) -> Walkable:
    """Return walks of a table that may go on now, of a portion behind a place."""
    walks = table.c
    due = select(walks.user_id, walks.account_id, walks.next_at).where(walks.next_at <= now)
    if after is not None:
        due = due.where(tuple_(walks.next_at, walks.account_id) > after)
    some = due.order_by(walks.next_at, walks.account_id).limit(LOOKED_AT).subquery()
    may_go_on = and_(_A.next_sync_at > now, _A.failures == 0, _is_free(now))
    # Looked up one by one: a join might be made by a walk through all accounts.
    account = select(may_go_on).where(_A.user_id == some.c.user_id, _A.id == some.c.account_id)
    looked_up = account.correlate(some).scalar_subquery().label("may_go_on")
    statement = select(some, looked_up).order_by(some.c.next_at, some.c.account_id)
    found = (await connection.execute(statement)).all()
    keys = [(row.user_id, row.account_id) for row in found if row.may_go_on][:limit]
    is_whole = len(found) == LOOKED_AT and len(keys) < limit
    return Walkable(keys, (found[-1].next_at, found[-1].account_id) if is_whole else None)


def _is_free(now: Millis) -> ColumnElement[bool]:
    return func.coalesce(_A.claimed_until, 0) < now
