"""Passkeys at the pages, with an authenticator in software where a browser has one."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from authenticator import Authenticator
from coffers.clock import HOUR
from coffers.portfolio import passkeys
from coffers.store.engine import Store
from pages import PASSWORD, Pages, opened

SECURE = "https://coffers.test"


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        found.http.base_url = httpx.URL(SECURE)
        yield found


@pytest.fixture
def device() -> Authenticator:
    return Authenticator(SECURE)


async def add(pages: Pages, device: Authenticator, name: str = "Phone") -> httpx.Response:
    options = await pages.send("/security/passkeys/options")
    assert options.headers["content-type"] == "application/json"
    return await pages.send("/security/passkeys", name=name, answer=device.make(options.text))


async def half_key(pages: Pages) -> str:
    page = (await pages.http.get("/sign-in/second")).text
    found = re.search('name="form_key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_a_passkey_is_added_and_signs_in_alone(pages: Pages, device: Authenticator) -> None:
    await pages.begin()
    added = await add(pages, device)
    assert added.status_code == 200
    assert "shown this once" in added.text
    page = (await pages.http.get("/security")).text
    assert "Phone" in page
    assert "coffers.test" in page
    pages.http.cookies.clear()
    assert "Sign in with a passkey" in (await pages.http.get("/sign-in")).text
    options = await pages.post("/sign-in/passkey")
    answer = await pages.post("/sign-in", answer=device.show(options.text))
    assert answer.headers["location"] == "/"
    assert (await pages.http.get("/")).status_code == 200


async def test_a_passkey_is_shown_after_the_password(pages: Pages, device: Authenticator) -> None:
    await pages.begin()
    await add(pages, device)
    pages.http.cookies.clear()
    first = await pages.post("/sign-in", name="ann", password=PASSWORD)
    assert first.headers["location"] == "/sign-in/second"
    page = (await pages.http.get("/sign-in/second")).text
    assert "Show a passkey" in page
    assert "Recovery code" in page
    assert (await pages.post("/sign-in/second/passkey", form_key="x")).status_code == 400
    key = await half_key(pages)
    options = await pages.post("/sign-in/second/passkey", form_key=key)
    shown = device.show(options.text)
    answer = await pages.post("/sign-in/second", form_key=key, answer=shown)
    assert answer.headers["location"] == "/"
    assert (await pages.post("/sign-in/second/passkey", form_key=key)).status_code == 404


async def test_an_answer_that_does_not_hold_is_told(pages: Pages, device: Authenticator) -> None:
    await pages.begin()
    wrong = await pages.send("/security/passkeys", name="Phone", answer="{}")
    assert (wrong.status_code, "Passkey: was not taken" in wrong.text) == (400, True)
    unnamed = await pages.send("/security/passkeys", name="x", answer="{}")
    assert "Name: is too short" in unnamed.text
    await add(pages, device)
    pages.http.cookies.clear()
    refused = await pages.post("/sign-in", answer="{}")
    assert (refused.status_code, "Passkey: was not taken" in refused.text) == (400, True)
    await pages.post("/sign-in", name="ann", password=PASSWORD)
    key = await half_key(pages)
    second = await pages.post("/sign-in/second", form_key=key, answer="{}")
    assert (second.status_code, "Passkey: was not taken" in second.text) == (400, True)


async def test_a_passkey_shows_that_it_is_oneself(pages: Pages, device: Authenticator) -> None:
    await pages.begin()
    await add(pages, device)
    pages.api.clock.advance(HOUR)
    refused = await pages.send("/security/passkeys/options")
    assert refused.headers["location"] == "/security?done=unchecked"
    assert "Show a passkey" in (await pages.http.get("/security")).text
    wrong = await pages.send("/security/check/passkey", answer="{}")
    assert (wrong.status_code, "was not taken" in wrong.text) == (400, True)
    options = await pages.send("/security/check/passkey/options")
    answer = await pages.send("/security/check/passkey", answer=device.show(options.text))
    assert answer.headers["location"] == "/security?done=checked"
    assert (await add(pages, device, "Key")).headers["location"].endswith("passkey-added")


async def test_a_passkey_is_renamed_and_removed(pages: Pages, device: Authenticator) -> None:
    await pages.begin()
    await add(pages, device)
    page = (await pages.http.get("/security")).text
    found = re.search('name="passkey" value="([^"]+)"', page)
    assert found is not None
    own = {"passkey": found[1]}
    short = await pages.send("/security/passkeys/rename", name="x", **own)
    assert (short.status_code, "Passkey: name is too short" in short.text) == (400, True)
    renamed = await pages.send("/security/passkeys/rename", name="Blue <key>", **own)
    assert renamed.headers["location"].endswith("passkey-renamed")
    assert "Blue &lt;key&gt;" in (await pages.http.get("/security")).text
    removed = await pages.send("/security/passkeys/remove", **own)
    assert removed.headers["location"].endswith("passkey-removed")
    assert (await pages.send("/security/passkeys/remove", **own)).status_code == 404


async def test_who_has_no_password_is_told_to_make_one_first(
    pages: Pages, device: Authenticator
) -> None:
    await pages.begin()
    await pages.api.caller("bob")
    pages.http.cookies.clear()
    await pages.post("/sign-in", code=await pages.signing.ticket_for("bob"))
    await add(pages, device)
    page = (await pages.http.get("/security")).text
    found = re.search('name="passkey" value="([^"]+)"', page)
    assert found is not None
    answer = await pages.send("/security/passkeys/remove", passkey=found[1])
    assert (answer.status_code, "make a password first" in answer.text) == (400, True)


@pytest.mark.parametrize("address", ["http://coffers.test", "http://127.0.0.1:8787"])
async def test_where_browsers_make_no_passkeys_the_page_says_so(
    sqlite_store: Store, address: str
) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        cookies = dict(pages.http.cookies)
        transport = pages.http._transport
        async with httpx.AsyncClient(
            transport=transport, base_url=address, cookies=cookies
        ) as browser:
            page = (await browser.get("/security")).text
            assert f"This server is known as {address}" in page
            assert "passkeys.js" not in page
        assert (await pages.send("/security/passkeys/options")).status_code == 404
        assert (await pages.post("/sign-in/passkey")).status_code == 404


async def test_a_page_that_is_open_by_another_name_has_no_passkeys(sqlite_store: Store) -> None:
    async with opened(sqlite_store, base_url="https://elsewhere.test") as pages:
        assert "Sign in with a passkey" not in (await pages.http.get("/sign-in")).text


async def test_very_many_challenges_lead_to_a_wait(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, device: Authenticator
) -> None:
    await pages.begin()
    await add(pages, device)
    monkeypatch.setattr(passkeys, "MOST_CHALLENGES", 0)
    own = ("/security/passkeys/options", "/security/check/passkey/options")
    told = [await pages.send(path) for path in own]
    key_less = await pages.post("/sign-in/passkey")
    pages.http.cookies.clear()
    await pages.post("/sign-in", name="ann", password=PASSWORD)
    key = await half_key(pages)
    told += [key_less, await pages.post("/sign-in/second/passkey", form_key=key)]
    assert [answer.status_code for answer in told] == [429, 429, 200, 429]
    assert "try again in 300 seconds" in told[0].json()["why"]


async def test_a_form_of_another_site_gets_no_challenge(pages: Pages) -> None:
    for headers in ({"Origin": "https://evil.test"}, {}):
        assert (await pages.http.post("/sign-in/passkey", headers=headers)).status_code == 400
