"""What API processes ask of workers, since an API process talks to no exchange.

An errand is added, taken by one worker, and ended with an outcome. A worker that dies keeps it
until its hold runs out; another one takes it then. What nobody took in time is gone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import COUNTED
from coffers.store.known_keys import require_known
from coffers.store.notices import Topic, announce
from coffers.store.statements import changed, next_id
from coffers.store.tables import errands
from coffers.vault.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to be done for a user. `sealed` is what is asked, bound to user and id."""

    user_id: int
    id: int
    kind: str
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class ErrandStanding:
    """How far an errand has come."""

    created_at: Millis
    is_taken: bool
    outcome: str | None


class Errands:
    """The errands that are open or have just ended."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def new_id(self) -> int:
        """Return the id of an errand to be added: what is asked is sealed for it."""
        return await next_id(self._connection, "errands")

    async def add(
        self, errand: Errand, now: Millis, expires_at: Millis, outcome: str | None = None
    ) -> None:
        """Add an errand that may be taken until it expires; one with an outcome is over already.

        Raises:
            UnknownMasterKey: when it was sealed under a key that the database does not know.
        """
        await require_known(self._connection, errand.sealed)
        statement = insert(errands).values(
            user_id=errand.user_id,
            id=errand.id,
            kind=errand.kind,
            key_id=errand.sealed.key_id,
            blob=errand.sealed.blob,
            created_at=now,
            expires_at=expires_at,
            outcome=outcome,
        )
        await self._connection.execute(statement)
        await announce(self._connection, Topic.ERRANDS, errand.user_id, errand.id)

    async def is_waiting(self, now: Millis, passed_over: Collection[int] = ()) -> bool:
        """Return whether there is an errand that nobody works at, of users not passed over."""
        return await self._oldest(now, passed_over) is not None

    async def count_open(self, user_id: int, now: Millis) -> int:
        """Return how many errands of a user are not done yet, whether somebody works at them."""
        # Of the open ones of all users: they are few, while of one alone there may be thousands
        # that ended within the hour. The limit keeps a database from the user's own index.
        lasting = select(errands.c.user_id).where(
            errands.c.outcome.is_(None), errands.c.expires_at > now
        )
        newest = lasting.order_by(errands.c.created_at.desc(), errands.c.id.desc())
        some = newest.limit(COUNTED).subquery()
        counted = select(func.count()).where(some.c.user_id == user_id)
        return await self._connection.scalar(counted) or 0

    async def open_of(self, user_id: int, kind: str, now: Millis) -> list[Errand]:
        """Return a user's errands of a kind that are not done yet, oldest first."""
        lasting = and_(errands.c.outcome.is_(None), errands.c.expires_at > now)
        own = and_(errands.c.user_id == user_id, errands.c.kind == kind, errands.c.blob != b"")
        rows = await self._connection.execute(_OPEN.where(lasting, own).limit(None))
        return [Errand(row.user_id, row.id, row.kind, Sealed(row.key_id, row.blob)) for row in rows]

    async def take(
        self, holder: str, now: Millis, until: Millis, passed_over: Collection[int] = ()
    ) -> Errand | None:
        """Take the oldest errand that nobody works at, None where there is none.

        Those of users who are passed over are left; each of them has few that are open.
        """
        found = await self._oldest(now, passed_over)
        if found is None:
            return None
        own = _is(found.user_id, found.id)
        statement = update(errands).where(own, _is_open(now))
        took = await changed(self._connection, statement.values(taken_by=holder, taken_until=until))
        if not took:
            return None
        return Errand(found.user_id, found.id, found.kind, Sealed(found.key_id, found.blob))

    async def _oldest(self, now: Millis, passed_over: Collection[int]) -> Row[Any] | None:
        statement = _OPEN.where(_is_open(now))
        if passed_over:
            statement = statement.where(errands.c.user_id.not_in(passed_over))
        return (await self._connection.execute(statement)).first()

    async def hold(self, user_id: int, errand_id: int, holder: str, until: Millis) -> bool:
        """Keep an errand that was taken until a moment; False where somebody else has it."""
        own = and_(_is(user_id, errand_id), errands.c.taken_by == holder)
        return (
            await changed(self._connection, update(errands).where(own).values(taken_until=until))
            > 0
        )

    async def finish(self, user_id: int, errand_id: int, holder: str, outcome: str) -> bool:
        """End an errand with what came of it; False where somebody else has taken it over."""
        statement = update(errands).where(
            _is(user_id, errand_id), errands.c.taken_by == holder, errands.c.outcome.is_(None)
        )
        # What was asked has no use any more, and may hold a key.
        values = {"outcome": outcome, "blob": b""}
        is_ended = await changed(self._connection, statement.values(**values)) > 0
        if is_ended:
            await announce(self._connection, Topic.OUTCOMES, user_id, errand_id)
        return is_ended

    async def outcome(self, user_id: int, errand_id: int) -> str | None:
        """Return what came of an errand, None while it is open."""
        outcome: str | None = await self._connection.scalar(
            select(errands.c.outcome).where(_is(user_id, errand_id))
        )
        return outcome

    async def standing(self, user_id: int, errand_id: int) -> ErrandStanding | None:
        """Return how far an errand has come, None where there is none."""
        columns = select(errands.c.created_at, errands.c.taken_by, errands.c.outcome)
        row = (await self._connection.execute(columns.where(_is(user_id, errand_id)))).first()
        if row is None:
            return None
        return ErrandStanding(Millis(row.created_at), row.taken_by is not None, row.outcome)

    async def is_taken(self, user_id: int, errand_id: int) -> bool:
        """Return whether a worker has taken an errand."""
        holder = select(errands.c.taken_by).where(_is(user_id, errand_id))
        return await self._connection.scalar(holder) is not None

    async def withdraw(self, user_id: int, errand_id: int) -> bool:
        """Take back an errand that nobody has taken; False where somebody has."""
        statement = delete(errands).where(_is(user_id, errand_id), errands.c.taken_by.is_(None))
        return await changed(self._connection, statement) > 0

    async def empty(self, now: Millis) -> None:
        """Remove what was asked by errands that never ended, and that nobody may take any more.

        It may hold a key, and is of no use: who took one in time has read it.
        """
        statement = update(errands).where(
            errands.c.outcome.is_(None), errands.c.expires_at < now, errands.c.blob != b""
        )
        await self._connection.execute(statement.values(blob=b""))

    async def forget(self, before: Millis) -> None:
        """Forget the errands that expired before a moment."""
        await self._connection.execute(delete(errands).where(errands.c.expires_at < before))

    async def kept(
        self, user_id: int, errand_id: int, kind: str, now: Millis
    ) -> tuple[Errand, str] | None:
        """Return an errand that was kept, with its outcome; None where there is none any more."""
        statement = select(errands).where(
            _is(user_id, errand_id), errands.c.kind == kind, errands.c.expires_at > now
        )
        row = (await self._connection.execute(statement)).first()
        if row is None:
            return None
        return Errand(row.user_id, row.id, row.kind, Sealed(row.key_id, row.blob)), row.outcome

    async def drop(self, user_id: int, errand_id: int, kind: str) -> None:
        """Forget an errand that was kept."""
        own = and_(_is(user_id, errand_id), errands.c.kind == kind)
        await self._connection.execute(delete(errands).where(own))

    async def forget_kept(self, kind: str, now: Millis) -> None:
        """Forget the kept errands of a kind that have expired."""
        old = and_(errands.c.expires_at <= now, errands.c.kind == kind)
        await self._connection.execute(delete(errands).where(old))

    async def forget_untaken(self, kind: str, now: Millis) -> None:
        """Forget the errands of a kind that expired before anybody took them."""
        old = and_(errands.c.expires_at <= now, errands.c.kind == kind)
        await self._connection.execute(
            delete(errands).where(old, errands.c.taken_by.is_(None), errands.c.outcome.is_(None))
        )


_OPEN = (
    select(errands.c.user_id, errands.c.id, errands.c.kind, errands.c.key_id, errands.c.blob)
    .order_by(errands.c.created_at, errands.c.id)
    .limit(1)
)


def _is(user_id: int, errand_id: int) -> ColumnElement[bool]:
    return and_(errands.c.user_id == user_id, errands.c.id == errand_id)


def _is_open(now: Millis) -> ColumnElement[bool]:
    is_free = or_(errands.c.taken_until.is_(None), errands.c.taken_until < now)
    # The sum keeps SQLite from the index by expiry: it would walk through all that ended within the
    # hour, from some version on, instead of through the few that are open.
    is_lasting = errands.c.expires_at + 0 >= now
    return and_(errands.c.outcome.is_(None), is_lasting, is_free)
