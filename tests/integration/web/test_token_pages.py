"""The pages of API tokens: what is made, that a secret is shown once, and revoking."""

import re
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from coffers.clock import DAY
from coffers.portfolio.sessions import CHECK_LASTS
from coffers.store.engine import Store
from coffers.store.records import Token
from factories import NOW
from pages import PASSWORD, Pages, opened
from served import Caller

LIST = "/public/api/ver1/accounts"
READING = {"may_accounts_read": "on", "kind": "hmac", "expires_at": "90d", "once": "1"}


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        await found.begin()
        yield found


async def _tokens(pages: Pages) -> list[Token]:
    user = await pages.user()
    async with pages.api.services.store.reading() as tx:
        return await tx.tokens.of_user(user.id)


async def test_a_token_is_made_and_its_secret_signs(pages: Pages) -> None:
    shown = (await pages.http.get("/tokens/new")).text
    assert 'value="90d" selected' in shown
    made = await pages.send("/tokens/new", **READING, name="phone", require_timestamp="")
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    (token,) = await _tokens(pages)
    secret = re.search(r"<textarea[^>]*>([0-9a-f]{128})</textarea>", made.text)
    assert secret is not None
    assert (token.name, token.permissions, token.kind) == ("phone", {"accounts_read"}, "hmac")
    assert (token.expires_at, token.allowed_networks) == (NOW + 90 * DAY, ())
    caller = Caller(await pages.user(), token.api_key, secret[1])
    assert (await pages.http.get(LIST, headers=caller.headers(LIST))).status_code == 200
    listed = (await pages.http.get("/tokens")).text
    assert f"{token.api_key[:8]}…{token.api_key[-4:]}" in listed
    assert secret[1] not in listed


async def test_an_answer_that_is_loaded_anew_makes_no_second_token(pages: Pages) -> None:
    first = await pages.send("/tokens/new", **READING)
    again = await pages.send("/tokens/new", **READING)
    assert first.status_code == 200
    assert (again.status_code, again.headers["location"]) == (303, "/tokens?done=made-before")
    assert len(await _tokens(pages)) == 1
    assert "made already" in (await pages.http.get("/tokens?done=made-before")).text
    other = await pages.send("/tokens/new", **{**READING, "once": "2"})
    assert other.status_code == 200
    assert len(await _tokens(pages)) == 2


