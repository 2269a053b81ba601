"""The account list on both databases: who sees what, and when an answer is made anew."""

import gzip
import json
from decimal import Decimal

import pytest
import zstandard

from coffers import metrics
from coffers.api.account_schema import ACCOUNT_KEYS
from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.engine import Store
from factories import NOW
from served import HOST, LIST, add_account, add_book, read_account, serving


def made() -> float:
    metrics.waiting.write()
    return (
        metrics.REGISTRY.get_sample_value("coffers_list_bodies_total", {"source": "rendered"}) or 0
    )


async def test_a_user_without_accounts_gets_an_empty_array(store: Store) -> None:
    async with serving(store) as api:
        answer = await api.get(await api.caller())
    assert (answer.status_code, answer.text) == (200, "[]")
    assert answer.headers["x-total-count"] == "0"
    assert answer.headers["content-type"] == "application/json"


async def test_accounts_come_in_order_of_id_with_their_figures(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        first = await add_account(store, caller.user, "One", held={"BTC": "0.5", "USDT": "100"})
        second = await add_account(store, caller.user, "Two", held={"ETH": "2"})
        await add_book(store)
        answer = await api.get(caller)
    accounts = answer.json()
    assert [account["id"] for account in accounts] == [first.id, second.id]
    assert [account["usd_amount"] for account in accounts] == ["25100.0", "5000.0"]
    assert [account["btc_amount"] for account in accounts] == ["0.502", "0.1"]
    assert accounts[0]["total_usd_profit"] == "7100.0"
    assert list(accounts[0]) == list(ACCOUNT_KEYS)
    assert accounts[0]["market_icon"] == f"http://{HOST}/img/exchanges/binance.svg"


async def test_before_the_first_prices_figures_are_null_and_said_to_be(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        answer = await api.get(caller)
    assert answer.json()[0]["usd_amount"] is None
    assert "x-prices-at" not in answer.headers
    assert answer.headers["x-accounts-incomplete-why"] == f"{account.id};unpriced=1"


async def test_an_asset_without_a_price_counts_nothing_and_is_told(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user, held={"BTC": "1", "SHIB": "7"})
        whole = await add_account(store, caller.user, "Whole")
        await add_book(store)
        answer = await api.get(caller)
    assert answer.json()[0]["usd_amount"] == "50000.0"
    assert whole.id == answer.json()[1]["id"]
    assert answer.headers["x-accounts-incomplete"] == "1"
    assert answer.headers["x-accounts-incomplete-why"] == f"{account.id};unpriced=1"
    assert answer.headers["x-prices-at"] == "2025-10-09T08:53:20.000Z"


async def test_pages_and_their_links(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        ids = [(await add_account(store, caller.user, f"No {n}")).id for n in range(5)]
        page = await api.get(caller, f"{LIST}?page=2&per_page=2")
        beyond = await api.get(caller, f"{LIST}?page=1000000000&per_page=2")
    assert [account["id"] for account in page.json()] == ids[2:4]
    assert page.headers["x-total-count"] == "5"
    assert (page.headers["x-page"], page.headers["x-per-page"]) == ("2", "2")
    assert f'<http://{HOST}{LIST}?page=3&per_page=2>; rel="next"' in page.headers["link"]
    assert (beyond.status_code, beyond.json()) == (200, [])
    assert beyond.headers["x-total-count"] == "5"


async def test_the_filter_takes_an_exchange_key_or_an_id(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "One", api_key="key+1/ä")
        second = await add_account(store, caller.user, "Two")
        by_key = await api.get(caller, f"{LIST}?api_key=key%2B1%2F%C3%A4")
        by_id = await api.get(caller, f"{LIST}?api_key={second.id}")
        by_none = await api.get(caller, f"{LIST}?api_key=other")
    assert [account["name"] for account in by_key.json()] == ["One"]
    assert [account["name"] for account in by_id.json()] == ["Two"]
    assert (by_none.json(), by_none.headers["x-total-count"]) == ([], "0")


async def test_another_users_accounts_are_not_there(store: Store) -> None:
    async with serving(store) as api:
        ann, ben = await api.caller("ann"), await api.caller("ben")
        foreign = await add_account(store, ben.user, "Ben's", api_key="bens-key")
        assert (await api.get(ann)).json() == []
        for text in (foreign.id, "bens-key"):
            answer = await api.get(ann, f"{LIST}?api_key={text}")
            assert (answer.json(), answer.headers["x-total-count"]) == ([], "0")
        assert [account["id"] for account in (await api.get(ben)).json()] == [foreign.id]


async def test_real_and_paper_accounts_are_apart(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "Real")
        await add_account(store, caller.user, "Paper", mode="paper")

        async def names(**headers: str) -> list[str]:
            shown = await api.get(caller, headers=headers)
            return [account["name"] for account in shown.json()]

        assert await names() == ["Real"]
        assert await names(**{"Forced-Mode": "paper"}) == ["Paper"]
        async with store.transaction() as tx:
            await tx.users.set_mode(caller.user.id, "paper")
        assert await names() == ["Paper"]
        assert await names(**{"forced-mode": "real"}) == ["Real"]


async def test_a_list_is_made_once_until_something_in_it_changes(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        await add_book(store)
        start = made()
        first = await api.get(caller)
        assert (await api.get(caller)).content == first.content
        assert made() == start + 1
        await add_book(store, NOW + 30_000, BTC="60000")
        assert (await api.get(caller)).json()[0]["usd_amount"] == "30000.0"
        await read_account(store, account, {"BTC": "2"}, read_at=NOW)
        assert (await api.get(caller)).json()[0]["usd_amount"] == "120000.0"
        async with store.transaction() as tx:
            await tx.accounts.rename(caller.user.id, account.id, "Renamed", NOW)
        assert (await api.get(caller)).json()[0]["name"] == "Renamed"
        async with store.transaction() as tx:
            await tx.accounts.remove(caller.user.id, account.id)
        assert (await api.get(caller)).json() == []
        assert made() == start + 5


async def test_only_the_account_that_changed_is_made_anew(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "Same", held={"BTC": "1"})
        changing = await add_account(store, caller.user, "Changing", held={"BTC": "1"})
        await add_book(store)
        before = (await api.get(caller)).json()
        await read_account(store, changing, {"BTC": "3"}, read_at=NOW)
        after = (await api.get(caller)).json()
    assert after[0] == before[0]
    assert after[1]["btc_amount"] == "3.0"


async def test_the_display_currency_is_the_users(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user)
        await add_book(store, EUR="1.25")
        async with store.transaction() as tx:
            # The rate of two days ago, when the account was opened, and that of now.
            await tx.prices.save_rates({"EUR": Decimal("1.25")}, Millis(NOW - 49 * HOUR))
            await tx.prices.save_rates({"EUR": Decimal("1.25")}, NOW)
            await tx.users.set_display_currency(caller.user.id, "EUR")
        shown = (await api.get(caller)).json()[0]
    assert shown["primary_display_currency_amount"] == {"currency": "EUR", "amount": "20000.0"}
    assert shown["usd_amount"] == "25000.0"


async def test_a_client_that_has_the_answer_is_told_that_nothing_changed(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user)
        await add_book(store)
        first = await api.get(caller)
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        for known in (tag, f'"other", {tag.removeprefix("W/")}', "*"):
            answer = await api.get(caller, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["x-total-count"] == "1"
        await add_book(store, NOW + 30_000, BTC="60000")
        changed = await api.get(caller, headers={"If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag


async def test_a_new_total_changes_the_tag_of_a_page_that_stays_the_same(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "One")
        target = f"{LIST}?per_page=1"
        tag = (await api.get(caller, target)).headers["etag"]
        await add_account(store, caller.user, "Two")
        answer = await api.get(caller, target, {"If-None-Match": tag})
    assert (answer.status_code, answer.headers["x-total-count"]) == (200, "2")


@pytest.mark.parametrize("coding", ["gzip", "zstd", None])
async def test_bodies_in_the_coding_that_the_client_takes(
    sqlite_store: Store, coding: str | None
) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user)
        headers = {**caller.headers(LIST), "Accept-Encoding": coding or "br"}
        async with api.http.stream("GET", LIST, headers=headers) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-length"] == str(len(raw))
    assert "accept-encoding" in answer.headers["vary"].lower()
    decode = {"gzip": gzip.decompress, "zstd": zstandard.decompress}.get(coding or "", bytes)
    assert len(json.loads(decode(raw))) == 1


async def test_a_small_body_is_sent_as_it_is(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.get(await api.caller(), headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.text == "[]"


async def test_answers_are_for_one_user_and_are_asked_for_again(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.get(await api.caller())
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-request-id"]


async def test_head_is_get_without_the_body(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user)
        identity = {**caller.headers(LIST), "Accept-Encoding": "identity"}
        full = await api.http.get(LIST, headers=identity)
        head = await api.http.head(LIST, headers=identity)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "x-total-count", "link"):
        assert head.headers[name] == full.headers[name]


async def test_keys_are_masked_where_the_operator_says_so(sqlite_store: Store) -> None:
    async with serving(sqlite_store, mask_api_keys=True) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user, api_key="0123456789abcdef0123")
        shown = (await api.get(caller)).json()[0]
    assert shown["api_key"] == "0123...0123"


async def test_addresses_are_as_each_client_reached_the_server(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user)
        for host in ("one.test", "two.test:8787"):
            shown = (await api.get(caller, headers={"Host": host})).json()[0]
            assert shown["market_icon"] == f"http://{host}/img/exchanges/binance.svg"


async def test_an_account_of_a_market_that_left_the_catalogue_is_listed(
    sqlite_store: Store,
) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user, market_code="closed_venue")
        await add_book(sqlite_store)
        shown = (await api.get(caller)).json()[0]
    assert (shown["market_code"], shown["usd_amount"]) == ("closed_venue", "25000.0")
    assert shown["trading_supported"] is False


async def test_a_reading_turns_stale_by_itself_when_nothing_is_read_any_more(
    sqlite_store: Store,
) -> None:
    async with serving(sqlite_store, stale_after=1800) as api:
        caller = await api.caller()
        account = await add_account(sqlite_store, caller.user)
        await add_book(sqlite_store)
        await read_account(sqlite_store, account, {"BTC": "1"})
        fresh = await api.get(caller)
        api.clock.advance(HOUR)
        stale = await api.get(caller, headers={"If-None-Match": fresh.headers["etag"]})
        again = await api.get(caller, headers={"If-None-Match": stale.headers["etag"]})
    assert "x-accounts-incomplete-why" not in fresh.headers
    assert stale.status_code == 200
    assert stale.headers["x-accounts-incomplete-why"] == f"{account.id};stale"
    assert stale.json() == fresh.json()
    assert again.status_code == 304


async def test_a_list_tells_that_its_readings_lie_ahead_once_the_clock_was_set_back(
    sqlite_store: Store,
) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        account = await add_account(sqlite_store, caller.user)
        await add_book(sqlite_store, at=NOW - DAY)
        await read_account(sqlite_store, account, {"BTC": "1"})
        fresh = await api.get(caller)
        api.clock.advance(-MINUTE)
        assert (await api.get(caller)).headers["etag"] == fresh.headers["etag"]
        api.clock.advance(-HOUR)
        ahead = await api.get(caller)
        assert (await api.get(caller)).headers["etag"] == ahead.headers["etag"]
        api.clock.set(NOW)
        again = await api.get(caller)
    assert "x-accounts-incomplete-why" not in fresh.headers
    assert fresh.json()[0]["day_profit_usd"] is not None
    assert ahead.headers["x-accounts-incomplete-why"] == f"{account.id};stale"
    assert ahead.json()[0]["day_profit_usd"] is ahead.json()[0]["day_profit_btc"] is None
    for field in ("usd_amount", "total_usd_profit"):
        assert ahead.json()[0][field] == fresh.json()[0][field]
    assert (again.json(), again.headers["etag"]) == (fresh.json(), fresh.headers["etag"])
