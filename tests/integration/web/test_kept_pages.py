"""Accounts that are kept here, at the pages: by hand and on paper."""

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest

from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.valuation.value import holdings_of
from pages import Pages, opened
from served import add_book

BY_HAND = {"name": "Cash", "include_in_summary": "1"}


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        await found.begin()
        await add_book(sqlite_store, EUR="1.1")
        yield found


async def accounts(pages: Pages) -> list[Account]:
    user = await pages.user()
    async with pages.api.services.store.reading() as tx:
        return await tx.accounts.of_user(user.id)


async def held(pages: Pages, account: Account) -> dict[str, Decimal]:
    async with pages.api.services.store.reading() as tx:
        return holdings_of(await tx.holdings.of_account(account.user_id, account.id))


async def made(pages: Pages, **rows: str) -> Account:
    answer = await pages.send("/connect/manual", **BY_HAND, **rows)
    assert answer.status_code == 303, answer.text
    return (await accounts(pages))[-1]


async def edited(pages: Pages, account: Account, **rows: str) -> tuple[int, str]:
    shown = (await pages.http.get(f"/accounts/{account.id}/holdings")).text
    before = re.findall('name="before" value="([^"]+)"', shown)[0]
    answer = await pages.send(f"/accounts/{account.id}/holdings", before=before, **rows)
    return answer.status_code, answer.text


async def moved(pages: Pages, account: Account, **form: str) -> httpx.Response:
    path = f"/accounts/{account.id}/paper"
    before = re.findall('name="before" value="([^"]+)"', (await pages.http.get(path)).text)[0]
    return await pages.send(path, before=before, **form)


async def test_an_account_is_kept_by_hand(pages: Pages) -> None:
    assert 'name="code_1"' in (await pages.http.get("/connect/manual")).text
    account = await made(pages, code_1="btc", amount_1="0.5", code_3="EUR", amount_3="1000")
    assert (account.name, account.market_code) == ("Cash", "manual")
    assert await held(pages, account) == {"BTC": Decimal("0.5"), "EUR": Decimal(1000)}
    assert "26,100.00 USD" in (await pages.http.get(f"/accounts/{account.id}")).text


async def test_what_cannot_be_is_told_and_what_was_typed_stays(pages: Pages) -> None:
    rows = {"code_1": "BTCC", "amount_1": "1", "code_2": "EUR", "amount_2": "5"}
    answer = await pages.send("/connect/manual", name="C", **rows)
    assert answer.status_code == 400
    assert "Name: is too short" in answer.text
    unknown = await pages.send("/connect/manual", **BY_HAND, **rows)
    assert "is no known asset; did you mean" in unknown.text
    assert 'value="BTCC"' in unknown.text
    bad = await pages.send("/connect/manual", **BY_HAND, code_1="BTC", amount_1="x<b>")
    assert "The amount of &#39;BTC&#39; is invalid" in bad.text
    assert "x<b>" not in bad.text
    nameless = await pages.send("/connect/manual", **BY_HAND, code_1="", amount_1="1")
    assert "An asset is not named." in nameless.text
    named = await pages.send("/connect/manual", **BY_HAND, code_1="BITCOIN", amount_1="1")
    assert "did you mean BTC?" in named.text
    assert await accounts(pages) == []


async def test_more_rows_are_had_without_a_script(pages: Pages) -> None:
    answer = await pages.send("/connect/manual", **BY_HAND, code_1="BTC", amount_1="", more="1")
    assert answer.status_code == 200
    assert answer.text.count('name="code_') == 6
    assert await accounts(pages) == []


async def test_changes_are_flows_and_an_empty_amount_removes(pages: Pages) -> None:
    account = await made(pages, code_1="BTC", amount_1="0.5", code_2="EUR", amount_2="1000")
    assert 'value="0.5"' in (await pages.http.get(f"/accounts/{account.id}/holdings")).text
    status, _ = await edited(
        pages, account, code_1="BTC", amount_1="0.75", code_2="EUR", amount_2=""
    )
    assert status == 303
    assert await held(pages, account) == {"BTC": Decimal("0.75")}
    shown = (await pages.http.get(f"/accounts/{account.id}")).text
    assert "0.25 BTC" in shown
    assert "1,000 EUR" in shown


async def test_a_change_in_between_is_not_overwritten_unseen(pages: Pages) -> None:
    account = await made(pages, code_1="BTC", amount_1="0.5")
    path = f"/accounts/{account.id}/holdings"
    late = await pages.send(path, before="another", code_1="BTC", amount_1="9")
    assert (late.status_code, "changed elsewhere" in late.text) == (400, True)
    assert 'value="9"' in late.text
    more = await pages.send(path, before="another", code_1="BTC", amount_1="9", more="1")
    assert 'name="before" value="another"' in more.text
    assert await held(pages, account) == {"BTC": Decimal("0.5")}


