"""Selling all, conversions and transfers: through the API, a worker and the simulated exchange."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import Millis
from coffers.connectors.exchange.trading import VenueDesk
from coffers.connectors.trading import Placed
from coffers.portfolio import claimed, errands
from coffers.portfolio.ledger import Wanted
from coffers.portfolio.operation_notes import PricingContext
from coffers.portfolio.operations import Operations
from coffers.sandbox import FaultKind, NewFault
from coffers.store.engine import Store
from coffers.store.operations import Operation
from coffers.store.records import AccountStatus, NewAccount
from served import LIST, add_book, serving
from trading_house import KEY, TradingHouse, trading

D = Decimal
OPERATIONS = "/public/api/v1/operations"
PAPER = "/public/api/v1/paper_accounts"


async def test_all_is_sold_for_dollars_and_the_account_shows_it(store: Store) -> None:
    async with trading(store, {"BTC": "0.5", "ETH": "2", "DOGE": "1", "USDC": "30"}) as house:
        answer = await house.post("sell_all_to_usd")
        assert answer.status_code == 201, answer.text
        assert answer.json()["id"] == house.account.id
        assert answer.headers["X-Operation-State"] == "done"
        shown = await house.shown(answer.headers["X-Operation-Id"])
        held = await house.positions()
    sold = {step["base"]: step for step in shown["steps"]}
    assert set(sold) == {"BTC", "ETH"}
    assert (sold["BTC"]["state"], sold["BTC"]["filled"]) == ("filled", "0.5")
    got = sum(D(step["cost"]) - D(step["fee"]) for step in sold.values())
    assert held == {"DOGE": D(1), "USDC": D(30), "USDT": got}
    assert "worth less than the smallest order in DOGE" in shown["left"]["DOGE"]


async def test_where_all_stays_nothing_was_done(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"DOGE": "1", "ADA": "1", "USDT": "30"}) as house:
        answer = await house.post("sell_all_to_usd")
        [number] = answer.json()["error_attributes"]["operation_id"]
        shown = await house.shown(number)
        await house.control.hold("binance", KEY, "DOGE", D(0))
        await house.control.hold("binance", KEY, "ADA", D(0))
        nothing = await house.post("sell_all_to_usd")
    assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed"), answer.text
    assert (shown["state"], set(shown["left"])) == ("failed", {"ADA", "DOGE"})
    assert shown["why"] == f"nothing could be sold: ADA: {shown['left']['ADA']}, and 1 more"
    assert nothing.headers["X-Operation-State"] == "done"


async def test_all_is_sold_for_bitcoin(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"ETH": "2", "USDT": "1000"}) as house:
        answer = await house.post("sell_all_to_btc")
        assert answer.status_code == 201, answer.text
        held = await house.positions()
    assert held["BTC"] > 0
    assert held.get("ETH", 0) == 0
    assert held["USDT"] < D(20)


async def test_the_same_key_is_done_once(store: Store) -> None:
    async with trading(store, {"BTC": "1"}) as house:
        first, again = await asyncio.gather(
            house.post("sell_all_to_usd", Idempotency_Key="k1"),
            house.post("sell_all_to_usd", Idempotency_Key="k1"),
        )
        assert first.status_code == again.status_code == 201, first.text + again.text
        assert first.headers["X-Operation-Id"] == again.headers["X-Operation-Id"]
        other = await house.post("sell_all_to_btc", Idempotency_Key="k1")
        assert (other.status_code, other.json()["error"]) == (422, "idempotency_key_reused")
        requests = await house.control.requests()
    assert requests.counts["binance POST /api/v3/order"] == 1


_ORDER = "/api/v3/order"


@pytest.mark.parametrize("bad", ["", "ü", "x" * 256, "a b"])
async def test_a_key_that_cannot_be_one_is_refused(sqlite_store: Store, bad: str) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        target = f"{LIST}/{house.account.id}/sell_all_to_usd"
        headers: Any = {**house.caller.headers(target), "Idempotency-Key": bad.encode("latin-1")}
        answer = await house.api.http.post(target, headers=headers)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["error_attributes"]


async def test_trading_is_off_unless_the_operator_allows_it(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}, is_on=False) as house:
        for what in ("sell_all_to_usd", "sell_all_to_btc", "convert_dust_to_bnb"):
            answer = await house.post(what)
            assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
            assert "COFFERS_TRADING=true" in answer.json()["error_description"]
        assert (await house.api.get(house.caller, OPERATIONS)).json()["operations"] == []


async def test_a_key_that_may_not_trade_is_told_before_anything_is_asked(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1"}, trade=False) as house:
        answer = await house.post("sell_all_to_usd")
    assert answer.status_code == 403
    assert answer.json()["error_description"] == "the exchange key may not trade"


async def test_a_token_that_may_not_write_does_nothing(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        reader = await house.api.caller(permissions=("accounts_read",))
        answer = await house.api.post(reader, f"{LIST}/{house.account.id}/sell_all_to_usd")
        stranger = await house.api.caller("bob", ("accounts_read", "accounts_write"))
        foreign = await house.api.post(stranger, f"{LIST}/{house.account.id}/sell_all_to_usd")
    assert (answer.status_code, foreign.status_code) == (403, 404)


async def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(store: Store) -> None:
    async with trading(store, {"BTC": "1"}) as house:
        fault = NewFault(
            venue="binance", kind=FaultKind.TRUNCATED, path=_ORDER, method="POST", count=1
        )
        await house.control.inject(fault)
        answer = await house.post("sell_all_to_usd")
        assert answer.status_code == 201, answer.text
        shown = await house.shown(answer.headers["X-Operation-Id"])
        assert (await house.positions()).get("BTC", 0) == 0
    [step] = shown["steps"]
    assert (step["state"], step["filled"]) == ("filled", "1.0")


async def test_an_answer_without_an_order_is_asked_about(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        fault = NewFault(
            venue="binance", kind=FaultKind.EMPTY_OBJECT, path=_ORDER, method="POST", count=1
        )
        await house.control.inject(fault)
        answer = await house.post("sell_all_to_usd", Idempotency_Key="k")
        # The venue knows no order of this id; but the request may still be on its way there.
        assert (answer.status_code, answer.json()["error"]) == (504, "exchange_timeout")
        await _later(house, house.operations)
        answer = await house.post("sell_all_to_usd", Idempotency_Key="k")
        assert await _placed(house) == 1
    assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed"), answer.text
    assert "knows no such order" in answer.json()["error_description"]


async def test_a_venue_that_asks_for_a_pause_gets_no_more_orders(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ETH": "10", "SOL": "50"}) as house:
        fault = NewFault(
            venue="binance", kind=FaultKind.RATE_LIMITED, path=_ORDER, method="POST", retry_after=30
        )
        await house.control.inject(fault)
        answer = await house.post("sell_all_to_usd")
        requests = await house.control.requests()
    assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed"), answer.text
    assert requests.counts["binance POST /api/v3/order"] == 1


async def test_an_empty_answer_is_not_an_empty_account(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        fault = NewFault(venue="binance", kind=FaultKind.EMPTY_OBJECT, path="/api/v3/account")
        await house.control.inject(fault)
        answer = await house.post("sell_all_to_usd")
    assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed"), answer.text


async def test_an_operation_of_a_user_with_too_much_under_way_is_not_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trading(store, {"BTC": "1"}) as house:
        with monkeypatch.context() as patched:
            patched.setattr(errands, "MOST_OPEN", 0)
            answer = await house.post("sell_all_to_usd")
        assert (answer.status_code, answer.json()["error"]) == (504, "exchange_timeout")
        [number] = answer.json()["error_attributes"]["operation_id"]
        await _later(house, house.operations)
        shown = await house.shown(number)
        assert await _placed(house) == 1
    assert shown["state"] == "done"


async def _sold_and_not_told(house: TradingHouse) -> int:
    """Have an order filled of which the exchange tells nothing; return the operation's id."""
    lost = NewFault(venue="binance", kind=FaultKind.TRUNCATED, path=_ORDER, method="POST")
    await house.control.inject(lost)
    for path in (_ORDER, "/api/v3/openOrders", "/api/v3/allOrders"):
        await house.control.inject(
            NewFault(venue="binance", kind=FaultKind.HTML, path=path, method="GET")
        )
    answer = await house.post("sell_all_to_usd")
    assert (answer.status_code, answer.json()["error"]) == (504, "exchange_timeout")
    [number] = answer.json()["error_attributes"]["operation_id"]
    return int(number)


