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


async def test_an_order_whose_answer_never_came_may_have_been_placed() -> None:
    async with stubbed("binance") as (desk, line):
        with pytest.raises(ConnectorFailure):
            await desk.place(SELL, ID)
        assert len(line.sent) == 1
