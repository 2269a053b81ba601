"""`/public/api/v1/accounts`: quality, explanations, snapshots, history and positions over HTTP."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest

import stored
from coffers.api import own_schema
from coffers.clock import DAY, HOUR, MINUTE, Millis, iso
from coffers.markets.catalogue import MANUAL, PAPER
from coffers.store.engine import Store
from coffers.store.records import AccountStatus, SyncState
from coffers.valuation.model import HeldBack, Position, Price, Snapshot, Value
from factories import NOW, position
from served import Caller, Served, add_account, add_book, read_account, serving

OWN = "/public/api/v1/accounts"


@pytest.fixture
async def served(store: Store) -> AsyncIterator[Served]:
    async with serving(store) as running:
        yield running


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller()


async def told(served: Served, caller: Caller, target: str, schema: dict[str, Any]) -> Any:
    """Return an answer that has the form that the OpenAPI document says."""
    answer = await served.get(caller, target)
    assert answer.status_code == 200, answer.text
    jsonschema_rs.validator_for(schema).validate(answer.json())
    return answer.json()


async def test_accounts_tell_their_figures_as_the_list_does(served: Served, ann: Caller) -> None:
    store = served.services.store
    await add_account(store, ann.user, held={"BTC": "0.5", "USDT": "10"})
    await add_book(store)
    (listed,) = (await served.get(ann)).json()
    (own,) = (await told(served, ann, OWN, own_schema.ACCOUNTS))["accounts"]
    figures = own["figures"]
    for name in ("btc", "usd"):
        assert figures[name]["amount"] == listed[f"{name}_amount"]
        assert figures[name]["day"]["profit"] == listed[f"day_profit_{name}"]
        assert figures[name]["day"]["percentage"] == listed[f"day_profit_{name}_percentage"]
        assert figures[name]["month"]["profit"] == listed[f"{name}_profit"]
        assert figures[name]["month"]["percentage"] == listed[f"{name}_profit_percentage"]
        assert figures[name]["total_profit"] == listed[f"total_{name}_profit"]
    day = listed["day_profit_primary_display_currency_percentage"]
    assert figures["display"]["day"]["percentage"] == day["amount"]
    assert own["quality"]["is_complete"] is True
    assert own["quality"]["reasons"] == []
    assert own["quality"]["price_sources"] == ["test"]
    explained = await told(served, ann, f"{OWN}/{own['id']}/explain", own_schema.EXPLAINED)
    assert explained["figures"]["usd"]["amount"] == listed["usd_amount"]
    assert explained["figures"]["usd"]["day"]["profit"] == listed["day_profit_usd"]


async def test_what_is_missing_is_told_with_its_reason(served: Served, ann: Caller) -> None:
    store = served.services.store
    account = await add_account(store, ann.user, market_code="binance", name="Old")
    await add_account(store, ann.user, "Drawer", market_code=MANUAL)
    await read_account(
        store,
        account,
        {"BTC": "1", "NEW": "5", "LEAPT": "7"},
        read_at=Millis(NOW - 9 * DAY),
        missing_wallets=("funding",),
        flows_known=False,
        failures=3,
        failure_kind="unavailable",
        failure_message="it does not answer",
    )
    book = await add_book(store, at=NOW - MINUTE)
    leapt = Price(Decimal(1), Decimal(50_000), (), ("one",), NOW)
    async with store.transaction() as tx:
        held = {"LEAPT": HeldBack(leapt, leapt, Millis(NOW + HOUR))}
        await tx.prices.save_book(dict(book.prices), NOW, held)
    page = await told(served, ann, OWN, own_schema.ACCOUNTS)
    first, second = page["accounts"]
    assert (first["kind"], second["kind"]) == ("exchange", "manual")
    quality = first["quality"]
    assert quality["is_complete"] is False
    assert quality["reasons"] == ["unpriced", "missing_wallets", "stale", "flows_unknown"]
    assert (quality["unpriced"], quality["held_back"]) == (["NEW"], ["LEAPT"])
    assert first["state"]["last_failure"]["times"] == 3
    summary = await told(served, ann, f"{OWN}/summary", own_schema.SUMMARY)
    assert summary["incomplete"] == [{"account_id": account.id, "reasons": quality["reasons"]}]
    explained = await told(served, ann, f"{OWN}/{account.id}/explain", own_schema.EXPLAINED)
    states = {each["asset"]: each["state"] for each in explained["holdings"]}
    assert states == {"BTC": "priced", "NEW": "unpriced", "LEAPT": "held_back"}


async def test_an_account_without_a_reading_or_prices_is_unknown_not_zero(
    served: Served, ann: Caller
) -> None:
    account = await add_account(served.services.store, ann.user)
    await read_account(served.services.store, account, {"BTC": "1"}, read_at=None)
    own = await told(served, ann, f"{OWN}/{account.id}", own_schema.ACCOUNT)
    assert own["figures"]["usd"]["amount"] is None
    assert "unread" in own["quality"]["reasons"]
    assert own["prices_at"] is None
    explained = await told(served, ann, f"{OWN}/{account.id}/explain", own_schema.EXPLAINED)
    assert explained["figures"]["btc"]["amount"] is None


async def test_pages_miss_and_repeat_nothing_while_accounts_come_and_go(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    ids = [(await add_account(store, ann.user, f"A{n}")).id for n in range(5)]
    first = await told(served, ann, f"{OWN}?limit=2", own_schema.ACCOUNTS)
    assert [each["id"] for each in first["accounts"]] == ids[:2]
    async with store.transaction() as tx:
        await tx.accounts.remove(ann.user.id, ids[0])
        await tx.accounts.remove(ann.user.id, ids[1])
    added = (await add_account(store, ann.user, "New")).id
    target = f"{OWN}?limit=9&cursor={first['next_cursor']}"
    rest = await told(served, ann, target, own_schema.ACCOUNTS)
    assert [each["id"] for each in rest["accounts"]] == [*ids[2:], added]
    assert rest["next_cursor"] is None


async def test_a_tag_holds_while_nothing_but_ages_changes(served: Served, ann: Caller) -> None:
    store = served.services.store
    account = await add_account(store, ann.user)
    await add_book(store)
    target = f"{OWN}/{account.id}"
    tag = (await served.get(ann, target)).headers["etag"]
    served.clock.advance(1_000)
    known = {"If-None-Match": tag}
    again = await served.get(ann, target, known)
    assert (again.status_code, again.content) == (304, b"")
    await add_book(store, at=NOW + 1)
    assert (await served.get(ann, target, known)).status_code == 200
    assert (await served.get(ann, f"{OWN}/summary", known)).status_code == 200


async def test_each_mode_shows_its_own_accounts(served: Served, ann: Caller) -> None:
    store = served.services.store
    real = await add_account(store, ann.user)
    paper = await add_account(store, ann.user, "Paper", market_code=PAPER, mode="paper")
    for mode, account in (("real", real), ("paper", paper)):
        answer = await served.get(ann, OWN, {"Forced-Mode": mode})
        (own,) = answer.json()["accounts"]
        assert (own["id"], own["mode"]) == (account.id, mode)
        summary = await served.get(ann, f"{OWN}/summary", {"Forced-Mode": mode})
        assert summary.json()["account_ids"] == [account.id]


@pytest.mark.parametrize("name", ["", "/explain", "/snapshots", "/history", "/positions"])
async def test_nobody_sees_another_users_account(served: Served, ann: Caller, name: str) -> None:
    account = await add_account(served.services.store, ann.user)
    bob = await served.caller("bob")
    assert (await served.get(bob, f"{OWN}/{account.id}{name}")).status_code == 404
    assert (await served.get(bob, f"{OWN}/2147483648{name}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("?cursor=junk", "cursor"),
        ("?limit=0", "limit"),
        ("/summary/snapshots?from=x", "from"),
        ("/summary/snapshots?cursor=WzFd", "cursor"),
        ("/summary/history?from=2024-02-02&to=2024-01-31", "to"),
        ("/summary/positions?limit=9999", "limit"),
        ("/summary/explain?cursor=e30", "cursor"),
    ],
)
async def test_a_parameter_that_cannot_be_meant_is_named(
    served: Served, ann: Caller, query: str, name: str
) -> None:
    answer = await served.get(ann, f"{OWN}{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error_attributes"]) == [name]


async def test_the_summary_is_explained_by_what_it_sums(served: Served, ann: Caller) -> None:
    store = served.services.store
    for n in range(3):
        await add_account(store, ann.user, f"A{n}", held={"BTC": f"{n}.25", "ETH": "1"})
    await add_book(store)
    shown, cursor = [], ""
    while cursor is not None:
        target = f"{OWN}/summary/explain?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = await told(served, ann, target, own_schema.EXPLAINED_SUMMARY)
        shown += page["accounts"]
        cursor = page["next_cursor"]
    assert [each["account_id"] for each in shown] == page["account_ids"]
    for currency in ("btc", "usd", "display"):
        amounts = [Decimal(each["figures"][currency]["amount"]) for each in shown]
        assert sum(amounts) == Decimal(page["figures"][currency]["amount"])
        profits = [Decimal(each["figures"][currency]["total_profit"]) for each in shown]
        assert sum(profits) == Decimal(page["figures"][currency]["total_profit"])


async def test_snapshots_come_newest_first_and_page_over_accounts(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    ids = [(await add_account(store, ann.user, f"A{n}")).id for n in range(3)]
    async with store.transaction() as tx:
        for account_id in ids:
            for n in range(3):
                await tx.history.add_snapshot(
                    ann.user.id, account_id, stored.snapshot(NOW - n * HOUR, str(n))
                )
    seen, cursor = [], ""
    while cursor is not None:
        target = f"{OWN}/summary/snapshots?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = await told(served, ann, target, own_schema.SNAPSHOTS)
        seen += [(each["at"], each["account_id"]) for each in page["snapshots"]]
        cursor = page["next_cursor"]
    moments = [NOW, NOW - HOUR, NOW - 2 * HOUR, NOW - 2 * DAY]
    assert seen == [(iso(Millis(at)), account_id) for at in moments for account_id in ids]
    span = f"{OWN}/{ids[0]}/snapshots?from={iso(Millis(NOW - HOUR))}&to={iso(Millis(NOW - 1))}"
    (one,) = (await told(served, ann, span, own_schema.SNAPSHOTS))["snapshots"]
    assert (one["at"], one["usd_value"]) == (iso(Millis(NOW - HOUR)), "1.0")


async def test_ten_years_of_history_are_a_few_hundred_points_with_their_gaps_marked(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    account = await add_account(store, ann.user)
    gap = range(1_000, 2_000)
    async with store.transaction() as tx:
        for day in range(3_650):
            if day not in gap:
                value = Value(Decimal(1), Decimal(day))
                at = Millis(NOW - day * DAY)
                await tx.history.add_snapshot(ann.user.id, account.id, Snapshot(at, value))
    for whose in (str(account.id), "summary"):
        body = await told(served, ann, f"{OWN}/{whose}/history", own_schema.HISTORY)
        points = body["points"]
        assert 300 < len(points) <= 400
        for point in points:
            at = point["at"]
            in_gap = iso(Millis(NOW - 1_999 * DAY)) <= at < iso(Millis(NOW - 999 * DAY))
            assert point["carried"] is in_gap, point
        deposited = sum(Decimal(point["usd_deposited"]) for point in points)
        assert deposited == 3_649


async def test_positions_tell_price_route_and_what_does_not_count(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    account = await add_account(store, ann.user)
    held = [
        Position("spot", "BTC", "XXBT", Decimal("0.5"), in_orders=Decimal("0.1")),
        Position("spam", "SCAM", "SCAM", Decimal(10**6)),
        Position("funding", "NEW", "NEW", Decimal(3)),
    ]
    async with store.transaction() as tx:
        await tx.holdings.replace(ann.user.id, account.id, {"spot", "spam", "funding"}, held)
        sync = SyncState(next_sync_at=NOW, read_at=NOW)
        await tx.accounts.record_status(
            ann.user.id,
            account.id,
            AccountStatus(sync, "ok", is_locked=False, lock_reason=None),
            NOW,
        )
    await add_book(store)
    seen, cursor = [], ""
    while cursor is not None:
        target = f"{OWN}/{account.id}/positions?limit=1" + (f"&cursor={cursor}" if cursor else "")
        page = await told(served, ann, target, own_schema.POSITIONS)
        seen += page["positions"]
        cursor = page["next_cursor"]
    assert [each["asset"] for each in seen] == ["NEW", "SCAM", "BTC"]
    assert [each["not_counted_as"] for each in seen] == [None, "spam", None]
    assert (seen[2]["owned"], seen[2]["usd_value"]) == ("0.6", "30000.0")
    assert (seen[0]["state"], seen[0]["usd_value"]) == ("unpriced", None)


@pytest.mark.parametrize("wallet", ["pending", "unlisted", "spam"])
async def test_what_is_listed_apart_is_in_the_positions_by_its_part(
    served: Served, store: Store, wallet: str
) -> None:
    ann = await served.caller()
    account = await add_account(store, ann.user)
    apart = [position("ethereum:0x1", "7", wallet=wallet)]
    async with store.transaction() as tx:
        await tx.holdings.replace(ann.user.id, account.id, {wallet}, apart)
    page = await told(served, ann, f"{OWN}/{account.id}/positions", own_schema.POSITIONS)
    (seen,) = [each for each in page["positions"] if each["wallet"] == wallet]
    assert (seen["not_counted_as"], seen["owned"]) == (wallet, "7.0")


async def test_what_lies_ahead_of_the_clock_is_explained_without_gains_of_a_day(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    account = await add_account(store, ann.user, market_code="binance", name="Old")
    await add_book(store)
    await read_account(store, account, {"BTC": "1"})
    served.clock.advance(-HOUR)
    one = await told(served, ann, f"{OWN}/{account.id}", own_schema.ACCOUNT)
    assert one["quality"]["reasons"] == ["stale"]
    assert one["figures"]["usd"]["day"] is one["figures"]["display"]["month"] is None
    assert one["prices_age_seconds"] is None
    summary = await told(served, ann, f"{OWN}/summary", own_schema.SUMMARY)
    assert summary["figures"]["usd"]["day"] is None
    assert summary["incomplete"] == [{"account_id": account.id, "reasons": ["stale"]}]
    explained = await told(served, ann, f"{OWN}/{account.id}/explain", own_schema.EXPLAINED)
    assert explained["figures"]["usd"]["day"] is explained["figures"]["btc"]["month"] is None
    assert explained["figures"]["usd"]["total_profit"] == one["figures"]["usd"]["total_profit"]
