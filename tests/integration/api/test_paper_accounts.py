"""Paper accounts over the wire: made-up balances, real prices, and never among the real ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.portfolio.paper import PaperAccount, PaperAccounts
from coffers.store.engine import Store
from coffers.store.records import AssetMapping
from coffers.sync.assets import note_assets
from coffers.valuation.model import HeldBack, Price
from factories import NOW
from served import LIST, Caller, Served, add_account, add_book, serving

PAPER = "/public/api/v1/paper_accounts"
MODE = "/public/api/ver1/users/change_mode"
WRITER = ("accounts_read", "accounts_write")
ON_PAPER = {"Forced-Mode": "paper"}


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    await note_assets(store, await add_book(store), NOW)
    async with serving(store) as served:
        yield served


@pytest.fixture
async def ann(api: Served) -> Caller:
    return await api.caller(permissions=WRITER)


async def create(api: Served, caller: Caller, **balances: str) -> Any:
    body = json.dumps({"name": "Trying", "balances": balances or {"USDT": "10000"}})
    answer = await api.post(caller, PAPER, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(api: Served, caller: Caller, account_id: int, what: str, **given: str) -> Any:
    answer = await api.post(caller, f"{PAPER}/{account_id}/{what}", json.dumps(given))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def order(
    api: Served, caller: Caller, account_id: int, key: str | None = None, **given: str
) -> httpx.Response:
    asked = {"side": "buy", "base": "BTC", "quote": "USDT", **given}
    headers = {} if key is None else {"Idempotency-Key": key}
    return await api.post(caller, f"{PAPER}/{account_id}/orders", json.dumps(asked), headers)


async def balances(api: Served, caller: Caller, account_id: int) -> Any:
    return (await api.get(caller, f"{PAPER}/{account_id}")).json()["balances"]


async def shown(api: Served, caller: Caller, account_id: int) -> Any:
    return (await api.get(caller, f"{LIST}/{account_id}")).json()


async def test_an_account_is_made_with_its_balances_and_terms(api: Served, ann: Caller) -> None:
    made = await create(api, ann, USDT="10000", btc="0.5")
    assert made == {
        "id": made["id"],
        "name": "Trying",
        "market_code": "paper_trading",
        "mode": "paper",
        "fee": "0.001",
        "start": {"BTC": "0.5", "USDT": "10000.0"},
        "balances": {"BTC": "0.5", "USDT": "10000.0"},
        "created_at": "2025-10-09T08:53:20.000Z",
        "updated_at": made["updated_at"],
    }
    assert (await api.get(ann, f"{PAPER}/{made['id']}")).json() == made
    (listed,) = (await api.get(ann, headers=ON_PAPER)).json()
    assert (listed["usd_amount"], listed["total_usd_profit"]) == ("35000.0", "0.0")
    assert (listed["market_code"], listed["trading_supported"]) == ("paper_trading", False)


async def test_an_account_is_made_once_under_a_key(api: Served, ann: Caller) -> None:
    asked = {"name": "Trying", "balances": {"USDT": "10000"}}
    key = {"Idempotency-Key": "try-1"}
    made = [(await api.post(ann, PAPER, json.dumps(asked), key)).json() for _ in range(2)]
    assert made[0] == made[1]
    more = asked | {"balances": {"USDT": "10001"}}
    other = await api.post(ann, PAPER, json.dumps(more), key)
    assert (other.status_code, other.json()["error"]) == (422, "idempotency_key_reused")


async def test_the_same_balances_in_another_order_are_the_same_request(
    api: Served, ann: Caller
) -> None:
    key = {"Idempotency-Key": "try-1"}
    balances = {"USDT": "10000", "BTC": "1"}, {"BTC": "1", "USDT": "10000"}
    asked = [json.dumps({"name": "Trying", "balances": each}) for each in balances]
    made = [(await api.post(ann, PAPER, each, key)).json() for each in asked]
    assert made[0] == made[1]


async def test_balances_may_come_in_a_form(api: Served, ann: Caller) -> None:
    body = urlencode({"name": "Trying", "balances[USDT]": "5", "balances[BTC]": "1", "fee": "0"})
    made = (await api.post(ann, PAPER, body)).json()
    assert (made["balances"], made["fee"]) == ({"BTC": "1.0", "USDT": "5.0"}, "0.0")


async def test_a_purchase_is_filled_at_the_books_price_for_a_fee(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    answer = await order(api, ann, account_id, amount="0.1")
    assert answer.status_code == 201
    told = answer.json()
    assert told == {
        "id": told["id"],
        "side": "buy",
        "base": "BTC",
        "quote": "USDT",
        "spent": "5000.0",
        "spent_asset": "USDT",
        "received": "0.0999",
        "received_asset": "BTC",
        "fee": "0.0001",
        "price": "50000.0",
        "route": [],
        "epoch": 1,
        "at": told["at"],
    }
    assert await balances(api, ann, account_id) == {"BTC": "0.0999", "USDT": "5000.0"}
    seen = await shown(api, ann, account_id)
    assert (seen["usd_amount"], seen["total_usd_profit"]) == ("9995.0", "-5.0")


async def test_the_route_of_an_order_names_each_step_once(api: Served, ann: Caller) -> None:
    dollar = "USDT~USD"
    routes = {"BTC": ("binance:BTC/USDT", dollar), "USDT": (dollar,)}
    prices = {
        asset: Price(Decimal(usd) / 50000, Decimal(usd), routes[asset], ("binance",), NOW)
        for asset, usd in (("BTC", "50000"), ("USDT", "1"))
    }
    async with api.services.store.transaction() as tx:
        await tx.prices.save_book(prices, NOW)
    account_id = (await create(api, ann, USDT="1000"))["id"]
    filled = await order(api, ann, account_id, quote_amount="100")
    assert filled.json()["route"] == ["binance:BTC/USDT", dollar]


async def test_a_sale_for_so_much_of_the_quote(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, ETH="2"))["id"]
    answer = await order(api, ann, account_id, side="sell", base="eth", quote_amount="2500")
    assert answer.json()["spent"] == "1.0"
    assert await balances(api, ann, account_id) == {"ETH": "1.0", "USDT": "2497.5"}


async def test_all_of_it_can_be_spent_and_is_gone(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    await order(api, ann, account_id, quote_amount="10000")
    assert await balances(api, ann, account_id) == {"BTC": "0.1998"}


async def test_an_order_beyond_the_balance_changes_nothing(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    answer = await order(api, ann, account_id, amount="0.2000001")
    assert (answer.status_code, answer.json()["error"]) == (422, "insufficient_balance")
    assert answer.json()["error_description"] == (
        "the account has 10000 USDT, and 10000.005 are asked of it"
    )
    assert await balances(api, ann, account_id) == {"USDT": "10000.0"}
    assert (await api.get(ann, f"{PAPER}/{account_id}/orders")).json()["orders"] == []


async def test_orders_at_once_never_overspend(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    orders = [order(api, ann, account_id, quote_amount="3000") for _ in range(8)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*orders))
    assert statuses == [201] * 3 + [422] * 5
    assert await balances(api, ann, account_id) == {"BTC": "0.17982", "USDT": "1000.0"}


async def test_the_same_order_under_the_same_key_is_filled_once(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    sent = [order(api, ann, account_id, "mine-1", amount="0.01") for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    await add_book(api.services.store, BTC="60000")
    assert (await order(api, ann, account_id, "mine-1", amount="0.01")).text == answers[0].text
    assert await balances(api, ann, account_id) == {"BTC": "0.00999", "USDT": "9500.0"}


async def test_another_order_under_a_used_key_is_refused(api: Served, ann: Caller) -> None:
    account_id, other_id = (await create(api, ann))["id"], (await create(api, ann))["id"]
    await order(api, ann, account_id, "mine-1", amount="0.01")
    answer = await order(api, ann, account_id, "mine-1", amount="0.02")
    assert (answer.status_code, answer.json()["error"]) == (422, "idempotency_key_reused")
    assert (await order(api, ann, other_id, "mine-1", amount="0.02")).status_code == 201


async def test_a_refused_order_may_be_sent_again_under_its_key(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    assert (await order(api, ann, account_id, "k", amount="1")).status_code == 422
    await act(api, ann, account_id, "deposits", asset="USDT", amount="40000")
    assert (await order(api, ann, account_id, "k", amount="1")).status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
async def test_a_key_that_is_none_is_refused(api: Served, ann: Caller, key: str) -> None:
    account_id = (await create(api, ann))["id"]
    answer = await order(api, ann, account_id, key, amount="0.01")
    assert list(answer.json()["error_attributes"]) == ["Idempotency-Key"]


async def test_money_that_is_put_in_or_taken_out_is_no_profit(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    api.clock.advance(HOUR)
    await add_book(api.services.store, api.clock.now(), BTC="60000")
    now = await act(api, ann, account_id, "deposits", asset="btc", amount="0.5")
    assert now["balances"] == {"BTC": "0.5", "USDT": "10000.0"}
    now = await act(api, ann, account_id, "withdrawals", asset="USDT", amount="4000")
    assert now["balances"] == {"BTC": "0.5", "USDT": "6000.0"}
    seen = await shown(api, ann, account_id)
    assert (seen["usd_amount"], seen["total_usd_profit"]) == ("36000.0", "0.0")
    target = f"/public/api/v1/accounts/{account_id}/flows"
    told = (await api.get(ann, target)).json()["flows"]
    assert [(each["direction"], each["usd_value"]) for each in told] == [
        ("out", "4000.0"),
        ("in", "30000.0"),
    ]


async def test_more_than_there_is_cannot_be_taken_out(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    body = json.dumps({"asset": "USDT", "amount": "10000.000000000001"})
    answer = await api.post(ann, f"{PAPER}/{account_id}/withdrawals", body)
    assert answer.json()["error"] == "insufficient_balance"


async def test_orders_come_in_pages_newest_first(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    made = [(await order(api, ann, account_id, amount="0.01")).json() for _ in range(5)]
    seen: list[Any] = []
    target: str | None = f"{PAPER}/{account_id}/orders?limit=2"
    while target is not None:
        page = (await api.get(ann, target)).json()
        seen += page["orders"]
        cursor = page["next_cursor"]
        target = cursor and f"{PAPER}/{account_id}/orders?limit=2&cursor={cursor}"
    assert seen == made[::-1]


async def test_a_reset_begins_anew_with_what_there_was_at_first(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    await order(api, ann, account_id, "k", amount="0.1")
    api.clock.advance(DAY)
    await add_book(api.services.store, api.clock.now(), BTC="100000")
    await act(api, ann, account_id, "deposits", asset="ETH", amount="1")
    now = await act(api, ann, account_id, "reset")
    assert now["balances"] == {"USDT": "10000.0"}
    seen = await shown(api, ann, account_id)
    assert (seen["usd_amount"], seen["total_usd_profit"]) == ("10000.0", "0.0")
    assert seen["day_profit_usd"] == "0.0"
    assert (await api.get(ann, f"{PAPER}/{account_id}/orders")).json()["orders"] == []
    assert (await order(api, ann, account_id, "k", amount="0.05")).status_code == 201


async def test_a_reset_may_begin_with_other_balances_for_good(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    body = json.dumps({"balances": {"BTC": "2"}})
    answer = await api.post(ann, f"{PAPER}/{account_id}/reset", body)
    assert answer.json()["start"] == answer.json()["balances"] == {"BTC": "2.0"}
    await order(api, ann, account_id, side="sell", amount="1")
    assert (await act(api, ann, account_id, "reset"))["balances"] == {"BTC": "2.0"}


async def test_a_reset_puts_back_no_start_from_before_another_one(
    api: Served, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ann.user.id, (await create(api, ann))["id"]
    papers = PaperAccounts(api.services.store, api.clock)
    read, reached, go_on = papers.get, asyncio.Event(), asyncio.Event()

    async def held_up(user_id: int, account_id: int) -> PaperAccount:
        found = await read(user_id, account_id)
        reached.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(papers, "get", held_up)
    early = asyncio.create_task(papers.reset(*own))
    await reached.wait()
    later = await PaperAccounts(api.services.store, api.clock).reset(*own, {"ETH": "5"})
    go_on.set()
    await early
    assert (await read(*own)).terms == later.terms


async def test_nothing_is_filled_at_prices_that_are_old(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    api.clock.advance(11 * MINUTE)
    answer = await order(api, ann, account_id, amount="0.01")
    assert (answer.status_code, answer.json()["error"]) == (409, "price_unavailable")
    assert "older than 10 minutes" in answer.json()["error_description"]


async def test_nothing_is_filled_without_a_price_or_at_one_in_doubt(
    api: Served, ann: Caller
) -> None:
    store = api.services.store
    account_id = (await create(api, ann))["id"]
    book = await add_book(store, ABC="2")
    leapt = replace(book.prices["ABC"], usd=Decimal(40), btc=Decimal("0.0008"))
    held = HeldBack(leapt, book.prices["ABC"], Millis(NOW + MINUTE))
    async with store.transaction() as tx:
        await tx.choices.map(ann.user.id, AssetMapping("binance", "ODD1", "ODD"), NOW)
        known: dict[str, Price] = {k: v for k, v in book.prices.items() if k != "ABC"}
        await tx.prices.save_book(known, NOW, {"ABC": held})
    for base, reason in (("ODD", "ODD has no price now"), ("ABC", "leapt from 2.0 to 40.0 USD")):
        answer = await order(api, ann, account_id, base=base, amount="0.01")
        assert answer.status_code == 409
        assert reason in answer.json()["error_description"]
    assert await balances(api, ann, account_id) == {"USDT": "10000.0"}


async def test_before_the_first_prices_nothing_is_filled(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.assets.meet(["BTC", "USDT"], NOW)
    async with serving(store) as api:
        ann = await api.caller(permissions=WRITER)
        account_id = (await create(api, ann))["id"]
        answer = await order(api, ann, account_id, amount="0.01")
        assert "there are no prices yet" in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"side": "hold", "amount": "1"}, "side", "does not have a valid value"),
        ({"base": "BTX", "amount": "1"}, "base", "did you mean BTC?"),
        ({"quote": "btc", "amount": "1"}, "quote", "is the base too"),
        ({}, "amount", "is missing"),
        ({"amount": "1", "quote_amount": "1"}, "amount", "cannot be given beside"),
        ({"amount": "0"}, "amount", "must be more than zero"),
        ({"quote_amount": "-1"}, "quote_amount", "must be more than zero"),
        ({"amount": "0.0000000000001"}, "amount", "more than 12 decimal places"),
        ({"amount": "1e40"}, "amount", "is too large"),
        ({"quote_amount": "0.000000000001"}, "quote_amount", "nothing would come in"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_by_its_field(
    api: Served, ann: Caller, given: dict[str, str], field: str, reason: str
) -> None:
    account_id = (await create(api, ann))["id"]
    answer = await order(api, ann, account_id, **given)
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert reason in answer.json()["error_attributes"][field][0]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "x"}, "name"),
        ({"name": "Trying", "fee": "0.2"}, "fee"),
        ({"name": "Trying", "fee": "-1"}, "fee"),
        ({"name": "Trying", "fee": "free"}, "fee"),
        ({"name": "Trying", "balances": {"USDT": "0"}}, "balances"),
        ({"name": "Trying", "balances": {"NEVER": "1"}}, "balances"),
        ({"name": "Trying", "balances": "all"}, "balances"),
        ({}, "name"),
    ],
)
async def test_an_account_that_cannot_be_is_refused_by_its_field(
    api: Served, ann: Caller, given: dict[str, Any], field: str
) -> None:
    answer = await api.post(ann, PAPER, json.dumps(given))
    assert list(answer.json()["error_attributes"]) == [field]
    assert (await api.get(ann, headers=ON_PAPER)).json() == []


async def test_modes_never_mix(api: Served, ann: Caller) -> None:
    real = await add_account(api.services.store, ann.user, held={"BTC": "1"})
    paper = await create(api, ann, BTC="7")
    for mode, account_id, usd in (("real", real.id, "50000.0"), ("paper", paper["id"], "350000.0")):
        forced = {"Forced-Mode": mode}
        assert [each["id"] for each in (await api.get(ann, headers=forced)).json()] == [account_id]
        summary = await api.get(ann, f"{LIST}/summary", forced)
        assert summary.json()["usd_amount"] == usd
        pie = await api.post(ann, f"{LIST}/summary/pie_chart_data", "", forced)
        assert [each["usd_value"] for each in pie.json()] == [usd]
        table = await api.post(ann, f"{LIST}/summary/account_table_data", "", forced)
        assert [each["equity"] for each in table.json()] == [7.0 if mode == "paper" else 1.0]


async def test_what_is_held_on_paper_is_told_in_paper_mode_alone(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, BTC="7"))["id"]
    target = "/public/api/v1/assets/BTC"
    assert (await api.get(ann, target)).json()["held"] == []
    (held,) = (await api.get(ann, target, ON_PAPER)).json()["held"]
    assert (held["account_id"], held["amount"]) == (account_id, "7.0")
    held_only = "/public/api/v1/assets?only=held"
    assert (await api.get(ann, held_only)).json()["assets"] == []
    assert len((await api.get(ann, held_only, ON_PAPER)).json()["assets"]) == 1


async def test_a_chart_shows_every_change_at_once(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, USDT="1000"))["id"]
    chart = f"{LIST}/{account_id}/balance_chart_data?date_from=2025-10-08"
    worth = []
    for what, given in (
        ("deposits", {"asset": "USDT", "amount": "500"}),
        ("withdrawals", {"asset": "USDT", "amount": "300"}),
        ("orders", {"side": "buy", "base": "BTC", "quote": "USDT", "quote_amount": "1000"}),
    ):
        api.clock.advance(MINUTE)
        await act(api, ann, account_id, what, **given)
        worth.append((await api.get(ann, chart)).json()[-1]["usd"])
    assert worth == [1500, 1200, 1199]


async def test_charts_of_a_summary_are_of_one_mode(api: Served, ann: Caller) -> None:
    await create(api, ann, USDT="100")
    chart = f"{LIST}/summary/balance_chart_data?date_from=2025-10-08"
    api.clock.advance(HOUR)
    assert (await api.get(ann, chart)).json() == []
    assert (await api.get(ann, chart, ON_PAPER)).json() != []


async def test_the_stored_mode_counts_where_a_request_says_none(api: Served, ann: Caller) -> None:
    real = await add_account(api.services.store, ann.user)
    paper = await create(api, ann)
    current = "/public/api/ver1/users/current_mode"

    async def seen(headers: dict[str, str] | None = None) -> tuple[list[int], str]:
        ids = [each["id"] for each in (await api.get(ann, headers=headers)).json()]
        return ids, (await api.get(ann, current, headers)).json()["mode"]

    assert await seen() == ([real.id], "real")
    assert (await api.post(ann, MODE, "mode=paper")).json() is True
    assert await seen() == ([paper["id"]], "paper")
    assert await seen({"Forced-Mode": "real"}) == ([real.id], "real")
    await api.post(ann, MODE, "mode=real")
    assert await seen() == ([real.id], "real")


async def test_nothing_that_is_done_on_paper_changes_the_mode(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    await order(api, ann, account_id, amount="0.01")
    await act(api, ann, account_id, "reset")
    assert (await api.get(ann)).json() == []


async def test_paper_money_is_no_half_of_a_real_transfer(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    target = "/public/api/ver1/loose_accounts"
    said = {"name": "Drawer", "tokens": {"code": ["BTC"], "amount": ["1"]}}
    drawer = (await api.post(ann, target, json.dumps(said))).json()["id"]
    api.clock.advance(MINUTE)
    said["tokens"] = {"code": [], "amount": []}
    body = json.dumps(said)
    changed = f"{target}/{drawer}"
    await api.http.put(changed, content=body, headers=ann.headers(changed, body))
    api.clock.advance(MINUTE)
    await act(api, ann, account_id, "deposits", asset="BTC", amount="1")
    async with api.services.store.reading() as tx:
        assert await tx.transfers.of_user(ann.user.id) == frozenset()


async def test_only_the_owners_paper_accounts_are_found(api: Served, ann: Caller) -> None:
    bob = await api.caller("bob", permissions=WRITER)
    mine = (await create(api, ann))["id"]
    real = await add_account(api.services.store, bob.user)
    for account_id in (mine, real.id, 4_000_000_000):
        assert (await api.get(bob, f"{PAPER}/{account_id}")).status_code == 404
        assert (await api.get(bob, f"{PAPER}/{account_id}/orders")).status_code == 404
        assert (await order(api, bob, account_id, amount="1")).status_code == 404
        for what, given in (("reset", {}), ("deposits", {"asset": "BTC", "amount": "1"})):
            answer = await api.post(bob, f"{PAPER}/{account_id}/{what}", json.dumps(given))
            assert answer.status_code == 404


async def test_changes_need_the_permission(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    looker = await api.caller()
    for what in ("", f"/{account_id}/orders", f"/{account_id}/deposits", f"/{account_id}/reset"):
        answer = await api.post(looker, f"{PAPER}{what}", "name=Trying")
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert (await api.get(looker, f"{PAPER}/{account_id}/orders")).status_code == 200


async def test_all_of_it_stands_in_the_trail(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    await act(api, ann, account_id, "deposits", asset="USDT", amount="1")
    await order(api, ann, account_id, amount="0.01")
    await act(api, ann, account_id, "reset")
    async with api.services.store.reading() as tx:
        events = await tx.audit.of_user(ann.user.id)
    told = {each.kind: each.details for each in events if each.subject == str(account_id)}
    assert told == {
        "account_connected": "paper_trading",
        "paper_money_moved": "in 1.0 USDT",
        "paper_order_filled": "buy BTC for USDT at 50000.0",
        "paper_reset": "1 assets",
    }


async def test_removing_an_account_removes_its_orders(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann))["id"]
    await order(api, ann, account_id, amount="0.01")
    assert (await api.post(ann, f"{LIST}/{account_id}/remove")).json() is True
    async with api.services.store.reading() as tx:
        assert await tx.paper.orders(ann.user.id, account_id, 10) == []
        assert await tx.paper.terms(ann.user.id, account_id) is None
