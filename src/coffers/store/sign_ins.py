"""What signs people in at the pages: passwords, sessions, one-time codes and failed tries.

Codes and what browsers hold are kept as SHA-256 alone, so that who reads the database, or a backup
of it, can sign in as nobody.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.statements import changed, insert
from coffers.store.tables import passkeys, passwords, sessions, sign_in_failures, sign_in_tickets

_F, _P, _S, _T = sign_in_failures.c, passwords.c, sessions.c, sign_in_tickets.c


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in. `id` is the hash of what it holds.

    `checked_at` is when the user last showed in it who they are.
    """

    user_id: int
    id: str
    created_at: Millis
    seen_at: Millis
    expires_at: Millis
    agent: str
    checked_at: Millis


@dataclass(frozen=True, slots=True)
class Failures:
    """Tries that failed in a row for one name, from one address or in one session."""

    count: int
    last_at: Millis
    locked_until: Millis


class SignIns:
    """Who may sign in, and who is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def is_anybody_able(self) -> bool:
        """Return whether anybody can sign in without a code: has a password or a passkey."""
        for column in (_P.user_id, passkeys.c.user_id):
            if (await self._connection.execute(select(column).limit(1))).first() is not None:
                return True
        return False

    async def password(self, user_id: int) -> str | None:
        """Return the hash of a user's password, None where there is none."""
        found: str | None = await self._connection.scalar(
            select(_P.hash).where(_P.user_id == user_id)
        )
        return found

    async def set_password(self, user_id: int, hashed: str, now: Millis) -> None:
        """Keep the hash of a user's password, in place of the one before."""
        statement = insert(self._connection, passwords)
        statement = statement.values(user_id=user_id, hash=hashed, changed_at=now)
        statement = statement.on_conflict_do_update(
            index_elements=[_P.user_id], set_={"hash": hashed, "changed_at": now}
        )
        await self._connection.execute(statement)

    async def hold_password(self, user_id: int) -> str | None:
        """Return the same, and let nobody change it until this transaction is over.

        Who signs in by a password holds it first, so that whoever changes it ends that session too.
        """
        statement = select(_P.hash).where(_P.user_id == user_id).with_for_update()
        found: str | None = await self._connection.scalar(statement)
        return found

    async def replace_password(
        self, user_id: int, before: str | None, hashed: str, now: Millis
    ) -> bool:
        """Keep the hash of a user's password; False where it is not the one before any more."""
        values = {"hash": hashed, "changed_at": now}
        if before is None:
            first = insert(self._connection, passwords).values(user_id=user_id, **values)
            return await changed(self._connection, first.on_conflict_do_nothing()) > 0
        own = and_(_P.user_id == user_id, _P.hash == before)
        return await changed(self._connection, update(passwords).where(own).values(**values)) > 0

    async def add_session(self, session: Session) -> None:
        """Keep a session."""
        await self._connection.execute(
            sessions.insert().values(
                user_id=session.user_id,
                id=session.id,
                created_at=session.created_at,
                seen_at=session.seen_at,
                expires_at=session.expires_at,
                agent=session.agent,
                checked_at=session.checked_at,
            )
        )

    async def session(self, user_id: int, session_id: str, now: Millis) -> Session | None:
        """Return a session that lasts, or None."""
        statement = select(sessions).where(
            _S.user_id == user_id, _S.id == session_id, _S.expires_at > now
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _session_of(row)

    async def sessions_of(self, user_id: int, now: Millis) -> list[Session]:
        """Return a user's sessions that last, the one that was used last first."""
        statement = select(sessions).where(_S.user_id == user_id, _S.expires_at > now)
        statement = statement.order_by(_S.seen_at.desc(), _S.id)
        return [_session_of(row) for row in await self._connection.execute(statement)]

    async def check_session(self, user_id: int, session_id: str, now: Millis) -> None:
        """Note that the user of a session showed in it who they are."""
        own = and_(_S.user_id == user_id, _S.id == session_id)
        await self._connection.execute(update(sessions).where(own).values(checked_at=now))

    async def lasting(
        self, user_ids: Collection[int], session_ids: Collection[str], now: Millis
    ) -> set[str]:
        """Return those of some sessions of some users that last."""
        statement = select(_S.id).where(
            _S.user_id.in_(sorted(user_ids)),
            _S.id.in_(sorted(session_ids)),
            _S.expires_at > now,
        )
        return set(await self._connection.scalars(statement))

    async def see_session(self, session: Session, now: Millis, expires_at: Millis) -> None:
        """Note that a session is in use, and how long it lasts from now on."""
        own = and_(_S.user_id == session.user_id, _S.id == session.id)
        values = {"seen_at": now, "expires_at": expires_at}
        await self._connection.execute(update(sessions).where(own).values(**values))

    async def end_session(self, user_id: int, session_id: str) -> bool:
        """Forget a session; False where the user has no such session."""
        statement = delete(sessions).where(_S.user_id == user_id, _S.id == session_id)
        return await changed(self._connection, statement) > 0

    async def end_sessions(self, user_id: int, but: str | None = None) -> int:
        """Forget all sessions of a user, but one; return how many."""
        statement = delete(sessions).where(_S.user_id == user_id)
        return await changed(self._connection, statement.where(_S.id != but) if but else statement)

    async def add_ticket(self, ticket_id: str, user_id: int | None, expires_at: Millis) -> None:
        """Keep a one-time code by its hash; without a user it lets the first one be made."""
        await self._connection.execute(
            sign_in_tickets.insert().values(id=ticket_id, signs_in=user_id, expires_at=expires_at)
        )

    async def drop_first_run(self) -> None:
        """Forget the codes by which a first user may be made."""
        await self._connection.execute(delete(sign_in_tickets).where(_T.signs_in.is_(None)))

    async def ticket(self, ticket_id: str, now: Millis) -> tuple[int | None] | None:
        """Return whom a code that lasts is for, in a tuple; None where there is no such code."""
        statement = select(_T.signs_in).where(_T.id == ticket_id, _T.expires_at > now)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else (row.signs_in,)

    async def use_ticket(self, ticket_id: str) -> bool:
        """Use a code up; False where somebody else did."""
        return (
            await changed(self._connection, delete(sign_in_tickets).where(_T.id == ticket_id)) > 0
        )

    async def failures(self, subject: str) -> Failures | None:
        """Return the failed tries of a name, an address or a session, None where there are none."""
        statement = select(sign_in_failures).where(_F.subject == subject)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else Failures(row[1], row.last_at, row.locked_until)

    async def hold_failures(self, subject: str) -> Failures:
        """Return the same, and let no other transaction change them until this one is over."""
        none = {"count": 0, "last_at": 0, "locked_until": 0}
        statement = insert(self._connection, sign_in_failures).values(subject=subject, **none)
        statement = statement.on_conflict_do_update(
            index_elements=[_F.subject], set_={"last_at": _F.last_at}
        )
        row = (await self._connection.execute(statement.returning(*sign_in_failures.c))).one()
        return Failures(row[1], row.last_at, row.locked_until)

    async def note_failure(self, subject: str, failures: Failures) -> None:
        """Keep the failed tries of a name, an address or a session."""
        values = {
            "count": failures.count,
            "last_at": failures.last_at,
            "locked_until": failures.locked_until,
        }
        statement = insert(self._connection, sign_in_failures).values(subject=subject, **values)
        statement = statement.on_conflict_do_update(index_elements=[_F.subject], set_=values)
        await self._connection.execute(statement)

    async def forget_failures(self, subject: str) -> None:
        """Forget the failed tries of a name, an address or a session."""
        await self._connection.execute(delete(sign_in_failures).where(_F.subject == subject))

    async def forget_old(self, now: Millis, failed_before: Millis) -> None:
        """Forget sessions and codes that are over, and failures of long ago."""
        await self._connection.execute(delete(sessions).where(_S.expires_at <= now))
        await self._connection.execute(delete(sign_in_tickets).where(_T.expires_at <= now))
        old = and_(_F.last_at < failed_before, _F.locked_until <= now)
        # Who is held by a try of now is left: two that wait for each other would both be refused.
        free = select(_F.subject).where(old).with_for_update(skip_locked=True)
        await self._connection.execute(delete(sign_in_failures).where(_F.subject.in_(free)))


def _session_of(row: Row[Any]) -> Session:
    return Session(
        user_id=row.user_id,
        id=row.id,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        agent=row.agent,
        checked_at=row.checked_at,
    )
