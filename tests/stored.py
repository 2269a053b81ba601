"""Puts records into a store, for tests that begin with some; each says what it is about."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.records import Account, NewAccount, Token, User
from coffers.valuation.model import Flow, Snapshot, Value
from coffers.vault.sealed import Sealed
from factories import NOW


async def user(store: Store, name: str = "ann", **settings: Any) -> User:
    """Add a user at `NOW`."""
    async with store.transaction() as tx:
        return await tx.users.add(name, NOW, **settings)


async def account(store: Store, owner: User, name: str = "Main", **changes: Any) -> Account:
    """Add an account on Binance at `NOW`; its key is one of its own unless said."""
    identity = changes.pop("identity", None)
    credential_id = changes.pop("credential_id", f"credential of {owner.id} {name}")
    fresh = {"market_code": "binance", "api_key": f"fake-key-{name}", **changes}
    async with store.transaction() as tx:
        return await tx.accounts.add(
            NewAccount(owner.id, name=name, **fresh),
            identity=identity,
            credential_id=credential_id,
            now=NOW,
        )


async def fresh(store: Store, owner: User) -> User:
    """Return the user as stored now."""
    async with store.reading() as tx:
        found = await tx.users.get(owner.id)
    assert found is not None
    return found


async def seen(store: Store, known: Account) -> Account:
    """Return the account as stored now."""
    async with store.reading() as tx:
        found = await tx.accounts.get(known.user_id, known.id)
    assert found is not None
    return found


async def token(store: Store, owner: User, api_key: str = "token-1", **changes: Any) -> Token:
    """Add an HMAC token that may read."""
    async with store.transaction() as tx:
        made = Token(
            id=await tx.tokens.next_id(),
            user_id=owner.id,
            api_key=api_key,
            kind="hmac",
            sealed_secret=Sealed("k1", b"sealed token secret"),
            rsa_public_key=None,
            permissions=frozenset({"ACCOUNTS_READ", "ACCOUNTS_WRITE"}),
            allowed_networks=("10.0.0.0/8", "::1/128"),
            require_timestamp=True,
            expires_at=Millis(NOW + 1),
            revoked_at=None,
            created_at=NOW,
        )
        made = replace(made, **changes)
        await tx.tokens.add(made)
    return made


def snapshot(at: int, usd: str, btc: str = "0.5") -> Snapshot:
    """Return a worth at a moment."""
    return Snapshot(Millis(at), Value(Decimal(btc), Decimal(usd)))


def flow(external_id: str, at: int, value: Value | None = None, **changes: Any) -> Flow:
    """Return a deposit of one BTC."""
    made = Flow(
        external_id=external_id,
        direction="in",
        asset="BTC",
        venue_code="XXBT",
        amount=Decimal("1.000000000000000001"),
        fee=Decimal("0.0001"),
        fee_asset="BTC",
        at=Millis(at),
        value=value,
    )
    return replace(made, **changes)
