"""Walks back through a simulated exchange, over HTTP and through the real client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY, MINUTE, Millis, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.past import PastFlows, PastRequest
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind
from coffers.markets.catalogue import Market, load_catalogue
from coffers.sandbox import (
    Exchange,
    FaultKind,
    Move,
    NewFault,
    NewKey,
    SandboxControl,
    running,
)
from coffers.secret import Secret

KEY = "fake-key-past".ljust(64, "x")
MINE = Credentials(KEY, Secret("fake-secret"))


class MovedClock(SystemClock):
    """The machine's clock, moved ahead by tests instead of waiting."""

    ahead = 0

    def now(self) -> Millis:
        return Millis(super().now() + self.ahead)


@dataclass
class Past:
    """A venue with an account, and a walk back through it."""

    control: SandboxControl
    connector: ExchangeConnector
    clock: MovedClock
    venue: str

    @property
    def market(self) -> Market:
        code = {"binance": "binance", "binanceus": "binance_us"}[self.venue]
        found = load_catalogue().get(code)
        assert found is not None
        return found

    async def move(self, asset: str, days: int, *, out: bool = False, **changes: Any) -> str:
        at = SystemClock().now() - days * DAY
        made = Move(venue=self.venue, key=KEY, asset=asset, amount=Decimal(days), at=at, **changes)
        return await (self.control.withdraw(made) if out else self.control.deposit(made))

    async def walk(self) -> list[PastFlows]:
        before, steps = SystemClock().now(), list[PastFlows]()
        while not steps or steps[-1].cursor is not None:
            cursor = steps[-1].cursor if steps else None
            request = PastRequest(before, cursor)
            steps.append(await self.connector.past_flows(self.market, MINE, request))
            self.clock.ahead += 2 * MINUTE
            assert len(steps) < 200
        return steps


@pytest.fixture(params=["binance", "binanceus"])
async def past(request: pytest.FixtureRequest) -> AsyncIterator[Past]:
    clock = MovedClock()
    async with running(Exchange(7, clock.now)) as url, SandboxControl(url) as control:
        held = {"BTC": Decimal(9_999), "ETH": Decimal(9_999)}
        await control.create_key(
            NewKey(venue=request.param, key=KEY, secret="fake-secret", balances=held)
        )
        venues = Venues(url, 20, clock, is_paced=False)
        connector = ExchangeConnector(venues, clock)
        yield Past(control, connector, clock, request.param)
        await connector.close()
        await venues.close()


async def test_all_that_ever_moved_is_found_once(past: Past) -> None:
    ids = {
        ("in", await past.move("BTC", 20)),
        ("in", await past.move("ETH", 300)),
        ("out", await past.move("ETH", 301, out=True)),
        ("out", await past.move("BTC", 900, out=True)),
        ("in", await past.move("BTC", 1_700)),
    }
    await past.move("BTC", 21, is_pending=True)
    steps = await past.walk()
    found = [(flow.direction, flow.external_id) for step in steps for flow in step.flows]
    assert len(found) == len(ids)
    assert set(found) == ids
    assert all(step.is_whole for step in steps)
    assert all(flow.txid for step in steps for flow in step.flows)
    requests = await past.control.requests()
    assert max(requests.most_at_once.values()) == 1
    assert not [entry for entry in requests.log if entry.status != 200]


@pytest.mark.parametrize("past", ["binance"], indirect=True)
async def test_state_money_is_found_after_the_coins(past: Past) -> None:
    await past.control.hold("binance", KEY, "EUR", Decimal(5_000))
    order = await past.move("EUR", 400, out=True)
    coin = await past.move("BTC", 500)
    found = [flow.external_id for step in await past.walk() for flow in step.flows]
    assert found == [coin, order]


async def test_an_outage_is_a_failure_and_the_walk_goes_on_after_it(past: Past) -> None:
    moved = await past.move("BTC", 200)
    await past.control.inject(
        NewFault(kind=FaultKind.STATUS, path="/sapi/v1/capital/withdraw", status=503)
    )
    with pytest.raises(ConnectorFailure) as failure:
        await past.walk()
    assert failure.value.kind is FailureKind.VENUE_DOWN
    await past.control.clear_faults()
    assert [flow.external_id for step in await past.walk() for flow in step.flows] == [moved]
