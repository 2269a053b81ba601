"""Users and their API tokens."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, or_, select, update

from coffers.clock import CLOCKS_DIFFER, Millis
from coffers.store.connection import AsyncConnection
from coffers.store.errors import KeyTaken, NameTaken
from coffers.store.known_keys import require_known
from coffers.store.records import Mode, Token, User
from coffers.store.statements import bump_user, changed, insert, next_id
from coffers.store.tables import api_tokens, users
from coffers.vault.sealed import Sealed


@dataclass(frozen=True, slots=True)
class LastUse:
    """When a token was used last, and from which address."""

    user_id: int
    token_id: int
    at: Millis
    address: str


class Users:
    """The people with accounts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self, name: str, now: Millis, *, mode: Mode = "real", display_currency: str = "USD"
    ) -> User:
        """Add a user.

        Raises:
            NameTaken: when another user has the name.
        """
        user_id = await next_id(self._connection, "users")
        user = User(user_id, name, mode, display_currency, version=1, created_at=now)
        statement = insert(self._connection, users).values(
            id=user.id,
            name=name,
            mode=mode,
            display_currency=display_currency,
            version=user.version,
            created_at=now,
        )
        if not await changed(self._connection, statement.on_conflict_do_nothing()):
            raise NameTaken(name)
        return user

    async def get(self, user_id: int) -> User | None:
        """Return the user, or None."""
        row = (await self._connection.execute(select(users).where(users.c.id == user_id))).first()
        return None if row is None else _user_of(row)

    async def by_name(self, name: str) -> User | None:
        """Return the user of this very name, or None."""
        row = (await self._connection.execute(select(users).where(users.c.name == name))).first()
        return None if row is None else _user_of(row)

    async def all(self) -> list[User]:
        """Return every user in order of id."""
        return [_user_of(row) for row in await self._connection.execute(_ALL_USERS)]

    async def set_mode(self, user_id: int, mode: Mode) -> None:
        """Choose which accounts the user sees where a request does not say."""
        await bump_user(self._connection, user_id, mode=mode)

    async def set_display_currency(self, user_id: int, code: str) -> None:
        """Choose the currency that the user reads amounts in."""
        await bump_user(self._connection, user_id, display_currency=code)

    async def set_locale(self, user_id: int, locale: str) -> None:
        """Choose the language of errors; no list changes by it."""
        chosen = update(users).where(users.c.id == user_id).values(locale=locale)
        await self._connection.execute(chosen)

    async def set_written_as(self, user_id: int, locale: str, time_zone: str) -> None:
        """Choose how pages write numbers and moments; no list changes by it."""
        chosen = update(users).where(users.c.id == user_id)
        await self._connection.execute(chosen.values(written_as=locale, time_zone=time_zone))

    async def touch(self, user_id: int) -> None:
        """Count the user's version up: something that a list of theirs shows has changed."""
        await bump_user(self._connection, user_id)


