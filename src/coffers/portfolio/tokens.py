"""API tokens of a user: made, listed and revoked. A secret is told once, when it is made."""

from dataclasses import dataclass
from typing import Final

from coffers.access.tokens import (
    new_api_key,
    new_secret,
    parse_expiry,
    parse_name,
    parse_networks,
    parse_permissions,
    public_key_text,
    read_public_key,
)
from coffers.clock import DAY, Clock, Millis
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio.secrecy import secret_fault
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.records import AuditEvent, Token
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault

MOST_IN_FORCE: Final = 100
"""Tokens of one user that are neither revoked nor expired: each has limits of its own."""

TOLD_FOR: Final = 90 * DAY
"""How long a token is listed that was revoked or has expired."""

FORGOTTEN_AT_ONCE: Final = 500
"""Tokens that are forgotten in one round."""


class TooManyTokens(CoffersError):
    """A user has as many tokens in force as one may have."""

    def __init__(self) -> None:
        super().__init__(
            f"This user has {MOST_IN_FORCE} tokens that are neither revoked nor expired; "
            "revoke one of them first."
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new token should be. Without `rsa_public_key` (PEM) it gets a secret of its own.

    `expires` is an instant in ISO 8601 or a span such as "90d", None for never. `name` is for its
    owner to tell it from others.
    """

    permissions: tuple[str, ...]
    rsa_public_key: str | None = None
    networks: tuple[str, ...] = ()
    expires: str | None = None
    require_timestamp: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret; None where the user signs with a private key of their own."""

    token: Token
    secret: Secret | None


class Tokens:
    """Makes, lists and revokes API tokens."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def create(self, user_id: int, asked: Wanted, api_key: str | None = None) -> IssuedToken:
        """Make a token, with a new API key where none is given.

        Raises:
            InvalidRecord: naming the field that cannot be accepted.
            KeyTaken: when there is a token with the API key.
            TooManyTokens: when the user has as many as one may have.
        """
        name = token_name(asked.name)
        permissions = parse_permissions(asked.permissions)
        networks = parse_networks(asked.networks)
        now = self._clock.now()
        expires_at = None if asked.expires is None else parse_expiry(asked.expires, now)
        public_key = None
        if asked.rsa_public_key is not None:
            public_key = public_key_text(read_public_key(asked.rsa_public_key))
        secret = new_secret() if public_key is None else None
        async with self._store.transaction() as tx:
            token_id = await tx.tokens.next_id()
            token = Token(
                id=token_id,
                user_id=user_id,
                api_key=api_key or new_api_key(),
                kind="hmac" if secret else "rsa",
                sealed_secret=self._sealed(secret, user_id, token_id),
                rsa_public_key=public_key,
                permissions=permissions,
                allowed_networks=networks,
                require_timestamp=asked.require_timestamp,
                expires_at=expires_at,
                revoked_at=None,
                created_at=now,
                name=name,
            )
            await tx.tokens.add(token)
            # With this one. Of two that are made one counts the other: the ids' counter is locked.
            if await tx.tokens.count_in_force(user_id, now) > MOST_IN_FORCE:
                raise TooManyTokens
            await self._note(tx, token, "token_created", ",".join(sorted(permissions)))
        return IssuedToken(token, secret)

    async def of_user(self, user_id: int) -> list[Token]:
        """Return a user's tokens, revoked and expired ones among them."""
        async with self._store.reading() as tx:
            return await tx.tokens.of_user(user_id)

    async def get(self, user_id: int, token_id: int) -> Token:
        """Return a token of a user, revoked or not.

        Raises:
            NotFound: when the user has none with this id.
        """
        for token in await self.of_user(user_id):
            if token.id == token_id:
                return token
        raise NotFound("this user has no such token")

    async def revoke(self, user_id: int, api_key: str) -> None:
        """Make a token invalid from now on.

        Raises:
            NotFound: when the user has none with this key that is not revoked already.
        """
        async with self._store.transaction() as tx:
            if not await tx.tokens.revoke(user_id, api_key, self._clock.now()):
                raise NotFound("this user has no token with that key that is not revoked already")
            event = AuditEvent(user_id, self._clock.now(), "token_revoked", api_key, "")
            await tx.audit.add(event)

    async def secret_of(self, api_key: str) -> Secret:
        """Return the secret of a token that has one, to sign with it on this machine.

        Raises:
            NotFound: when there is no such token, or its private key is the user's own.
        """
        async with self._store.reading() as tx:
            token = await tx.tokens.by_api_key(api_key)
        if token is None or token.sealed_secret is None:
            raise NotFound("there is no token with that key of which this server has the secret")
        return self._vault.open(token.sealed_secret, _context(token.user_id, token.id))

    def _sealed(self, secret: Secret | None, user_id: int, token_id: int) -> Sealed | None:
        return None if secret is None else self._vault.seal(secret, _context(user_id, token_id))

    async def _note(self, tx: Transaction, token: Token, kind: str, details: str) -> None:
        await tx.audit.add(
            AuditEvent(token.user_id, token.created_at, kind, token.api_key, details)
        )


async def forget_over(store: Store, now: Millis) -> None:
    """Forget tokens that were revoked or have expired long ago.

    `now` is of a clock that has settled: by one that is ahead, a token would be gone that is not
    over.
    """
    async with store.reading() as tx:
        over = await tx.tokens.over_since(Millis(now - TOLD_FOR), FORGOTTEN_AT_ONCE)
    if over:
        async with store.transaction() as tx:
            await tx.tokens.forget(over)


def token_name(text: str) -> str:
    """Return the name of a token as it is kept; it may be empty.

    Raises:
        InvalidRecord: for one that is too long, that cannot be shown, or that is a secret.
    """
    if fault := secret_fault(text):
        raise InvalidRecord({"name": [fault]})
    return parse_name(text)


def _context(user_id: int, token_id: int) -> str:
    return f"token:{user_id}:{token_id}"
