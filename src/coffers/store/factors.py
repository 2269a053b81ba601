"""What a user shows beside the password: codes of an app, sealed, and recovery codes as hashes."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.known_keys import require_known
from coffers.store.statements import changed, insert
from coffers.store.tables import passkeys, recovery_codes, totp_secrets, users
from coffers.vault.sealed import Sealed

_O, _P, _R = totp_secrets.c, passkeys.c, recovery_codes.c


@dataclass(frozen=True, slots=True)
class Totp:
    """An app that makes codes. It counts from `confirmed_at` on."""

    sealed: Sealed
    begun_at: Millis
    confirmed_at: Millis | None
    last_step: int


@dataclass(frozen=True, slots=True)
class Ways:
    """What somebody can show beside the password."""

    has_totp: bool
    passkeys: int
    recovery_codes: int

    @property
    def is_second_asked(self) -> bool:
        """Return whether a password alone does not sign in."""
        return self.has_totp or self.passkeys > 0


class Factors:
    """The second factors of users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ways(self, user_id: int) -> Ways:
        """Return what a user can show beside the password."""
        counts = [
            select(func.count()).where(_O.user_id == user_id, _O.confirmed_at.is_not(None)),
            select(func.count()).where(_P.user_id == user_id),
            select(func.count()).where(_R.user_id == user_id),
        ]
        row = (
            await self._connection.execute(select(*(each.scalar_subquery() for each in counts)))
        ).one()
        return Ways(bool(row[0]), row[1], row[2])

    async def totp(self, user_id: int) -> Totp | None:
        """Return a user's app, confirmed or not, or None."""
        row = (
            await self._connection.execute(select(totp_secrets).where(_O.user_id == user_id))
        ).first()
        if row is None:
            return None
        sealed = Sealed(row.key_id, row.blob)
        return Totp(sealed, row.begun_at, row.confirmed_at, row.last_step)

    async def begin_totp(self, user_id: int, sealed: Sealed, now: Millis) -> bool:
        """Keep the secret of an app that is to be confirmed; False where there is a confirmed one.

        One that waits is replaced.

        Raises:
            UnknownMasterKey: when it was sealed under a key that the database does not know.
        """
        await require_known(self._connection, sealed)
        values = {"key_id": sealed.key_id, "blob": sealed.blob, "begun_at": now, "last_step": 0}
        statement = insert(self._connection, totp_secrets).values(user_id=user_id, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[_O.user_id], set_=values, where=_O.confirmed_at.is_(None)
        )
        return await changed(self._connection, statement) > 0

    async def confirm_totp(self, user_id: int, begun_at: Millis, now: Millis) -> bool:
        """Let an app count; False where it does already, or was begun anew meanwhile."""
        statement = update(totp_secrets).where(
            _O.user_id == user_id, _O.begun_at == begun_at, _O.confirmed_at.is_(None)
        )
        return await changed(self._connection, statement.values(confirmed_at=now)) > 0

    async def use_step(self, user_id: int, step: int) -> bool:
        """Use the code of a time step; False where this one was used, or a later one."""
        statement = update(totp_secrets).where(_O.user_id == user_id, _O.last_step < step)
        return await changed(self._connection, statement.values(last_step=step)) > 0

    async def remove_totp(self, user_id: int) -> bool:
        """Forget a user's app; False where there is none that counts."""
        was_confirmed = (await self.ways(user_id)).has_totp
        await self._connection.execute(delete(totp_secrets).where(_O.user_id == user_id))
        return was_confirmed

    async def set_recovery_codes(self, user_id: int, hashed: Iterable[str], now: Millis) -> None:
        """Keep recovery codes by their hashes, in place of those before."""
        # One after the other: of two at once each would leave the other one's codes.
        held = select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True)
        await self._connection.execute(held)
        await self.remove_recovery_codes(user_id)
        rows = [{"user_id": user_id, "id": each, "made_at": now} for each in hashed]
        await self._connection.execute(recovery_codes.insert(), rows)

    async def use_recovery_code(self, user_id: int, hashed: str) -> bool:
        """Use a recovery code up; False where the user has no such code."""
        statement = delete(recovery_codes).where(_R.user_id == user_id, _R.id == hashed)
        return await changed(self._connection, statement) > 0

    async def remove_recovery_codes(self, user_id: int) -> None:
        """Forget a user's recovery codes."""
        await self._connection.execute(delete(recovery_codes).where(_R.user_id == user_id))