class Tokens:
    """The API tokens of users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_id(self) -> int:
        """Return the id for a new token; its secret is sealed for this id before it is added."""
        return await next_id(self._connection, "api_tokens")

    async def add(self, token: Token) -> None:
        """Add a token with an id of `next_id`.

        Raises:
            KeyTaken: when there is one with its public key.
            UnknownMasterKey: when its secret was sealed under a key that the database does not
                know.
        """
        if token.sealed_secret is not None:
            await require_known(self._connection, token.sealed_secret)
        statement = insert(self._connection, api_tokens).values(_columns_of(token))
        statement = statement.on_conflict_do_nothing(index_elements=[api_tokens.c.api_key])
        if not await changed(self._connection, statement):
            raise KeyTaken

    async def by_api_key(self, api_key: str) -> Token | None:
        """Return the token with this public key, revoked or not, or None."""
        statement = _TOKENS.where(api_tokens.c.api_key == api_key)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _told_of(row)

    async def of_user(self, user_id: int) -> list[Token]:
        """Return every token of a user in order of id, the revoked ones too."""
        statement = _TOKENS.where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.id)
        return [_told_of(row) for row in await self._connection.execute(statement)]

    async def note_uses(self, uses: Collection[LastUse]) -> None:
        """Note when tokens were used last, where no later use is noted.

        One that lies ahead is of a clock that was: it would hide all others until then.
        """
        values = [
            {
                "user": use.user_id,
                "token": use.token_id,
                "at": use.at,
                "ahead": use.at + CLOCKS_DIFFER,
                "address": use.address,
            }
            for use in sorted(uses, key=lambda use: (use.user_id, use.token_id))
        ]
        if values:
            await self._connection.execute(_NOTE_USE, values)

    async def in_force(
        self, user_ids: Collection[int], token_ids: Collection[int], now: Millis
    ) -> set[int]:
        """Return those of some tokens of some users that are neither revoked nor expired."""
        columns = api_tokens.c
        statement = select(columns.id).where(
            columns.user_id.in_(sorted(user_ids)),
            columns.id.in_(sorted(token_ids)),
            _is_in_force(now),
        )
        return set(await self._connection.scalars(statement))

    async def count_in_force(self, user_id: int, now: Millis) -> int:
        """Return how many tokens of a user are neither revoked nor expired."""
        own = api_tokens.c.user_id == user_id
        statement = select(func.count()).select_from(api_tokens).where(own, _is_in_force(now))
        return await self._connection.scalar(statement) or 0

    async def revoke(self, user_id: int, api_key: str, now: Millis) -> bool:
        """Revoke a token for good; False where the user has no such token that is in force."""
        statement = update(api_tokens).where(
            api_tokens.c.user_id == user_id,
            api_tokens.c.api_key == api_key,
            api_tokens.c.revoked_at.is_(None),
        )
        return await changed(self._connection, statement.values(revoked_at=now)) > 0

    async def over_since(self, before: Millis, limit: int) -> list[int]:
        """Return the ids of some tokens, of any users, that were over before a moment."""
        columns = api_tokens.c
        is_over = or_(columns.revoked_at < before, columns.expires_at < before)
        found = await self._connection.execute(select(columns.id).where(is_over).limit(limit))
        return list(found.scalars())

    async def forget(self, token_ids: Collection[int]) -> None:
        """Forget tokens."""
        await self._connection.execute(delete(api_tokens).where(api_tokens.c.id.in_(token_ids)))


def _is_in_force(now: Millis) -> ColumnElement[bool]:
    columns = api_tokens.c
    lasts = or_(columns.expires_at.is_(None), columns.expires_at > now)
    return and_(columns.revoked_at.is_(None), lasts)


def token_of(row: Sequence[Any]) -> Token:
    """Return the token of a row with the columns of `TOKEN_COLUMNS`, from whichever driver."""
    (user_id, token_id, api_key, kind, key_id, blob, rsa_public_key) = row[:7]
    (permissions, networks, require_timestamp, expires_at, revoked_at, created_at) = row[7:13]
    return Token(
        id=token_id,
        user_id=user_id,
        api_key=api_key,
        kind=kind,
        sealed_secret=None if blob is None else Sealed(key_id, bytes(blob)),
        rsa_public_key=rsa_public_key,
        permissions=frozenset(_texts.decode(permissions)),
        allowed_networks=_texts.decode(networks),
        require_timestamp=bool(require_timestamp),
        expires_at=expires_at,
        revoked_at=revoked_at,
        created_at=created_at,
    )


TOKEN_COLUMNS = (
    "user_id",
    "id",
    "api_key",
    "kind",
    "secret_key_id",
    "secret_blob",
    "rsa_public_key",
    "permissions",
    "allowed_networks",
    "require_timestamp",
    "expires_at",
    "revoked_at",
    "created_at",
)
"""The columns of a token, in the order that `token_of` takes them."""

_TOLD_COLUMNS = ("name", "used_at", "used_from")
"""What is told of tokens beside; who may call does not depend on it."""

_TOKENS = select(*(api_tokens.c[name] for name in (*TOKEN_COLUMNS, *_TOLD_COLUMNS)))
_NOTE_USE = (
    update(api_tokens)
    .where(
        api_tokens.c.user_id == bindparam("user"),
        api_tokens.c.id == bindparam("token"),
        or_(
            api_tokens.c.used_at.is_(None),
            api_tokens.c.used_at < bindparam("at"),
            api_tokens.c.used_at > bindparam("ahead"),
        ),
    )
    .values(used_at=bindparam("at"), used_from=bindparam("address"))
)
_ALL_USERS = select(users).order_by(users.c.id)
_texts = msgspec.json.Decoder(tuple[str, ...])


def _told_of(row: Row[Any]) -> Token:
    return replace(token_of(row), name=row.name, used_at=row.used_at, used_from=row.used_from)


def _columns_of(token: Token) -> dict[str, object]:
    sealed = token.sealed_secret
    return {
        "user_id": token.user_id,
        "id": token.id,
        "api_key": token.api_key,
        "kind": token.kind,
        "secret_key_id": None if sealed is None else sealed.key_id,
        "secret_blob": None if sealed is None else sealed.blob,
        "rsa_public_key": token.rsa_public_key,
        "permissions": msgspec.json.encode(sorted(token.permissions)).decode(),
        "allowed_networks": msgspec.json.encode(token.allowed_networks).decode(),
        "require_timestamp": token.require_timestamp,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "created_at": token.created_at,
        "name": token.name,
    }


def _user_of(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        mode=row.mode,
        display_currency=row.display_currency,
        version=row.version,
        created_at=row.created_at,
        locale=row.locale,
        written_as=row.written_as,
        time_zone=row.time_zone,
    )
