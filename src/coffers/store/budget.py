"""How many connections to PostgreSQL each kind of process has at the most, and who has room.

What is opened is bounded by these numbers where it is opened; they stand together here, since an
operator has to add them up.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from coffers.store.driver import HELD_CONNECTIONS, LISTENING_CONNECTIONS, MOST_CONNECTIONS
from coffers.store.engine import Store

SPARE: Final = 5
"""Connections that ought to be left for commands and for whoever looks what is wrong."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The connections of one process.

    `shared` may lead through a pooler that hands out transactions; `own` each take a session of
    the server.
    """

    shared: int
    own: int

    @property
    def total(self) -> int:
        """All of them: what a process takes of the server where there is no pooler."""
        return self.shared + self.own


API: Final = Budget(MOST_CONNECTIONS + HELD_CONNECTIONS, LISTENING_CONNECTIONS)
"""A process of `coffers serve`; with `--workers N` there are N of them."""

WORKER: Final = Budget(MOST_CONNECTIONS, LISTENING_CONNECTIONS)
"""A process of `coffers worker`, or the one that `coffers serve` starts beside it."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections a server takes of ordinary roles, and how many are open now."""

    most: int
    taken: int

    @property
    def is_short(self) -> bool:
        """Whether a few more could not be opened."""
        return self.taken + SPARE > self.most


async def room_of(store: Store) -> Room:
    """Return what room a PostgreSQL server has.

    Raises:
        StoreUnavailable: when it does not answer.
    """
    async with store.connection(is_reading=True) as connection:
        row = (await connection.execute(_ROOM)).one()
    return Room(most=row[0], taken=row[1])


_ROOM = text(
    "SELECT current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int,"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
)
