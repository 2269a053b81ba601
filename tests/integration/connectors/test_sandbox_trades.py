"""Walks through trades of a simulated exchange, over HTTP and through the real client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY, HOUR, Millis, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.trades import CALLS
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind
from coffers.connectors.trades import FoundTrades, TradesRequest
from coffers.markets.catalogue import Market, load_catalogue
from coffers.sandbox import (
    Exchange,
    FaultKind,
    NewFault,
    NewKey,
    PastFill,
    SandboxControl,
    running,
)
from coffers.secret import Secret

KEY = "fake-key-trades".ljust(64, "x")
MINE = Credentials(KEY, Secret("fake-secret"))
HELD = frozenset({"BTC", "ETH"})


class MovedClock(SystemClock):
    """The machine's clock, moved ahead by tests instead of waiting."""

    ahead = 0

    def now(self) -> Millis:
        return Millis(super().now() + self.ahead)


@dataclass
class Traded:
    """A venue with an account, and a walk through its trades."""

    control: SandboxControl
    connector: ExchangeConnector
    clock: MovedClock

    @property
    def market(self) -> Market:
        found = load_catalogue().get("binance")
        assert found is not None
        return found

    async def fill(self, symbol: str, days: float, **changes: Any) -> None:
        terms = {"side": "BUY", "price": Decimal("3000.5"), "quantity": Decimal("0.2")}
        at = SystemClock().now() - round(days * DAY)
        await self.control.fill(
            PastFill(venue="binance", key=KEY, symbol=symbol, at=at, **{**terms, **changes})
        )

    async def walk(
        self, cursor: str | None = None, assets: frozenset[str] = HELD
    ) -> list[FoundTrades]:
        steps = list[FoundTrades]()
        while not steps or not steps[-1].is_resting:
            cursor = steps[-1].cursor if steps else cursor
            request = TradesRequest(cursor, assets)
            steps.append(await self.connector.trades(self.market, MINE, request))
            assert len(steps) < 200
        return steps


@pytest.fixture
async def traded() -> AsyncIterator[Traded]:
    clock = MovedClock()
    async with running(Exchange(7, clock.now)) as url, SandboxControl(url) as control:
        held = {"BTC": Decimal(9), "ETH": Decimal(9)}
        await control.create_key(
            NewKey(venue="binance", key=KEY, secret="fake-secret", balances=held)
        )
        venues = Venues(url, 20, clock, is_paced=False)
        connector = ExchangeConnector(venues, clock)
        yield Traded(control, connector, clock)
        await connector.close()
        await venues.close()


def found(steps: list[FoundTrades]) -> list[tuple[str, str]]:
    return sorted((trade.symbol, trade.trade_id) for step in steps for trade in step.trades)


async def test_trades_of_all_pairs_of_what_is_held_are_found_once(traded: Traded) -> None:
    for days in (900, 40, 1):
        await traded.fill("ETHUSDT", days)
    await traded.fill("ETHBTC", 2, side="SELL", price=Decimal("0.05"))
    steps = await traded.walk()
    assert len(set(found(steps))) == len(found(steps)) == 4
    (sold,) = [t for step in steps for t in step.trades if t.symbol == "ETH/BTC"]
    assert (sold.side, sold.base, sold.quote, sold.kind) == ("sell", "ETH", "BTC", "spot")
    assert (sold.price, sold.amount) == (Decimal("0.05"), Decimal("0.2"))
    assert (sold.cost, sold.cost_asset) == (Decimal("0.01"), "BTC")
    assert (sold.fee, sold.fee_asset) == (Decimal("0.00001"), "BTC")
    last = steps[-1]
    assert last.known_since is not None
    assert last.known_until is not None
    assert last.has_gaps, "a pair that was never seen is not asked for"
    assert all(step.known_until is None for step in steps[:-1])


async def test_more_trades_than_a_page_holds_are_all_found(traded: Traded) -> None:
    for n in range(1_003):
        await traded.fill("ETHUSDT", 30 - n / 1_000)
    assert len(set(found(await traded.walk()))) == 1_003


async def test_a_later_look_goes_on_from_the_last_number(traded: Traded) -> None:
    await traded.fill("ETHUSDT", 5)
    before = await traded.walk()
    await traded.fill("ETHUSDT", 0)
    traded.clock.ahead += 2 * HOUR
    after = await traded.walk(before[-1].cursor)
    assert [symbol for symbol, _ in found(after)] == ["ETH/USDT"]
    assert after[-1].known_since == before[-1].known_since
    assert (after[-1].known_until or 0) > (before[-1].known_until or 0)


async def test_an_asset_that_is_new_is_asked_for_from_the_beginning(traded: Traded) -> None:
    before = await traded.walk()
    await traded.fill("SOLUSDT", 50)
    traded.clock.ahead += 2 * HOUR
    after = await traded.walk(before[-1].cursor, HELD | {"SOL"})
    assert [symbol for symbol, _ in found(after)] == ["SOL/USDT"]


async def test_a_step_makes_few_calls_and_is_done_again_when_lost(traded: Traded) -> None:
    await traded.fill("ETHUSDT", 5)
    await traded.control.clear_requests()
    first = await traded.connector.trades(traded.market, MINE, TradesRequest(None, HELD))
    requests = await traded.control.requests()
    assert requests.counts["binance GET /api/v3/myTrades"] == CALLS
    again = await traded.connector.trades(traded.market, MINE, TradesRequest(None, HELD))
    assert [t.trade_id for t in again.trades] == [t.trade_id for t in first.trades]


async def test_a_venue_that_refuses_is_a_failure_and_not_an_empty_history(traded: Traded) -> None:
    for kind in (FaultKind.KEY_REVOKED, FaultKind.EMPTY_OBJECT):
        fault = NewFault(kind=kind, venue="binance", path="/api/v3/myTrades", key=KEY, count=99)
        await traded.control.inject(fault)
        if kind is FaultKind.KEY_REVOKED:
            with pytest.raises(ConnectorFailure) as failure:
                await traded.walk()
            assert failure.value.kind in {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED}
        else:
            assert all(not step.trades and step.has_gaps for step in await traded.walk())
        await traded.control.clear_faults()
