"""The overview with its table of accounts, and the page that tells how the sum comes about."""

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

import stored
from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.records import AccountStatus, AssetOverride, NewAccount, SyncState
from coffers.valuation.model import Snapshot, Value
from coffers.web import overview
from factories import NOW
from pages import Pages, opened
from served import add_account, add_book, read_account

BAD_WORDS = ["locked", "not read yet", "old"]


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        await found.begin()
        await add_book(sqlite_store)
        yield found


async def shown(pages: Pages, path: str = "/") -> str:
    answer = await pages.http.get(path)
    assert answer.status_code == 200
    return answer.text


def names(page: str) -> list[str]:
    """The accounts of the table, in their order."""
    return re.findall(r'rowheader" class="c-name"><a href="/accounts/\d+">([^<]+)<', page)


async def test_accounts_are_in_the_order_that_was_asked_for(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    for name, held in (("Big", "2"), ("small", "0.1"), ("Mid", "1")):
        await add_account(store, ann, name, held={"BTC": held})
    await add_account(store, ann, "Odd", held={"NOPRICE": "1"})
    assert names(await shown(pages)) == ["Big", "Mid", "small", "Odd"]
    assert names(await shown(pages, "/?sort=-worth")) == ["small", "Mid", "Big", "Odd"]
    assert names(await shown(pages, "/?sort=name")) == ["Big", "Mid", "Odd", "small"]
    assert names(await shown(pages, "/?sort=day"))[-1] == "Odd"
    assert names(await shown(pages, "/?sort=nonsense")) == ["Big", "Mid", "small", "Odd"]
    page = await shown(pages, "/?sort=name&range=1y")
    assert 'href="/?range=1y&amp;sort=-name#accounts"' in page
    assert 'aria-sort="ascending"' in page


async def test_a_very_long_number_may_be_broken_in_what_all_consists_of(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "Usual", held={"BTC": "1000"})
    assert 'class="number long"' not in await shown(pages)
    await add_account(store, ann, "Huge", held={"BTC": "1" + "0" * 20})
    assert (await shown(pages)).count('class="number long"') == 2


async def test_of_very_many_accounts_there_are_pages(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "ACCOUNTS_SHOWN", 2)
    store, ann = pages.api.services.store, await pages.user()
    for number in range(5):
        await add_account(store, ann, f"No {number}", held={"BTC": str(9 - number)})
    first = await shown(pages, "/?range=1w")
    assert names(first) == ["No 0", "No 1"]
    assert "1 to 2 of 5" in first
    assert "complete: all 5 accounts" in first
    assert 'href="/?range=1w&amp;page=2#accounts"' in first
    assert names(await shown(pages, "/?page=2")) == ["No 2", "No 3"]
    for page in ("3", "99"):
        assert names(await shown(pages, f"/?page={page}")) == ["No 4"]
    for page in ("0", "x", "-1", "9" * 40):
        assert names(await shown(pages, f"/?page={page}")) == ["No 0", "No 1"]


async def test_an_account_has_a_line_of_its_last_days_that_ends_with_its_worth(
    pages: Pages,
) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "1"})
    async with store.transaction() as tx:
        for day in range(40):
            value = Value(Decimal(1), Decimal(10_000 + day))
            at = Millis(NOW - day * DAY - HOUR)
            await tx.history.add_snapshot(ann.id, account.id, Snapshot(at, value))
    found = re.search(r'class="spark"[^>]*><path d="([^"]+)"', await shown(pages))
    assert found is not None
    # So many days and the present one; it is the highest, at the right edge.
    assert 30 <= len(found[1].split("L")) <= 32
    assert found[1].endswith("L188,4")


async def test_every_figure_leads_to_what_it_is_made_of(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "0.5", "ETH": "2"})
    page = await shown(pages)
    figures = re.findall(r'<a class="figure[^"]*" href="([^"]+)"', page)
    assert figures.count("/explain") == 4
    assert figures.count(f"/accounts/{account.id}/explain") == 4
    told = await shown(pages, "/explain")
    for anchor in set(re.findall(r'href="/explain#([^"]+)"', page)):
        assert f'id="{anchor}"' in told


async def test_the_sum_is_told_account_by_account_and_asset_by_asset(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "One", held={"BTC": "0.123456789"})
    await add_account(store, ann, "Two", held={"BTC": "1", "NOPRICE": "7"})
    told = await shown(pages, "/explain")
    assert "6172.83945" in told
    assert "56172.83945" in told
    assert "1.123456789" in told
    assert 'id="asset-NOPRICE"' in told
    assert "unknown" in told


async def test_nothing_to_explain_is_said(pages: Pages) -> None:
    assert "No account is in the sum yet" in await shown(pages, "/explain")


async def test_a_figure_that_is_incomplete_or_old_looks_so(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "1"})
    assert 'class="figure bad"' not in await shown(pages)
    await read_account(store, account, {"BTC": "1"}, read_at=Millis(NOW - DAY))
    page = await shown(pages)
    # Of the sum and of the account: the worth and three profits.
    assert page.count('class="figure bad"') == 8
    assert "the last reading is old" in page


