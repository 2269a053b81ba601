"""Auto-balance at the pages: what a run would do, and one that is had done."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest

from coffers.clock import iso
from coffers.portfolio.auto_balance import BalanceSettings, BalanceWanted
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.errand_forms import PREVIEW, RUN, ErrandAnswer
from coffers.portfolio.portfolios import PortfolioKeeping, PortfolioWanted
from coffers.store.engine import Store
from coffers.sync.assets import note_assets
from factories import NOW
from pages import Pages, opened
from served import add_account, add_book


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    await note_assets(sqlite_store, await add_book(sqlite_store), NOW)
    async with opened(sqlite_store, trading="true") as found:
        await found.begin()
        yield found


def plan_of(account_id: int, portfolio_id: int, **other: Any) -> dict[str, Any]:
    """Return a plan as a worker tells it."""
    order = {"side": "sell", "base": "BTC", "quote": "USDT", "amount": "0.25", "price": "50000"}
    flow = {"spent": "0.25", "spent_asset": "BTC", "received": "12487.5", "received_asset": "USDT"}
    line = {"asset": "BTC", "amount": "0.5", "free": "0.4", "price_usd": "50000"}
    shares = {"usd_amount": "25000", "share": "100", "target": "50", "share_after": "50.0123"}
    return {
        "account_id": account_id,
        "portfolio_id": portfolio_id,
        "planned_at": "2025-10-09T08:53:20.000Z",
        "read_at": None,
        "prices_at": "2025-10-09T08:53:00.000Z",
        "verdict": "planned",
        "usd_amount": "25000",
        "tolerance": "1",
        "quote": "USDT",
        "assets": [{**line, **shares}],
        "orders": [{**order, **flow, "usd_amount": "12500", "fee": "0.001"}],
        "unplanned": [{"asset": "<b>ETH", "reason": "no_pair", "points_off": "-3.5"}],
        **other,
    }


def seen(portfolio_id: int) -> dict[str, str]:
    """Return what a form tells of such a plan."""
    return {"portfolio_id": str(portfolio_id), "planned_at": "2025-10-09T08:53:20.000Z"}


async def made(pages: Pages, *, is_set: bool = True, **new: Any) -> tuple[int, int]:
    """Return an account, and a portfolio that it is set to or not."""
    services, user = pages.api.services, await pages.user()
    account = await add_account(services.store, user, held={"BTC": "0.5"}, **new)
    keeping = PortfolioKeeping(services.store, pages.api.clock)
    wanted = PortfolioWanted("Halves", {"BTC": "50", "USDT": "50"})
    portfolio = await keeping.create(user.id, wanted)
    if is_set:
        settings = BalanceSettings(services.store, services.catalogue, pages.api.clock)
        balance = BalanceWanted(portfolio.id, "time", 12, None, enabled=False)
        await settings.set(user.id, account.id, balance)
    return account.id, portfolio.id


@asynccontextmanager
async def worker(pages: Pages, told: ErrandAnswer) -> AsyncIterator[list[str]]:
    """Have errands answered by a worker that tells this; yields what was asked of it."""
    asked: list[str] = []

    async def answer(_user_id: int, body: bytes) -> ErrandAnswer:
        asked.append(body.decode())
        return told

    services = pages.api.services
    desk = ErrandDesk(
        services.store, services.vault, services.clock, {PREVIEW: answer, RUN: answer}
    )
    running = asyncio.create_task(desk.run())
    try:
        yield asked
    finally:
        desk.stop()
        await running


async def settled(pages: Pages, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    for _ in range(500):
        shown = await pages.http.get(answer.headers["location"])
        if "data-progress" not in shown.text:
            break
        await asyncio.sleep(0.02)
    assert shown.status_code == 200
    return shown.text


async def planned(pages: Pages, account_id: int, portfolio_id: int) -> str:
    path = f"/accounts/{account_id}/auto-balance/plan"
    return await settled(pages, await pages.send(path, portfolio_id=str(portfolio_id)))


async def test_a_plan_shows_orders_what_is_left_out_and_shares(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    settings = (await pages.http.get(f"/accounts/{account_id}/settings")).text
    assert f'formaction="/accounts/{account_id}/auto-balance/plan"' in settings
    async with worker(pages, ErrandAnswer(plan_of(account_id, portfolio_id))) as asked:
        page = await planned(pages, account_id, portfolio_id)
    assert asked == [f'{{"account_id":{account_id},"portfolio_id":{portfolio_id}}}']
    for told in (
        "none was placed",
        "Sell 0.25 BTC",
        "12,500.00 USD",
        "12,487.5 USDT",
        "0.10 %",
        "0.4 free",
        "50.01 %",
        "no pair leads from it",
        "3.5 points below its share",
        "&lt;b&gt;ETH",
        "Run now",
    ):
        assert told in page


async def test_what_was_typed_comes_back_from_a_plan(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages, is_set=False)
    here = f"/accounts/{account_id}"
    typed = {
        "portfolio_id": str(portfolio_id),
        "method": "currency_change",
        "period": "36",
        "currency_change_limit": "7",
        "enabled": "1",
    }
    async with worker(pages, ErrandAnswer(plan_of(account_id, portfolio_id))):
        answer = await pages.send(f"{here}/auto-balance/plan", **typed, other="x" * 64)
        waiting = (await pages.http.get(answer.headers["location"])).text
        if "data-progress" in waiting:
            assert "period=36" in waiting
        page = await settled(pages, answer)
    for name, text in typed.items():
        assert f'<input type="hidden" name="{name}" value="{text}">' in page
    back = set(re.findall(rf'href="({here}/settings[^"]*)"', page))
    assert len(back) == 1
    settings = (await pages.http.get(unescape(back.pop()))).text
    assert f'<option value="{portfolio_id}" selected>' in settings
    assert 'value="currency_change" checked' in settings
    for told in ('value="36"', 'value="7"', "is not saved yet"):
        assert told in settings
    assert "is not saved yet" not in (await pages.http.get(f"{here}/settings")).text


async def test_after_a_run_the_settings_are_shown_as_they_are(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    here, plan = f"/accounts/{account_id}", plan_of(account_id, portfolio_id)
    run = {"state": "done", "operation_id": 7, "error": None, "planned_at": "", "plan": plan}
    async with worker(pages, ErrandAnswer(run)):
        form = seen(portfolio_id)
        page = await settled(
            pages, await pages.send(f"{here}/auto-balance/run", **form, confirm="1")
        )
    # The form of this page has the portfolio alone.
    again = page[page.index(f'action="{here}/auto-balance/plan"') :]
    form = dict(re.findall(r'type="hidden" name="(?!form_key)(\w+)" value="([^"]+)"', again))
    assert form == {"portfolio_id": str(portfolio_id)}
    async with worker(pages, ErrandAnswer(plan)):
        page = await settled(pages, await pages.send(f"{here}/auto-balance/plan", **form))
    (back,) = set(re.findall(rf'href="({here}/settings[^"]*)"', page))
    settings = (await pages.http.get(unescape(back))).text
    assert "is not saved yet" not in settings
    assert 'value="12"' in settings


async def test_a_secret_in_the_wrong_field_stays_out_of_addresses(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    path, secret = f"/accounts/{account_id}/auto-balance/plan", "0x" + "ab" * 32
    answer = await pages.send(path, portfolio_id=str(portfolio_id), period=secret)
    assert (answer.status_code, secret in answer.headers["location"]) == (303, False)


async def test_a_plan_that_does_nothing_says_so(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    nothing = {"orders": [], "unplanned": [], "verdict": "within_tolerance"}
    async with worker(pages, ErrandAnswer(plan_of(account_id, portfolio_id, **nothing))):
        page = await planned(pages, account_id, portfolio_id)
    assert "Every share is within the tolerance" in page
    assert ">Orders<" not in page


async def test_why_there_is_no_plan_is_told(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    async with worker(pages, ErrandAnswer(refused="the account's key may not trade")):
        assert "key may not trade" in await planned(pages, account_id, portfolio_id)
    wrong = await pages.send(f"/accounts/{account_id}/auto-balance/plan", portfolio_id="x")
    assert (wrong.status_code, "Portfolio: " in wrong.text) == (400, True)
    other = await pages.send(f"/accounts/{account_id}/auto-balance/plan", portfolio_id="999")
    assert "Portfolio: choose one" in other.text


async def test_without_a_worker_that_is_said(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    path = f"/accounts/{account_id}/auto-balance/plan"
    where = (
        (await pages.send(path, portfolio_id=str(portfolio_id)))
        .headers["location"]
        .partition("?")[0]
    )
    assert "Waiting for a worker" in (await pages.http.get(where)).text
    assert (await pages.http.get(f"{where}/progress")).json()["is_over"] is False
    pages.api.clock.advance(6_000)
    assert (await pages.http.get(f"{where}/progress")).json() == {"is_over": True}
    assert "No worker took this in time" in (await pages.http.get(where)).text


async def test_a_run_needs_a_tick_and_tells_what_it_did(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    plan = plan_of(account_id, portfolio_id)
    run = {"state": "partly", "operation_id": 7, "error": "ETH has no pair", "plan": plan}
    path = f"/accounts/{account_id}/auto-balance/run"
    async with worker(pages, ErrandAnswer({"planned_at": plan["planned_at"], **run})) as asked:
        form = seen(portfolio_id)
        refused = await pages.send(path, **form)
        assert (refused.status_code, "tick it" in refused.text, asked) == (400, True, [])
        assert all(f'name="{name}" value="{value}"' in refused.text for name, value in form.items())
        page = await settled(pages, await pages.send(path, **form, confirm="1"))
        assert asked == [f'{{"account_id":{account_id}}}']
    for told in ("Part of it was done", "Operation 7", "ETH has no pair", "Sell 0.25 BTC"):
        assert told in page


async def test_a_run_that_is_not_at_its_end_is_not_told_as_done(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    plan = plan_of(account_id, portfolio_id)
    run = {"state": "running", "operation_id": 7, "error": "it is gone on with", "plan": plan}
    async with worker(pages, ErrandAnswer({"planned_at": plan["planned_at"], **run})):
        path = f"/accounts/{account_id}/auto-balance/run"
        page = await settled(pages, await pages.send(path, **seen(portfolio_id), confirm="1"))
    assert "not at its end yet" in page
    assert "Done" not in page


async def test_the_page_of_an_account_tells_what_went_wrong(pages: Pages) -> None:
    account_id, _ = await made(pages)
    shown = (await pages.http.get(f"/accounts/{account_id}")).text
    assert "Auto-balance" not in shown
    own = (await pages.user()).id, account_id
    async with pages.api.services.store.transaction() as tx:
        account = await tx.accounts.held(*own)
        assert account is not None
        failed = replace(account.auto_balance, error="switched off: it sold for <b>USDT")
        await tx.accounts.set_auto_balance(*own, failed, NOW)
    shown = (await pages.http.get(f"/accounts/{account_id}")).text
    assert "switched off: it sold for &lt;b&gt;USDT" in shown


async def test_a_second_press_leads_to_the_run_that_is_under_way(pages: Pages) -> None:
    one = await made(pages)
    other = await made(pages, name="Other", api_key="another-key")
    first, second, other_run = [
        (
            await pages.send(
                f"/accounts/{each}/auto-balance/run", **seen(portfolio_id), confirm="1"
            )
        ).headers["location"]
        for each, portfolio_id in (one, one, other)
    ]
    assert first == second
    assert other_run.startswith(f"/accounts/{other[0]}/")
    assert other_run.rpartition("/")[2] != first.rpartition("/")[2]


async def test_no_run_is_offered_to_who_is_not_set_to_the_portfolio(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages, is_set=False)
    async with worker(pages, ErrandAnswer(plan_of(account_id, portfolio_id))) as asked:
        page = await planned(pages, account_id, portfolio_id)
        assert "not set to this portfolio" in page
        assert "Run now" not in page
        path = f"/accounts/{account_id}/auto-balance/run"
        refused = await pages.send(path, **seen(portfolio_id), confirm="1")
        assert (refused.status_code, len(asked)) == (422, 1)


async def test_a_run_is_for_the_portfolio_whose_plan_was_looked_at(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    run = f"/accounts/{account_id}/auto-balance/run"
    planned_at = iso(pages.api.clock.now())
    async with worker(
        pages, ErrandAnswer(plan_of(account_id, portfolio_id, planned_at=planned_at))
    ):
        page = await planned(pages, account_id, portfolio_id)
    form = dict(re.findall(r'name="(portfolio_id|planned_at)" value="([^"]+)"', page))
    assert form == {"portfolio_id": str(portfolio_id), "planned_at": planned_at}
    assert "Run now" in page

    # In another tab the portfolio is changed, or the account is set to another one.
    keeping = PortfolioKeeping(pages.api.services.store, pages.api.clock)
    user = await pages.user()
    pages.api.clock.advance(1)
    changed = PortfolioWanted("Halves", {"BTC": "99", "USDT": "1"})
    await keeping.replace(user.id, portfolio_id, changed)
    late = await pages.send(run, confirm="1", **form)
    assert (late.status_code, "changed since" in late.text) == (422, True)
    other = await keeping.create(user.id, replace(changed, name="Other"))
    services = pages.api.services
    settings = BalanceSettings(services.store, services.catalogue, pages.api.clock)
    await settings.set(user.id, account_id, BalanceWanted(other.id))
    late = await pages.send(run, confirm="1", **form)
    assert (late.status_code, "not set to this portfolio" in late.text) == (422, True)
    for wrong in ({}, {**form, "planned_at": ""}, {**form, "portfolio_id": "x"}):
        late = await pages.send(run, confirm="1", **wrong)
        assert (late.status_code, "Run now" in late.text) == (422, False), wrong


async def test_where_orders_are_off_none_is_offered(sqlite_store: Store) -> None:
    await note_assets(sqlite_store, await add_book(sqlite_store), NOW)
    async with opened(sqlite_store) as pages:
        await pages.begin()
        account_id, portfolio_id = await made(pages)
        async with worker(pages, ErrandAnswer(plan_of(account_id, portfolio_id))) as asked:
            page = await planned(pages, account_id, portfolio_id)
            assert "COFFERS_TRADING" in page
            assert "Run now" not in page
            refused = await pages.send(f"/accounts/{account_id}/auto-balance/run", confirm="1")
            assert (refused.status_code, len(asked)) == (422, 1)


async def test_anothers_account_plan_and_portfolio_are_not_there(pages: Pages) -> None:
    account_id, portfolio_id = await made(pages)
    bob = (await pages.api.caller("bob")).user
    theirs = await add_account(pages.api.services.store, bob)
    for path in ("plan/1", "run/1", "plan/1/progress"):
        assert (
            await pages.http.get(f"/accounts/{theirs.id}/auto-balance/{path}")
        ).status_code == 404
    for path in ("plan", "run"):
        answer = await pages.send(
            f"/accounts/{theirs.id}/auto-balance/{path}", portfolio_id="1", confirm="1"
        )
        assert answer.status_code == 404
    async with worker(pages, ErrandAnswer(plan_of(theirs.id, portfolio_id))):
        path = f"/accounts/{account_id}/auto-balance/plan"
        where = (
            (await pages.send(path, portfolio_id=str(portfolio_id)))
            .headers["location"]
            .partition("?")[0]
        )
        for _ in range(500):
            answer = await pages.http.get(where)
            if "data-progress" not in answer.text:
                break
            await asyncio.sleep(0.02)
        assert answer.status_code == 404
