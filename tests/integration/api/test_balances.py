"""Pies, tables and charts on both databases, of one account and of all."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

import stored
from coffers.clock import DAY, HOUR, Millis, from_iso
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.valuation.model import Value
from factories import NOW, position
from served import LIST, add_account, add_book, serving

TODAY = from_iso("2025-10-09T00:00:00Z")
OPENED = Millis(NOW - 2 * DAY)
SUMMARY = f"{LIST}/summary"


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "application/json"
    rows: list[dict[str, Any]] = json.loads(answer.content, parse_float=Decimal)
    return rows


async def aged(store: Store, account: Account, *worths: tuple[int, str]) -> None:
    async with store.transaction() as tx:
        for at, usd in worths:
            await tx.history.add_snapshot(account.user_id, account.id, stored.snapshot(at, usd))


async def test_a_pie_has_what_is_worth_something_most_first(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        held = {"ETH": "2", "BTC": "0.3", "SHIB": "7"}
        account = await add_account(store, caller.user, held=held)
        await add_book(store)
        answer = await api.post(caller, f"{LIST}/{account.id}/pie_chart_data")
    assert answer.status_code == 201
    btc, eth = rows_of(answer)
    assert [(row["code"], row["percentage"], row["account_id"]) for row in (btc, eth)] == [
        ("BTC", Decimal("75.0"), account.id),
        ("ETH", Decimal("25.0"), account.id),
    ]
    assert (btc["btc_value"], btc["usd_value"]) == ("0.3", "15000.0")
    assert btc["primary_display_currency"] == {"currency": "USD", "amount": "15000.0"}
    assert answer.headers["x-accounts-incomplete-why"] == f"{account.id};unpriced=1"


async def test_a_pie_of_all_accounts_has_one_slice_per_asset(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        for name in ("One", "Two"):
            await add_account(store, caller.user, name, held={"BTC": "0.5"})
        await add_account(store, caller.user, "No", include_in_summary=False)
        await add_account(store, caller.user, "Paper", mode="paper", held={"ETH": "1"})
        await add_book(store)
        (row,) = rows_of(await api.post(caller, f"{SUMMARY}/pie_chart_data"))
        forced = await api.post(
            caller, f"{SUMMARY}/pie_chart_data", headers={"Forced-Mode": "paper"}
        )
    assert (row["code"], row["amount"], row["account_id"]) == ("BTC", Decimal("1.0"), 0)
    assert [row["code"] for row in rows_of(forced)] == ["ETH"]


async def test_a_pie_is_shown_in_the_users_currency(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        async with store.transaction() as tx:
            await tx.users.set_display_currency(caller.user.id, "EUR")
            await tx.prices.save_rates({"EUR": Decimal("1.25")}, NOW)
        await add_book(store)
        (row,) = rows_of(await api.post(caller, f"{LIST}/{account.id}/pie_chart_data"))
    assert row["primary_display_currency"] == {"currency": "EUR", "amount": "20000.0"}
    assert row["usd_value"] == "25000.0"


async def test_before_the_first_prices_there_is_no_pie_and_a_table_without_values(
    store: Store,
) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        assert rows_of(await api.post(caller, f"{LIST}/{account.id}/pie_chart_data")) == []
        (row,) = rows_of(await api.post(caller, f"{LIST}/{account.id}/account_table_data"))
    assert (row["position"], row["usd_value"]) == (Decimal("0.5"), None)


async def test_a_table_tells_amounts_prices_and_the_change_of_a_day(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user, held={})
        async with store.transaction() as tx:
            held = [
                position("ETH", "2", in_orders="0.5"),
                position("USDT", "1", borrowed="3", interest="0.5"),
            ]
            await tx.holdings.replace(account.user_id, account.id, {"spot"}, held)
        await add_book(store, NOW - DAY, ETH="2000")
        await add_book(store)
        answer = await api.post(caller, f"{LIST}/{account.id}/account_table_data")
    assert answer.status_code == 201
    eth, usdt = rows_of(answer)
    assert (eth["position"], eth["position_available"], eth["on_orders"]) == (
        Decimal("2.5"), Decimal("2.0"), Decimal("0.5"),
    )  # fmt: skip
    assert (eth["usd_value"], eth["current_price"]) == (Decimal("6250.0"), Decimal("0.05"))
    assert (eth["day_change_percent_usd"], eth["day_change_percent_btc"]) == (25, 25)
    assert (usdt["borrowed"], usdt["equity"], usdt["percentage"]) == (
        Decimal("3.0"), Decimal("-2.5"), Decimal("-0.04"),
    )  # fmt: skip
    assert (eth["account_id"], eth["is_wallet"]) == (account.id, False)
    assert eth["on_orders_with_leverage"] == 0


async def test_a_table_says_of_wallets_that_they_are_and_of_leverage_that_it_is_not_known(
    store: Store,
) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        wallet = await add_account(store, caller.user, "W", address="0xab")
        await add_account(store, caller.user, "M", market_code="binance_margin")
        (row,) = rows_of(await api.post(caller, f"{LIST}/{wallet.id}/account_table_data"))
        (both,) = rows_of(await api.post(caller, f"{SUMMARY}/account_table_data"))
    assert (row["is_wallet"], row["available_long"]) == (True, 0)
    assert (both["is_wallet"], both["available_long"], both["account_id"]) == (False, None, 0)


async def test_the_icon_of_an_asset_is_there(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        account = await add_account(sqlite_store, caller.user, held={"1000SATS": "5"})
        (row,) = rows_of(await api.post(caller, f"{LIST}/{account.id}/account_table_data"))
        icon = await api.http.get(row["currency_icon"])
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")


async def test_a_chart_begins_with_the_opening_deposit_and_ends_now(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        await aged(store, account, (NOW - 30 * DAY, "17000"), (NOW - HOUR, "19000"))
        target = f"{LIST}/{account.id}/balance_chart_data?date_from=2025-01-01"
        answer = await api.get(caller, target)
    points = rows_of(answer)
    assert answer.status_code == 200
    assert list(points[0]) == ["date", "usd", "btc", "btc_deposit_amount", "usd_deposit_amount"]
    assert points[0]["date"] == (NOW - 30 * DAY) // 1000
    assert (points[0]["usd"], points[0]["usd_deposit_amount"]) == (17000, 17000)
    assert (points[-1]["date"], points[-1]["usd"]) == (NOW // 1000, 19000)
    assert [point["date"] for point in points[1:-1]] == [
        (TODAY - day * DAY) // 1000 for day in range(29, -1, -1)
    ]
    assert [point["usd"] for point in points[-4:-1]] == [17000, 18000, 18000]


async def test_a_chart_carries_gaps_forward_and_tells_flows(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        await aged(store, account, (NOW - 20 * DAY, "100"))
        worth = Value(Decimal("0.01"), Decimal(500))
        async with store.transaction() as tx:
            paid = stored.flow("f", TODAY - 10 * DAY + HOUR, worth)
            await tx.history.add_flows(account.user_id, account.id, [paid])
        target = f"{LIST}/{account.id}/balance_chart_data?date_from=2025-09-25&date_to=2025-10-04"
        points = rows_of(await api.get(caller, target))
    assert [point["usd"] for point in points] == [100] * 11
    assert [point["usd_deposit_amount"] for point in points].index(500) == 5
    assert points[-1]["date"] == from_iso("2025-10-05T00:00:00Z") // 1000


async def test_a_chart_of_all_accounts_sums_them_from_their_openings_on(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        first = await add_account(store, caller.user, "One")
        await add_account(store, caller.user, "Two")
        await add_account(store, caller.user, "No", include_in_summary=False)
        await aged(store, first, (NOW - 10 * DAY, "1000"))
        points = rows_of(
            await api.get(caller, f"{SUMMARY}/balance_chart_data?date_from=2025-10-01")
        )
    assert points[0]["usd"] == 1000
    assert points[-1]["usd"] == 36000
    assert sum(point["usd_deposit_amount"] for point in points) == 18000


async def test_ten_years_are_a_few_hundred_points(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        await aged(store, account, *((NOW - day * DAY, "5") for day in range(0, 3650, 50)))
        target = f"{LIST}/{account.id}/balance_chart_data?date_from=2015-01-01"
        points = rows_of(await api.get(caller, target))
    assert 300 < len(points) <= 400


async def test_a_chart_may_be_posted_for_too(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller()
        account = await add_account(store, caller.user)
        target = f"{LIST}/{account.id}/balance_chart_data"
        got = await api.get(caller, f"{target}?date_from=2025-10-08")
        posted = [
            await api.post(caller, target, body)
            for body in ("date_from=2025-10-08", '{"date_from":"2025-10-08"}')
        ]
    assert [answer.status_code for answer in posted] == [201, 201]
    assert [answer.json() for answer in posted] == [got.json(), got.json()]


@pytest.mark.parametrize(
    "query", ["date_from=2030-01-01", "date_from=2020-01-01&date_to=2021-01-01"]
)
async def test_a_span_in_which_nothing_was_known_is_empty(sqlite_store: Store, query: str) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        account = await add_account(sqlite_store, caller.user)
        answer = await api.get(caller, f"{LIST}/{account.id}/balance_chart_data?{query}")
        assert (answer.status_code, answer.json()) == (200, [])
        nobody = await api.get(await api.caller("bob"), f"{SUMMARY}/balance_chart_data?{query}")
        assert (nobody.status_code, nobody.json()) == (200, [])


@pytest.mark.parametrize(
    ("query", "attributes"),
    [
        ("", {"date_from": ["is missing"]}),
        ("?date_from=", {"date_from": ["is invalid"]}),
        ("?date_from=yesterday", {"date_from": ["is invalid"]}),
        ("?date_from=2025-10-01&date_to=x", {"date_to": ["is invalid"]}),
        ("?date_from=2025-10-02&date_to=2025-09-30", {"date_to": ["does not have a valid value"]}),
    ],
)
@pytest.mark.parametrize("whose", ["1", "summary"])
async def test_a_span_that_cannot_be(
    sqlite_store: Store, query: str, attributes: dict[str, list[str]], whose: str
) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user)
        answer = await api.get(caller, f"{LIST}/{whose}/balance_chart_data{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert answer.json()["error_attributes"] == attributes


@pytest.mark.parametrize(
    "end", ["pie_chart_data", "account_table_data", "balance_chart_data?date_from=2025-10-01"]
)
@pytest.mark.parametrize("whose", ["1", "summary"])
async def test_reading_needs_a_permission_and_a_signature(
    sqlite_store: Store, whose: str, end: str
) -> None:
    async with serving(sqlite_store) as api:
        writer = await api.caller(permissions=("accounts_write",))
        answer = await api.post(writer, f"{LIST}/{whose}/{end}")
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
        unsigned = await api.http.post(f"{LIST}/{whose}/{end}")
        assert (unsigned.status_code, unsigned.json()["error"]) == (
            401, "api_key_invalid_or_expired",
        )  # fmt: skip