async def test_of_a_doubtful_account_the_profits_look_so_and_not_the_worth(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "1"})
    assert "doubtful" not in await shown(pages)
    await read_account(store, account, {"BTC": "1"}, flows_known=False)
    page = await shown(pages)
    assert page.count('class="figure doubtful"') == 6
    assert page.count('data-value="50000">50,000.00 USD</a>') == 2
    assert page.count('class="figure"') == 2
    page = await shown(pages, f"/accounts/{account.id}")
    assert page.count('class="figure doubtful"') == 3
    assert '<p class="worth"><a class="figure" ' in page


async def test_a_profit_of_more_than_there_was_has_no_percentage(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "0.01"})
    worth = Value(Decimal("0.8"), Decimal(40_000))
    left = stored.flow("w1", NOW - HOUR, worth, direction="out")
    async with store.transaction() as tx:
        await tx.history.add_flows(ann.id, account.id, [left])
    page = await shown(pages)
    none = '<small class="unknown" title="Nothing was there without it that it could be a part of">'
    # A day and 30 days, of the sum and of the account.
    assert page.count(f"{none}unknown</small>") == 4
    assert "+11,250.00 USD" in page
    told = await shown(pages, "/explain")
    assert told.count('<td class="number">unknown</td>') == 2
    told = await shown(pages, f"/accounts/{account.id}/explain")
    assert told.count("(in percent unknown: nothing was there without it)") == 2


async def test_what_becomes_old_without_an_event_looks_so_when_it_is_asked_for_again(
    pages: Pages,
) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "Main", held={"BTC": "1"})
    assert "complete: 1 account<" in await shown(pages)
    pages.api.clock.set(Millis(NOW + DAY))
    assert "incomplete: 1 of 1 account<" in await shown(pages)


async def test_old_prices_are_told_and_mark_what_is_worth_something_by_them(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "1"}, market_code="manual")
    await add_account(store, ann, "Empty", held={"BTC": "0"})
    at = Millis(NOW + 10 * MINUTE)
    pages.api.clock.set(at)
    await read_account(store, account, {"BTC": "1"}, read_at=at)
    assert "complete: all 2 accounts" in await shown(pages)
    pages.api.clock.set(Millis(at + 1))
    page = await shown(pages)
    assert "incomplete: 1 of 2 accounts" in page
    # All of the sum, and of the account that holds something.
    assert page.count('class="figure bad"') == 8
    for path in ("/", f"/accounts/{account.id}"):
        page = await shown(pages, path)
        assert "<summary>old</summary><ul><li>the prices are from 10 min ago</li></ul>" in page
        assert re.search(r"The prices are from <time [^>]*>10 min ago</time>; none came", page)


