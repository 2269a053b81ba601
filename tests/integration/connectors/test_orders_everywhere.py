"""What is sent of an order at every exchange that can trade, and what is made of its answers."""

from decimal import Decimal

import pytest

from coffers.connectors.reading import ConnectorFailure
from coffers.valuation.orders import PlannedOrder
from integration.connectors.stubs import stubbed

D = Decimal
ID = "0123456789abcdef0123456789abcdef"
SELL = PlannedOrder("ETH", "USDT", "sell", D("0.1234"))


async def test_what_the_library_refuses_was_not_placed_and_the_reason_is_told() -> None:
    async with stubbed("cex") as (desk, line):
        placed = await desk.place(SELL, ID)
        assert placed.fate == "refused"
        assert placed.why is not None
        assert "API trading is now allowed from main account" in placed.why
        assert line.sent == []


async def test_a_list_without_bids_and_asks_has_the_last_price_for_both() -> None:
    product = {
        "product_id": "ETHUSDT",
        "price": "2500.1",
        "base_currency_id": "ETH",
        "quote_currency_id": "USDT",
    }
    async with stubbed("coinbase_advanced", {"products": {"products": [product]}}) as (desk, _):
        [pair] = await desk.quoted()
        assert (pair.bid, pair.ask) == (D("2500.1"), D("2500.1"))


async def test_a_market_order_may_be_no_larger_than_the_exchange_takes_without_a_price() -> None:
    async with stubbed("binance", {"ticker": []}) as (desk, _):
        limits = desk.session.exchange.markets["ETH/USDT"]["limits"]
        limits["amount"] = {"min": "1.00", "max": "9222449300.00"}
        limits["market"] = {"min": "0.00", "max": "19000000.5"}
        [pair] = await desk.quoted()
        assert (pair.limits.min_amount, pair.limits.max_amount) == (D(1), D("19000000.5"))


async def test_an_order_whose_answer_never_came_may_have_been_placed() -> None:
    async with stubbed("binance") as (desk, line):
        with pytest.raises(ConnectorFailure):
            await desk.place(SELL, ID)
        assert len(line.sent) == 1
