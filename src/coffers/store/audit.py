"""What a user or an operator may later ask about: who did what, and when."""

from sqlalchemy import insert, select

from coffers.store.connection import AsyncConnection
from coffers.store.records import AuditEvent
from coffers.store.tables import audit_events


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
            select(audit_events)
            .where(audit_events.c.user_id == user_id)
            .order_by(audit_events.c.at.desc(), audit_events.c.id.desc())
            .limit(limit)
        )
        return [
            AuditEvent(row.user_id, row.at, row.kind, row.subject, row.details)
            for row in await self._connection.execute(statement)
        ]
