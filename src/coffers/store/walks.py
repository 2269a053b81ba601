"""How far back the flows of each account are known: one walk an account, step by step."""

from dataclasses import dataclass

from sqlalchemy import select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import counted
from coffers.store.statements import insert
from coffers.store.tables import flow_histories
from coffers.store.walking import Place, Walkable, walkable

_W = flow_histories.c


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk back through the flows of an account, from before its first reading.

    It began at `began_at`; everything from `known_since` on was asked by now, and it ends at
    `ends_at`, None before the first step. `cursor` is where the next step goes on. `has_gaps` says
    that the venue left something out. `next_at` is when there is something to do again, None where
    there is nothing left.
    """

    began_at: Millis
    known_since: Millis
    ends_at: Millis | None = None
    cursor: str | None = None
    is_complete: bool = False
    has_gaps: bool = False
    steps: int = 0
    failures: int = 0
    failure_message: str | None = None
    next_at: Millis | None = None

    @property
    def is_untold(self) -> bool:
        """Whether it came to its end without a step: the venue tells no past."""
        return self.is_complete and self.known_since == self.began_at


class Walks:
    """The walks of accounts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, user_id: int, account_id: int, began_at: Millis, next_at: Millis) -> None:
        """Begin an account's walk; one that began already stays as it is."""
        walk = Walk(began_at, known_since=began_at, next_at=next_at)
        statement = insert(self._connection, flow_histories).values(
            user_id=user_id, account_id=account_id, **_columns_of(walk)
        )
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def get(self, user_id: int, account_id: int) -> Walk | None:
        """Return an account's walk, None before its first reading."""
        statement = select(*(_W[name] for name in Walk.__slots__)).where(
            _W.user_id == user_id, _W.account_id == account_id
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else Walk(*row)

    async def keep(self, user_id: int, account_id: int, walk: Walk) -> None:
        """Write where an account's walk stands."""
        statement = update(flow_histories).where(_W.user_id == user_id, _W.account_id == account_id)
        await self._connection.execute(statement.values(**_columns_of(walk)))

    async def due(self, now: Millis, limit: int, after: Place | None = None) -> Walkable:
        """Return walks that may go on now, of a portion of those that are due."""
        return await walkable(self._connection, flow_histories, now, limit, after)

    async def count_open(self) -> int:
        """Return how many walks are not complete, of all users, up to `COUNTED`."""
        return await self._connection.scalar(counted(~_W.is_complete)) or 0


def _columns_of(walk: Walk) -> dict[str, object]:
    return {name: getattr(walk, name) for name in Walk.__slots__}
