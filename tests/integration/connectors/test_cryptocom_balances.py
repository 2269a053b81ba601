"""What Crypto.com tells of its one wallet: what is owned, and what was borrowed as less than 0."""

import pytest

from coffers.clock import SystemClock
from coffers.connectors.reading import ConnectorFailure, Reading
from integration.connectors.replay import (
    Recorded,
    reading_of,
    recorded,
    replaying,
)

CLOCK = SystemClock()


def told(*balances: dict[str, str]) -> Recorded:
    whole = {"total_borrow": "0", "instrument_name": "USD", "position_balances": balances}
    return recorded({"code": 0, "method": "private/user-balance", "result": {"data": [whole]}})


def balance(asset: str, quantity: str, reserved: str = "0") -> dict[str, str]:
    return {"instrument_name": asset, "quantity": quantity, "reserved_qty": reserved}


async def read(answer: Recorded) -> Reading:
    async with replaying(answer) as replay:
        return await reading_of(replay, "cryptocom", "crypto_com")


async def test_a_balance_below_zero_is_a_debt() -> None:
    reading = await read(told(balance("BTC", "0.5", "0.2"), balance("USD", "-120.5")))
    assert reading.is_complete
    assert [
        (each.asset, *map(str, (each.free, each.in_orders, each.borrowed, each.owned)))
        for each in reading.positions
    ] == [("BTC", "0.3", "0.2", "0", "0.5"), ("USD", "0", "0", "120.5", "-120.5")]


async def test_an_account_that_holds_nothing_is_empty() -> None:
    assert (await read(told())).positions == ()


@pytest.mark.parametrize(
    "fault",
    [
        Recorded("{}"),
        recorded({"code": 0, "result": {"data": []}}),
        recorded({"code": 0, "result": {"data": [{}]}}),
        told({"instrument_name": "BTC"}),
        told({"quantity": "1", "reserved_qty": "0"}),
        told(balance("BTC", "1", "-1")),
    ],
)
async def test_an_outage_is_no_empty_account(fault: Recorded) -> None:
    with pytest.raises(ConnectorFailure):
        await read(fault)
