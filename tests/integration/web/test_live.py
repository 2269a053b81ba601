"""Pages that are live: told when there is something new, as long as the session lasts."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from coffers.cli.site import site_of
from coffers.clock import DAY, Millis
from coffers.secret import Secret
from coffers.serving import lasting, streams
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from coffers.web import live
from coffers.web.forms import COOKIE
from factories import NOW
from pages import Pages, opened
from served import add_account, add_book, listening, serving


@pytest.fixture
async def pages(store: Store) -> AsyncIterator[Pages]:
    async with opened(store) as found:
        yield found


@pytest.fixture
async def base(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(streams, "PASSES_EVERY", 0.1)
    async with listening(site_of(pages.api.services)) as url:
        yield url


class Heard:
    """What an open page is told."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def told(self) -> str | None:
        """Return the next thing that is told, None at the end."""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line == "data: changed":
                    return line.removeprefix("data: ")
        return None


@asynccontextmanager
async def told_at(base: str, pages: Pages, path: str) -> AsyncIterator[Heard]:
    cookies = {COOKIE: pages.http.cookies[COOKIE]}
    async with (
        httpx.AsyncClient(base_url=base, cookies=cookies) as http,
        http.stream("GET", path, timeout=10) as answer,
    ):
        yield Heard(answer)


async def place_of(pages: Pages, path: str = "/") -> str:
    """Where a page that is shown now learns what is newer."""
    found = re.search('data-live="([^"]+)"', (await pages.http.get(path)).text)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def happened(pages: Pages, mode: str = "real") -> None:
    user = await pages.user()
    async with pages.api.services.store.transaction() as tx:
        event = NewEvent("deposit", NOW, {}, 7, "paper" if mode == "paper" else "real")
        await tx.events.add(user.id, [event])


async def test_a_page_is_told_of_new_prices_and_of_what_happens(pages: Pages, base: str) -> None:
    await pages.begin()
    store = pages.api.services.store
    await add_book(store)
    account = await add_account(store, await pages.user())
    for path in ("/", f"/accounts/{account.id}"):
        async with told_at(base, pages, await place_of(pages, path)) as heard:
            assert heard.answer.headers["content-type"].startswith("text/event-stream")
            await add_book(store, NOW + 1)
            assert await heard.told() == "changed"
            await happened(pages)
            assert await heard.told() == "changed"


async def test_a_page_that_is_behind_already_is_told_at_once(pages: Pages, base: str) -> None:
    await pages.begin()
    store = pages.api.services.store
    await add_book(store)
    seen = await place_of(pages)
    await happened(pages)
    async with told_at(base, pages, seen) as heard:
        assert await heard.told() == "changed"
    seen = await place_of(pages)
    await add_book(store, NOW + 1)
    async with told_at(base, pages, seen) as heard:
        assert await heard.told() == "changed"


async def test_a_page_that_is_up_to_date_is_told_nothing_nor_of_the_other_mode(
    pages: Pages, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.1)
    await pages.begin()
    await add_book(pages.api.services.store)
    async with told_at(base, pages, await place_of(pages)) as heard:
        await happened(pages, "paper")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await heard.told()


async def test_it_does_not_matter_which_process_answers(pages: Pages) -> None:
    await pages.begin()
    store = pages.api.services.store
    await add_book(store)
    seen = await place_of(pages)
    other = Store(store.url)
    async with (
        serving(other) as beside,
        listening(site_of(beside.services)) as url,
        told_at(url, pages, seen) as heard,
    ):
        await happened(pages)
        assert await heard.told() == "changed"
        await add_book(store, NOW + 1)
        assert await heard.told() == "changed"
    await other.close()


@pytest.mark.parametrize("how", ["signed out", "too old"])
async def test_a_session_that_ends_takes_its_streams_along(
    pages: Pages, base: str, how: str
) -> None:
    await pages.begin()
    signed_in = await pages.signing.of(Secret(pages.http.cookies[COOKIE]))
    assert signed_in is not None
    async with told_at(base, pages, await place_of(pages)) as heard:
        if how == "signed out":
            await pages.signing.sign_out(signed_in)
        else:
            pages.api.clock.set(Millis(NOW + 8 * DAY))
        assert await heard.told() is None
    async with told_at(base, pages, "/live") as heard:
        where = heard.answer.headers["location"]
        assert (heard.answer.status_code, where) == (303, "/sign-in?back=/live")


async def test_a_session_has_so_many_streams_and_no_more(pages: Pages, base: str) -> None:
    await pages.begin()
    async with AsyncExitStack() as stack:
        for _ in range(streams.PER_PASS):
            await stack.enter_async_context(told_at(base, pages, "/live"))
        async with told_at(base, pages, "/live") as heard:
            assert heard.answer.status_code == 429
    async with told_at(base, pages, "/live?after=x&epoch=-1") as heard:
        assert heard.answer.status_code == 200


async def test_a_stream_ends_when_the_server_does(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "LAST_SECONDS", 0.5)
    await pages.begin()
    async with AsyncExitStack() as stack:
        async with listening(site_of(pages.api.services)) as url:
            heard = await stack.enter_async_context(told_at(url, pages, await place_of(pages)))
        assert await heard.told() is None


async def test_the_head_alone_opens_nothing(pages: Pages) -> None:
    await pages.begin()
    answer = await pages.http.head("/live")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
