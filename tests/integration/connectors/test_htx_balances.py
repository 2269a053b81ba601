"""What HTX tells of a spot account: an entry for each kind of amount of a currency."""

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
ACCOUNTS = {"status": "ok", "data": [{"id": 7, "type": "spot", "state": "working"}]}


def told(*entries: tuple[str, str, str]) -> Recorded:
    rows = [
        {"currency": currency, "type": kind, "balance": balance, "seq-num": "0"}
        for currency, kind, balance in entries
    ]
    data = {"id": 7, "type": "spot", "state": "working", "list": rows}
    return recorded({"status": "ok", "data": data})


async def read(answer: Recorded) -> Reading:
    async with replaying(Recorded("{}")) as replay:
        replay.by_path = {"/account/accounts": recorded(ACCOUNTS), "/7/balance": answer}
        return await reading_of(replay, "htx", "huobi")


async def test_what_is_locked_is_owned_too() -> None:
    reading = await read(
        told(
            ("btc", "trade", "1.5"),
            ("btc", "frozen", "0.25"),
            ("btc", "lock", "2"),
            ("eth", "lock", "3"),
            ("eth", "transfer-out-available", "9"),
            ("ltc", "trade", "0"),
        )
    )
    assert reading.is_complete
    assert [(each.asset, str(each.free), str(each.in_orders)) for each in reading.positions] == [
        ("BTC", "1.5", "2.25"),
        ("ETH", "0", "3"),
    ]


async def test_an_account_that_holds_nothing_is_empty() -> None:
    assert (await read(told())).positions == ()


@pytest.mark.parametrize(
    "fault", [Recorded("{}"), recorded({"status": "ok", "data": {}}), recorded({"status": "ok"})]
)
async def test_an_outage_is_no_empty_account(fault: Recorded) -> None:
    with pytest.raises(ConnectorFailure):
        await read(fault)
