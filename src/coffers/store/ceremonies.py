"""What is under way while somebody shows who they are: for one use, and for minutes.

Any process may have begun one and any may end it. What a browser or an authenticator holds of it is
kept as SHA-256 alone.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, func, select

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.statements import changed, insert
from coffers.store.tables import ceremonies

CeremonyKind = Literal[
    "second_factor",
    "passkey_add",
    "passkey_sign_in",
    "passkey_second",
    "passkey_check",
    "without_password",
]
_C = ceremonies.c


@dataclass(frozen=True, slots=True)
class Ceremony:
    """Something under way. `subject` is what it is bound to, `signs_in` whom it is for."""

    id: str
    kind: CeremonyKind
    subject: str
    expires_at: Millis
    signs_in: int | None = None


class Ceremonies:
    """What is under way."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, ceremony: Ceremony, now: Millis) -> None:
        """Begin one whose id nobody has; those that are over are forgotten."""
        await self.begin(ceremony, now)

    async def begin(self, ceremony: Ceremony, now: Millis) -> bool:
        """Begin one, unless one of its id was begun; those that are over are forgotten."""
        # What others forget at the same time is left to them.
        over = select(_C.id).where(_C.expires_at <= now).with_for_update(skip_locked=True)
        await self._connection.execute(delete(ceremonies).where(_C.id.in_(over)))
        statement = insert(self._connection, ceremonies).values(
            id=ceremony.id,
            kind=ceremony.kind,
            signs_in=ceremony.signs_in,
            subject=ceremony.subject,
            expires_at=ceremony.expires_at,
        )
        return await changed(self._connection, statement.on_conflict_do_nothing()) > 0

    async def get(self, kind: CeremonyKind, ceremony_id: str, now: Millis) -> Ceremony | None:
        """Return one of a kind that lasts, or None."""
        statement = select(ceremonies).where(
            _C.id == ceremony_id, _C.kind == kind, _C.expires_at > now
        )
        row = (await self._connection.execute(statement)).first()
        if row is None:
            return None
        return Ceremony(row.id, row.kind, row.subject, row.expires_at, row.signs_in)

    async def count(self, kind: CeremonyKind, subject: str, now: Millis) -> int:
        """Return how many of a kind last that are bound to something."""
        statement = select(func.count()).where(
            _C.subject == subject, _C.kind == kind, _C.expires_at > now
        )
        counted: int = await self._connection.scalar(statement)
        return counted

    async def end(self, ceremony_id: str) -> bool:
        """End one; False where somebody else did."""
        return await changed(self._connection, delete(ceremonies).where(_C.id == ceremony_id)) > 0

    async def end_of_user(self, user_id: int) -> None:
        """End those that would sign a user in."""
        await self._connection.execute(delete(ceremonies).where(_C.signs_in == user_id))
