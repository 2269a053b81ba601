"""Scripting over real HTTP, as the tests of other rooms and the demo do it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from coffers.sandbox import (
    BadScript,
    DemoKey,
    Exchange,
    FaultKind,
    Move,
    NewFault,
    NewKey,
    SandboxControl,
    Wallet,
    demo_keys,
    running,
)
from coffers.sandbox.signing import sign

NOW = 1_760_000_000_123
ACCOUNT = "/binance/api.binance.com/api/v3/account"
SAVER, TRADER, _ = demo_keys()


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async with running(Exchange(7, lambda: NOW)) as url:
        yield url


@pytest.fixture
async def control(base_url: str) -> AsyncIterator[SandboxControl]:
    async with SandboxControl(base_url) as made:
        yield made


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as made:
        yield made


async def read(client: httpx.AsyncClient, key: DemoKey = SAVER, at: int = NOW) -> httpx.Response:
    query = urlencode({"timestamp": at, "omitZeroBalances": "true"})
    signed = f"{query}&signature={sign(key.secret, query)}"
    return await client.get(f"{ACCOUNT}?{signed}", headers={"X-MBX-APIKEY": key.key})


async def balances(client: httpx.AsyncClient, key: DemoKey = SAVER) -> dict[str, Any]:
    told = (await read(client, key)).json()["balances"]
    return {entry["asset"]: (entry["free"], entry["locked"]) for entry in told}


async def test_a_created_key_can_be_used_revoked_and_let_in_again(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    mine = DemoKey("binance", "my-key-0001", "my-secret", {})
    new = NewKey(venue="binance", key=mine.key, secret=mine.secret, balances={"BTC": Decimal(2)})
    await control.create_key(new)
    assert await balances(client, mine) == {"BTC": ("2.00000000", "0.00000000")}
    await control.revoke("binance", mine.key)
    assert (await read(client, mine)).json()["code"] == -2015
    await control.revoke("binance", mine.key, is_revoked=False)
    assert (await read(client, mine)).status_code == 200


async def test_balances_transfers_and_reset(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    await control.hold("binance", SAVER.key, "BTC", Decimal(3), Decimal("0.25"))
    await control.hold("binance", SAVER.key, "BTC", Decimal(9), wallet=Wallet.FUNDING)
    assert (await balances(client))["BTC"] == ("3.00000000", "0.25000000")
    move = Move(venue="binance", key=SAVER.key, asset="BTC", amount=Decimal(1), is_pending=True)
    pending = await control.deposit(move)
    await control.withdraw(
        Move(venue="binance", key=SAVER.key, asset="BTC", amount=Decimal("0.5"), fee=Decimal("0.1"))
    )
    assert (await balances(client))["BTC"] == ("2.40000000", "0.25000000")
    await control.complete("binance", SAVER.key, pending)
    assert (await balances(client))["BTC"] == ("3.40000000", "0.25000000")
    await control.reset()
    assert (await balances(client))["BTC"] == ("0.48213077", "0.05000000")


async def test_a_price_can_be_held_and_released(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    path = "/binance/api.binance.com/api/v3/ticker/price?symbol=BTCUSDT"
    before = (await client.get(path)).json()["price"]
    await control.set_price("binance", "BTCUSDT", Decimal("50000.5"))
    assert (await client.get(path)).json()["price"] == "50000.50000000"
    await control.release_prices()
    assert (await client.get(path)).json()["price"] == before


async def test_the_clock_decides_whether_a_request_is_fresh(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    assert await control.now() == NOW
    assert await control.freeze_clock(NOW + 60_000) == NOW + 60_000
    assert (await read(client)).json()["code"] == -1021
    assert await control.advance_clock(1) == NOW + 60_001
    assert (await read(client, at=NOW + 60_001)).status_code == 200
    assert await control.shift_clock(0) == NOW
    assert (await read(client)).status_code == 200


async def test_the_limit_can_be_lowered(control: SandboxControl, client: httpx.AsyncClient) -> None:
    await control.set_limit(30)
    first, second = await read(client), await read(client)
    assert first.headers["x-mbx-used-weight-1m"] == "20"
    assert (second.status_code, second.json()["code"]) == (429, -1003)
    assert 0 < int(second.headers["retry-after"]) <= 60


async def test_a_fault_meets_only_the_key_that_it_names(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    fault = NewFault(kind=FaultKind.STATUS, path="/api/v3/account", key=TRADER.key, status=503)
    await control.inject(fault)
    assert (await read(client, SAVER)).status_code == 200
    assert (await read(client, TRADER)).status_code == 503
    await control.clear_faults()
    assert (await read(client, TRADER)).status_code == 200


async def test_a_dropped_connection_has_no_answer(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    await control.inject(NewFault(kind=FaultKind.DROPPED, path="/api", count=1))
    with pytest.raises(httpx.TransportError):
        await read(client)
    assert (await read(client)).status_code == 200
    assert [entry.status for entry in (await control.requests()).log] == [0, 200]


async def test_requests_of_one_key_at_once_are_noticed(
    control: SandboxControl, client: httpx.AsyncClient
) -> None:
    await control.inject(NewFault(kind=FaultKind.DELAY, seconds=0.2, path="/api/v3/account"))
    await asyncio.gather(read(client, SAVER), read(client, SAVER), read(client, TRADER))
    told = await control.requests()
    assert told.most_at_once == {f"binance {SAVER.key}": 2, f"binance {TRADER.key}": 1}
    assert told.counts == {"binance GET /api/v3/account": 3}
    await control.clear_requests()
    assert (await control.requests()).log == []


async def test_nonsense_is_told_to_the_caller(control: SandboxControl) -> None:
    with pytest.raises(BadScript, match="binance does not list 'NOSUCH'"):
        await control.set_price("binance", "NOSUCH", Decimal(1))


async def test_other_paths_are_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/", "/kraken/api.kraken.com/0/public/Time", "/binance/api.binance.com"):
        assert (await client.get(path)).status_code == 404


async def test_two_sandboxes_can_run_side_by_side(base_url: str) -> None:
    async with running(Exchange(8, lambda: NOW)) as other:
        assert other != base_url