async def test_whoever_has_as_many_tokens_as_one_may_have_is_told_so(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.tokens.MOST_IN_FORCE", 1)
    await pages.send("/tokens/new", **READING)
    refused = await pages.send("/tokens/new", **{**READING, "once": "2"})
    assert refused.status_code == 422
    assert "neither revoked nor expired; revoke one of them first" in refused.text
    again = await pages.send("/tokens/new", **READING)
    assert again.headers["location"] == "/tokens?done=made-before"
    assert len(await _tokens(pages)) == 1


async def test_each_form_is_drawn_for_a_token_of_its_own(pages: Pages) -> None:
    shown = [(await pages.http.get("/tokens/new")).text for _ in range(3)]
    drawn = {once for each in shown for once in re.findall('name="once" value="([^"]+)"', each)}
    assert len(drawn) == 3


async def test_a_token_of_ones_own_key_for_some_addresses(pages: Pages) -> None:
    public = generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    form = {**READING, "kind": "rsa", "public_key": pem, "expires_at": "", "from_here": "on"}
    made = await pages.send("/tokens/new", **form, allowed_networks="10.0.0.0/8\n192.0.2.1, ::1")
    assert "this server has the public one alone" in made.text
    (token,) = await _tokens(pages)
    assert (token.kind, token.expires_at) == ("rsa", None)
    networks = ("10.0.0.0/8", "192.0.2.1/32", "::1/128", "127.0.0.1/32")
    assert token.allowed_networks == networks
    shown = (await pages.http.get("/tokens")).text
    assert "own RSA key" in shown
    assert "10.0.0.0/8" in shown


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"may_accounts_read": ""}, "What it may do: choose one at least"),
        ({"allowed_networks": "10.0.0.0/99"}, "Addresses or networks: &#39;10.0.0.0/99&#39; is no"),
        ({"expires_at": "soon"}, "It lasts: does not have a valid value"),
        ({"kind": "rsa"}, "Public key: can&#39;t be blank"),
        ({"public_key": "PEM"}, "Public key: is for a key of your own"),
        ({"kind": "rsa", "public_key": "PEM"}, "Public key: is not a public key in PEM form"),
        ({"name": "x" * 65}, "Name: must be at the most 64"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(
    pages: Pages, changes: dict[str, str], fault: str
) -> None:
    told = await pages.send("/tokens/new", **{**READING, "name": "kept", **changes})
    assert told.status_code == 400
    assert fault in told.text
    assert 'name="once" value="1"' in told.text
    assert ("kept" in told.text) != ("name" in changes)
    assert await _tokens(pages) == []


async def test_a_private_key_is_refused_and_not_shown_again(pages: Pages) -> None:
    private = generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = await pages.send("/tokens/new", **{**READING, "kind": "rsa", "public_key": pem})
    assert told.status_code == 400
    assert "Public key: is a private key" in told.text
    assert pem.splitlines()[1] not in told.text


async def test_a_token_is_revoked_after_a_question(pages: Pages) -> None:
    await pages.send("/tokens/new", **READING, name="old phone")
    (token,) = await _tokens(pages)
    path = f"/tokens/{token.id}/revoke"
    assert "Revoke old phone?" in (await pages.http.get(path)).text
    assert (await pages.send(path)).headers["location"] == "/tokens?done=revoked"
    (token,) = await _tokens(pages)
    assert token.revoked_at is not None
    listed = (await pages.http.get("/tokens")).text
    assert "No token is in force" in listed
    assert "Expired and revoked (1)" in listed
    for again in (await pages.http.get(path), await pages.send(path)):
        assert again.headers["location"] == "/tokens?done=revoked"
    user = await pages.user()
    async with pages.api.services.store.reading() as tx:
        kinds = [event.kind for event in await tx.audit.of_user(user.id)]
    assert kinds.count("token_revoked") == 1


async def test_anothers_token_is_not_there(pages: Pages) -> None:
    bob = await pages.api.caller("bob")
    async with pages.api.services.store.reading() as tx:
        (token,) = await tx.tokens.of_user(bob.user.id)
    for answer in (
        await pages.http.get(f"/tokens/{token.id}/revoke"),
        await pages.send(f"/tokens/{token.id}/revoke"),
    ):
        assert answer.status_code == 404
    assert token.api_key not in (await pages.http.get("/tokens")).text
    assert "There is no such page" in (await pages.http.get("/tokens/x")).text


async def test_what_happened_is_in_the_trail(pages: Pages) -> None:
    await pages.send("/tokens/new", **READING)
    (token,) = await _tokens(pages)
    await pages.send(f"/tokens/{token.id}/revoke")
    user = await pages.user()
    async with pages.api.services.store.reading() as tx:
        kinds = [event.kind for event in await tx.audit.of_user(user.id)]
    assert {"token_created", "token_revoked"} <= set(kinds)


async def test_the_last_use_is_told(pages: Pages) -> None:
    caller = await pages.api.caller()
    assert (await pages.http.get(LIST, headers=caller.headers(LIST))).status_code == 200
    assert "never</td>" in (await pages.http.get("/tokens")).text
    await pages.api.services.gate.uses.write(pages.api.services.store)
    assert "from 127.0.0.1" in (await pages.http.get("/tokens")).text


async def test_who_was_away_for_long_shows_first_who_they_are(pages: Pages) -> None:
    form = {**READING, "name": "late"}
    pages.api.clock.advance(CHECK_LASTS + 1)
    opened_late = await pages.http.get("/tokens/new")
    sent_late = await pages.send("/tokens/new", **form)
    assert (opened_late.status_code, sent_late.status_code) == (303, 303)
    assert sent_late.headers["location"] == "/security?done=unchecked"
    assert "late" not in (await pages.http.get("/tokens")).text
    asking = await pages.http.get(opened_late.headers["location"])
    assert 'name="back" value="/tokens/new"' in asking.text
    away = "//evil.example/x"
    checked = await pages.send("/security/check", password=PASSWORD, back=away)
    assert checked.headers["location"] == "/security?done=checked"
    checked = await pages.send("/security/check", password=PASSWORD, back="/tokens/new")
    assert checked.headers["location"] == "/tokens/new"
    assert (await pages.http.get("/tokens/new")).status_code == 200


@pytest.mark.parametrize("secret", ["hunter2 horse battery", "Zm9vYmFyCg/+" * 4, "ab" * 16])
async def test_what_is_no_network_and_may_be_a_secret_is_not_shown_again(
    pages: Pages, secret: str
) -> None:
    await pages.begin()
    typed = f"192.168.1.0/24\n{secret}\n10.0.0.300"
    answer = await pages.send("/tokens/new", may_accounts_read="on", allowed_networks=typed)
    assert answer.status_code == 400
    for word in secret.split():
        assert word not in answer.text
    assert "number 2 is no address or network" in answer.text
    assert "192.168.1.0/24\n10.0.0.300</textarea>" in answer.text
    again = await pages.send("/tokens/new", may_accounts_read="on", allowed_networks="10.0.0.300")
    assert "&#39;10.0.0.300&#39; is no address or network" in again.text
