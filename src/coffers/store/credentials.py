"""What the vault sealed for accounts, tokens, webhooks and users, and which master key is right."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, bindparam, delete, or_, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import distinct
from coffers.store.known_keys import require_known
from coffers.store.prepared import Prepared
from coffers.store.records import SealedKind, SealedRow
from coffers.store.statements import changed, insert
from coffers.store.tables import api_tokens, credentials, totp_secrets, vault_keys, webhooks
from coffers.vault.sealed import Sealed


@dataclass(frozen=True, slots=True)
class _Place:
    """A table that keeps sealed secrets, and the columns that it keeps them in."""

    table: Table
    id: Column[Any]
    key_id: Column[Any]
    blob: Column[Any]
    key_ids: Prepared = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_ids", Prepared(distinct(self.key_id)))


_C, _O, _T, _W = credentials.c, totp_secrets.c, api_tokens.c, webhooks.c
_OF_ACCOUNT = Prepared(
    select(_C.key_id, _C.blob).where(
        _C.user_id == bindparam("user"), _C.account_id == bindparam("account")
    )
)
_PLACES: dict[SealedKind, _Place] = {
    "account": _Place(credentials, _C.account_id, _C.key_id, _C.blob),
    "token": _Place(api_tokens, _T.id, _T.secret_key_id, _T.secret_blob),
    "webhook": _Place(webhooks, _W.id, _W.key_id, _W.blob),
    "totp": _Place(totp_secrets, _O.user_id, _O.key_id, _O.blob),
}


class SealedSecrets:
    """What only a master key of the vault opens."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, user_id: int, account_id: int, sealed: Sealed) -> None:
        """Keep an account's credentials, in place of those it had.

        Raises:
            UnknownMasterKey: when they were sealed under a key that the database does not know.
        """
        await require_known(self._connection, sealed)
        statement = insert(self._connection, credentials).values(
            user_id=user_id, account_id=account_id, key_id=sealed.key_id, blob=sealed.blob
        )
        statement = statement.on_conflict_do_update(
            index_elements=[_C.user_id, _C.account_id],
            set_={"key_id": sealed.key_id, "blob": sealed.blob},
        )
        await self._connection.execute(statement)

    async def get(self, user_id: int, account_id: int) -> Sealed | None:
        """Return an account's credentials, or None."""
        own = {"user": user_id, "account": account_id}
        rows = await self._connection.rows(_OF_ACCOUNT, own)
        return Sealed(*rows[0]) if rows else None

    async def not_under(self, key_id: str, limit: int) -> list[SealedRow]:
        """Return secrets that another master key than this one sealed."""
        found: list[SealedRow] = []
        for kind in _PLACES:
            if len(found) < limit:
                found += await self._not_under(kind, key_id, limit - len(found))
        return found

    async def replace(self, row: SealedRow, sealed: Sealed) -> bool:
        """Keep a secret under another master key; False if it is not `row.sealed` any more.

        Raises:
            UnknownMasterKey: when the database does not know that one.
        """
        await require_known(self._connection, sealed)
        place = _PLACES[row.kind]
        statement = update(place.table).where(
            place.table.c.user_id == row.user_id,
            place.id == row.id,
            place.blob == row.sealed.blob,
        )
        values = {place.key_id: sealed.key_id, place.blob: sealed.blob}
        return await changed(self._connection, statement.values(values)) > 0

    async def key_ids(self) -> set[str]:
        """Return the master keys that are needed to open all secrets.

        Every probe of a process asks for them. Second factors have no index of it, and are few.
        """
        found: set[str] = set()
        for place in _PLACES.values():
            found.update(row[0] for row in await self._connection.rows(place.key_ids, {}))
        return found

    async def canaries(self) -> list[Sealed]:
        """Return the known texts, one sealed under each master key that was ever at work."""
        statement = select(vault_keys).order_by(vault_keys.c.created_at, vault_keys.c.key_id)
        return [Sealed(row.key_id, row.blob) for row in await self._connection.execute(statement)]

    async def add_canary(self, sealed: Sealed, now: Millis) -> None:
        """Keep the known text sealed under a master key; the first one of a key stays."""
        statement = insert(self._connection, vault_keys).values(
            key_id=sealed.key_id, blob=sealed.blob, created_at=now
        )
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def remove_canary(self, key_id: str) -> None:
        """Forget a master key that no secret is sealed under any more."""
        await self._connection.execute(delete(vault_keys).where(vault_keys.c.key_id == key_id))

    async def _not_under(self, kind: SealedKind, key_id: str, limit: int) -> list[SealedRow]:
        place = _PLACES[kind]
        # Two ranges instead of "not equal": an index finds them, however many are done already.
        elsewhere = or_(place.key_id < key_id, place.key_id > key_id)
        columns = (place.table.c.user_id, place.id, place.key_id, place.blob)
        rows = await self._connection.execute(select(*columns).where(elsewhere).limit(limit))
        return [SealedRow(kind, row[0], row[1], Sealed(row[2], row[3])) for row in rows]
