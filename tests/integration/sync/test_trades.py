"""Trades of a simulated exchange, walked, kept, valued and counted; open orders by an errand."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec
import pytest

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind, Reading
from coffers.connectors.trades import FoundTrades, TradesRequest
from coffers.markets.catalogue import Market, load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.errand_forms import OPEN_ORDERS, OpenAsked
from coffers.portfolio.trading_work import TradingWork
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.store.trades import TradeFilter, TradeWalk
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Outcome, Syncer
from coffers.sync.trades import TradeWalker
from coffers.sync.walk_worker import WalkWorker
from coffers.valuation.model import Price, Value
from coffers.valuation.trade import Trade
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW, position
from fakes import FakeConnector, FakePast


def trade(name: str, at: int, cost: str = "2") -> Trade:
    one = Decimal(1)
    return Trade(
        "BTC/ETH", name, None, "spot", "BTC", "ETH", "buy", one, one, Decimal(cost), "ETH", None,
        None, Millis(at),
    )  # fmt: skip


@dataclass
class FakeTrades:
    """A venue's trades, answered as told; keeps what it was asked."""

    answer: FoundTrades | ConnectorFailure
    asked: list[TradesRequest]

    async def trades(
        self, market: Market, credentials: Credentials, request: TradesRequest
    ) -> FoundTrades:
        assert (market.code, credentials.api_key) == ("binance", "fake-key")
        self.asked.append(request)
        if isinstance(self.answer, ConnectorFailure):
            raise self.answer
        return self.answer

    async def open_orders(self, market: Market, credentials: Credentials) -> int | None:
        assert (market.code, credentials.api_key) == ("binance", "fake-key")
        if isinstance(self.answer, ConnectorFailure):
            raise self.answer
        return 3


@dataclass
class House:
    """An account that was read once, and what walks through its trades."""

    store: Store
    clock: ManualClock
    venue: FakeTrades
    candles: FakePast
    walker: TradeWalker
    work: TradingWork
    account: Account

    @property
    def own(self) -> tuple[int, int]:
        return self.account.user_id, self.account.id

    async def step(self, answer: FoundTrades | ConnectorFailure) -> TradeWalk:
        self.venue.answer = answer
        await self.walker.step(*self.own)
        async with self.store.reading() as tx:
            walk = await tx.trades.walk(*self.own)
        assert walk is not None
        return walk

    async def trades(self) -> list[Trade]:
        async with self.store.reading() as tx:
            return await tx.trades.page(*self.own, TradeFilter(), 99)


@pytest.fixture
async def house(store: Store) -> House:
    clock, key, catalogue = ManualClock(NOW), new_key(), load_catalogue()
    vault = Vault(lambda: KeyRing([key]))
    reading = Reading(NOW, frozenset({"spot"}), (position("BTC", "1"),))
    connector, candles = FakeConnector(reading), FakePast()
    valuer = FlowValuer(store, candles)
    syncer = Syncer(
        store, vault, catalogue, connector, valuer, clock, Pace(Millis(5 * MINUTE), lambda: 0.5)
    )
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
    connecting = Connecting(store, vault, catalogue, connector, clock, "refuse_withdraw")
    credentials = Credentials("fake-key", Secret("fake-secret"))
    account = await connecting.connect(Connection(user.id, "binance", "Main", credentials))
    assert (await syncer.sync(user.id, account.id)).outcome is Outcome.COMPLETE
    venue = FakeTrades(FoundTrades((), None), [])
    walker = TradeWalker(store, vault, catalogue, venue, valuer, clock, MINUTE)
    work = TradingWork(store, vault, catalogue, venue, clock)
    return House(store, clock, venue, candles, walker, work, account)


def found(*trades: Trade, is_resting: bool = False) -> FoundTrades:
    return FoundTrades(trades, "next", Millis(NOW - HOUR), NOW, is_resting=is_resting)


