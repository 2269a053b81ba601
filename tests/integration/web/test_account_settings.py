"""The settings of an account at the pages: name, sum, key, rebalancing, removal."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from bank import LOOKS, Bank
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading
from coffers.portfolio.portfolios import PortfolioKeeping
from coffers.store.engine import Store
from coffers.store.records import Account, Portfolio
from factories import NOW, position
from pages import opened
from served import add_account

SHARES = {"code_1": "BTC", "amount_1": "60", "code_2": "ETH", "amount_2": "40"}
CALM = {"name": "Calm", "tolerance": "2", **SHARES}


async def account_of(bank: Bank) -> Account:
    (account,) = await bank.accounts()
    return account


async def shown(bank: Bank, path: str) -> str:
    answer = await bank.pages.http.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_an_account_is_renamed_and_left_out_of_the_sum(bank: Bank) -> None:
    path = f"/accounts/{(await bank.connected()).id}/settings"
    assert 'value="Main"' in await shown(bank, path)
    answer = await bank.pages.send(path, name="Savings <b>")
    assert answer.headers["location"] == f"{path}?done=changed"
    account = await account_of(bank)
    assert (account.name, account.include_in_summary) == ("Savings <b>", False)
    assert "Savings &lt;b&gt;" in await shown(bank, path)
    wrong = await bank.pages.send(path, name="S", include_in_summary="1")
    assert (wrong.status_code, "Name: is too short" in wrong.text) == (400, True)


async def test_another_key_is_checked_first_and_the_history_stays(bank: Bank) -> None:
    account = await bank.connected()
    path = f"/accounts/{account.id}/settings/key"
    answer = await bank.pages.send(path, api_key="fake-new", secret="fake-new-secret")
    where = answer.headers["location"]
    found = (await bank.settled(where)).text
    assert "Use the new key" in found
    assert (await account_of(bank)).api_key == "fake-key"
    done = await bank.pages.send(where)
    assert done.headers["location"] == f"/accounts/{account.id}?done=reconnected"
    changed = await account_of(bank)
    assert (changed.id, changed.api_key) == (account.id, "fake-new")


async def test_a_new_key_that_is_refused_or_missing_is_told(bank: Bank) -> None:
    path = f"/accounts/{(await bank.connected()).id}/settings/key"
    assert "give what has changed" in (await bank.pages.send(path)).text.lower()
    bank.venue.key_rights = ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key.")
    begun = await bank.pages.send(path, api_key="fake-new", secret="fake-new-secret")
    answer = await bank.settled(begun.headers["location"])
    assert "API key: Binance refused the key." in answer.text
    assert "fake-new-secret" not in answer.text


async def test_removing_needs_the_name_and_takes_everything(bank: Bank) -> None:
    path = f"/accounts/{(await bank.connected()).id}/settings/remove"
    wrong = await bank.pages.send(path, confirm="main")
    assert "is not the name of this account" in wrong.text
    assert len(await bank.accounts()) == 1
    answer = await bank.pages.send(path, confirm=" Main ")
    assert answer.headers["location"] == "/?done=removed"
    assert await bank.accounts() == []
    again = await bank.pages.send(path, confirm="Main")
    assert again.headers["location"] == "/?done=removed"


async def test_a_name_is_confirmed_as_the_page_shows_it(bank: Bank) -> None:
    path = f"/accounts/{(await bank.connected()).id}/settings"
    await bank.pages.send(path, name="Cold  wallet")
    answer = await bank.pages.send(f"{path}/remove", confirm="Cold wallet")
    assert answer.headers["location"] == "/?done=removed"


async def mark(bank: Bank, number: str) -> str:
    """What the form of a portfolio says that it was drawn of."""
    found = re.search('name="before" value="([^"]+)"', await shown(bank, f"/portfolios/{number}"))
    assert found is not None
    return found[1]


async def test_a_portfolio_is_made_changed_and_removed(bank: Bank) -> None:
    assert "None yet" in await shown(bank, "/portfolios")
    wrong = await bank.pages.send("/portfolios/new", **{**CALM, "amount_2": "50"})
    assert "The shares must be 100 together, and are 110" in wrong.text
    twice = await bank.pages.send("/portfolios/new", **{**CALM, "code_2": "BTC"})
    assert "name an asset twice" in twice.text
    far = await bank.pages.send("/portfolios/new", **{**CALM, "tolerance": "99"})
    assert "Tolerance: must be from 0 to 50" in far.text
    assert (await bank.pages.send("/portfolios/new", **CALM)).status_code == 303
    listed = await shown(bank, "/portfolios")
    assert "BTC 60 %, ETH 40 %" in listed
    (number,) = set(re.findall(r'href="/portfolios/(\d+)"', listed))
    assert 'value="60"' in await shown(bank, f"/portfolios/{number}")
    more = await bank.pages.send(f"/portfolios/{number}", **CALM, more="1")
    assert more.text.count('name="code_') == 7
    changed = {**CALM, "name": "Calmer", "sells_others": "1", "before": await mark(bank, number)}
    assert (await bank.pages.send(f"/portfolios/{number}", **changed)).status_code == 303
    assert "is sold" in await shown(bank, "/portfolios")
    unsure = await bank.pages.send(f"/portfolios/{number}/remove")
    assert (unsure.status_code, "Remove it for good: tick" in unsure.text) == (400, True)
    assert (await bank.pages.send(f"/portfolios/{number}/remove", sure="1")).status_code == 303
    assert "None yet" in await shown(bank, "/portfolios")
    assert (await bank.pages.http.get(f"/portfolios/{number}")).status_code == 404


async def test_a_change_of_a_portfolio_in_between_is_not_undone_unseen(bank: Bank) -> None:
    await bank.pages.send("/portfolios/new", **CALM)
    number = re.findall(r'href="/portfolios/(\d+)"', await shown(bank, "/portfolios"))[0]
    path, drawn = f"/portfolios/{number}", await mark(bank, number)
    half = {**CALM, "amount_1": "50", "amount_2": "50", "before": drawn}
    assert (await bank.pages.send(path, **half)).status_code == 303
    older = {"name": "Calm", "tolerance": "2", "code_1": "BTC", "amount_1": "100", "before": drawn}
    # More rows are no look at what it is by now.
    more = await bank.pages.send(path, **older, more="1")
    assert f'name="before" value="{drawn}"' in more.text
    late = await bank.pages.send(path, **older)
    assert (late.status_code, "changed elsewhere" in late.text) == (400, True)
    assert 'value="100"' in late.text
    assert "BTC 50 %, ETH 50 %" in await shown(bank, "/portfolios")
    by_now = await mark(bank, number)
    assert f'name="before" value="{by_now}"' in late.text
    assert (await bank.pages.send(path, **{**older, "before": by_now})).status_code == 303
    for other in ({"name": "Other"}, {"tolerance": "3"}, {"sells_others": "1"}):
        before = await mark(bank, number)
        changed = {**older, **other, "before": before}
        assert (await bank.pages.send(path, **changed)).status_code == 303
        assert await mark(bank, number) != before


async def test_of_two_changes_of_a_portfolio_at_once_one_is_refused(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.pages.send("/portfolios/new", **CALM)
    number = re.findall(r'href="/portfolios/(\d+)"', await shown(bank, "/portfolios"))[0]
    form = {**CALM, "before": await mark(bank, number)}
    both, change = asyncio.Barrier(2), PortfolioKeeping.replace

    async def changed(*asked: Any) -> Portfolio:
        await both.wait()
        return await change(*asked)

    monkeypatch.setattr(PortfolioKeeping, "replace", changed)
    names = [{**form, "name": name} for name in ("One", "Two")]
    sent = (bank.pages.send(f"/portfolios/{number}", **each) for each in names)
    answers = sorted(await asyncio.gather(*sent), key=lambda each: each.status_code)
    assert [each.status_code for each in answers] == [303, 400]
    assert f'name="before" value="{await mark(bank, number)}"' in answers[1].text


async def balance_mark(bank: Bank, page: str) -> str:
    """Return what the form of auto-balance says that it was drawn of."""
    found = re.search('name="before" value="([^"]+)"', await shown(bank, page))
    assert found is not None
    return found[1]


async def test_an_account_is_set_to_a_portfolio_and_let_be(bank: Bank) -> None:
    bank.venue.key_rights = replace(LOOKS, trade=True)
    account = await bank.connected()
    page, path = f"/accounts/{account.id}/settings", f"/accounts/{account.id}/settings/auto-balance"
    assert "Make a portfolio first" in await shown(bank, page)
    await bank.pages.send("/portfolios/new", **CALM)
    number = re.findall(r'href="/portfolios/(\d+)"', await shown(bank, "/portfolios"))[0]
    assert "places no orders" in await shown(bank, page)
    unchosen = await bank.pages.send(path, portfolio_id="", method="time", period="12")
    assert "Portfolio: choose one" in unchosen.text
    lacking = await bank.pages.send(
        path, portfolio_id=number, method="currency_change", period="12"
    )
    assert "Percent: is missing" in lacking.text
    bad = await bank.pages.send(path, portfolio_id=number, method="time", period="x", enabled="1")
    assert "Hours: must be a whole number" in bad.text
    form = {"portfolio_id": number, "method": "time", "period": "24", "enabled": "1"}
    before = await balance_mark(bank, page)
    assert (await bank.pages.send(path, **form, before=before)).status_code == 303
    settings = (await account_of(bank)).auto_balance
    assert (settings.enabled, settings.period_hours) == (True, 24)
    assert "on, to <a" in await shown(bank, page)
    used = await bank.pages.send(f"/portfolios/{number}/remove", sure="1")
    assert re.search(r"It is the goal of account \w+ \(\d+\); give it another one first", used.text)
    assert (await bank.pages.send(path, unset="1")).status_code == 303
    assert not (await account_of(bank)).auto_balance.enabled


async def test_an_older_form_does_not_switch_on_what_was_switched_off_since(bank: Bank) -> None:
    bank.venue.key_rights = replace(LOOKS, trade=True)
    account = await bank.connected()
    await bank.pages.send("/portfolios/new", **CALM)
    number = re.findall(r'href="/portfolios/(\d+)"', await shown(bank, "/portfolios"))[0]
    page, path = f"/accounts/{account.id}/settings", f"/accounts/{account.id}/settings/auto-balance"
    form = {"portfolio_id": number, "method": "time", "period": "24", "enabled": "1"}
    first = await balance_mark(bank, page)
    assert (await bank.pages.send(path, **form, before=first)).status_code == 303
    before = await balance_mark(bank, page)
    assert before != first

    # It sold something, and a run more would do harm.
    off = replace((await account_of(bank)).auto_balance, enabled=False, error="switched off: why")
    async with bank.pages.api.services.store.transaction() as tx:
        await tx.accounts.set_auto_balance(account.user_id, account.id, off, NOW)
    late = await bank.pages.send(path, **{**form, "period": "36"}, before=before)
    assert (late.status_code, "changed elsewhere" in late.text) == (400, True)
    assert "switched off: why" in late.text
    assert 'value="36"' in late.text
    assert (await account_of(bank)).auto_balance == off
    by_now = await balance_mark(bank, page)
    assert f'name="before" value="{by_now}"' in late.text
    assert (await bank.pages.send(path, **form, before=by_now)).status_code == 303
    assert (await account_of(bank)).auto_balance.enabled


async def test_a_key_that_may_not_trade_is_not_rebalanced(bank: Bank) -> None:
    account = await bank.connected()
    await bank.pages.send("/portfolios/new", **CALM)
    number = re.findall(r'href="/portfolios/(\d+)"', await shown(bank, "/portfolios"))[0]
    path = f"/accounts/{account.id}/settings/auto-balance"
    answer = await bank.pages.send(path, portfolio_id=number, method="time", period="12")
    assert answer.status_code == 400
    assert "This account cannot be rebalanced: its key may not trade." in answer.text


async def test_an_account_is_read_now_without_a_script(bank: Bank) -> None:
    account = await bank.connected()
    bank.venue.answer = Reading(NOW, frozenset({"spot"}), (position("BTC", "0.75"),))
    answer = await bank.pages.send(f"/accounts/{account.id}/refresh")
    assert answer.headers["location"] == f"/accounts/{account.id}?done=read"
    page = await shown(bank, f"/accounts/{account.id}")
    assert "0.75" in page
    bank.venue.answer = ConnectorFailure(FailureKind.VENUE_DOWN, "Binance is down <b>.")
    failed = await bank.pages.send(f"/accounts/{account.id}/refresh")
    assert failed.headers["location"].endswith("done=failed")
    page = await shown(bank, f"/accounts/{account.id}")
    assert page.count("Binance is down &lt;b&gt;.") >= 2


async def test_a_script_follows_a_reading(bank: Bank) -> None:
    account = await bank.connected()
    bank.venue.answer = Reading(
        NOW, frozenset({"spot"}), (position("BTC", "1"),), {"funding": "not allowed"}
    )
    begun = await bank.pages.send(f"/accounts/{account.id}/refresh", follow="1")
    where = begun.json()["follow"]
    for _ in range(500):
        told = (await bank.pages.http.get(where)).json()
        if told["is_over"]:
            break
        await asyncio.sleep(0.02)
    assert told == {"is_over": True, "is_good": False, "told": "Read, but for some parts."}
    page = await shown(bank, f"/accounts/{account.id}")
    assert "funding: not read" in page
    assert "funding: not allowed" in page
    assert (await bank.pages.http.get("/accounts/1/refresh/999999")).status_code == 404


async def test_a_script_is_told_that_no_worker_is_at_work(sqlite_store: Store) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        account = await add_account(sqlite_store, await pages.user())
        begun = await pages.send(f"/accounts/{account.id}/refresh", follow="1")
        where = begun.json()["follow"]
        waiting = (await pages.http.get(where)).json()
        assert (waiting["is_over"], waiting["told"]) == (False, "Waiting for a worker…")
        pages.api.clock.advance(6_000)
        over = (await pages.http.get(where)).json()
        assert (over["is_over"], over["is_good"]) == (True, False)
        assert "No worker is at work" in over["told"]


async def test_a_script_is_told_of_too_much_under_way(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.errands.MOST_OPEN", 1)
    async with opened(sqlite_store) as pages:
        await pages.begin()
        account = await add_account(sqlite_store, await pages.user())
        assert (await pages.send(f"/accounts/{account.id}/refresh", follow="1")).is_success
        refused = await pages.send(f"/accounts/{account.id}/refresh", follow="1")
        assert refused.status_code == 429
        told = refused.json()
        assert (told["is_over"], told["is_good"]) == (True, False)
        assert told["told"].endswith("are not done yet; wait for one of them.")


async def test_each_position_tells_its_share(bank: Bank) -> None:
    held = (position("BTC", "0.5"), position("ETH", "10"))
    bank.venue.answer = Reading(NOW, frozenset({"spot"}), held)
    account = await bank.connected()
    assert (await shown(bank, f"/accounts/{account.id}")).count("50.0 %") == 2


@pytest.mark.parametrize(
    "path", ["settings", "settings/key", "settings/auto-balance", "settings/remove", "refresh"]
)
async def test_anothers_account_is_not_found(bank: Bank, path: str) -> None:
    bob = (await bank.pages.api.caller("bob")).user
    account = await add_account(bank.pages.api.services.store, bob)
    form = {"confirm": "Main", "name": "Mine", "api_key": "k", "secret": "s", "period": "12"}
    form |= {"portfolio_id": "1", "method": "time"}
    answer = await bank.pages.send(f"/accounts/{account.id}/{path}", **form)
    assert answer.status_code == 404
    assert (await bank.pages.http.get(f"/accounts/{account.id}/settings")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"code_1": "", "amount_1": "", "code_2": "", "amount_2": ""}, "The shares are missing."),
        ({"amount_1": ""}, "The share of &#39;BTC&#39; is missing."),
        ({"amount_1": "6,5"}, "The share of &#39;BTC&#39; must have a point before decimals"),
        ({"amount_1": "-1"}, "The share of &#39;BTC&#39; must be from 0 to 100."),
        ({"amount_1": "NaN"}, "The share of &#39;BTC&#39; is invalid."),
        ({"amount_1": "٦٠"}, "The share of &#39;BTC&#39; is invalid."),
        ({"amount_1": "1e999"}, "The share of &#39;BTC&#39; is invalid."),
        ({"amount_1": "0", "amount_2": "100"}, "The shares must be more than zero each."),
        ({"code_2": "BTC"}, "The shares name an asset twice."),
        ({"code_2": "btc"}, "The shares name an asset twice."),
        ({"code_2": "NOSUCHCOIN"}, "<p>&#39;NOSUCHCOIN&#39; is no known asset"),
        ({"code_2": ""}, "<p>An asset is not named."),
    ],
)
async def test_what_is_wrong_with_shares_is_told_in_a_sentence(
    bank: Bank, wrong: dict[str, str], told: str
) -> None:
    answer = await bank.pages.send("/portfolios/new", **{**CALM, **wrong})
    assert answer.status_code == 400
    said = re.findall(r"<p>[^<]+</p>", answer.text.partition('class="told"')[2])[:1]
    assert told in said[0], said
