"""Addresses that no page has: people are told by a page, and programs as the API tells it."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from coffers import metrics
from coffers.api.app import make_app
from coffers.cli.site import OF_PROGRAMS
from coffers.store.engine import Store
from coffers.web.answers import SECURITY
from pages import Pages, opened
from served import add_account

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        yield found


@pytest.mark.parametrize(
    "path", ["/nothing", "/a/b/c", "/settings/", "/favicon.html", "/password/x"]
)
async def test_people_are_told_by_a_page_that_leads_home(pages: Pages, path: str) -> None:
    await pages.begin()
    signed_in = await pages.http.get(path, headers=BROWSER)
    pages.http.cookies.clear()
    for answer in (signed_in, await pages.http.get(path, headers=BROWSER)):
        assert answer.status_code == 404
        assert "<h1>No such page</h1>" in answer.text
        assert 'href="/">To the overview' in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == "Accept-Encoding, Accept"
        assert SECURITY.items() <= {name: answer.headers.get(name) for name in SECURITY}.items()
    assert 'action="/sign-out"' in signed_in.text
    assert 'action="/sign-out"' not in answer.text


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html;q=0.5, application/json", ""]
)
async def test_programs_are_told_as_before(pages: Pages, accept: str) -> None:
    answer = await pages.http.get("/nothing", headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == "not_found"
    assert "vary" not in answer.headers


@pytest.mark.parametrize("path", ["/public/api/ver1/nothing", "/img/nothing", "/docs/nothing"])
async def test_the_apis_own_paths_are_answered_by_it_alone(pages: Pages, path: str) -> None:
    answer = await pages.http.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert (await pages.http.get("/docs", headers=BROWSER)).status_code == 200


async def test_what_is_sent_to_no_page_is_for_the_api(pages: Pages) -> None:
    answer = await pages.http.post("/nothing", headers=BROWSER)
    assert answer.headers["content-type"] == "application/json"


async def test_every_path_of_the_api_is_known_as_one(pages: Pages) -> None:
    apps: list[FastAPI] = []

    def around(api: FastAPI) -> FastAPI:
        apps.append(api)
        return api

    make_app(pages.api.services, around)
    paths = {each.path for each in apps[0].routes if isinstance(each, APIRoute | Mount)}
    assert len(paths) > 40
    assert not [path for path in paths if not path.startswith(OF_PROGRAMS)]


async def test_anothers_page_and_none_at_all_look_alike(pages: Pages) -> None:
    await pages.begin()
    bob = (await pages.api.caller("bob")).user
    theirs = await add_account(pages.api.services.store, bob)
    told = []
    for account_id in (theirs.id, 999):
        answer = await pages.http.get(f"/accounts/{account_id}", headers=BROWSER)
        assert (answer.status_code, 'action="/sign-out"' in answer.text) == (404, True)
        told.append(answer.text.partition("<main")[2])
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/sign-out", "/"),
        ("/sign-in/passkey", "/sign-in"),
        ("/accounts/7/settings/remove", "/accounts/7/settings"),
        ("/accounts/7/auto-balance/run", "/accounts/7/settings"),
        ("/accounts/7/refresh", "/accounts/7"),
        ("/connect/checked/7/drop", "/connect/checked/7"),
        ("/connect/binance/looks", "/connect/binance"),
        ("/security/sessions/end", "/security"),
    ],
)
async def test_an_address_that_only_takes_forms_leads_to_their_page(
    pages: Pages, path: str, page: str
) -> None:
    await pages.begin()
    answer = await pages.http.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_a_page_without_a_form_takes_none(pages: Pages) -> None:
    await pages.begin()
    shown = await pages.http.post("/tokens", headers=BROWSER)
    assert (shown.status_code, shown.headers["allow"]) == (405, "GET, HEAD")
    assert "takes no form" in shown.text
    plain = await pages.http.put("/settings")
    assert (plain.status_code, plain.headers["allow"]) == (405, "GET, HEAD, POST")
    assert plain.text == "Method Not Allowed"


async def test_head_tells_the_same_without_the_page(pages: Pages) -> None:
    whole = await pages.http.get("/nothing", headers=BROWSER)
    head = await pages.http.head("/nothing", headers=BROWSER)
    assert (head.status_code, head.content) == (404, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_they_are_counted_as_one_route_or_by_the_pages_own(pages: Pages) -> None:
    def count(status: str, route: str = "unknown") -> float:
        metrics.waiting.write()
        return metrics.requests.labels(route, status)._value.get()

    before = count("404"), count("405", "/tokens")
    for path in ("/one", "/two"):
        await pages.http.get(path, headers=BROWSER)
    await pages.http.post("/tokens", headers=BROWSER)
    assert (count("404"), count("405", "/tokens")) == (before[0] + 2, before[1] + 1)
