from dataclasses import replace

import pytest

import stored
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.errors import UnknownMasterKey
from coffers.store.records import SealedRow
from coffers.vault.sealed import Sealed
from factories import NOW

OLD, NEW = Sealed("k1", b"under the old key"), Sealed("k2", b"under the new key")


async def test_credentials_are_kept_and_replaced(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        assert await tx.secrets.get(known.user_id, known.id) is None
        await tx.secrets.put(known.user_id, known.id, OLD)
        await tx.secrets.put(known.user_id, known.id, NEW)
        assert await tx.secrets.get(known.user_id, known.id) == NEW


async def test_another_users_credentials_are_not_given_out(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    known = await stored.account(store, ann)
    async with store.transaction() as tx:
        await tx.secrets.put(ann.id, known.id, OLD)
        assert await tx.secrets.get(bob.id, known.id) is None


async def test_secrets_under_other_keys_are_found_among_accounts_and_tokens(store: Store) -> None:
    ann = await stored.user(store)
    known, done = await stored.account(store, ann, "a"), await stored.account(store, ann, "b")
    token = await stored.token(store, ann, sealed_secret=OLD)
    await stored.token(store, ann, "token-2", kind="rsa", sealed_secret=None)
    async with store.transaction() as tx:
        await tx.secrets.put(ann.id, known.id, OLD)
        await tx.secrets.put(ann.id, done.id, NEW)
        assert await tx.secrets.not_under("k2", 10) == [
            SealedRow("account", ann.id, known.id, OLD),
            SealedRow("token", ann.id, token.id, OLD),
        ]
        assert len(await tx.secrets.not_under("k2", 1)) == 1
        assert len(await tx.secrets.not_under("k0", 10)) == 3
        assert await tx.secrets.key_ids() == {"k1", "k2"}


async def test_every_secret_can_be_brought_under_another_key(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    token = await stored.token(store, ann, sealed_secret=OLD)
    async with store.transaction() as tx:
        await tx.secrets.put(ann.id, known.id, OLD)
        for row in await tx.secrets.not_under("k2", 10):
            assert await tx.secrets.replace(row, NEW)
        assert await tx.secrets.not_under("k2", 10) == []
        assert await tx.secrets.key_ids() == {"k2"}
        assert await tx.secrets.get(ann.id, known.id) == NEW
        found = await tx.tokens.by_api_key(token.api_key)
    assert found is not None
    assert found.sealed_secret == NEW


async def test_a_secret_that_changed_meanwhile_is_not_replaced(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    async with store.transaction() as tx:
        await tx.secrets.put(ann.id, known.id, OLD)
        (row,) = await tx.secrets.not_under("k2", 10)
        assert not await tx.secrets.replace(replace(row, user_id=99), NEW)
        changed = Sealed("k1", b"the user entered another secret")
        await tx.secrets.put(ann.id, known.id, changed)
        assert not await tx.secrets.replace(row, NEW)
        assert await tx.secrets.get(ann.id, known.id) == changed
        await tx.accounts.remove(ann.id, known.id)
        assert not await tx.secrets.replace(row, NEW)


async def test_canaries_are_kept_one_a_key_until_they_are_removed(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tx.secrets.canaries() == []
        await tx.secrets.add_canary(OLD, NOW)
        await tx.secrets.add_canary(Sealed("k1", b"another text"), NOW)
        await tx.secrets.add_canary(NEW, Millis(NOW + 1))
        assert await tx.secrets.canaries() == [OLD, NEW]
        await tx.secrets.remove_canary("k1")
        assert await tx.secrets.canaries() == [NEW]


async def test_a_secret_under_a_key_that_the_database_does_not_know_is_stored_nowhere(
    store: Store,
) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    async with store.transaction() as tx:
        await tx.secrets.add_canary(OLD, NOW)
        await tx.secrets.put(ann.id, known.id, OLD)
        (row,) = await tx.secrets.not_under("k2", 10)
        with pytest.raises(UnknownMasterKey):
            await tx.secrets.put(ann.id, known.id, NEW)
        with pytest.raises(UnknownMasterKey):
            await tx.secrets.replace(row, NEW)
        with pytest.raises(UnknownMasterKey):
            await tx.factors.begin_totp(ann.id, NEW, NOW)
        assert await tx.secrets.key_ids() == {"k1"}
