"""Transfers between wallets of one key: through the API, a worker and the simulated exchange."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

from coffers.clock import HOUR, MINUTE, Millis
from coffers.connectors.exchange.trading import VenueDesk
from coffers.connectors.trading import Move, Placed
from coffers.portfolio.ledger import TRANSFER as TRANSFER_KIND
from coffers.portfolio.ledger import Wanted
from coffers.sandbox import FaultKind, NewFault, Wallet
from coffers.store.engine import Store
from coffers.store.operations import Operation, Step
from coffers.store.records import NewAccount
from served import LIST
from trading_house import KEY, TradingHouse, trading

D = Decimal
TRANSFER = "/sapi/v1/asset/transfer"


async def futures_of(house: TradingHouse) -> int:
    """Add a second account with the same key; it is not read."""
    store, own = house.api.services.store, house.account
    async with store.transaction() as tx:
        made = await tx.accounts.add(
            NewAccount(own.user_id, "binance_futures", "Futures", api_key=KEY),
            identity="other",
            credential_id="another",
            now=house.api.clock.now(),
        )
    return made.id


async def test_transfers_go_between_accounts_of_one_key_only(sqlite_store: Store) -> None:
    async with trading(sqlite_store, {"USDT": "100"}) as house:
        other, own = await futures_of(house), house.account.id
        ways = (await house.api.get(house.caller, f"{LIST}/transfer_data")).json()
        assert [(way["from_account_id"], way["to_account_id"]) for way in ways] == [
            (own, other),
            (other, own),
        ]
        assert ways[0]["currencies"] == [{"currency": "USDT", "available": "100.0"}]
        asked = {"currency": "usdt", "amount": "10", "from_account_id": own}
        target = f"{LIST}/transfer"
        same = await house.api.post(
            house.caller, target, json.dumps({**asked, "to_account_id": own})
        )
        assert "to_account_id" in same.json()["error_attributes"]
        amounts = [{"amount": each} for each in ("0", "x", "-1", "1,5", "1e30", "1e-31", "NaN")]
        for wrong in ({"currency": "!"}, *amounts):
            body = json.dumps({**asked, "to_account_id": other, **wrong})
            refused = await house.api.post(house.caller, target, body)
            assert list(refused.json()["error_attributes"]) == list(wrong)
        # More digits than the exchange library reckons with.
        vast = json.dumps({**asked, "to_account_id": other, "amount": "1e29"})
        assert (await house.api.post(house.caller, target, vast)).status_code == 422
        assert (await house.api.post(house.caller, target, "{}")).status_code == 400


@asynccontextmanager
async def with_futures(store: Store) -> AsyncIterator[tuple[TradingHouse, int]]:
    """Open a house with 100 USDT and the account that stands for the same key's futures."""
    async with trading(store, {"USDT": "100"}) as house:
        yield house, await futures_of(house)


async def transfer(house: TradingHouse, other: int, amount: str, **headers: str) -> httpx.Response:
    body = {"currency": "USDT", "amount": amount, "from_account_id": house.account.id}
    asked = json.dumps({**body, "to_account_id": other})
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await house.api.post(house.caller, f"{LIST}/transfer", asked, named)


async def history(house: TradingHouse, account_id: int) -> Any:
    target = f"{LIST}/transfer_history?account_id={account_id}&currency=USDT"
    return (await house.api.get(house.caller, target)).json()


async def wallets(house: TradingHouse) -> tuple[Decimal, Decimal]:
    """Return what is free of USDT in the spot and in the futures wallet of the exchange."""
    spot, futures = [
        await house.control.free("binance", KEY, "USDT", wallet)
        for wallet in (Wallet.SPOT, Wallet.FUTURES)
    ]
    return spot, futures


async def sent(house: TradingHouse) -> int:
    """Return how often a transfer was sent to the exchange."""
    requests = await house.control.requests()
    return requests.counts.get(f"binance POST {TRANSFER}", 0)


async def test_money_goes_to_the_other_wallet_of_the_key(store: Store) -> None:
    async with with_futures(store) as (house, other):
        answer = await transfer(house, other, "12.5", Idempotency_Key="k")
        again = await transfer(house, other, "12.5", Idempotency_Key="k")
        assert answer.status_code == again.status_code == 201, answer.text
        [step] = answer.json()["steps"]
        [told] = await history(house, other)
        held = await house.positions()
        assert (await wallets(house), await sent(house)) == ((D("87.5"), D("12.5")), 1)
    assert again.json()["id"] == answer.json()["id"]
    assert (step["state"], step["filled"]) == ("filled", "12.5")
    assert step["exchange_order_id"]
    assert (told["amount"], told["state"]) == ("12.5", "done")
    assert held == {"USDT": D("87.5")}


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_is_written_down_is_what_the_exchange_is_sent(
    sqlite_store: Store, is_lost: bool
) -> None:
    async with with_futures(sqlite_store) as (house, other):
        if is_lost:
            fault = NewFault(
                venue="binance", kind=FaultKind.TRUNCATED, path=TRANSFER, method="POST", count=1
            )
            await house.control.inject(fault)
        answer = await transfer(house, other, "12.50000000999")
        assert answer.status_code == 201, answer.text
        [step] = answer.json()["steps"]
        [told] = await history(house, other)
        assert (await wallets(house), await sent(house)) == ((D("87.5"), D("12.5")), 1)
        assert step["why"] == "cut from 12.50000000999 to the steps in which USDT is moved there"
        little = await transfer(house, other, "0.000000009")
        assert await sent(house) == 1
    assert (step["state"], step["amount"], step["filled"]) == ("filled", "12.5", "12.5")
    assert told["amount"] == "12.5"
    assert (little.status_code, little.json()["error"]) == (422, "operation_failed")


