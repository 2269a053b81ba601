"""Orders, conversions and transfers at the simulated exchange, over HTTP."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from coffers.clock import SystemClock
from coffers.connectors.exchange.order_answers import average_price, step_of
from coffers.connectors.exchange.trading import ExchangeTrading, VenueDesk
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, Credentials
from coffers.connectors.trading import Move, NotDone
from coffers.markets.catalogue import load_catalogue
from coffers.sandbox import (
    Exchange,
    FaultKind,
    NewFault,
    NewKey,
    SandboxControl,
    machine_time,
    running,
)
from coffers.secret import Secret
from coffers.valuation.orders import PlannedOrder

D = Decimal
BINANCE = load_catalogue().get("binance")


@asynccontextmanager
async def at_desk(
    trade: bool = True, apart: Collection[str] = (), **balances: str
) -> AsyncIterator[tuple[VenueDesk, SandboxControl]]:
    assert BINANCE is not None
    async with running(Exchange(7, machine_time)) as url, SandboxControl(url) as control:
        amounts = {code: D(amount) for code, amount in balances.items()}
        key = NewKey(
            venue="binance", key="fake-key", secret="fake-secret", balances=amounts, trade=trade
        )
        await control.create_key(key)
        venues = Venues(url, 10, SystemClock(), is_paced=False)
        credentials = Credentials("fake-key", Secret("fake-secret"))
        try:
            async with ExchangeTrading(venues).desk(BINANCE, credentials, apart) as desk:
                yield desk, control
        finally:
            await venues.close()


async def test_it_tells_what_is_free_and_what_pairs_demand() -> None:
    async with at_desk(BTC="1.5", ETH="0") as (desk, _):
        assert await desk.free() == {"BTC": D("1.5")}
        pairs = {(each.limits.base, each.limits.quote): each for each in await desk.quoted()}
        pair = pairs["BTC", "USDT"]
        assert pair.limits.amount_step == D("0.000001")
        assert pair.limits.min_cost == D(4)
        assert pair.limits.fee == D("0.001")
        assert pair.bid is not None
        assert pair.ask is not None
        assert pair.bid < pair.ask
        assert ("AVAX", "ETH") not in pairs


async def test_it_sells_and_finds_the_order_again_by_the_clients_id() -> None:
    order = PlannedOrder("BTC", "USDT", "sell", D("0.5"))
    async with at_desk(BTC="1.5") as (desk, _):
        worth = await desk.worth(order)
        placed = await desk.place(order, "coffers-1-1")
        assert worth is not None
        assert placed.cost is not None
        assert (placed.fate, placed.filled) == ("filled", D("0.5"))
        assert abs(placed.cost / worth / D("0.5") - 1) < D("0.01")
        assert (placed.fee_asset, placed.fee) == ("USDT", placed.cost / 1000)
        found = await desk.find(order, "coffers-1-1", None)
        assert found is not None
        assert (found.fate, found.venue_id) == ("filled", placed.venue_id)
        assert await desk.find(order, "coffers-1-2", None) is None
        assert (await desk.free())["BTC"] == D(1)


async def test_it_buys() -> None:
    async with at_desk(USDT="10000") as (desk, _):
        placed = await desk.place(PlannedOrder("BTC", "USDT", "buy", D("0.01")), "c-1")
        assert (placed.fate, placed.filled, placed.fee_asset) == ("filled", D("0.01"), "BTC")


@pytest.mark.parametrize(
    ("amount", "why"), [("9", "insufficient balance"), ("0.00001", "NOTIONAL")]
)
async def test_what_the_venue_refuses_was_not_placed(amount: str, why: str) -> None:
    order = PlannedOrder("BTC", "USDT", "sell", D(amount))
    async with at_desk(BTC="1") as (desk, _):
        placed = await desk.place(order, "c-1")
        assert placed.fate == "refused"
        assert placed.why is not None
        assert why in placed.why
        assert await desk.find(order, "c-1", None) is None


async def test_a_key_that_may_not_trade_places_nothing() -> None:
    async with at_desk(trade=False, BTC="1") as (desk, _):
        with pytest.raises(NotDone, match="refused the API key"):
            await desk.place(PlannedOrder("BTC", "USDT", "sell", D(1)), "c-1")


async def test_an_order_whose_answer_is_lost_is_found_again() -> None:
    order = PlannedOrder("BTC", "USDT", "sell", D("0.5"))
    async with at_desk(BTC="1") as (desk, control):
        fault = NewFault(venue="binance", kind=FaultKind.TRUNCATED, path="/api/v3/order", count=1)
        await control.inject(fault)
        with pytest.raises(ConnectorFailure):
            await desk.place(order, "c-1")
        found = await desk.find(order, "c-1", None)
        assert found is not None
        assert (found.fate, found.filled) == ("filled", D("0.5"))


async def test_a_pair_that_is_not_traded_is_told() -> None:
    async with at_desk(BTC="1") as (desk, _):
        with pytest.raises(ConnectorFailure, match="does not trade BTC/NONE"):
            await desk.place(PlannedOrder("BTC", "NONE", "sell", D(1)), "c-1")


async def test_small_amounts_become_bnb() -> None:
    async with at_desk(BTC="1", ADA="2", ETH="0.001") as (desk, _):
        done = await desk.convert(None)
        assert {row["fromAsset"] for row in done.parts} == {"ADA", "ETH"}
        assert (await desk.free())["BNB"] == done.received
        assert done.fee > 0
        with pytest.raises(NotDone):
            await desk.convert(["BTC"])


async def test_money_moves_between_wallets() -> None:
    async with at_desk(USDT="100") as (desk, _):
        assert await desk.move(Move("USDT", D("40"), "spot", "funding"))
        assert (await desk.free())["USDT"] == D(60)
        with pytest.raises(NotDone):
            await desk.move(Move("USDT", D("70"), "spot", "funding"))


def test_a_price_is_the_average_down_to_the_amount() -> None:
    book = [["10", "1"], ["9", "1"], ["8", "8"]]
    assert average_price(book, D(1)) == D(10)
    assert average_price(book, D(4)) == D(35) / 4
    assert average_price(book, D(11)) is None


def test_steps_come_from_either_kind_of_precision() -> None:
    assert step_of("0.001", 4) == D("0.001")
    assert step_of(3, 2) == D("0.001")
    assert step_of("5", 3) is None
    assert step_of(None, 4) is None


async def test_codes_that_mean_another_asset_there_are_no_names_of_the_others() -> None:
    async with at_desk(apart={"ETH"}) as (desk, _):
        assert (desk.asset_of("ETH"), desk.asset_of("BTC")) == ("ETH@binance", "BTC")
        assert (desk.code_of("ETH@binance"), desk.code_of("BTC")) == ("ETH", "BTC")
