"""Who does what only one of the workers shall do: one row a piece of work, held for a while.

A lease is no lock: whoever holds it may stand still and wake up after another one took it. What is
done under one must bear being done twice.
"""

from dataclasses import dataclass

from sqlalchemy import and_, delete, or_, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.statements import changed, insert
from coffers.store.tables import leases

PRICES, ACCOUNTS, BALANCE = "prices", "accounts", "balance"
WORKS = (PRICES, ACCOUNTS, BALANCE)
"""The pieces of work that one of the workers does for all."""

_L = leases.c


@dataclass(frozen=True, slots=True)
class Lease:
    """Who does a piece of work, and up to when by the holder's clock."""

    name: str
    holder: str
    until: Millis


class Leases:
    """The leases of all pieces of work."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, name: str) -> Lease | None:
        """Return the lease of a piece of work, None where nobody has it."""
        row = (await self._connection.execute(select(leases).where(_L.name == name))).first()
        return None if row is None else Lease(row.name, row.holder, row.until)

    async def take(
        self, name: str, holder: str, *, now: Millis, until: Millis, stale: Lease | None = None
    ) -> bool:
        """Take a lease that nobody has, or that has run out, up to a moment.

        Args:
            name: the piece of work.
            holder: who takes it.
            now: the present moment.
            until: when it runs out unless it is renewed.
            stale: a lease that is known not to be renewed any more, whatever its time says.

        Returns:
            False where somebody else has it.
        """
        statement = insert(self._connection, leases).values(name=name, holder=holder, until=until)
        is_free = or_(_L.holder == holder, _L.until < now)
        if stale is not None:
            is_free = or_(is_free, and_(_L.holder == stale.holder, _L.until == stale.until))
        taken = statement.on_conflict_do_update(
            index_elements=[_L.name], set_={"holder": holder, "until": until}, where=is_free
        )
        return await changed(self._connection, taken) > 0

    async def renew(self, name: str, holder: str, until: Millis) -> bool:
        """Hold a lease for longer; False where somebody else has it, or nobody."""
        own = update(leases).where(_L.name == name, _L.holder == holder)
        return await changed(self._connection, own.values(until=until)) > 0

    async def release(self, name: str, holder: str) -> None:
        """Give a lease back; another holder's stays."""
        own = delete(leases).where(_L.name == name, _L.holder == holder)
        await self._connection.execute(own)