async def test_what_the_exchange_refuses_is_told_and_moves_nothing(sqlite_store: Store) -> None:
    async with with_futures(sqlite_store) as (house, other):
        answer = await transfer(house, other, "100.5")
        [told] = await history(house, other)
        assert (await wallets(house), await sent(house)) == ((D(100), D(0)), 1)
    assert (answer.status_code, answer.json()["error"]) == (422, "operation_failed")
    assert (told["amount"], told["state"]) == ("100.5", "failed")


async def test_a_transfer_whose_answer_is_lost_is_found_in_the_exchanges_list(
    sqlite_store: Store,
) -> None:
    async with with_futures(sqlite_store) as (house, other):
        # An equal one, which must not be taken for it.
        first = await transfer(house, other, "10")
        fault = NewFault(
            venue="binance", kind=FaultKind.TRUNCATED, path=TRANSFER, method="POST", count=1
        )
        await house.control.inject(fault)
        second = await transfer(house, other, "10")
        assert second.status_code == 201, second.text
        assert (await wallets(house), await sent(house)) == ((D(80), D(20)), 2)
    one, two = first.json()["steps"][0], second.json()["steps"][0]
    assert two["state"] == "filled"
    assert two["exchange_order_id"] not in {None, one["exchange_order_id"]}


async def test_a_transfer_that_is_not_listed_yet_is_looked_for_again(sqlite_store: Store) -> None:
    async with with_futures(sqlite_store) as (house, other):
        fault = NewFault(
            venue="binance", kind=FaultKind.STATUS, path=TRANSFER, method="POST", count=1
        )
        await house.control.inject(fault)
        asking = asyncio.create_task(transfer(house, other, "10"))
        number = await begun(house)
        await asyncio.gather(*house.operations._running.values())
        waiting = await house.shown(number)
        house.api.clock.set(house.api.clock.now() + 3 * MINUTE)
        assert await house.operations.resume() == 1
        shown = await house.shown(number)
        assert (await wallets(house), await sent(house)) == ((D(100), D(0)), 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert (waiting["state"], waiting["steps"][0]["state"]) == ("running", "sent")
    assert (shown["state"], shown["steps"][0]["state"]) == ("failed", "refused")
    assert shown["steps"][0]["why"] == "the exchange knows no such transfer"


@pytest.mark.parametrize("later", [3 * MINUTE, -HOUR])
async def test_a_process_that_dies_before_it_wrote_what_was_done_sends_nothing_again(
    store: Store, later: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_move, looked_from = VenueDesk.find_move, list[Millis]()

    async def looked(
        desk: VenueDesk, move: Move, since: Millis, others: Collection[str]
    ) -> Placed | None:
        looked_from.append(since)
        return await find_move(desk, move, since, others)

    monkeypatch.setattr(VenueDesk, "find_move", looked)
    async with with_futures(store) as (house, other):
        notes, done = house.operations._notes, asyncio.Event()
        keep = notes.keep

        async def dying(operation: Operation, step: Step, holder: str | None = None) -> None:
            if step.state == "filled":
                done.set()
                await asyncio.Event().wait()
            await keep(operation, step, holder)

        notes.keep = dying  # type: ignore[method-assign]
        asking = asyncio.create_task(transfer(house, other, "10"))
        number = await begun(house)
        await done.wait()
        [task] = house.operations._running.values()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        notes.keep = keep  # type: ignore[method-assign]
        left = await house.shown(number)
        await at(house, number, house.api.clock.now() + later)
        assert await house.operations.resume() == 1
        # Whatever bears a moment to come was done before now.
        assert [since <= house.api.clock.now() for since in looked_from] == [True]
        shown = await house.shown(number)
        assert (await wallets(house), await sent(house)) == ((D(90), D(10)), 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert (left["state"], left["steps"][0]["state"]) == ("running", "sent")
    assert (shown["state"], shown["steps"][0]["state"]) == ("done", "filled")
    assert shown["steps"][0]["exchange_order_id"]


async def test_a_transfer_that_waited_for_too_long_is_not_done_any_more(
    sqlite_store: Store,
) -> None:
    async with with_futures(sqlite_store) as (house, other):
        asked = {"currency": "USDT", "amount": "10", "source": "spot", "target": "linear"}
        wanted = Wanted(house.account.id, TRANSFER_KIND, None, {**asked, "to_account_id": other})
        begun_then = await house.ledger.begin(house.account.user_id, wanted)
        house.api.clock.set(house.api.clock.now() + 6 * MINUTE)
        assert await house.operations.resume() == 1
        shown = await house.shown(begun_then.id)
        assert (await wallets(house), await sent(house)) == ((D(100), D(0)), 0)
    assert (shown["state"], shown["steps"]) == ("failed", [])
    assert shown["why"] == "it was planned too long ago to be placed now"


async def begun(house: TradingHouse) -> int:
    """Wait for an operation to be written down, and return its number."""
    async with asyncio.timeout(10):
        while True:
            target = "/public/api/v1/operations"
            found = (await house.api.get(house.caller, target)).json()["operations"]
            if found and found[0]["steps"]:
                number: int = found[0]["id"]
                return number
            await asyncio.sleep(0.02)


async def at(house: TradingHouse, number: int, now: int) -> None:
    """Set the clock to a moment at which nobody has worked at an operation for some minutes."""
    house.api.clock.set(now)
    async with house.api.services.store.transaction() as tx:
        operation = await tx.operations.get(house.account.user_id, number)
        assert operation is not None
        await tx.operations.note(operation, Millis(now - 3 * MINUTE))
