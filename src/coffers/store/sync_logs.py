"""The last tries to read each account: one row an account, written at the end of each try.

A row is a text of one line a try, the newest first, so that a try costs one statement and nothing
is read for it. Every tenth time it is cut to what is shown.
"""

import msgspec
from sqlalchemy import Text, bindparam, func, select, update

from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.statements import insert
from coffers.store.tables import sync_logs

SHOWN = 10
"""Tries that are told of an account."""

MOST_LINES = 2 * SHOWN
"""Lines after which the text is cut."""

LONGEST_WHY = 120

_S = sync_logs.c
_OWN = (_S.user_id == bindparam("user"), _S.account_id == bindparam("account"))
_LINES = func.length(_S.entries) - func.length(func.replace(_S.entries, "\n", ""))
_ADD = Prepared(
    update(sync_logs)
    .where(*_OWN)
    .values(entries=bindparam("line", type_=Text).concat(_S.entries))
    .returning(_LINES.label("lines"))
)
_CUT = Prepared(update(sync_logs).where(*_OWN).values(entries=bindparam("text", type_=Text)))


class SyncTry(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A try to read an account: when it began, how long it took, and what came of it.

    `outcome` is one of `complete`, `partial`, `held_back` and `failed`; `kind` is that of the
    failure, and `why` tells it, or which parts were not read. `parts` are those that were.
    """

    at: int
    took: int
    outcome: str
    kind: str = ""
    why: str = ""
    parts: tuple[str, ...] = ()


class SyncLogs:
    """The last tries of accounts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user_id: int, account_id: int, tried: SyncTry) -> None:
        """Add a try to those of an account."""
        line = msgspec.json.encode(tried).decode() + "\n"
        own = {"user": user_id, "account": account_id}
        rows = await self._connection.rows(_ADD, {**own, "line": line})
        if not rows:
            statement = insert(self._connection, sync_logs).values(
                user_id=user_id, account_id=account_id, entries=line
            )
            await self._connection.execute(statement.on_conflict_do_nothing())
        elif rows[0][0] > MOST_LINES:
            shown = (await self._lines(user_id, account_id))[:SHOWN]
            text = "".join(f"{each}\n" for each in shown)
            await self._connection.changed(_CUT, {**own, "text": text})

    async def of_account(self, user_id: int, account_id: int) -> list[SyncTry]:
        """Return the last tries of an account, the newest first."""
        lines = await self._lines(user_id, account_id)
        return [msgspec.json.decode(line, type=SyncTry) for line in lines[:SHOWN]]

    async def _lines(self, user_id: int, account_id: int) -> list[str]:
        text: str | None = await self._connection.scalar(
            select(_S.entries).where(_S.user_id == user_id, _S.account_id == account_id)
        )
        return [] if text is None else text.removesuffix("\n").split("\n")


def bounded(why: str) -> str:
    """Return a reason that is no longer than is kept of one."""
    return why if len(why) <= LONGEST_WHY else f"{why[: LONGEST_WHY - 1]}…"
