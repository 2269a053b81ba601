"""What lies in an account: the largest first, the rest behind a link, and found by name.

And what came in and went out.
"""

import re
from collections.abc import AsyncIterator

import pytest

import stored
from coffers.store.engine import Store
from coffers.store.records import Account, User
from coffers.web import positions
from factories import NOW
from pages import Pages, opened
from served import add_account, add_book, read_account


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        await found.begin()
        await add_book(sqlite_store, **{f"COIN{n}": str(n + 1) for n in range(40)})
        held = {f"COIN{n}": "1" for n in range(40)}
        await add_account(sqlite_store, await found.user(), held={**held, "NOPRICE": "3"})
        yield found


async def accounts_of(store: Store, user: User) -> list[Account]:
    async with store.reading() as tx:
        return await tx.accounts.of_user(user.id)


async def shown(pages: Pages, query: str = "") -> tuple[list[str], str]:
    """The assets of the table, and the page."""
    page = (await pages.http.get(f"/accounts/1{query}")).text
    table = page.split('id="held"')[1].split("</section>")[0]
    return re.findall(r'<th scope="row" role="rowheader">([^<]+)</th>', table), page


async def test_the_largest_are_shown_and_the_rest_is_summed(pages: Pages) -> None:
    found, page = await shown(pages, "?range=1y")
    # What has no price may be the largest of all.
    assert len(found) == positions.FEW + 1
    assert (found[0], found[-1]) == ("COIN39", "NOPRICE")
    assert "10 smaller ones are left out here, worth 55.00 USD together. <a" in page
    assert 'href="/accounts/1?range=1y&amp;all=1#held"' in page


async def test_what_is_left_out_and_known_has_a_worth(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = pages.api.services.store
    await add_book(store, 1_760_000_000_001, NOPRICE="1", **{f"COIN{n}": "2" for n in range(40)})
    monkeypatch.setattr(positions, "FEW", 39)
    _, page = await shown(pages)
    assert "2 smaller ones are left out here, worth 4.00 USD together" in page


async def test_of_very_many_without_a_price_some_are_left_out_and_told(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, ann = pages.api.services.store, await pages.user()
    (account,) = await accounts_of(store, ann)
    odd = {f"NO{n}": "1" for n in range(4)}
    await read_account(store, account, {"COIN1": "1", "COIN2": "1", "COIN3": "1", **odd})
    monkeypatch.setattr(positions, "FEW", 2)
    found, page = await shown(pages)
    assert found == ["COIN3", "COIN2", "NO0", "NO1"]
    assert "1 smaller one is left out here, worth 2.00 USD, and 2 of unknown worth. <a" in page
    monkeypatch.setattr(positions, "FEW", 3)
    found, page = await shown(pages)
    assert found == ["COIN3", "COIN2", "COIN1", "NO0", "NO1", "NO2"]
    assert "1 of unknown worth is left out here. <a" in page
    monkeypatch.setattr(positions, "FEW", 4)
    found, page = await shown(pages)
    assert len(found) == 7
    assert "left out" not in page


async def test_all_are_shown_page_by_page(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "PAGE_SIZE", 25)
    first, page = await shown(pages, "?all=1")
    assert len(first) == 25
    assert "1 to 25 of 41" in page
    second, _ = await shown(pages, "?all=1&page=2")
    assert len({*first, *second}) == 41
    assert second[-1] == "NOPRICE"


async def test_one_is_found_by_its_name(pages: Pages) -> None:
    found, page = await shown(pages, "?q=coin1&range=1w")
    assert found == [f"COIN{n}" for n in range(19, 9, -1)] + ["COIN1"]
    assert 'name="range" value="1w"' in page
    found, page = await shown(pages, "?q=%3Cb%3E")
    assert found == []
    assert "0 of 41 with “&lt;b&gt;”" in page


async def test_what_is_set_apart_or_made_here_is_told_in_words(pages: Pages) -> None:
    user = await pages.user()
    flows = [stored.flow(f"d{n}", NOW - n) for n in range(2)]
    async with pages.api.services.store.transaction() as tx:
        await tx.history.add_flows(user.id, 1, flows)
        await tx.history.set_apart(user.id, 1, flows[1:])
        await tx.history.add_made(user.id, 1, [stored.flow("m", NOW - 2, direction="out")])
    page = (await pages.http.get("/accounts/1")).text
    table = page.split('id="flows"')[1].split("</section>")[0]
    assert re.findall(r'<th scope="row"[^>]*>(.*?)</th>', table) == [
        "Deposit",
        "Deposit<br><small>in no figure, as there was no price</small>",
        "Taken out<br><small>by Coffers, as its price came or went: no exchange told it</small>",
    ]
