"""Accounts by their id and the summary, on both databases: shown, renamed, removed."""

import httpx
import pytest

from coffers.api.account_schema import ACCOUNT_KEYS, SINGLE_ACCOUNT
from coffers.clock import DAY
from coffers.store.engine import Store
from factories import NOW
from served import HOST, LIST, add_account, add_book, read_account, serving

WRITER = ("accounts_read", "accounts_write")
SUMMARY = f"{LIST}/summary"


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_an_account_is_shown_with_one_key_more_than_in_lists(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user, held={"BTC": "0.5"})
        await add_book(store)
        answer = await api.get(caller, f"{LIST}/{account.id}")
        (listed,) = (await api.get(caller)).json()
    shown = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert list(shown)[:4] == [*ACCOUNT_KEYS[:3], "auto_balance_portfolio"]
    assert shown.pop("auto_balance_portfolio") is None
    assert shown == listed


async def test_an_account_tells_how_far_to_trust_it(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user, held={"BTC": "1", "SHIB": "7"})
        await add_book(store)
        headers = (await api.get(caller, f"{LIST}/{account.id}")).headers
    assert headers["x-prices-at"] == "2025-10-09T08:53:20.000Z"
    assert headers["x-accounts-incomplete-why"] == f"{account.id};unpriced=1"


async def test_an_account_of_another_mode_is_shown_by_its_id(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user, mode="paper")
        assert (await api.get(caller, f"{LIST}/{account.id}")).json()["id"] == account.id


@pytest.mark.parametrize(
    ("method", "end"),
    [
        ("GET", ""),
        ("POST", "/rename?name=Mine"),
        ("POST", "/remove"),
        ("POST", "/pie_chart_data"),
        ("POST", "/account_table_data"),
        ("GET", "/balance_chart_data?date_from=2025-10-01"),
        ("POST", "/balance_chart_data?date_from=2025-10-01"),
    ],
)
async def test_what_is_somebody_elses_or_nobodys_is_not_found(
    store: Store, method: str, end: str
) -> None:
    async with serving(store) as api:
        caller, bob = await api.caller("ann", WRITER), await api.caller("bob", WRITER)
        theirs = await add_account(store, bob.user, "Theirs")
        for known in (theirs.id, 0, 999, 2**31, 9_999_999_999, 10**11):
            target = f"{LIST}/{known}{end}"
            answer = await api.http.request(method, target, headers=caller.headers(target))
            assert error_of(answer) == (404, "not_found"), target
        assert (await api.get(bob)).json()[0]["name"] == "Theirs"


@pytest.mark.parametrize("end", ["/x", "/-1", "/1.0", "/%20", "/1/", "/summary/", "/1/unknown"])
async def test_what_is_no_id_is_no_address(sqlite_store: Store, end: str) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        assert error_of(await api.get(caller, f"{LIST}{end}")) == (404, "not_found")


async def test_the_summary_is_the_sum_of_the_accounts_that_are_wanted_there(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "One", held={"BTC": "0.5", "USDT": "100"})
        await add_account(store, caller.user, "Two", held={"ETH": "2"})
        await add_account(store, caller.user, "No", include_in_summary=False)
        await add_account(store, caller.user, "Paper", mode="paper")
        await add_account(store, (await api.caller("bob")).user, "Bob's")
        await add_book(store)
        answer = await api.get(caller, SUMMARY)
        paper = await api.get(caller, SUMMARY, {"Forced-Mode": "paper"})
    shown = answer.json()
    assert answer.status_code == 200
    assert sorted(shown) == sorted(SINGLE_ACCOUNT["required"])
    assert (shown["id"], shown["usd_amount"], shown["btc_amount"]) == (0, "30100.0", "0.602")
    assert shown["total_usd_profit"] == "-5900.0"
    assert shown["market_icon"] == f"http://{HOST}/img/exchanges/summary.svg"
    assert answer.headers["x-accounts-incomplete"] == "0"
    assert paper.json()["usd_amount"] == "25000.0"


async def test_the_icon_of_the_summary_is_there(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        icon = (await api.get(caller, SUMMARY)).json()["market_icon"]
        assert (await api.http.get(icon)).status_code == 200


async def test_the_summary_of_no_accounts_is_nothing(store: Store) -> None:
    async with serving(store) as api:
        shown = (await api.get(await api.caller(), SUMMARY)).json()
    assert (shown["usd_amount"], shown["available_include_in_summary"]) == ("0.0", True)


async def test_what_is_unknown_of_one_account_is_unknown_of_the_summary_and_told(
    store: Store,
) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "One")
        unread = await add_account(store, caller.user, "Two")
        await read_account(store, unread, {}, read_at=None)
        await add_book(store)
        answer = await api.get(caller, SUMMARY)
    assert answer.json()["usd_amount"] is None
    assert answer.json()["available_include_in_summary"] is False
    assert answer.headers["x-accounts-incomplete-why"] == f"{unread.id};unread"


