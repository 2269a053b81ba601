"""Settings: what is chosen counts on every page, what cannot be is told at its field."""

from collections.abc import AsyncIterator

import pytest

from coffers.store.engine import Store
from pages import Pages, opened
from served import add_account, add_book

CHOSEN = {"currency": "USD", "written_as": "", "time_zone": "UTC"}


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        await found.begin()
        yield found


async def test_what_is_chosen_counts_on_every_page(pages: Pages) -> None:
    store = pages.api.services.store
    await add_book(store)
    account = await add_account(store, await pages.user(), "Main", held={"BTC": "0.5"})
    assert "25,000.00 USD" in (await pages.http.get("/")).text
    form = {**CHOSEN, "written_as": "de_CH", "time_zone": "Europe/Zurich"}
    assert (await pages.send("/settings", **form)).headers["location"] == "/settings?done=settings"
    for path in ("/", f"/accounts/{account.id}"):
        shown = (await pages.http.get(path)).text
        assert "25&#39;000.00 USD" in shown
        assert "25,000.00" not in shown
    told = (await pages.http.get(f"/accounts/{account.id}/explain")).text
    assert "25000.0" in told
    assert "25&#39;000" not in told
    shown = (await pages.http.get("/settings?done=settings")).text
    assert 'value="de_CH" selected' in shown
    assert 'value="Europe/Zurich"' in shown
    assert "Saved" in shown


async def test_the_currency_may_be_typed_in_small_letters(pages: Pages) -> None:
    await pages.send("/settings", **{**CHOSEN, "currency": " btc"})
    assert (await pages.user()).display_currency == "BTC"
    assert (await pages.user()).version == 2


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"currency": "XXX"}, "Display currency: must be one of AED, ARS"),
        ({"written_as": "de_XX"}, "Numbers and dates: must be one of cs_CZ"),
        ({"time_zone": "Mars/Phobos"}, "Time zone: is none that is known"),
        ({"time_zone": "../../etc/localtime"}, "Time zone: is none that is known"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field(
    pages: Pages, changes: dict[str, str], fault: str
) -> None:
    told = await pages.send("/settings", **{**CHOSEN, "currency": "EUR", **changes})
    assert told.status_code == 400
    assert fault in told.text
    user = await pages.user()
    assert (user.display_currency, user.written_as, user.time_zone) == ("USD", "", "UTC")


async def test_the_trail_tells_what_was_chosen_and_nothing_twice(pages: Pages) -> None:
    form = {"currency": "EUR", "written_as": "de_DE", "time_zone": "Europe/Berlin"}
    await pages.send("/settings", **form)
    await pages.send("/settings", **form)
    user = await pages.user()
    async with pages.api.services.store.reading() as tx:
        events = await tx.audit.of_user(user.id)
    told = [(each.kind, each.details) for each in events if each.kind.endswith("_chosen")]
    assert sorted(told) == [
        ("currency_chosen", "EUR"),
        ("formats_chosen", "de_DE, Europe/Berlin"),
    ]
