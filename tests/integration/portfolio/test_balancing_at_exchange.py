"""Rebalancing with real orders: at the simulated exchange over HTTP, and on paper."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import HOUR, MINUTE, Millis
from coffers.connectors.exchange import trading as exchange_trading
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.rules import OrderRule
from coffers.connectors.exchange.trading import ExchangeTrading, VenueDesk
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials
from coffers.connectors.trading import NotDone, Placed
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio import balance_plans
from coffers.portfolio import operations as operating
from coffers.portfolio.auto_balance import BalanceSettings, BalanceWanted
from coffers.portfolio.balance_plans import MadePlan, Planner
from coffers.portfolio.balance_worker import BalanceWorker
from coffers.portfolio.balancer import Balancer
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.errand_forms import CannotBalance
from coffers.portfolio.ledger import Ledger, Wanted
from coffers.portfolio.operation_notes import Notes
from coffers.portfolio.operations import Operations
from coffers.portfolio.paper import NewPaper, PaperAccounts
from coffers.portfolio.portfolios import PortfolioKeeping, PortfolioWanted
from coffers.portfolio.reading_now import ReadingNow
from coffers.pricing.keeper import PriceKeeper
from coffers.pricing.past import CandlePrices
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
from coffers.store.engine import Store
from coffers.store.operations import Operation, Step
from coffers.store.records import Account
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.prices import PriceRounds
from coffers.sync.syncer import Syncer
from coffers.valuation.model import Meanings
from coffers.valuation.orders import PlannedOrder
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from house import MovedClock
from integration.sync.test_statements import heard

D = Decimal
THIRDS = {"BTC": "50", "ETH": "30", "USDT": "20"}


@dataclass
class Bench:
    """Everything that a worker has, on one store and one simulated exchange."""

    store: Store
    control: SandboxControl
    clock: MovedClock
    account: Account
    planner: Planner
    operations: Operations
    balancer: Balancer
    worker: BalanceWorker
    settings: BalanceSettings

    @property
    def own(self) -> tuple[int, int]:
        return self.account.user_id, self.account.id

    async def to_portfolio(self, own: tuple[int, int], **said: Any) -> None:
        keeping = PortfolioKeeping(self.store, self.clock)
        made = await keeping.create(own[0], PortfolioWanted("Goal", **{"targets": THIRDS, **said}))
        await self.settings.set(*own, BalanceWanted(made.id, period=1))

    async def operations_of(self, own: tuple[int, int]) -> list[Operation]:
        async with self.store.reading() as tx:
            return await tx.operations.page(own[0], 100, None, own[1])

    async def shown(self) -> Account:
        async with self.store.reading() as tx:
            account = await tx.accounts.get(*self.own)
        assert account is not None
        return account


@pytest.fixture
async def bench(sqlite_store: Store, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    is_on = getattr(request, "param", True)
    clock, key, catalogue, store = MovedClock(), new_key(), load_catalogue(), sqlite_store
    vault = Vault(lambda: KeyRing([key]))
    async with running(Exchange(7, machine_time)) as url, SandboxControl(url) as control:
        await control.create_key(
            NewKey(
                venue="binance",
                key="fake-key",
                secret="fake-secret",
                balances={"BTC": D(1), "ETH": D(1)},
                trade=True,
            )
        )
        venues = Venues(url, 5, clock, is_paced=False)
        connector = ExchangeConnector(venues, clock)
        keeper = PriceKeeper(store, venues, clock, D(10_000))
        prices = PriceRounds(store, catalogue, keeper, ("binance",))
        valuer = FlowValuer(store, CandlePrices(venues))
        syncer = Syncer(
            store, vault, catalogue, connector, valuer, clock, Pace(Millis(5 * MINUTE), lambda: 0.5)
        )
        ledger = Ledger(store, catalogue, clock, is_trading_on=is_on)
        operations = Operations(
            store,
            vault,
            catalogue,
            operating.Venues(ExchangeTrading(venues), syncer),
            ledger,
            Notes(store, prices, clock, D("0.05")),
            clock,
        )
        async with store.transaction() as tx:
            user = await tx.users.add("ann", clock.now())
        connecting = Connecting(store, vault, catalogue, connector, clock, "refuse_withdraw")
        account = await connecting.connect(
            Connection(user.id, "binance", "Main", Credentials("fake-key", Secret("fake-secret")))
        )
        planner = Planner(store, ReadingNow(store, syncer, clock), prices, operations, clock)
        balancer = Balancer(store, planner, operations, clock)
        yield Bench(
            store,
            control,
            clock,
            account,
            planner,
            operations,
            balancer,
            BalanceWorker(store, balancer, clock),
            BalanceSettings(store, catalogue, clock),
        )
        await connector.close()
        await venues.close()


def is_there(made: MadePlan) -> bool:
    """Tell whether every share is within a point and a half of its target."""
    return all(abs(line.share - line.target) < D("1.5") for line in made.plan.lines)


async def test_an_account_at_an_exchange_is_brought_to_its_shares(bench: Bench) -> None:
    await bench.to_portfolio(bench.own)
    before = await bench.planner.make(*bench.own)
    assert not is_there(before)
    bench.clock.ahead += HOUR
    await bench.worker.run_due()

    [done] = await bench.operations_of(bench.own)
    assert (done.kind, done.state) == ("auto_balance", "done")
    assert [(step.side, step.state) for step in done.steps] == [
        (order.side, "filled") for order in before.orders
    ]
    shown = (await bench.shown()).auto_balance
    assert (shown.error, shown.last_at is None) == (None, False)
    after = await bench.planner.make(*bench.own)
    assert is_there(after)
    assert after.orders == ()


async def test_a_paper_account_is_brought_to_its_shares_through_direct_pairs_too(
    bench: Bench,
) -> None:
    await bench.planner._prices.refresh()
    made = await PaperAccounts(bench.store, bench.clock).create(
        bench.account.user_id, NewPaper("Trying", {"BTC": "1"})
    )
    own = made.account.user_id, made.account.id
    await bench.to_portfolio(own, targets={"BTC": "40", "ETH": "60"})
    ran = await bench.balancer.run(*own)

    assert (ran.state, ran.error) == ("done", None)
    [done] = await bench.operations_of(own)
    assert [(step.side, step.base, step.quote) for step in done.steps] == [("buy", "ETH", "BTC")]
    assert is_there(await bench.planner.make(*own))


async def test_a_pair_whose_price_is_off_is_gone_round_by_the_next_run(bench: Bench) -> None:
    await bench.to_portfolio(bench.own, targets={"BTC": "20", "ETH": "80"})
    await bench.control.set_price("binance", "ETHBTC", D("0.5"))
    ran = await bench.balancer.run(*bench.own)
    assert ran.state == "failed"
    assert "worse in ETH/BTC" in (ran.error or "")
    again = await bench.balancer.run(*bench.own)

    assert (again.state, again.error) == ("done", None)
    done, _ = await bench.operations_of(bench.own)
    assert [(step.side, step.base, step.quote) for step in done.steps] == [
        ("sell", "BTC", "USDT"),
        ("buy", "ETH", "USDT"),
    ]


async def test_an_order_whose_answer_is_lost_is_not_placed_twice(bench: Bench) -> None:
    await bench.to_portfolio(bench.own)
    fault = NewFault(venue="binance", kind=FaultKind.TRUNCATED, path="/api/v3/order", count=1)
    await bench.control.inject(fault)
    ran = await bench.balancer.run(*bench.own)

    assert (ran.state, ran.error) == ("done", None)
    assert is_there(await bench.planner.make(*bench.own))


async def dies_after_its_first_order(bench: Bench) -> None:
    """Run a rebalancing in a process that dies once an order was filled."""
    notes, filled = bench.operations._notes, asyncio.Event()
    keep = notes.keep

    async def told(operation: Operation, step: Step, holder: str | None = None) -> None:
        await keep(operation, step, holder)
        if step.state == "filled":
            filled.set()
            # Here the process dies.
            await asyncio.Event().wait()

    notes.keep = told  # type: ignore[method-assign]
    run = asyncio.create_task(bench.balancer.run(*bench.own))
    await filled.wait()
    notes.keep = keep  # type: ignore[method-assign]
    run.cancel()
    tasks = list(bench.operations._running.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(run, *tasks, return_exceptions=True)


async def test_a_run_that_a_process_died_in_is_ended_and_then_planned_anew(bench: Bench) -> None:
    await bench.to_portfolio(bench.own)
    bench.clock.ahead += HOUR
    await dies_after_its_first_order(bench)
    bench.clock.ahead += 4 * MINUTE
    await bench.worker.run_due()

    assert is_there(await bench.planner.make(*bench.own))
    assert {each.state for each in await bench.operations_of(bench.own)} <= {"done", "partly"}
    async with bench.store.reading() as tx:
        state = await tx.balancing.get(*bench.own)
    assert state is not None
    assert (state.planned_at, state.failures) == (None, 0)


@pytest.mark.parametrize("is_set_again", [False, True])
async def test_a_run_places_no_further_order_once_its_settings_are_removed(
    bench: Bench, is_set_again: bool
) -> None:
    await bench.to_portfolio(bench.own)
    view = await bench.settings.get(*bench.own)
    assert view.portfolio is not None
    goal = BalanceWanted(view.portfolio.id)
    notes = bench.operations._notes
    keep = notes.keep

    async def removing(operation: Operation, step: Step, holder: str | None = None) -> None:
        await keep(operation, step, holder)
        if step.state == "filled":
            await bench.settings.unset(*bench.own)
            if is_set_again:
                await bench.settings.set(*bench.own, goal)

    notes.keep = removing  # type: ignore[method-assign]
    ran = await bench.balancer.run(*bench.own)

    [stopped] = await bench.operations_of(bench.own)
    first, *others = stopped.steps
    assert (ran.state, stopped.state, first.state) == ("partly", "partly", "filled")
    assert {(step.state, step.why) for step in others} == {
        ("skipped", "the account is not rebalanced any more")
    }
    asked = await bench.control.requests()
    assert asked.counts["binance POST /api/v3/order"] == 1
    shown = (await bench.shown()).auto_balance
    assert (shown.enabled, shown.error, shown.last_at) == (is_set_again, None, None)


async def test_an_exchange_that_is_down_is_a_failure_that_is_told_and_tried_again(
    bench: Bench,
) -> None:
    await bench.to_portfolio(bench.own)
    await bench.control.inject(NewFault(venue="binance", kind=FaultKind.STATUS))
    bench.clock.ahead += HOUR
    await bench.worker.run_due()
    assert (await bench.shown()).auto_balance.error is not None
    assert await bench.operations_of(bench.own) == []
    await bench.control.clear_faults()
    bench.clock.ahead += 6 * MINUTE
    await bench.worker.run_due()
    assert (await bench.shown()).auto_balance.error is None
    assert is_there(await bench.planner.make(*bench.own))


@pytest.mark.parametrize("bench", [False], indirect=True)
async def test_where_trading_is_off_nothing_is_traded_and_the_account_says_so(
    bench: Bench,
) -> None:
    await bench.to_portfolio(bench.own)
    bench.clock.ahead += HOUR
    await bench.worker.run_due()
    error = (await bench.shown()).auto_balance.error
    assert error is not None
    assert error.startswith("orders and transfers are off on this server")
    assert await bench.operations_of(bench.own) == []
    # A plan may be looked at all the same.
    assert (await bench.planner.make(*bench.own)).orders != ()


REFUSED = NewFault(
    venue="binance",
    kind=FaultKind.STATUS,
    path="/api/v3/order",
    method="POST",
    count=1,
    status=400,
    body='{"code":-1013,"msg":"Filter failure: MARKET_LOT_SIZE"}',
)


async def holds(bench: Bench, **amounts: str) -> None:
    """Let the account hold these amounts and nothing else."""
    for code in {"BTC", "ETH", *amounts}:
        await bench.control.hold("binance", "fake-key", code, D(amounts.get(code, "0")))


async def owned(bench: Bench) -> dict[str, Decimal]:
    """Return what the exchange says that the account has."""
    codes = ("AVAX", "ETH", "USDT")
    return {code: await bench.control.free("binance", "fake-key", code) for code in codes}


async def test_a_purchase_waits_for_the_sale_that_pays_for_it(bench: Bench) -> None:
    await holds(bench, AVAX="1000", USDT="30000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "50"})
    for _ in range(2):
        await bench.control.inject(REFUSED)
        ran = await bench.balancer.run(*bench.own)
        assert ran.state == "failed"
        assert await owned(bench) == {"AVAX": D(1000), "ETH": D(0), "USDT": D(30000)}
    [operation, _] = await bench.operations_of(bench.own)
    assert [(step.side, step.state) for step in operation.steps] == [
        ("sell", "refused"),
        ("buy", "skipped"),
    ]
    assert operation.steps[1].why == "no more than 0.0 USDT of the plan's is there to spend"

    assert (await bench.balancer.run(*bench.own)).state == "done"
    left = await owned(bench)
    # What was not bought for lies beside what the account had.
    assert D(30000) < left["USDT"] < D(30300)
    assert is_there(await bench.planner.make(*bench.own))


async def test_a_currency_below_its_share_pays_for_no_sale_that_failed(bench: Bench) -> None:
    await holds(bench, AVAX="1000", USDT="30000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "5", "ETH": "25", "USDT": "70"})
    await bench.control.inject(REFUSED)
    assert (await bench.balancer.run(*bench.own)).state == "failed"
    assert (await owned(bench))["USDT"] == D(30000)


async def test_what_is_above_its_share_is_spent_although_a_sale_failed(bench: Bench) -> None:
    await holds(bench, AVAX="1000", USDT="100000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "5", "ETH": "90", "USDT": "5"})
    planned = await bench.planner.make(*bench.own)
    await bench.control.inject(REFUSED)
    assert (await bench.balancer.run(*bench.own)).state == "partly"

    [operation] = await bench.operations_of(bench.own)
    sale, purchase = operation.steps
    assert (sale.state, purchase.state) == ("refused", "filled")
    assert purchase.amount is not None
    assert purchase.amount < planned.orders[1].amount
    assert (purchase.why or "").startswith("cut from ")
    [usdt] = [line for line in planned.plan.lines if line.asset == "USDT"]
    kept = planned.plan.usd * usdt.target / 100
    assert abs((await owned(bench))["USDT"] - kept) < kept / 20


async def test_whoever_takes_a_run_over_spends_no_more_than_its_sales_brought(
    bench: Bench,
) -> None:
    await holds(bench, AVAX="1000", USDT="30000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "50"})
    notes, sent = bench.operations._notes, asyncio.Event()
    send = notes.send

    async def told(operation: Operation, step: Step, holder: str | None) -> bool:
        await send(operation, step, holder)
        sent.set()
        # Here the process dies: the sale never reaches the exchange.
        return await asyncio.Event().wait()

    notes.send = told  # type: ignore[method-assign]
    run = asyncio.create_task(bench.balancer.run(*bench.own))
    await sent.wait()
    notes.send = send  # type: ignore[method-assign]
    run.cancel()
    tasks = list(bench.operations._running.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(run, *tasks, return_exceptions=True)
    bench.clock.ahead += 3 * MINUTE
    assert await bench.operations.resume() == 1

    [operation] = await bench.operations_of(bench.own)
    assert [step.state for step in operation.steps] == ["refused", "skipped"]
    assert await owned(bench) == {"AVAX": D(1000), "ETH": D(0), "USDT": D(30000)}


async def test_what_was_sold_while_it_was_planned_is_not_bought_back(bench: Bench) -> None:
    await holds(bench, AVAX="1000", USDT="30000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "50"})
    user_id, account_id = bench.own
    make = bench.planner.make

    async def meanwhile(user: int, account: int) -> MadePlan:
        made = await make(user, account)
        begun = await bench.operations._ledger.begin(user_id, Wanted(account_id, "sell_all_to_usd"))
        assert (await bench.operations.perform(user_id, begun.id)).state == "done"
        return made

    bench.planner.make = meanwhile  # type: ignore[assignment,method-assign]
    ran = await bench.balancer.run(*bench.own)
    assert ran.state == "failed"
    assert "what is free of AVAX changed while it was planned" in (ran.error or "")
    left = await owned(bench)
    assert (left["AVAX"], left["ETH"]) == (D(0), D(0))


async def test_nothing_is_sold_where_nothing_would_be_bought(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await holds(bench, AVAX="1000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "50"})
    monkeypatch.setattr(exchange_trading, "order_rule", lambda _: OrderRule())
    with pytest.raises(CannotBalance, match="is given no market purchases"):
        await bench.planner.make(*bench.own)
    ran = await bench.balancer.run(*bench.own)
    assert (ran.state, ran.operation_id) == ("failed", None)
    assert (await owned(bench))["AVAX"] == D(1000)

    # A plan that only sells is one.
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "USDT": "50"})
    assert (await bench.balancer.run(*bench.own)).state == "done"


@pytest.mark.parametrize("fate", ["refused", "untold"])
async def test_what_was_sold_without_a_purchase_is_not_sold_further(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    await holds(bench, AVAX="1000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "50"})
    place = VenueDesk.place

    async def placed(desk: VenueDesk, order: PlannedOrder, client_id: str) -> Placed:
        if fate == "refused" and order.side == "buy":
            return Placed("refused", why="not in this kind of account")
        done = await place(desk, order, client_id)
        return done if fate == "refused" else Placed("unknown", venue_id=done.venue_id)

    monkeypatch.setattr(VenueDesk, "place", placed)
    bench.clock.ahead += HOUR
    await bench.worker.run_due()
    sold = await owned(bench)
    assert D(490) < sold["AVAX"] < D(510)
    settings = (await bench.shown()).auto_balance
    assert not settings.enabled
    assert (settings.error or "").startswith("switched off: operation ")
    assert "it sold for USDT, bought nothing or too little with that" in (settings.error or "")
    async with bench.store.reading() as tx:
        events = await tx.audit.of_user(bench.own[0])
    told = {each.kind: each.details for each in events}
    assert told["auto_balance_failed"] == settings.error
    bench.clock.ahead += 12 * HOUR
    await bench.worker.run_due()
    assert await owned(bench) == sold


async def test_what_was_sold_for_one_of_two_purchases_is_not_sold_further(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await holds(bench, AVAX="1000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "20", "ETH": "40", "SOL": "40"})
    place = VenueDesk.place

    async def placed(desk: VenueDesk, order: PlannedOrder, client_id: str) -> Placed:
        if order.side == "buy" and order.base == "ETH":
            return Placed("refused", why="not in this kind of account")
        return await place(desk, order, client_id)

    monkeypatch.setattr(VenueDesk, "place", placed)
    bench.clock.ahead += HOUR
    await bench.worker.run_due()
    sold = await owned(bench)
    bench.clock.ahead += 12 * HOUR
    await bench.worker.run_due()
    assert await owned(bench) == sold
    settings = (await bench.shown()).auto_balance
    assert not settings.enabled
    assert "it sold for USDT, bought nothing or too little with that" in (settings.error or "")


async def test_what_was_sold_for_a_target_is_counted_by_the_next_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await holds(bench, AVAX="1000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "40", "USDT": "10"})
    place = VenueDesk.place

    async def placed(desk: VenueDesk, order: PlannedOrder, client_id: str) -> Placed:
        if order.side == "buy":
            return Placed("refused", why="not now")
        return await place(desk, order, client_id)

    with monkeypatch.context() as patch:
        patch.setattr(VenueDesk, "place", placed)
        assert (await bench.balancer.run(*bench.own)).state == "partly"
    sold = await owned(bench)
    assert (await bench.shown()).auto_balance.enabled
    assert (await bench.balancer.run(*bench.own)).state == "done"
    # The first sale's fee alone is worth another order.
    assert sold["AVAX"] - (await owned(bench))["AVAX"] < 1
    assert is_there(await bench.planner.make(*bench.own))


async def test_a_run_that_a_process_died_in_after_its_sale_is_the_last(bench: Bench) -> None:
    await holds(bench, AVAX="1000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "ETH": "50"})
    bench.clock.ahead += HOUR
    await dies_after_its_first_order(bench)
    sold = await owned(bench)
    # The purchase is too old to be placed by then.
    bench.clock.ahead += 20 * MINUTE
    await bench.worker.run_due()

    assert await owned(bench) == sold
    settings = (await bench.shown()).auto_balance
    assert not settings.enabled
    assert "it sold for USDT, bought nothing or too little with that" in (settings.error or "")


async def another_there(bench: Bench, symbol: str) -> None:
    """Have a new price book tell that the exchange means another asset by a symbol."""
    book = await bench.planner._prices.refresh()
    assert book is not None
    prices = {**book.prices, f"{symbol}@binance": book.prices[symbol]}
    prices[symbol] = replace(prices[symbol], usd=prices[symbol].usd * 5)
    async with bench.store.transaction() as tx:
        meanings = Meanings({"binance": {symbol: None}})
        await tx.prices.save_book(prices, bench.clock.now(), meanings=meanings)


async def test_a_plan_names_what_is_traded_by_the_book_of_its_prices(bench: Bench) -> None:
    await holds(bench, USDT="30000")
    await bench.to_portfolio(bench.own, targets={"AVAX": "50", "USDT": "50"})
    assert [order.base for order in (await bench.planner.make(*bench.own)).orders] == ["AVAX"]

    async def refresh() -> None:
        await another_there(bench, "AVAX")

    bench.planner._refresh_prices = refresh  # type: ignore[method-assign]
    made = await bench.planner.make(*bench.own)
    assert made.orders == ()
    assert {each.asset: each.reason for each in made.plan.unplanned}["AVAX"] == "no_pair"


async def test_what_is_refused_run_after_run_is_left_out_for_a_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.to_portfolio(
        bench.own, targets={"BTC": "40", "ETH": "30", "AVAX": "20", "USDT": "10"}
    )
    worth = VenueDesk.worth

    async def thin(desk: VenueDesk, order: PlannedOrder) -> Decimal | None:
        return None if order.base == "AVAX" else await worth(desk, order)

    with monkeypatch.context() as patch:
        patch.setattr(VenueDesk, "worth", thin)
        # Its pairs with BTC and with USDT are tried in turn, each until it was refused three times.
        for minutes in (60, 5, 10, 20, 40, 80):
            bench.clock.ahead += minutes * MINUTE
            await bench.worker.run_due()
            told = (await bench.shown()).auto_balance.error or ""
            assert "holds less than the order takes" in told
        tried = len(await bench.operations_of(bench.own))
        bench.clock.ahead += 160 * MINUTE
        await bench.worker.run_due()

        settings = (await bench.shown()).auto_balance
        assert settings.enabled
        assert "AVAX (refused)" in (settings.error or "")
        assert settings.last_at is not None
        assert settings.last_at > bench.clock.now() - MINUTE
        made = await bench.planner.make(*bench.own)
    reasons = {each.asset: each.reason for each in made.plan.unplanned}
    assert (reasons["AVAX"], made.orders) == ("refused", ())
    assert len(await bench.operations_of(bench.own)) == tried == 6

    # The exchange's own clock is not moved, so that the day is made shorter instead.
    monkeypatch.setattr(balance_plans, "AVOIDED_FOR", HOUR)
    ran = await bench.balancer.run(*bench.own)
    assert (ran.state, ran.error) == ("done", None)
    assert is_there(await bench.planner.make(*bench.own))


async def ran_before(bench: Bench, number: int, step: Step, why: str | None = None) -> None:
    """Write down a run that had one order."""
    own, now = bench.own, bench.clock.now()
    async with bench.store.transaction() as tx:
        begun, _ = await tx.operations.begin(*own, "auto_balance", f"run {number}", "", now)
        await tx.operations.add_steps(begun, [step], now)
        ended = replace(begun, state="failed", why=why)
        await tx.operations.end(ended, now)


async def test_however_many_runs_follow_what_is_refused_is_left_out_at_the_cost_of_one_question(
    bench: Bench,
) -> None:
    await bench.to_portfolio(bench.own, targets={"BTC": "50", "AVAX": "50"})
    order = Step(0, "order", "AVAX", "BTC", "buy", D(1), "", "refused", why="too thin")
    for number in range(3):
        await ran_before(bench, number, order)
        await ran_before(bench, 10 + number, replace(order, quote="USDT"))
    assert (await bench.planner.make(*bench.own)).plan.unplanned[0].reason == "refused"
    for number in range(20, 40):
        await ran_before(bench, number, replace(order, base="ETH", state="filled", why=None))
    run = await heard(bench.store)
    made = await bench.planner.make(*bench.own)
    assert ("AVAX", "refused") in {(each.asset, each.reason) for each in made.plan.unplanned}
    assert len([each for each in run if "FROM operation_steps" in each]) == 1


async def test_a_key_that_is_refused_is_no_fault_of_the_pair(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.to_portfolio(bench.own)
    before = await bench.planner.make(*bench.own)

    async def refused(_desk: VenueDesk, _order: PlannedOrder, _client_id: str) -> Placed:
        raise NotDone("the key is not for this address")

    monkeypatch.setattr(VenueDesk, "place", refused)
    for number in range(4):
        ran = await bench.balancer.run(*bench.own)
        assert ran.state == "failed"
        assert "the key is not for this address" in (ran.error or "")
        operations = await bench.operations_of(bench.own)
        assert len(operations) == number + 1
        assert {step.state for step in operations[0].steps} == {"refused", "skipped"}
        made = await bench.planner.make(*bench.own)
        assert [(each.base, each.quote) for each in made.orders] == [
            (each.base, each.quote) for each in before.orders
        ]