async def test_a_paper_account_is_made_moved_and_begun_anew(pages: Pages) -> None:
    assert 'value="10000"' in (await pages.http.get("/connect/paper_trading")).text
    form = {"name": "Try", "fee": "0.002", "code_1": "USDT", "amount_1": "100"}
    assert (await pages.send("/connect/paper_trading", **form)).status_code == 303
    (account,) = await accounts(pages)
    assert (account.mode, await held(pages, account)) == ("paper", {"USDT": Decimal(100)})
    path = f"/accounts/{account.id}/paper"
    assert "0.002" in (await pages.http.get(path)).text
    put_in = await moved(pages, account, asset="BTC", amount="1", direction="in")
    assert put_in.status_code == 303
    await moved(pages, account, asset="USDT", amount="40", direction="out")
    assert await held(pages, account) == {"BTC": Decimal(1), "USDT": Decimal(60)}
    over = await moved(pages, account, asset="USDT", amount="400", direction="out")
    assert "has 60 USDT" in over.text
    unsure = await pages.send(f"{path}/reset", code_1="EUR", amount_1="7")
    assert unsure.status_code == 400
    assert (
        await pages.send(f"{path}/reset", sure="1", code_1="EUR", amount_1="7")
    ).status_code == 303
    assert await held(pages, account) == {"EUR": Decimal(7)}


async def test_what_a_paper_account_is_shown_to_hold_can_be_taken_out(pages: Pages) -> None:
    rows = {"code_1": "BTC", "amount_1": "0.999999999999", "code_2": "USDT", "amount_2": "1234567"}
    await pages.send("/connect/paper_trading", name="Try", fee="0.001", once="a", **rows)
    [account] = await accounts(pages)
    path = f"/accounts/{account.id}/paper"
    page = (await pages.http.get(path)).text
    assert "It holds 0.999999999999 BTC, 1234567 USDT." in page
    [before] = re.findall(r'name="before" value="([^"]+)"', page)
    asked = {"asset": "BTC", "amount": "0.999999999999", "direction": "out", "before": before}
    assert (await pages.send(path, **asked)).status_code == 303
    assert await held(pages, account) == {"USDT": Decimal(1234567)}


async def test_paper_money_that_is_put_in_twice_at_once_comes_once(pages: Pages) -> None:
    form = {"name": "Try", "fee": "0.002", "code_1": "USDT", "amount_1": "100"}
    await pages.send("/connect/paper_trading", **form)
    (account,) = await accounts(pages)
    path = f"/accounts/{account.id}/paper"
    before = re.findall('name="before" value="([^"]+)"', (await pages.http.get(path)).text)[0]
    form = {"asset": "USDT", "amount": "50", "direction": "in", "before": before}
    clicks = await asyncio.gather(*(pages.send(path, **form) for _ in range(3)))
    assert sorted(each.status_code for each in clicks) == [303, 400, 400]
    assert await held(pages, account) == {"USDT": Decimal(150)}


async def test_a_fee_that_cannot_be_is_told_at_its_field(pages: Pages) -> None:
    form = {"name": "Try", "fee": "0.5", "code_1": "USDT", "amount_1": "100"}
    answer = await pages.send("/connect/paper_trading", **form)
    assert "Fee: must be from 0 to 0.1" in answer.text


async def test_anothers_and_other_kinds_of_accounts_are_not_found(pages: Pages) -> None:
    account = await made(pages, code_1="BTC", amount_1="0.5")
    assert (await pages.http.get(f"/accounts/{account.id}/paper")).status_code == 404
    assert (await pages.send(f"/accounts/{account.id}/paper/reset", sure="1")).status_code == 404
    for path in ("/accounts/999/holdings", "/accounts/999/paper"):
        assert (await pages.http.get(path)).status_code == 404
        assert (await pages.send(path, asset="BTC", amount="1")).status_code == 404


@pytest.mark.parametrize(
    "name", ["code_01", "code_\N{ARABIC-INDIC DIGIT THREE}", f"code_{'9' * 5000}"]
)
@pytest.mark.parametrize("path", ["/connect/manual", "/connect/paper_trading", "/portfolios/new"])
async def test_fields_of_other_names_are_no_rows(pages: Pages, path: str, name: str) -> None:
    form = {"name": "Odd", "fee": "0.001", "tolerance": "1", name: "BTC"}
    answer = await pages.send(path, more="1", **form)
    assert (answer.status_code, 'value="BTC"' in answer.text) == (200, False)
    assert (await pages.send(path, **form)).status_code in {303, 400}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/connect/manual", "The amount of &#39;BTC&#39; must have a point before decimals"),
        (
            "/connect/paper_trading",
            "The balance of &#39;BTC&#39; must have a point before decimals",
        ),
        ("/portfolios/new", "The share of &#39;BTC&#39; must have a point before decimals"),
    ],
)
async def test_a_comma_is_refused_with_how_amounts_are_written(
    pages: Pages, path: str, told: str
) -> None:
    form = {"name": "Odd", "fee": "0,001", "tolerance": "1", "code_1": "BTC", "amount_1": "1,5"}
    assert "with a point before decimals and no other signs" in (await pages.http.get(path)).text
    answer = await pages.send(path, **form)
    assert answer.status_code == 400
    assert told in answer.text
    assert "such as 0.5" in answer.text


