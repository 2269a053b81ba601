"""The demo's pages: visitors of this machine are let in as one user, and nobody else is."""

import re

import pytest

from coffers.errors import SettingsError
from coffers.settings import load_settings
from coffers.store.engine import Store
from coffers.web.forms import COOKIE
from pages import opened

HERE = {"Host": "localhost:8787"}


async def test_who_comes_from_this_machine_is_signed_in_and_told_so(sqlite_store: Store) -> None:
    async with opened(sqlite_store, demo_user="ann") as pages:
        await pages.api.caller("ann")
        shown = await pages.http.get("/", headers=HERE)
        assert shown.status_code == 200
        assert "signed in as ann" in shown.text
        assert COOKIE in pages.http.cookies
        assert (await pages.http.get("/password", headers=HERE)).status_code == 200
        security = (await pages.http.get("/security", headers=HERE)).text
        assert "There is none: whoever comes from this machine is signed in." in security


async def test_signing_out_leads_back_in_and_not_to_a_dead_end(sqlite_store: Store) -> None:
    async with opened(sqlite_store, demo_user="ann") as pages:
        await pages.api.caller("ann")
        shown = await pages.http.get("/", headers=HERE)
        key = re.search('name="form_key" value="([^"]+)"', shown.text)
        assert key is not None
        ours = {**HERE, "Origin": "http://localhost:8787"}
        answer = await pages.http.post("/sign-out", data={"form_key": key[1]}, headers=ours)
        assert answer.headers["location"] == "/?done=signed-in-again"
        assert COOKIE not in pages.http.cookies
        again = await pages.http.get(answer.headers["location"], headers=HERE)
        assert "signed out, and in again" in again.text
        assert COOKIE in pages.http.cookies


async def test_who_came_from_elsewhere_is_signed_out_for_good(sqlite_store: Store) -> None:
    async with opened(sqlite_store, demo_user="ann") as pages:
        await pages.begin("ann")
        assert (await pages.send("/sign-out")).headers["location"] == "/sign-in"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "192.168.1.2"])
async def test_a_page_of_elsewhere_is_not_let_in(sqlite_store: Store, host: str) -> None:
    async with opened(sqlite_store, demo_user="ann") as pages:
        await pages.api.caller("ann")
        answer = await pages.http.get("/", headers={"Host": host})
        assert (answer.status_code, COOKIE in pages.http.cookies) == (303, False)
        sent = await pages.http.post("/password", headers=HERE)
        assert sent.headers["location"] == "/?done=signed-out"


async def test_what_a_proxy_hands_on_is_not_from_this_machine(sqlite_store: Store) -> None:
    async with opened(sqlite_store, demo_user="ann") as pages:
        await pages.api.caller("ann")
        answer = await pages.http.get("/", headers={**HERE, "X-Forwarded-For": "8.8.8.8"})
        assert (answer.status_code, COOKIE in pages.http.cookies) == (303, False)


async def test_without_that_user_everybody_signs_in(sqlite_store: Store) -> None:
    async with opened(sqlite_store, demo_user="nobody") as pages:
        assert (await pages.http.get("/", headers=HERE)).status_code == 303


async def test_another_user_is_told_of_no_demo(sqlite_store: Store) -> None:
    async with opened(sqlite_store, demo_user="bob") as pages:
        await pages.begin("ann")
        assert "signed in as" not in (await pages.http.get("/")).text


@pytest.mark.parametrize("host", ["0.0.0.0", "coffers.example", "::", "10.0.0.1"])  # noqa: S104 - none is bound
def test_it_needs_a_host_that_nobody_else_reaches(host: str) -> None:
    with pytest.raises(SettingsError, match="COFFERS_DEMO_USER: .* has to be a loopback"):
        load_settings(host=host, demo_user="ann")
    for here in ("localhost", "127.0.0.1", "::1"):
        assert load_settings(host=here, demo_user="ann").demo_user == "ann"
