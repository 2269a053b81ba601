"""Example answers of single venues, of which the exchange library makes nothing or too little."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from coffers.clock import SECOND, Millis, SystemClock
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flows import FoundFlows, read_flows
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, ReadRequest
from integration.connectors.replay import (
    Recorded,
    Replay,
    fake_credentials,
    reading_of,
    recorded,
    replaying,
    with_markets,
)

CLOCK = SystemClock()
WALLETS = Holdings(frozenset({"spot", "futures"}), (), {})
SINCE = Millis(1_671_500_000_000)

WITHDRAWAL = {
    "id": "bee6fd7c-afb2-4e47-8298-671d09997d16",
    "type": "withdraw",
    "created_at": "2022-12-21 00:48:45.477503+00",
    "completed_at": "2022-12-21 00:52:11.004211+00",
    "account_id": "sal3802-36bd-46be-a7b8-alsjf383sldak",
    "amount": "0.01000000",
    "details": {
        "network": "litecoin",
        "sent_to_address": "MKemtnCFUYKsNWaf5EMYMpwSszcXWFDtTY",
        "crypto_transaction_hash": "752f35570736341e2a253f7041a34cf1e196fc56128c900fd03d99da899d9",
        "fee": "0.00010000",
    },
    "canceled_at": None,
    "processed_at": "2022-12-21 00:52:11.004211+00",
}
"""A transfer as ccxt's source shows one, finished and with the fee that its parser looks for."""


LBANK_DEPOSIT = {
    "insertTime": SINCE,
    "amount": 9.00000000000000000000,
    "address": "TYASr5UV6HEcXatwdFQfmLVUqQQQMUxHLS",
    "networkName": "trc20",
    "coin": "usdt",
    "status": "2",
}
ORDERLY_DEPOSIT = {
    "tx_id": "0x4b0714c63cc7abae72bf68e84e25860b88ca651b7d27dad1e32bf4c027fa5326",
    "side": "DEPOSIT",
    "token": "USDC",
    "amount": 555,
    "fee": 0,
    "trans_status": "COMPLETED",
    "created_time": SINCE,
    "updated_time": SINCE,
    "chain_id": "986532",
}


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying(Recorded("[]")) as server:
        yield server


async def told(replay: Replay, venue: str) -> FoundFlows:
    """Return the flows of two seconds."""
    venues = Venues(replay.url, 60, CLOCK, is_paced=False)
    with_markets(venues, venue, CLOCK)
    until = Millis(SINCE + 2 * SECOND)
    async with venues.session(venue, fake_credentials(venue=venue)) as session:
        found = await read_flows(session, ReadRequest(SINCE), until, WALLETS, FiatOrders())
    await venues.close()
    return found


async def test_coinbase_exchange_tells_the_fee_of_a_withdrawal_as_part_of_the_amount(
    replay: Replay,
) -> None:
    account = {"id": WITHDRAWAL["account_id"], "currency": "LTC"}
    replay.by_path["/accounts"] = recorded([account])
    replay.by_path["type=withdraw"] = recorded([WITHDRAWAL])
    found = await told(replay, "coinbaseexchange")
    assert found.is_whole
    assert [(flow.direction, flow.asset, flow.amount, flow.fee) for flow in found.flows] == [
        ("out", "LTC", Decimal("0.0099"), Decimal("0.0001"))
    ]


@pytest.mark.parametrize(("rows", "is_whole"), [(19, True), (20, False)])
async def test_lbank_takes_no_limit_and_tells_twenty_at_once(
    replay: Replay, rows: int, *, is_whole: bool
) -> None:
    deposits = [{**LBANK_DEPOSIT, "txId": f"tx{number}"} for number in range(rows)]
    pages = {"total": 30, "page_length": 20, "current_page": 1}
    replay.by_path["/deposit_history.do"] = recorded(
        {"result": True, "data": {**pages, "depositOrders": deposits}, "error_code": 0}
    )
    replay.by_path["/withdraws.do"] = recorded(
        {"result": True, "data": {**pages, "withdraws": []}, "error_code": 0}
    )
    found = await told(replay, "lbank")
    assert (len(found.flows), found.is_whole) == (rows, is_whole)


async def test_what_woofi_pro_tells_by_twenty_five_is_asked_page_by_page(replay: Replay) -> None:
    deposits = [{**ORDERLY_DEPOSIT, "id": f"{number}"} for number in range(26)]
    for key, rows in (
        ("side=WITHDRAW", []),
        ("page=2", deposits[25:]),
        ("/asset/history", deposits[:25]),
    ):
        meta = {"total": 26, "records_per_page": 25, "current_page": 1}
        replay.by_path[key] = recorded({"success": True, "data": {"meta": meta, "rows": rows}})
    found = await told(replay, "woofipro")
    assert (len(found.flows), found.is_whole) == (26, True)


async def balance_of(replay: Replay, accounts: list[dict[str, object]]) -> dict[str, Decimal]:
    """Return what Poloniex' spot wallet owns, by the venue's own code."""
    replay.by_path["/accounts/balances"] = recorded(accounts)
    reading = await reading_of(replay, "poloniex", "poloniex")
    assert {each.asset for each in reading.positions} <= {"USDT"}
    return {each.venue_code: each.owned for each in reading.positions}


async def test_of_two_names_that_poloniex_has_for_a_coin_neither_takes_the_others_place(
    replay: Replay,
) -> None:
    balances = [
        {"currencyId": "214", "currency": "USDT", "available": "2.00", "hold": "1.00"},
        {"currencyId": "1", "currency": "USDTTRON", "available": "0.50", "hold": "0.00"},
    ]
    account = {"accountId": "78", "accountType": "SPOT", "balances": balances}
    found = await balance_of(replay, [account])
    assert found == {"USDT": Decimal(3), "USDTTRON": Decimal("0.5")}
    assert await balance_of(replay, [{**account, "balances": []}]) == {}
    with pytest.raises(ConnectorFailure, match="shape of a balance"):
        await balance_of(replay, [])
