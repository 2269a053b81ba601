"""What was taken over from another service: which accounts, and what they were worth before ours.

These values are another program's: charts show them before an account's own opening, and nothing
else is reckoned from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import BigInteger, and_, bindparam, column, func, select, true, update, values

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.lookups import looked_up
from coffers.store.prepared import Prepared
from coffers.store.statements import changed, insert, insert_in
from coffers.store.tables import accounts, imported_values, imports
from coffers.valuation.model import Snapshot, Value

_A, _I, _V = accounts.c, imports.c, imported_values.c


@dataclass(frozen=True, slots=True)
class Import:
    """An account of another service, and the one here that it became.

    Its history was taken over up to `history_until`, None before the first part of it.
    """

    source_id: int
    account_id: int
    history_until: Millis | None = None
    is_complete: bool = False


class Imports:
    """The accounts that were taken over, and their values from before."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def link(self, user_id: int, source: str, source_id: int, account_id: int) -> bool:
        """Remember which account here is one there; return False where either is taken."""
        statement = insert(self._connection, imports).values(
            user_id=user_id,
            source=source,
            source_id=source_id,
            account_id=account_id,
            is_complete=False,
        )
        return bool(await changed(self._connection, statement.on_conflict_do_nothing()))

    async def of_source(self, user_id: int, source: str) -> dict[int, Import]:
        """Return what was taken over from a source, by the source's ids."""
        columns = (_I.source_id, _I.account_id, _I.history_until, _I.is_complete)
        statement = select(*columns).where(_I.user_id == user_id, _I.source == source)
        rows = await self._connection.execute(statement)
        return {row.source_id: Import(*row) for row in rows}

    async def linked(self, user_id: int) -> dict[int, tuple[str, int]]:
        """Return the accounts here that were taken over, with their source and its own id."""
        columns = (_I.account_id, _I.source, _I.source_id)
        statement = select(*columns).where(_I.user_id == user_id)
        rows = await self._connection.execute(statement)
        return {row.account_id: (row.source, row.source_id) for row in rows}

    async def advance(
        self, user_id: int, source: str, source_id: int, until: Millis, *, is_complete: bool
    ) -> None:
        """Write up to where an account's history was taken over."""
        own = and_(_I.user_id == user_id, _I.source == source, _I.source_id == source_id)
        state = {"history_until": until, "is_complete": is_complete}
        await self._connection.execute(update(imports).where(own).values(**state))

    async def add_values(self, user_id: int, account_id: int, found: Sequence[Snapshot]) -> int:
        """Keep values of an account; return how many were new."""
        keep, own = _kept(self._connection.dialect.name), {"user": user_id, "account": account_id}
        new = 0
        for each in found:
            worth = {"worth_btc": each.value.btc, "worth_usd": each.value.usd}
            new += await self._connection.changed(keep, {**own, "moment": each.at, **worth})
        return new

    async def openings(self, user_id: int, ids: Sequence[int]) -> dict[int, Millis]:
        """Return the moment of the first value of several accounts; one that has none is absent."""
        statement = (
            select(_V.account_id, func.min(_V.at).label("at"))
            .where(_V.user_id == user_id, _V.account_id.in_(ids))
            .group_by(_V.account_id)
        )
        return {row.account_id: row.at for row in await self._connection.execute(statement)}

    async def at_moments(
        self, user_id: int, ids: Sequence[int], moments: Sequence[Millis]
    ) -> dict[int, list[Snapshot]]:
        """Return of several accounts the last values at or before each moment, in order of time."""
        asked = values(column("at", BigInteger), name="moments").data([(at,) for at in moments])
        each = asked.cte("moments")
        last = (
            select(func.max(_V.at))
            .where(_V.user_id == _A.user_id, _V.account_id == _A.id, _V.at <= each.c.at)
            .correlate(accounts, each)
            .scalar_subquery()
        )
        seen = (
            select(_A.id.label("account_id"), last.label("at"))
            .distinct()
            .join_from(accounts, each, true())
            .where(_A.user_id == user_id, _A.id.in_(ids))
            .cte("seen")
            .prefix_with("MATERIALIZED")
        )
        values_seen = select(_V.account_id, _V.at, _V.btc, _V.usd).where(
            _V.user_id == user_id, _V.account_id == seen.c.account_id, _V.at == seen.c.at
        )
        rows = looked_up(self._connection.dialect.name, seen, values_seen, imported_values)
        statement = rows.order_by("account_id", "at")
        found: dict[int, list[Snapshot]] = {}
        for account_id, at, btc, usd in await self._connection.execute(statement):
            found.setdefault(account_id, []).append(Snapshot(at, Value(btc, usd)))
        return found


@cache
def _kept(dialect: str) -> Prepared:
    statement = insert_in(dialect, imported_values).values(
        user_id=bindparam("user"),
        account_id=bindparam("account"),
        at=bindparam("moment"),
        btc=bindparam("worth_btc"),
        usd=bindparam("worth_usd"),
    )
    return Prepared(statement.on_conflict_do_nothing())