async def test_what_changed_is_seen_at_once_though_the_rest_is_kept(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Main", held={"BTC": "1"})
    assert "50,000.00 USD" in await shown(pages)
    await add_book(store, NOW + 1, BTC="60000")
    assert "60,000.00 USD" in await shown(pages)
    await read_account(store, account, {"BTC": "2"}, read_at=NOW)
    assert "120,000.00 USD" in await shown(pages)
    async with store.transaction() as tx:
        await tx.users.set_display_currency(ann.id, "BTC")
    assert "2.00000000 BTC" in await shown(pages)


async def test_what_moved_in_a_day_is_told_with_what_that_is_of_ones_own(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "Main", held={"BTC": "1", "ETH": "4"})
    await add_book(store, NOW - DAY, ETH="2000")
    await add_book(store, NOW + 2)
    page = await shown(pages)
    assert "+25.00 %" in page
    assert "+2,000.00 USD" in page


async def test_what_is_worst_of_an_account_is_said_in_a_word(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    account = await add_account(store, ann, "Old", held={"BTC": "1"})
    await read_account(store, account, {"BTC": "1"}, read_at=Millis(NOW - DAY))
    await add_account(store, ann, "Odd", held={f"NO{n}": "1" for n in range(7)})
    async with store.transaction() as tx:
        new = NewAccount(ann.id, "binance", "New", api_key="new")
        await tx.accounts.add(new, identity=None, credential_id="new", now=NOW)
    locked = await add_account(store, ann, "Locked", held={"BTC": "1"})
    async with store.transaction() as tx:
        sync = SyncState(next_sync_at=NOW, read_at=Millis(NOW - 1))
        await tx.accounts.record_status(
            ann.id,
            locked.id,
            AccountStatus(sync, "expired", is_locked=True, lock_reason="refused"),
            NOW,
        )
    page = await shown(pages)
    words = re.findall(r"<summary>([^<]+)</summary>", page)
    assert sorted(words) == ["incomplete", "incomplete: 4 of 4 accounts", *BAD_WORDS]
    assert "has no price: NO0, NO1, NO2, NO3, NO4 and 2 more" in page
    assert "locked: refused" in page


async def test_of_a_sum_that_is_not_known_the_part_that_is_known_is_told(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "One", held={"BTC": "1"})
    await add_account(store, ann, "Two", held={"BTC": "3"})
    await add_account(store, ann, "Odd", held={"NOPRICE": "1"})
    page = await shown(pages)
    assert re.search(r"200,000.00 USD</a> in the 2 of 3 accounts", page)
    # Shares are of that part.
    assert "75.0 %" in page
    assert 'href="/explain#assets">1 without a price</a></th><td class="number unknown">' in page
    assert 'id="assets"' in await shown(pages, "/explain")


async def test_what_is_left_out_of_the_sum_is_told_and_a_sum_of_none_is_no_zero(
    pages: Pages,
) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "Apart", held={"BTC": "1"}, include_in_summary=False)
    page = await shown(pages)
    assert "No account is in the sum." in page
    assert names(page) == ["Apart"]
    for absent in (">0.00 USD", "complete", 'id="past"', 'id="by-asset"'):
        assert absent not in page
    await add_account(store, ann, "Main", held={"BTC": "2"})
    too = await add_account(store, ann, "Too", held={"BTC": "4"}, include_in_summary=False)
    page = await shown(pages)
    assert "complete: 1 account<" in page
    assert "2 accounts are not in the sum." in page
    assert "No account is in the sum" not in page
    await pages.send(f"/accounts/{too.id}/settings", name="Too", include_in_summary="1")
    assert "1 account is not in the sum." in await shown(pages)


async def test_a_share_that_is_not_known_is_said_and_what_does_not_count_has_none(
    pages: Pages,
) -> None:
    store, ann = pages.api.services.store, await pages.user()
    async with store.transaction() as tx:
        await tx.choices.override(ann.id, AssetOverride("LEFT", is_ignored=True), NOW)
    odd = await add_account(store, ann, "Odd", held={"BTC": "1", "NOPRICE": "1", "LEFT": "1"})
    await add_account(store, ann, "Odder", held={"NOPRICE": "1"})
    await add_account(store, ann, "Apart", held={"BTC": "3"}, include_in_summary=False)
    share = re.compile(r'"number c-share([^"]*)">([^<]*)</td>')
    known, unknown = ("", "100.0 %"), (" unknown", "unknown")
    assert share.findall(await shown(pages)) == [("", ""), known, unknown]
    page = await shown(pages, f"/accounts/{odd.id}")
    assert share.findall(page) == [known, unknown, ("", "")]


async def test_what_is_next_to_nothing_is_told_together(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_book(store, NOW + 1, DUST="1", MORE="2")
    await add_account(store, ann, "Main", held={"BTC": "1", "DUST": "1", "MORE": "1"})
    page = await shown(pages)
    assert "2 others" in page
    assert "#asset-DUST" not in page


async def test_the_first_readings_are_in_the_chart_at_once(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    async with store.transaction() as tx:
        new = NewAccount(ann.id, "binance", "New", api_key="new")
        account = await tx.accounts.add(new, identity=None, credential_id="new", now=NOW)
    assert "Too little is known" in await shown(pages)
    await read_account(store, account, {"BTC": "1"})
    assert "Too little is known" not in await shown(pages)


async def test_a_chart_never_ends_with_the_worth_of_a_part_of_the_accounts(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "Main", held={"BTC": "1"})
    whole = await shown(pages)
    assert "It ends before now" not in whole
    assert "It leaves out" not in whole
    async with store.transaction() as tx:
        new = NewAccount(ann.id, "binance", "New", api_key="new")
        await tx.accounts.add(new, identity=None, credential_id="new", now=NOW)
    part = await shown(pages)
    assert "It ends before now: what is there now is unknown." in part
    assert "It leaves out 1 account of which no value was kept yet." in part
    assert len(_spots(part)) == len(_spots(whole)) - 1


def _spots(page: str) -> list[object]:
    found = re.search(r"data-spots='([^']+)'", page)
    assert found is not None
    spots: list[object] = json.loads(found[1])
    return spots


async def test_one_that_is_left_is_told_by_its_name(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_book(store, NOW + 1, DUST="1")
    await add_account(store, ann, "Main", held={"BTC": "1", "DUST": "1"})
    page = await shown(pages)
    assert "1 other" not in page
    assert "#asset-DUST" in page


async def test_shares_among_exact_numbers_are_written_as_those(pages: Pages) -> None:
    store, ann = pages.api.services.store, await pages.user()
    await add_account(store, ann, "Main", held={"BTC": "1"})
    await pages.send("/settings", currency="USD", written_as="de_DE", time_zone="UTC")
    told = await shown(pages, "/explain")
    assert not re.search(r"\d,\d+\s*%", told)


async def test_what_was_read_by_a_clock_that_was_ahead_is_marked_and_gains_nothing(
    pages: Pages,
) -> None:
    ann = await pages.user()
    await add_account(pages.api.services.store, ann, "Main", held={"BTC": "1"})
    before = await shown(pages)
    pages.api.clock.advance(-HOUR)
    page = await shown(pages)
    pages.api.clock.advance(HOUR)
    assert "nobody knows when" not in before
    assert "the last reading is of nobody knows when" in page
    assert "in 59 min" in page
    assert "nobody knows when" not in await shown(pages)