async def test_a_step_keeps_its_trades_once_and_where_the_walk_stands(house: House) -> None:
    walk = await house.step(found(trade("t1", NOW - 5)))
    assert house.venue.asked == [TradesRequest(None, frozenset({"BTC"}))]
    assert (walk.cursor, walk.known_until, walk.steps, walk.is_complete) == ("next", NOW, 1, False)
    assert walk.next_at == NOW + MINUTE
    await house.step(found(trade("t1", NOW - 5), trade("t2", NOW - 4)))
    assert [one.trade_id for one in await house.trades()] == ["t2", "t1"]
    assert house.venue.asked[-1].cursor == "next"


async def test_a_walk_that_rests_looks_again_after_an_hour(house: House) -> None:
    walk = await house.step(found(is_resting=True))
    assert (walk.is_complete, walk.next_at) == (True, NOW + HOUR)
    await house.step(found())
    assert len(house.venue.asked) == 1
    house.clock.advance(HOUR)
    await house.step(found())
    assert len(house.venue.asked) == 2


async def test_a_look_that_a_clock_ahead_put_off_comes_within_an_hour(house: House) -> None:
    house.clock.advance(DAY)
    assert (await house.step(found(is_resting=True))).look_at == NOW + DAY + HOUR
    house.clock.set(NOW)
    walk = await house.step(found())
    assert (walk.look_at, walk.next_at) == (NOW + HOUR, NOW + HOUR)
    house.clock.advance(HOUR)
    await house.step(found())
    assert len(house.venue.asked) == 2


async def test_a_trade_is_worth_its_cost_at_its_moment(house: House) -> None:
    price = Price(Decimal("0.05"), Decimal(3000), ("ETH/USD",), ("binance",), NOW)
    house.candles.prices = {"ETH": price}
    await house.step(found(trade("t1", NOW - HOUR, "2.5"), is_resting=True))
    await house.step(found())
    (kept,) = await house.trades()
    assert kept.value == Value(Decimal("0.125"), Decimal(7500))


async def test_a_failure_leaves_the_walk_where_it_was(house: House) -> None:
    await house.step(found(trade("t1", NOW - 5)))
    walk = await house.step(ConnectorFailure(FailureKind.PERMISSION_DENIED, "no right"))
    assert (walk.cursor, walk.failures, walk.failure_message) == ("next", 1, "no right")
    assert walk.next_at is not None
    assert walk.next_at > NOW + MINUTE
    assert len(await house.trades()) == 1


async def test_a_venue_that_tells_no_trades_is_not_asked_again(house: House) -> None:
    walk = await house.step(FoundTrades((), None, is_resting=True, is_untold=True))
    assert (walk.is_untold, walk.is_complete, walk.next_at) == (True, False, None)


async def test_the_worker_walks_what_is_due(house: House) -> None:
    house.venue.answer = found(trade("t1", NOW - 5))
    await WalkWorker(house.store, house.walker, house.clock).walk()
    assert len(await house.trades()) == 1


async def test_trades_go_with_their_account(house: House) -> None:
    await house.step(found(trade("t1", NOW - 5)))
    async with house.store.transaction() as tx:
        await tx.accounts.remove(*house.own)
    assert await house.trades() == []


async def test_open_orders_are_counted_with_the_accounts_key_taken(house: House) -> None:
    handler = house.work.handlers()[OPEN_ORDERS]
    body = msgspec.json.encode(OpenAsked(house.account.id))
    told = await handler(house.account.user_id, body)
    assert msgspec.json.encode(told) == b'{"orders":3}'
    house.venue.answer = ConnectorFailure(FailureKind.KEY_REFUSED, "refused")
    with pytest.raises(ConnectorFailure):
        await handler(house.account.user_id, body)
    async with house.store.transaction() as tx:
        until = Millis(NOW + MINUTE)
        assert await tx.accounts.claim(*house.own, "else", now=NOW, until=until)