async def _later(house: TradingHouse, operations: Operations, minutes: int = 3) -> None:
    """Let another worker take over what nobody worked at meanwhile."""
    house.api.clock.set(house.api.clock.now() + minutes * 60_000)
    assert await operations.resume() == 1


async def _placed(house: TradingHouse) -> int:
    """Return how many orders the exchange was sent."""
    return (await house.control.requests()).counts["binance POST /api/v3/order"]


async def test_an_order_that_nobody_tells_of_holds_everything_up(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ETH": "10"}) as house:
        number = await _sold_and_not_told(house)
        refused = await house.post("remove")
        assert (refused.status_code, refused.json()["error"]) == (422, "account_not_deletable")
        shown = await house.shown(number)
        assert [step["state"] for step in shown["steps"]] == ["sent", "planned"]
        await house.control.clear_faults()
        await _later(house, house.operations)
        shown = await house.shown(number)
        assert await _placed(house) == 2
    assert [step["state"] for step in shown["steps"]] == ["filled", "filled"]


async def test_a_new_worker_asks_about_an_order_once_the_exchange_is_back(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ETH": "10"}) as house:
        number = await _sold_and_not_told(house)
        async with house.another() as operations:
            # It has no table of the markets yet, and cannot even begin.
            await house.control.inject(
                NewFault(venue="binance", kind=FaultKind.STATUS, status=503, path="/api/v3/")
            )
            await _later(house, operations)
            shown = await house.shown(number)
            assert shown["state"] == "running"
            assert [step["state"] for step in shown["steps"]] == ["sent", "planned"]
            await house.control.clear_faults()
            await _later(house, operations)
        shown = await house.shown(number)
        assert await _placed(house) == 1
    assert (shown["state"], shown["steps"][0]["state"]) == ("partly", "filled")
    assert shown["steps"][1]["why"] == "it was planned too long ago to be placed now"


async def test_an_order_is_given_up_after_an_hour_of_asking(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        number = await _sold_and_not_told(house)
        # The server was down for long: the hour begins anew.
        async with house.another() as operations:
            away = NewFault(venue="binance", kind=FaultKind.STATUS, status=503, path="/api/v3/")
            await house.control.inject(away)
            await _later(house, operations, minutes=300)
            assert (await house.shown(number))["state"] == "running"
            await _later(house, operations, minutes=61)
            shown = await house.shown(number)
            assert await operations.resume() == 0
    assert (shown["state"], shown["steps"][0]["state"]) == ("partly", "unknown")
    assert shown["steps"][0]["why"] == shown["why"]


async def test_what_was_sent_is_asked_about_where_orders_are_off_by_now(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ETH": "10"}) as house:
        number = await _sold_and_not_told(house)
        await house.control.clear_faults()
        async with house.another(is_on=False) as operations:
            await _later(house, operations)
        shown = await house.shown(number)
        assert await _placed(house) == 1
    assert shown["state"] == "partly"
    assert "COFFERS_TRADING=true" in shown["why"]
    assert [step["state"] for step in shown["steps"]] == ["filled", "skipped"]
    assert shown["steps"][1]["why"] == shown["why"]


async def test_a_plan_of_a_worker_that_died_is_given_up_where_nothing_can_be_done(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        number = await _sold_and_not_told(house)
        store = house.api.services.store
        async with store.transaction() as tx:
            [operation] = await tx.operations.page(house.account.user_id, 1)
            planned = replace(operation.steps[0], state="planned")
            await tx.operations.record(operation, planned, house.api.clock.now())
        async with house.another() as operations:
            away = NewFault(venue="binance", kind=FaultKind.STATUS, status=503, path="/api/v3/")
            await house.control.inject(away)
            await _later(house, operations)
        shown = await house.shown(number)
    assert (shown["state"], shown["steps"][0]["state"]) == ("failed", "skipped")


async def test_a_conversion_that_is_not_listed_was_not_done(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"ADA": "2"}) as house:
        for path in ("/sapi/v1/asset/dust-btc", "/sapi/v1/asset/dust"):
            await house.control.inject(NewFault(venue="binance", kind=FaultKind.HTML, path=path))
            answer = await house.post("convert_dust_to_bnb")
            assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed")
            await house.control.clear_faults()


async def test_a_price_that_leaps_is_not_taken(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ETH": "10"}) as house:
        await house.control.set_price("binance", "ETHUSDT", D(1))
        answer = await house.post("sell_all_to_usd")
        assert answer.headers["X-Operation-State"] == "partly", answer.text
        shown = await house.shown(answer.headers["X-Operation-Id"])
        held = await house.positions()
    states = {step["base"]: step["state"] for step in shown["steps"]}
    assert states == {"BTC": "filled", "ETH": "refused"}
    assert held["ETH"] == D(10)
    assert "no price is known here to check" in shown["left"]["ETH"]


async def test_an_exchange_that_pays_worse_than_allowed_gets_no_order(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}, slippage="0.0000001") as house:
        answer = await house.post("sell_all_to_usd")
        held = await house.positions()
    assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed")
    assert "worse in BTC/USDT than is known" in answer.json()["error_description"]
    assert held["BTC"] == D(1)


async def test_a_venue_that_is_away_ends_it_with_the_reason(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        fault = NewFault(venue="binance", kind=FaultKind.STATUS, status=503, path="/api/v3/account")
        await house.control.inject(fault)
        answer = await house.post("sell_all_to_usd", Idempotency_Key="k")
        assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed")
        [number] = answer.json()["error_attributes"]["operation_id"]
        shown = await house.shown(number)
        again = await house.post("sell_all_to_usd", Idempotency_Key="k")
        assert again.json() == answer.json()
    assert (shown["state"], shown["steps"]) == ("failed", [])


async def test_a_sale_that_waited_for_too_long_is_told_as_not_made(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        wanted = Wanted(house.account.id, "sell_all_to_usd")
        begun = await house.ledger.begin(house.account.user_id, wanted)
        await _later(house, house.operations, minutes=6)
        shown = await house.shown(begun.id)
        assert "binance POST /api/v3/order" not in (await house.control.requests()).counts
    assert (shown["state"], shown["steps"]) == ("failed", [])
    assert shown["why"] == "it was planned too long ago to be placed now"


async def _dies_over_it(house: TradingHouse) -> int:
    """Have a worker die between its plan and the first order; return the operation's id."""
    async with _standing_still(house) as (number, _):
        [task] = house.operations._running.values()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return number


async def _set_back(house: TradingHouse, number: int, at: int) -> None:
    """Set the clock, and bring the operation back to its turn as is done then."""
    house.api.clock.set(at)
    async with house.api.services.store.transaction() as tx:
        operation = await tx.operations.get(house.account.user_id, number)
        assert operation is not None
        await tx.operations.note(operation, Millis(at - 3 * 60_000))


@pytest.mark.parametrize(("ahead", "state"), [(0, "filled"), (30, "filled"), (3_000, "skipped")])
async def test_what_a_clock_planned_that_was_ahead_is_not_placed(
    sqlite_store: Store, ahead: int, state: str
) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        real = house.api.clock.now()
        house.api.clock.set(real + ahead * 1_000)
        number = await _dies_over_it(house)
        await _set_back(house, number, real)
        async with house.another() as operations:
            assert await operations.resume() == 1
        [step] = (await house.shown(number))["steps"]
    assert step["state"] == state
    assert ("while a clock was ahead" in (step["why"] or "")) == (state == "skipped")


async def test_an_order_of_a_clock_that_was_ahead_is_not_waited_for_until_then(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        real = house.api.clock.now()
        fault = NewFault(
            venue="binance", kind=FaultKind.EMPTY_OBJECT, path=_ORDER, method="POST", count=1
        )
        await house.control.inject(fault)
        house.api.clock.set(real + 3_600_000)
        answer = await house.post("sell_all_to_usd")
        assert answer.json()["error"] == "exchange_timeout", answer.text
        [number] = answer.json()["error_attributes"]["operation_id"]
        async with house.another() as operations:
            await _set_back(house, number, real)
            assert await operations.resume() == 1
            # It is not known since when the exchange could list it.
            assert (await house.shown(number))["state"] == "running"
            await _later(house, operations)
        shown = await house.shown(number)
    assert shown["steps"][0]["why"] == "the exchange knows no such order"
    assert shown["state"] == "failed"


async def test_an_order_that_the_exchange_tells_nothing_of_is_asked_about_for_an_hour(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ETH": "10"}) as house:
        find, moments = VenueDesk.find, set()

        async def found(*asked: object) -> Placed:
            moments.add(asked[-1])
            return Placed("unknown", why="it does not tell")

        fault = NewFault(
            venue="binance", kind=FaultKind.TRUNCATED, path=_ORDER, method="POST", count=1
        )
        await house.control.inject(fault)
        monkeypatch.setattr(VenueDesk, "find", found)
        answer = await house.post("sell_all_to_usd")
        assert answer.json()["error"] == "exchange_timeout", answer.text
        [number] = answer.json()["error_attributes"]["operation_id"]
        await _later(house, house.operations)
        waiting = await house.shown(number)
        assert [step["state"] for step in waiting["steps"]] == ["sent", "planned"]
        async with house.another() as operations:
            await _later(house, operations)
            assert (await house.shown(number))["state"] == "running"
            await _later(house, operations, minutes=61)
            given_up = await house.shown(number)
        # Each time as one of the moment that it was sent.
        assert len(moments - {None}) == len(moments) == 1
        monkeypatch.setattr(VenueDesk, "find", find)
        assert await _placed(house) == 1
    assert (given_up["state"], given_up["steps"][0]["state"]) == ("partly", "unknown")
    assert given_up["steps"][0]["why"] == "it does not tell"


@asynccontextmanager
async def _standing_still(house: TradingHouse) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Have a worker stand still before it places what it planned, until the event is set."""
    notes, reached, go_on = house.operations._notes, asyncio.Event(), asyncio.Event()
    known = notes.known

    async def paused(operation: Operation, venue: str | None) -> PricingContext:
        if not reached.is_set():
            reached.set()
            await go_on.wait()
        return await known(operation, venue)

    notes.known = paused  # type: ignore[method-assign]
    asking = asyncio.create_task(house.post("sell_all_to_usd", Idempotency_Key="k"))
    await reached.wait()
    found = (await house.api.get(house.caller, OPERATIONS)).json()["operations"]
    try:
        yield found[0]["id"], go_on
    finally:
        go_on.set()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_worker_that_stood_still_places_nothing_that_another_one_took_over(
    store: Store,
) -> None:
    async with trading(store, {"BTC": "1", "ETH": "10"}) as house, house.another() as operations:
        async with _standing_still(house) as (number, go_on):
            await _later(house, operations)
            over = await house.shown(number)
            assert await _placed(house) == 2
            go_on.set()
            await asyncio.gather(*house.operations._running.values())
            assert await _placed(house) == 2
        assert await house.shown(number) == over
    assert [step["state"] for step in over["steps"]] == ["filled", "filled"]


async def test_an_operation_that_another_worker_is_at_is_left_to_it(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimed, "LONGEST_WAIT", 0.4)
    async with trading(sqlite_store, {"BTC": "1"}) as house, house.another() as operations:
        async with _standing_still(house) as (number, go_on):
            found = await operations.perform(house.account.user_id, number)
            assert found.state == "running"
            go_on.set()
            await asyncio.gather(*house.operations._running.values())
        shown = await house.shown(number)
        assert await _placed(house) == 1
    assert (shown["state"], shown["steps"][0]["state"]) == ("done", "filled")


async def test_a_worker_shows_that_it_lives_and_holds_the_account(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimed, "RENEW_EVERY", 0.05)
    async with trading(sqlite_store, {"BTC": "1"}) as house, house.another() as operations:
        async with _standing_still(house) as (_, go_on):
            for _ in range(3):
                house.api.clock.set(house.api.clock.now() + 60_000)
                await asyncio.sleep(0.3)
            assert await operations.resume() == 0
            go_on.set()
            await asyncio.gather(*house.operations._running.values())
        assert await _placed(house) == 1


async def test_the_same_request_is_answered_alike_where_it_could_not_be_made_any_more(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1"}) as house:
        first = await house.post("sell_all_to_usd", Idempotency_Key="k")
        assert first.status_code == 201, first.text
        own = house.account
        async with house.api.services.store.transaction() as tx:
            await tx.accounts.record_status(
                own.user_id,
                own.id,
                AccountStatus(own.sync, "expired", is_locked=True, lock_reason="invalid_api_key"),
                house.api.clock.now(),
            )
        again = await house.post("sell_all_to_usd", Idempotency_Key="k")
        other = await house.post("sell_all_to_usd", Idempotency_Key="l")
    named = "X-Operation-Id"
    assert (again.status_code, again.headers[named]) == (201, first.headers[named])
    assert (other.status_code, other.json()["error"]) == (403, "access_denied")


async def test_what_a_conversion_brought_is_told_although_its_worker_died(
    sqlite_store: Store,
) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ADA": "2", "DOGE": "3"}) as house:
        notes, ending = house.operations._notes, asyncio.Event()
        end = notes.end

        async def dying(_operation: Operation, _holder: str | None = None) -> bool:
            ending.set()
            return await asyncio.Event().wait()

        notes.end = dying  # type: ignore[method-assign]
        asking = asyncio.create_task(house.post("convert_dust_to_bnb", "codes[]=ADA"))
        await ending.wait()
        [task] = house.operations._running.values()
        task.cancel()
        asking.cancel()
        await asyncio.gather(task, asking, return_exceptions=True)
        notes.end = end  # type: ignore[method-assign]
        await _later(house, house.operations)
        [operation] = (await house.api.get(house.caller, OPERATIONS)).json()["operations"]
        async with house.api.services.store.reading() as tx:
            kept = await tx.operations.get(house.account.user_id, operation["id"])
    assert operation["state"] == "done"
    assert kept is not None
    assert "totalTransfered" in (kept.result or "")


async def test_small_amounts_become_bnb(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"BTC": "1", "ADA": "2", "DOGE": "3"}) as house:
        answer = await house.post("convert_dust_to_bnb", "codes[]=ADA")
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert [row["fromAsset"] for row in told["transferResult"]] == ["ADA"]
        held = await house.positions()
        assert held["BNB"] == D(told["totalTransfered"])
        refused = await house.post("convert_dust_to_bnb", "codes[]=BTC")
        assert (refused.status_code, refused.json()["error"]) == (422, "operation_failed")


async def test_paper_accounts_sell_without_the_operators_leave(store: Store) -> None:
    async with trading(store, {"BTC": "1"}, is_on=False) as house:
        body = json.dumps({"name": "Try", "balances": {"BTC": "1", "ETH": "10", "USDT": "5"}})
        made = (await house.api.post(house.caller, PAPER, body)).json()
        answer = await house.api.post(house.caller, f"{LIST}/{made['id']}/sell_all_to_usd")
        assert answer.status_code == 201, answer.text
        paper = (await house.api.get(house.caller, f"{PAPER}/{made['id']}")).json()
        shown = await house.shown(answer.headers["X-Operation-Id"])
    assert set(paper["balances"]) == {"USDT", "USD"} or set(paper["balances"]) == {"USD", "USDT"}
    assert {step["state"] for step in shown["steps"]} == {"filled"}


async def test_paper_is_sold_at_the_prices_of_now_whatever_those_before_were(store: Store) -> None:
    async with trading(store, {"BTC": "1"}) as house:
        body = json.dumps({"name": "Try", "balances": {"BTC": "1"}})
        made = (await house.api.post(house.caller, PAPER, body)).json()
        async with house.api.services.store.reading() as tx:
            book = await tx.prices.newest()
        assert book is not None
        risen = (book.prices["BTC"].usd * D("1.1")).quantize(D("0.01"))
        await house.control.set_price("binance", "BTCUSDT", risen)
        answer = await house.api.post(house.caller, f"{LIST}/{made['id']}/sell_all_to_usd")
        assert answer.status_code == 201, answer.text
        [step] = (await house.shown(answer.headers["X-Operation-Id"]))["steps"]
    assert (step["state"], step["why"]) == ("filled", None)


async def test_what_a_dead_process_left_is_taken_over(store: Store) -> None:
    async with trading(store, {"BTC": "1", "ETH": "1"}) as house:
        fault = NewFault(
            venue="binance", kind=FaultKind.DELAY, path=_ORDER, method="POST", seconds=60, count=1
        )
        await house.control.inject(fault)
        asking = asyncio.create_task(house.post("sell_all_to_usd", Idempotency_Key="k"))
        number = await _sent(house)
        [task] = house.operations._running.values()
        task.cancel()
        # Nobody tells the caller any more what becomes of it.
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        # It may have been ended before its request was under way.
        await house.control.clear_faults()
        shown = await house.shown(number)
        assert [step["state"] for step in shown["steps"]] == ["sent", "planned"]
        house.api.clock.set(house.api.clock.now() + 3 * 60_000)
        assert await house.operations.resume() == 1
        shown = await house.shown(number)
        assert (await house.positions()).get("ETH", 0) == 0
        assert await house.operations.resume() == 0
    # The order that hung never reached the book; the one that was planned is placed, once.
    assert [step["state"] for step in shown["steps"]][:2] == ["refused", "filled"]


async def _sent(house: TradingHouse) -> int:
    async with asyncio.timeout(10):
        while True:
            found = (await house.api.get(house.caller, OPERATIONS)).json()["operations"]
            if found and any(step["state"] == "sent" for step in found[0]["steps"]):
                number: int = found[0]["id"]
                return number
            await asyncio.sleep(0.02)


async def test_operations_page_and_stay_their_owners(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"USDT": "1"}) as house:
        numbers = [
            (await house.post("sell_all_to_usd")).headers["X-Operation-Id"] for _ in range(3)
        ]
        page = (await house.api.get(house.caller, f"{OPERATIONS}?limit=2")).json()
        rest = (
            await house.api.get(house.caller, f"{OPERATIONS}?cursor={page['next_cursor']}")
        ).json()
        stranger = await house.api.caller("bob")
        foreign = await house.api.get(stranger, f"{OPERATIONS}/{numbers[0]}")
        junk = await house.api.get(house.caller, f"{OPERATIONS}?cursor=x")
    seen = [str(each["id"]) for each in page["operations"] + rest["operations"]]
    assert seen == numbers[::-1]
    assert (rest["next_cursor"], foreign.status_code, junk.status_code) == (None, 404, 400)


async def test_wallets_trade_nothing(sqlite_store: Store) -> None:
    async with serving(sqlite_store, trading=True) as api:
        caller = await api.caller(permissions=("accounts_read", "accounts_write"))
        async with sqlite_store.transaction() as tx:
            wallet = NewAccount(caller.user.id, "bitcoin_wallet", "Cold", address="bc1q")
            account = await tx.accounts.add(
                wallet, identity=None, credential_id="w", now=api.clock.now()
            )
        await add_book(sqlite_store)
        answer = await api.post(caller, f"{LIST}/{account.id}/sell_all_to_usd")
    assert answer.status_code == 403
    assert answer.json()["error"] == "Forbidden. Unavailable for this account."
    assert "at no exchange" in answer.json()["error_description"]


@pytest.mark.parametrize("is_on", [True, False])
async def test_the_markets_say_what_keys_are_used_for(sqlite_store: Store, is_on: bool) -> None:
    async with serving(sqlite_store, trading=is_on) as api:
        answer = await api.http.get(f"{LIST}/market_list")
    assert all(("orders" in each["market_trust_message"]) is is_on for each in answer.json())
