"""API tokens and users: made, listed, revoked; a secret is told once."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from coffers.clock import DAY, HOUR, ManualClock
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.tokens import Tokens, TooManyTokens, Wanted, forget_over
from coffers.portfolio.users import Users
from coffers.store.engine import Store
from coffers.store.errors import NameTaken
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW

CLOCK = ManualClock(NOW)


@pytest.fixture
async def tokens(store: Store) -> Tokens:
    await Users(store, CLOCK).add("ann")
    await Users(store, CLOCK).add("bob")
    key = new_key()
    return Tokens(store, Vault(lambda: KeyRing([key])), CLOCK)


async def test_a_token_has_what_was_wanted_and_its_secret_is_sealed(tokens: Tokens) -> None:
    wanted = Wanted(("accounts_read", "ACCOUNTS_WRITE"), networks=("10.0.0.1",), expires="30d")
    issued = await tokens.create(1, wanted)
    assert issued.secret is not None
    assert issued.token.permissions == {"accounts_read", "accounts_write"}
    assert issued.token.allowed_networks == ("10.0.0.1/32",)
    assert issued.token.expires_at == NOW + 30 * DAY
    assert await tokens.of_user(1) == [issued.token]
    assert await tokens.secret_of(issued.token.api_key) == issued.secret
    assert issued.token.sealed_secret is not None
    assert issued.secret.reveal().encode() not in issued.token.sealed_secret.blob


async def test_a_token_of_one_s_own_key_has_no_secret(tokens: Tokens) -> None:
    public = generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    issued = await tokens.create(1, Wanted(("accounts_read",), rsa_public_key=pem))
    assert (issued.secret, issued.token.kind) == (None, "rsa")
    with pytest.raises(NotFound):
        await tokens.secret_of(issued.token.api_key)


async def test_tokens_that_are_over_are_forgotten_after_a_while(store: Store) -> None:
    clock, key = ManualClock(NOW), new_key()
    ann, bob = [(await Users(store, clock).add(name)).id for name in ("ann", "bob")]
    tokens = Tokens(store, Vault(lambda: KeyRing([key])), clock)
    wanted, short = Wanted(("accounts_read",)), Wanted(("accounts_read",), expires="1d")
    for owner in (ann, bob):
        await tokens.revoke(owner, (await tokens.create(owner, wanted)).token.api_key)
    await tokens.create(ann, short)
    lasting = await tokens.create(ann, wanted)
    clock.advance(91 * DAY)
    late = await tokens.create(ann, short)
    clock.advance(DAY + HOUR)
    new = await tokens.create(ann, wanted)
    await forget_over(store, clock.now())
    assert await tokens.of_user(ann) == [lasting.token, late.token, new.token]
    assert await tokens.of_user(bob) == []


async def test_a_token_that_is_made_by_a_clock_ahead_costs_no_other(store: Store) -> None:
    clock, key = ManualClock(NOW), new_key()
    ann = (await Users(store, clock).add("ann")).id
    tokens = Tokens(store, Vault(lambda: KeyRing([key])), clock)
    soon_over = await tokens.create(ann, Wanted(("accounts_read",), expires="30d"))
    clock.advance(180 * DAY)
    await tokens.create(ann, Wanted(("accounts_read",)))
    clock.set(NOW)
    assert (await tokens.of_user(ann))[0] == soon_over.token


async def test_a_token_is_revoked_once_and_by_its_owner_only(tokens: Tokens) -> None:
    issued = await tokens.create(1, Wanted(("accounts_read",)))
    with pytest.raises(NotFound):
        await tokens.revoke(2, issued.token.api_key)
    await tokens.revoke(1, issued.token.api_key)
    with pytest.raises(NotFound):
        await tokens.revoke(1, issued.token.api_key)
    (listed,) = await tokens.of_user(1)
    assert listed.revoked_at == NOW


async def test_a_user_has_so_many_tokens_in_force_and_no_more(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.tokens.MOST_IN_FORCE", 3)
    read = Wanted(("accounts_read",))
    first, _ = [await tokens.create(1, read) for _ in range(2)]
    soon_over = await tokens.create(1, Wanted(("accounts_read",), expires="1d"))
    with pytest.raises(TooManyTokens, match="neither revoked nor expired"):
        await tokens.create(1, read)
    assert len(await tokens.of_user(1)) == 3
    await tokens.create(2, read)
    await tokens.revoke(1, first.token.api_key)
    await tokens.create(1, read)
    with pytest.raises(TooManyTokens):
        await tokens.create(1, read)
    assert soon_over.token.expires_at is not None
    later = ManualClock(soon_over.token.expires_at)
    await Tokens(tokens._store, tokens._vault, later).create(1, read)


async def test_of_tokens_that_are_made_at_the_same_time_none_is_too_many(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.tokens.MOST_IN_FORCE", 3)
    made = (tokens.create(1, Wanted(("accounts_read",))) for _ in range(6))
    found = await asyncio.gather(*made, return_exceptions=True)
    assert sum(isinstance(each, TooManyTokens) for each in found) == 3
    assert len(await tokens.of_user(1)) == 3


async def test_an_unknown_permission_is_named(tokens: Tokens) -> None:
    with pytest.raises(InvalidRecord, match="everything"):
        await tokens.create(1, Wanted(("everything",)))


async def test_a_name_belongs_to_one_user(store: Store, tokens: Tokens) -> None:
    users = Users(store, CLOCK)
    with pytest.raises(NameTaken):
        await users.add("ann")
    with pytest.raises(InvalidRecord):
        await users.add("a\nb")
    with pytest.raises(NotFound, match="coffers user add carl"):
        await users.named("carl")
    assert [user.name for user in await users.all()] == ["ann", "bob"]