async def test_fields_of_a_number_refuse_a_comma_too(pages: Pages) -> None:
    form = {"name": "Try", "code_1": "USDT", "amount_1": "100"}
    answer = await pages.send("/connect/paper_trading", **form, fee="0,001")
    assert "Fee: must have a point before decimals" in answer.text
    await pages.send("/connect/paper_trading", **form, fee="0.001")
    (account,) = await accounts(pages)
    comma = await moved(pages, account, asset="BTC", amount="0,5")
    assert "Amount: must have a point before decimals" in comma.text
    shares = {"name": "All", "code_1": "BTC", "amount_1": "100"}
    wrong = await pages.send("/portfolios/new", **shares, tolerance="0,5")
    assert "Tolerance: must have a point before decimals" in wrong.text


@pytest.mark.parametrize("path", ["/connect/manual", "/connect/paper_trading"])
@pytest.mark.parametrize("again", ["btc", "BTC"])
async def test_an_asset_that_is_there_twice_is_refused(pages: Pages, path: str, again: str) -> None:
    rows = {"code_1": "BTC", "amount_1": "0.5", "code_2": again, "amount_2": "5"}
    answer = await pages.send(path, name="Twice", fee="0.001", **rows)
    assert answer.status_code == 400
    assert "&#39;BTC&#39; is there twice" in answer.text
    assert await accounts(pages) == []


async def test_paper_accounts_are_shown_once_that_is_chosen(pages: Pages) -> None:
    form = {"name": "Try", "fee": "0.001", "code_1": "USDT", "amount_1": "100"}
    made = await pages.send("/connect/paper_trading", **form)
    page = (await pages.http.get(made.headers["location"])).text
    assert "Show paper accounts</button>" in page
    assert "Next reading" not in page
    assert 'href="/settings#mode"' in (await pages.http.get("/")).text
    answer = await pages.send("/settings/mode", mode="paper")
    assert answer.headers["location"] == "/?done=mode"
    page = (await pages.http.get("/")).text
    assert "Paper accounts are shown" in page
    assert ">Try</a>" in page
    assert "Show paper accounts" not in (await pages.http.get(made.headers["location"])).text
    assert 'value="paper" checked' in (await pages.http.get("/settings")).text
    await pages.send("/settings/mode", mode="real")
    assert ">Try</a>" not in (await pages.http.get("/")).text


@pytest.mark.parametrize("path", ["/connect/manual", "/connect/paper_trading"])
async def test_a_form_makes_one_account_however_often_it_is_sent(pages: Pages, path: str) -> None:
    drawn = re.findall('name="once" value="([^"]+)"', (await pages.http.get(path)).text)
    other = re.findall('name="once" value="([^"]+)"', (await pages.http.get(path)).text)
    form = {"name": "Twice", "fee": "0.001", "code_1": "BTC"}
    wrong = await pages.send(path, **form, amount_1="x", once=drawn[0])
    assert f'name="once" value="{drawn[0]}"' in wrong.text
    sent = [pages.send(path, **form, amount_1="1", once=drawn[0]) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    (account,) = await accounts(pages)
    found = {answer.headers["location"].partition("?")[0] for answer in answers}
    assert found == {f"/accounts/{account.id}"}
    assert await held(pages, account) == {"BTC": Decimal(1)}
    told = await pages.http.get(f"/accounts/{account.id}?done=kept-before")
    assert "Made already, and no second one" in told.text
    await pages.send(path, **form, amount_1="1", once=other[0])
    assert len(await accounts(pages)) == 2


async def test_a_mode_that_there_is_not_is_told(pages: Pages) -> None:
    answer = await pages.send("/settings/mode", mode="odd")
    assert answer.status_code == 400
    assert "Show: does not have a valid value" in answer.text
    assert (await pages.user()).mode == "real"


async def test_what_flows_were_worth_is_told_in_the_display_currency(pages: Pages) -> None:
    account = await made(pages, code_1="BTC", amount_1="0.5")
    await edited(pages, account, code_1="BTC", amount_1="0.75")
    await pages.send("/settings", currency="BTC", written_as="", time_zone="UTC")
    shown = (await pages.http.get(f"/accounts/{account.id}")).text
    assert re.search("0.25 BTC</td>\\s*<td [^>]+>0.25000000 BTC", shown)


async def test_who_looks_at_paper_and_has_none_is_led_to_make_one(pages: Pages) -> None:
    assert 'href="/connect/paper_trading"' not in (await pages.http.get("/")).text
    await pages.send("/settings/mode", mode="paper")
    assert 'href="/connect/paper_trading"' in (await pages.http.get("/")).text


async def test_an_asset_that_nobody_knows_is_named_in_a_sentence(pages: Pages) -> None:
    form = {"name": "Trying", "fee": "0.001", "code_1": "NOSUCHCOIN", "amount_1": "1"}
    answer = await pages.send("/connect/paper_trading", **form)
    assert answer.status_code == 400
    assert "<p>&#39;NOSUCHCOIN&#39; is no known asset" in answer.text
