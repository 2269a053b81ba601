import asyncio

import pytest

import stored
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.errors import NameTaken
from factories import NOW


async def test_the_first_user_has_id_1_and_is_found_by_id_and_by_name(store: Store) -> None:
    ann = await stored.user(store, "ann", mode="paper", display_currency="EUR")
    async with store.reading() as tx:
        assert ann.id == 1
        assert ann.version == 1
        assert await tx.users.get(ann.id) == ann
        assert await tx.users.by_name("ann") == ann


async def test_an_unknown_user_is_nobody(store: Store) -> None:
    await stored.user(store, "ann")
    async with store.reading() as tx:
        assert await tx.users.get(99) is None
        assert await tx.users.by_name("Ann") is None


async def test_a_name_can_be_had_once_and_a_refused_try_costs_no_id(store: Store) -> None:
    await stored.user(store, "ann")
    with pytest.raises(NameTaken, match="'ann' is taken"):
        await stored.user(store, "ann")
    assert (await stored.user(store, "bob")).id == 2


async def test_two_users_who_want_one_name_at_once_get_it_once(store: Store) -> None:
    tries = await asyncio.gather(
        *(stored.user(store, "ann") for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, NameTaken) for one in tries) == 3
    async with store.reading() as tx:
        assert [user.id for user in await tx.users.all()] == [1]


async def test_users_added_at_once_get_ids_of_their_own(store: Store) -> None:
    added = await asyncio.gather(*(stored.user(store, f"user {n}") for n in range(8)))
    assert sorted(user.id for user in added) == list(range(1, 9))


async def test_all_users_come_in_order_of_id(store: Store) -> None:
    added = [await stored.user(store, name) for name in ("zoe", "ann", "max")]
    async with store.reading() as tx:
        assert await tx.users.all() == added


async def test_each_change_of_what_a_list_shows_counts_the_version_up(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    async with store.transaction() as tx:
        await tx.users.set_mode(ann.id, "paper")
        await tx.users.set_display_currency(ann.id, "EUR")
        await tx.users.touch(ann.id)
    changed = await stored.fresh(store, ann)
    assert (changed.mode, changed.display_currency, changed.version) == ("paper", "EUR", 4)
    assert await stored.fresh(store, bob) == bob


async def test_a_token_comes_back_as_it_was_added(store: Store) -> None:
    ann = await stored.user(store)
    hmac = await stored.token(store, ann, "token-1")
    rsa = await stored.token(
        store,
        ann,
        "token-2",
        kind="rsa",
        sealed_secret=None,
        rsa_public_key="-----BEGIN PUBLIC KEY-----",
        permissions=frozenset(),
        allowed_networks=(),
        require_timestamp=False,
        expires_at=None,
    )
    async with store.reading() as tx:
        assert await tx.tokens.by_api_key("token-1") == hmac
        assert await tx.tokens.by_api_key("token-2") == rsa
        assert await tx.tokens.of_user(ann.id) == [hmac, rsa]
        assert await tx.tokens.by_api_key("token-3") is None


async def test_a_user_sees_no_tokens_of_another(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    await stored.token(store, ann)
    async with store.reading() as tx:
        assert await tx.tokens.of_user(bob.id) == []


async def test_a_token_is_revoked_once_and_by_its_owner_only(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    await stored.token(store, ann, "token-1")
    async with store.transaction() as tx:
        assert not await tx.tokens.revoke(bob.id, "token-1", NOW)
        assert not await tx.tokens.revoke(ann.id, "token-2", NOW)
        assert await tx.tokens.revoke(ann.id, "token-1", NOW)
        assert not await tx.tokens.revoke(ann.id, "token-1", Millis(NOW + 5))
    async with store.reading() as tx:
        found = await tx.tokens.by_api_key("token-1")
    assert found is not None
    assert found.revoked_at == NOW
