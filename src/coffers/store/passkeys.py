"""Passkeys: public keys whose private halves authenticators keep."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Row, and_, delete, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.statements import changed, insert
from coffers.store.tables import passkeys

_P = passkeys.c
_texts = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of a user. `id` is base64url, `public_key` is COSE.

    `rp_id` is the host that it is for, and `sign_count` what its authenticator last counted.
    """

    user_id: int
    id: str
    name: str
    rp_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    created_at: Millis
    used_at: Millis | None = None


class Passkeys:
    """The passkeys of users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_user(self, user_id: int) -> list[Passkey]:
        """Return a user's passkeys, the oldest first."""
        statement = select(passkeys).where(_P.user_id == user_id).order_by(_P.created_at, _P.id)
        return [_passkey_of(row) for row in await self._connection.execute(statement)]

    async def hold(self, user_id: int) -> list[Passkey]:
        """Return the same, and let nobody change them until this transaction is over.

        Of two that are removed at once the second one is known to be the last.
        """
        statement = select(passkeys).where(_P.user_id == user_id).order_by(_P.id).with_for_update()
        return [_passkey_of(row) for row in await self._connection.execute(statement)]

    async def get(self, user_id: int, passkey_id: str) -> Passkey | None:
        """Return a passkey of a user, or None."""
        statement = select(passkeys).where(_P.user_id == user_id, _P.id == passkey_id)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _passkey_of(row)

    async def add(self, passkey: Passkey) -> bool:
        """Keep a passkey; False where it is there already."""
        values = {name: getattr(passkey, name) for name in passkeys.c.keys()}  # noqa: SIM118 - columns by name
        values["transports"] = msgspec.json.encode(passkey.transports).decode()
        statement = insert(self._connection, passkeys).values(values).on_conflict_do_nothing()
        return await changed(self._connection, statement) > 0

    async def use(self, passkey: Passkey, sign_count: int, now: Millis) -> bool:
        """Note that a passkey was used; False where somebody else noted it meanwhile."""
        own = and_(_P.user_id == passkey.user_id, _P.id == passkey.id)
        statement = update(passkeys).where(own, _P.sign_count == passkey.sign_count)
        statement = statement.values(sign_count=sign_count, used_at=now)
        return await changed(self._connection, statement) > 0

    async def rename(self, user_id: int, passkey_id: str, name: str) -> bool:
        """Give a passkey another name; False where the user has no such passkey."""
        own = and_(_P.user_id == user_id, _P.id == passkey_id)
        return await changed(self._connection, update(passkeys).where(own).values(name=name)) > 0

    async def remove(self, user_id: int, passkey_id: str) -> bool:
        """Forget a passkey; False where the user has no such passkey."""
        own = and_(_P.user_id == user_id, _P.id == passkey_id)
        return await changed(self._connection, delete(passkeys).where(own)) > 0

    async def remove_all(self, user_id: int) -> int:
        """Forget all passkeys of a user; return how many."""
        return await changed(self._connection, delete(passkeys).where(_P.user_id == user_id))


def _passkey_of(row: Row[Any]) -> Passkey:
    found = Passkey(**row._mapping)  # noqa: SLF001 - its public name
    return replace(found, transports=_texts.decode(row.transports))
