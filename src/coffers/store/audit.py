"""What a user or an operator may later ask about: who did what, and when."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Row, insert, select, tuple_

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.records import AuditEvent
from coffers.store.tables import audit_events, users

_E = audit_events.c
_NEWEST_FIRST = (_E.at.desc(), _E.id.desc())


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event of the trail with its number; `user_name` is None where it is nobody's."""

    number: int
    user_name: str | None
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which events are asked for: of a user, of these kinds (none for all), from a moment on."""

    user_id: int | None = None
    kinds: Collection[str] = ()
    since: Millis | None = None


class Audit:
    """The trail of events."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, event: AuditEvent) -> None:
        """Add an event; it is kept only if the change that it tells of is."""
        statement = insert(audit_events).values(
            user_id=event.user_id,
            at=event.at,
            kind=event.kind,
            subject=event.subject,
            details=event.details,
        )
        await self._connection.execute(statement)

    async def of_user(self, user_id: int, limit: int = 100) -> list[AuditEvent]:
        """Return a user's latest events, newest first."""
        statement = (
            select(audit_events).where(_E.user_id == user_id).order_by(*_NEWEST_FIRST).limit(limit)
        )
        return [_event(row) for row in await self._connection.execute(statement)]

    async def page(
        self, wanted: TrailFilter, limit: int, before: KeptEvent | None = None
    ) -> list[KeptEvent]:
        """Return events newest first; with `before`, those that come behind that one."""
        statement = select(audit_events, users.c.name.label("user_name")).join_from(
            audit_events, users, users.c.id == _E.user_id, isouter=True
        )
        if wanted.user_id is not None:
            statement = statement.where(_E.user_id == wanted.user_id)
        if wanted.kinds:
            statement = statement.where(_E.kind.in_(wanted.kinds))
        if wanted.since is not None:
            statement = statement.where(_E.at >= wanted.since)
        if before is not None:
            place = tuple_(_E.at, _E.id)
            statement = statement.where(place < tuple_(before.event.at, before.number))
        found = await self._connection.execute(statement.order_by(*_NEWEST_FIRST).limit(limit))
        return [KeptEvent(row.id, row.user_name, _event(row)) for row in found]

    async def get(self, number: int) -> KeptEvent | None:
        """Return an event by its number; without its user's name."""
        statement = select(audit_events).where(_E.id == number)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else KeptEvent(row.id, None, _event(row))

    async def kinds(self) -> list[str]:
        """Return which kinds of events there are; all events are looked at."""
        statement = select(_E.kind).distinct().order_by(_E.kind)
        return list((await self._connection.execute(statement)).scalars())


def _event(row: Row[tuple[object, ...]]) -> AuditEvent:
    return AuditEvent(row.user_id, row.at, row.kind, row.subject, row.details)