async def test_a_new_name_is_answered_and_listed(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=WRITER)
        account = await add_account(store, caller.user, "Old")
        before = (await api.get(caller)).json()
        api.clock.advance(DAY)
        answer = await api.post(caller, f"{LIST}/{account.id}/rename", '{"name": "New name"}')
        after = (await api.get(caller)).json()
    assert answer.status_code == 201
    assert list(answer.json()) == list(ACCOUNT_KEYS)
    assert before[0]["name"] == "Old"
    assert after[0]["name"] == answer.json()["name"] == "New name"
    assert after[0]["updated_at"] == "2025-10-10T08:53:20.000Z"


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        ("?name=New+name", "", None),
        ("?name=New%20name", "", None),
        ("", "name=New+name", "application/x-www-form-urlencoded"),
        ("", '{"name":"New name"}', "application/json"),
        ("?name=New+name", '{"name":"Other"}', "application/json"),
        ("?x=1", "name=New+name", "application/x-www-form-urlencoded"),
        ("", '{"name":"New name"}', None),
    ],
)
async def test_a_name_may_come_in_every_way(
    sqlite_store: Store, query: str, body: str, kind: str | None
) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        account = await add_account(sqlite_store, caller.user, "Old")
        target = f"{LIST}/{account.id}/rename{query}"
        headers = {} if kind is None else {"Content-Type": kind}
        text = f"{target}{body}" if query and body.startswith("{") else None
        signed = caller.headers(text or target, "" if text else body)
        answer = await api.http.post(target, content=body, headers={**signed, **headers})
    assert (answer.status_code, answer.json().get("name")) == (201, "New name")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "is missing"),
        ('{"name":null}', "is missing"),
        ("name=", "is too short (minimum is 2 characters)"),
        (f"name={'x' * 101}", "is too long (maximum is 100 characters)"),
        ('{"name":["a","b"]}', "is invalid"),
        ("name=a%00b", "is invalid"),
    ],
)
async def test_a_name_that_cannot_be_is_told(sqlite_store: Store, body: str, said: str) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        account = await add_account(sqlite_store, caller.user, "Old")
        answer = await api.post(caller, f"{LIST}/{account.id}/rename", body)
    assert error_of(answer) == (400, "record_invalid")
    assert answer.json()["error_attributes"] == {"name": [said]}


async def test_a_removed_account_is_gone_and_answers_true(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=WRITER)
        account = await add_account(store, caller.user)
        kept = await add_account(store, caller.user, "Kept")
        await api.get(caller)
        answer = await api.post(caller, f"{LIST}/{account.id}/remove")
        listed = await api.get(caller)
        again = await api.post(caller, f"{LIST}/{account.id}/remove")
    assert (answer.status_code, answer.text) == (201, "true")
    assert [each["id"] for each in listed.json()] == [kept.id]
    assert error_of(again) == (404, "not_found")


async def test_what_was_done_to_accounts_can_be_asked_for_later(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=WRITER)
        account = await add_account(store, caller.user, "Old")
        await api.post(caller, f"{LIST}/{account.id}/rename?name=New")
        await api.post(caller, f"{LIST}/{account.id}/remove")
        async with store.reading() as tx:
            events = await tx.audit.of_user(caller.user.id)
    assert [(each.kind, each.at) for each in events[:2]] == [
        ("account_removed", NOW),
        ("account_renamed", NOW),
    ]


@pytest.mark.parametrize("end", ["rename?name=New", "remove"])
async def test_a_token_that_may_only_read_changes_nothing(sqlite_store: Store, end: str) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        account = await add_account(sqlite_store, caller.user, "Old")
        answer = await api.post(caller, f"{LIST}/{account.id}/{end}")
        assert error_of(answer) == (403, "access_denied")
        assert "ACCOUNTS_WRITE" in answer.json()["error_description"]
        assert (await api.get(caller)).json()[0]["name"] == "Old"


@pytest.mark.parametrize("end", ["/1", "/summary"])
async def test_reading_needs_a_permission_and_a_signature(sqlite_store: Store, end: str) -> None:
    async with serving(sqlite_store) as api:
        writer = await api.caller(permissions=("accounts_write",))
        assert error_of(await api.get(writer, f"{LIST}{end}")) == (403, "access_denied")
        unsigned = await api.http.get(f"{LIST}{end}")
        assert error_of(unsigned) == (401, "api_key_invalid_or_expired")


async def test_a_body_that_was_signed_cannot_be_exchanged(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        account = await add_account(sqlite_store, caller.user, "Old")
        target = f"{LIST}/{account.id}/rename"
        signed = caller.headers(target, "name=Mine")
        answer = await api.http.post(target, content="name=Yours", headers=signed)
        assert error_of(answer) == (401, "signature_invalid")
        answer = await api.http.post(target, content="name=Mine", headers=caller.headers(target))
        assert error_of(answer) == (401, "signature_invalid")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_methods_that_an_account_does_not_have(sqlite_store: Store, method: str) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.http.request(method, f"{LIST}/1")
        assert error_of(answer) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD"
        removal = await api.http.request(method, f"{LIST}/1/remove")
        assert removal.headers["allow"] == "POST"


async def test_metrics_name_the_route_and_not_the_account(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        await api.get(await api.caller(), f"{LIST}/424242")
        scraped = (await api.http.get("/metrics")).text
    assert 'route="/public/api/ver1/accounts/{account_id}",status="404"' in scraped
    assert "424242" not in scraped
