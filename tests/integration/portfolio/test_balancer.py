"""Runs of rebalancing on a paper account: what is traded, what is written, who goes on with it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, cast

import pytest

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.connectors.trading import Free
from coffers.markets.catalogue import load_catalogue
from coffers.money import plain
from coffers.portfolio.auto_balance import BalanceSettings, BalanceWanted
from coffers.portfolio.balance_codes import Tradable
from coffers.portfolio.balance_plans import Planner, plain_plan
from coffers.portfolio.balance_worker import BalanceWorker
from coffers.portfolio.balancer import FAILURES_ALLOWED, AlreadyRunning, Balancer
from coffers.portfolio.errand_forms import CannotBalance
from coffers.portfolio.ledger import NotAllowed
from coffers.portfolio.operation_notes import Notes
from coffers.portfolio.overrides import Overrides, OverrideWanted
from coffers.portfolio.paper import NewPaper, PaperAccounts
from coffers.portfolio.paper_desk import PaperDesk
from coffers.portfolio.paper_orders import OrderWanted, PaperOrders
from coffers.portfolio.portfolios import PortfolioKeeping, PortfolioWanted
from coffers.portfolio.reading_now import ReadingNow
from coffers.store.accounts import Accounts
from coffers.store.balancing import AutoBalances, Due
from coffers.store.engine import Store
from coffers.store.newest import NewestBook
from coffers.store.operations import Step
from coffers.store.records import Account, AccountStatus, AssetMapping, AutoBalance, BalanceState
from coffers.sync.assets import note_assets
from coffers.sync.prices import PriceRounds
from coffers.sync.syncer import Outcome, Result
from coffers.valuation.orders import PairLimits, PlannedOrder, Round
from factories import NOW
from served import add_book

D = Decimal
STEP = D("0.000001")
PAIRS = tuple(
    PairLimits(base, "USDT", STEP, None, None, D(5), None, D("0.001"))
    for base in ("BTC", "ETH", "SOL")
)


@dataclass
class Operation:
    id: int
    state: str = "done"
    why: str | None = None
    steps: Sequence[Step] = ()
    result: str | None = None


@dataclass
class Desk:
    """Fills orders on paper, each operation once under its key; fails as told."""

    store: Store
    clock: ManualClock
    pairs: Sequence[PairLimits] = PAIRS
    fault: Exception | None = None
    dies_after: int | None = None
    refusal: Exception | None = None
    state: str = "done"
    steps: Sequence[Step] = ()
    planned: dict[str, list[PlannedOrder]] = field(default_factory=dict)
    placed: list[PlannedOrder] = field(default_factory=list)

    async def tradable(self, user_id: int, account_id: int) -> Tradable:
        return Tradable(self.pairs, {code: code for code in ("BTC", "ETH", "SOL", "USDT")})

    async def run(
        self,
        user_id: int,
        account_id: int,
        kind: str,
        key: str | None,
        plan: Callable[[Free], Awaitable[Round]],
    ) -> Operation:
        assert (kind, key is None) == ("auto_balance", False)
        if self.refusal is not None:
            raise self.refusal
        waiting = self.planned.setdefault(key or "", [])
        await self.place(user_id, account_id, waiting)

        async def free() -> Mapping[str, Decimal]:
            return (await PaperAccounts(self.store, self.clock).get(user_id, account_id)).amounts

        waiting.extend((await plan(free)).orders)
        await self.place(user_id, account_id, waiting)
        return Operation(7, self.state, steps=self.steps)

    async def place(self, user_id: int, account_id: int, waiting: list[PlannedOrder]) -> None:
        while waiting:
            if self.dies_after is not None and len(self.placed) >= self.dies_after:
                raise self.fault or asyncio.CancelledError
            order = waiting.pop(0)
            amount = plain(order.amount)
            wanted = OrderWanted(order.side, order.base, order.quote, amount)
            await PaperOrders(self.store, self.clock).place(user_id, account_id, wanted)
            self.placed.append(order)


class Reader:
    """Readings that find what is known."""

    def __init__(self) -> None:
        self.result = Result(Outcome.COMPLETE)
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.has_begun = asyncio.Event()

    async def read(self, user_id: int, account_id: int) -> Result:
        self.has_begun.set()
        await self.may_end.wait()
        return self.result


class Rounds:
    """Prices that come when they are asked for."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self._store, self._clock = store, clock
        self.usd: dict[str, str] = {"SOL": "200"}
        self.is_silent = False

    async def refresh(self) -> None:
        if not self.is_silent:
            await add_book(self._store, self._clock.now(), **self.usd)


@dataclass
class World:
    """A user with a portfolio of halves and a paper account of one bitcoin."""

    store: Store
    clock: ManualClock
    desk: Desk
    reader: Reader
    rounds: Rounds
    planner: Planner
    balancer: Balancer
    worker: BalanceWorker
    settings: BalanceSettings
    account: Account
    portfolio_id: int

    @property
    def own(self) -> tuple[int, int]:
        return self.account.user_id, self.account.id

    async def look(self) -> None:
        """Do what a worker alone does at a look."""
        await self.worker.run_due()
        await self.worker.run_moved()

    async def switch_on(self, **wanted: Any) -> None:
        said = BalanceWanted(**{"portfolio_id": self.portfolio_id, "period": 2, **wanted})
        await self.settings.set(*self.own, said)

    async def shown(self) -> AutoBalance:
        async with self.store.reading() as tx:
            account = await tx.accounts.get(*self.own)
        assert account is not None
        return account.auto_balance

    async def state(self) -> BalanceState:
        async with self.store.reading() as tx:
            state = await tx.balancing.get(*self.own)
        assert state is not None
        return state

    async def amounts(self) -> dict[str, str]:
        found = await PaperAccounts(self.store, self.clock).get(*self.own)
        return {asset: plain(amount) for asset, amount in found.amounts.items()}


def begun_before(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, change: Callable[[], Awaitable[None]]
) -> list[asyncio.Future[None]]:
    """Let a change begin before a call of a method, and get as far as it does without its end."""
    call, changes = getattr(owner, name), list[asyncio.Future[None]]()

    async def called(*args: Any) -> Any:
        if not changes:
            changes.append(asyncio.ensure_future(change()))
            await asyncio.wait(changes, timeout=0.3)
        return await call(*args)

    monkeypatch.setattr(owner, name, called)
    return changes


@pytest.fixture
async def world(store: Store) -> World:
    clock = ManualClock(NOW)
    await note_assets(store, await add_book(store, SOL="200"), NOW)
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
    made = await PaperAccounts(store, clock).create(user.id, NewPaper("Trying", {"BTC": "1"}))
    portfolio = await PortfolioKeeping(store, clock).create(
        user.id, PortfolioWanted("Halves", {"BTC": "50", "ETH": "30", "USDT": "20"})
    )
    desk, reader = Desk(store, clock), Reader()
    rounds = Rounds(store, clock)
    planner = Planner(store, cast("ReadingNow", reader), cast("PriceRounds", rounds), desk, clock)
    balancer = Balancer(store, planner, desk, clock)
    return World(
        store,
        clock,
        desk,
        reader,
        rounds,
        planner,
        balancer,
        BalanceWorker(store, balancer, clock),
        BalanceSettings(store, load_catalogue(), clock),
        made.account,
        portfolio.id,
    )


async def test_a_plan_shows_every_figure_and_places_nothing(world: World) -> None:
    await world.switch_on()
    made = await world.planner.make(*world.own)
    told: Any = plain_plan(made, NOW)

    assert [(order["side"], order["amount"], order["base"]) for order in told["orders"]] == [
        ("sell", "0.5", "BTC"),
        ("buy", "5.95825", "ETH"),
    ]
    btc, eth, _ = told["assets"]
    assert (btc["share"], btc["target"], btc["share_after"]) == ("100.0", "50.0", "50.0399")
    assert (eth["price_usd"], eth["amount"]) == ("2500.0", "0.0")
    assert (told["verdict"], told["quote"], told["usd_amount"]) == ("planned", "USDT", "50000.0")
    assert world.desk.placed == []


@pytest.mark.parametrize("free", [{"BTC": "0.98"}, {"BTC": "1", "ETH": "1"}, {}])
async def test_a_plan_is_not_carried_out_on_what_has_changed_since(
    world: World, free: dict[str, str]
) -> None:
    await world.switch_on()
    made = await world.planner.make(*world.own)
    # Half a point of change is within the tolerance; what is not balanced is left alone anyway.
    nearly = {"BTC": D("0.995"), "USDT": D(100), "SOL": D(70)}
    terms = made.round(nearly).terms
    assert terms is not None
    assert terms.counted_on == {"BTC": D("0.5")}
    assert terms.assets == {code: code for code in ("BTC", "ETH", "USDT")}
    with pytest.raises(CannotBalance, match="changed while it was planned"):
        made.round({code: D(amount) for code, amount in free.items()})


async def test_a_portfolio_of_what_its_owner_ignores_is_not_planned(world: World) -> None:
    await world.switch_on()
    overrides = Overrides(world.store, load_catalogue(), world.clock)
    await overrides.set(world.account.user_id, "ETH", OverrideWanted(is_ignored=True))
    with pytest.raises(CannotBalance, match="you ignore what the portfolio has a share of: ETH"):
        await world.planner.make(*world.own)


async def test_a_plan_buys_under_the_code_that_the_user_says_means_the_asset(world: World) -> None:
    await world.switch_on()
    world.desk.pairs = tuple(pair for pair in PAIRS if pair.base != "ETH")
    said = AssetMapping(world.account.market_code, "SOL", "ETH")
    async with world.store.transaction() as tx:
        await tx.choices.map(world.account.user_id, said, NOW)
    made = await world.planner.make(*world.own)

    assert [(order.side, order.base) for order in made.orders] == [("sell", "BTC"), ("buy", "SOL")]
    assert [step.base for step in made.plan.steps] == ["BTC", "ETH"]


async def test_an_order_is_judged_by_what_its_user_says_that_the_code_means(world: World) -> None:
    said = AssetMapping(world.account.market_code, "SOL", "ETH")
    async with world.store.transaction() as tx:
        await tx.choices.map(world.account.user_id, said, NOW)
    notes = Notes(world.store, cast("PriceRounds", world.rounds), world.clock, D("0.05"))
    papers = PaperAccounts(world.store, world.clock)
    orders = PaperOrders(world.store, world.clock)
    desk = PaperDesk(world.store, orders, papers, world.own, NewestBook())
    async with world.store.transaction() as tx:
        asked = (*world.own, "auto_balance", None, "", NOW)
        operation, _ = await tx.operations.begin(*asked)
    known, order = await notes.known(operation, None), PlannedOrder("SOL", "USDT", "buy", D(1))

    assert known.too_bad(order, D(2500), desk) is None
    assert "pays 8.0 % worse" in (known.too_bad(order, D(2700), desk) or "")


async def test_paper_is_traded_at_the_prices_that_count_for_its_owner(world: World) -> None:
    said = OverrideWanted(coingecko_id="wanted", by_symbol=False)
    await Overrides(world.store, load_catalogue(), world.clock).set(world.own[0], "SOL", said)
    await add_book(world.store, SOL="200", **{"coingecko:wanted": "3"})
    papers = PaperAccounts(world.store, world.clock)
    orders = PaperOrders(world.store, world.clock)
    desk = PaperDesk(world.store, orders, papers, world.own, NewestBook())
    order = PlannedOrder("SOL", "USDT", "buy", D(10))
    [quoted] = [
        each
        for each in await desk.quoted()
        if (each.limits.base, each.limits.quote) == ("SOL", "USDT")
    ]

    assert (quoted.ask, await desk.worth(order)) == (D(3), D(3))
    assert (await desk.place(order, "fake-id")).fate == "refused"
    await papers.move(*world.own, "in", "USDT", "100")
    assert (await desk.place(order, "fake-id")).cost == D(30)


async def test_a_run_by_hand_trades_and_tells_when(world: World) -> None:
    await world.switch_on(enabled=False)
    ran = await world.balancer.run(*world.own)

    assert (ran.state, ran.error, ran.operation_id) == ("done", None, 7)
    assert await world.amounts() == {"BTC": "0.5", "ETH": "5.95229175", "USDT": "10079.375"}
    shown = await world.shown()
    assert (shown.last_at, shown.error, shown.enabled) == (NOW, None, False)
    assert (await world.state()).next_at is None


async def test_what_is_due_runs_once_however_long_nobody_looked(world: World) -> None:
    await world.switch_on()
    await world.look()
    assert world.desk.placed == []
    world.clock.advance(50 * HOUR)
    for _ in range(2):
        await world.look()

    assert len(world.desk.planned) == 1
    assert (await world.shown()).last_at == world.clock.now()
    assert (await world.state()).next_at == world.clock.now() + 2 * HOUR


async def test_settings_wait_for_no_period_after_a_run_that_is_still_to_come(world: World) -> None:
    await world.switch_on()
    world.clock.advance(DAY)
    await world.look()
    # The clock was ahead.
    world.clock.set(NOW)
    await world.switch_on()
    assert (await world.state()).next_at == NOW + 2 * HOUR


async def test_within_the_tolerance_a_run_trades_nothing_and_counts(world: World) -> None:
    await world.switch_on()
    for _ in range(2):
        world.clock.advance(2 * HOUR)
        await world.look()

    assert len(world.desk.placed) == 2
    assert len(world.desk.planned) == 1
    assert (await world.shown()).last_at == world.clock.now()


async def test_a_price_that_moves_too_far_is_what_the_other_method_waits_for(
    world: World,
) -> None:
    await world.switch_on(method="currency_change", currency_change_limit=10)
    for usd, runs in (("2500", 0), ("2700", 0), ("2760", 1), ("2760", 1), ("2470", 2)):
        world.clock.advance(MINUTE)
        await add_book(world.store, world.clock.now(), ETH=usd)
        for _ in range(2):
            await world.look()
        assert len(world.desk.planned) == runs, usd
    assert (await world.state()).prices["ETH"] == D(2470)


async def test_an_asset_that_lost_its_price_stops_the_run_and_is_named(world: World) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    async with world.store.transaction() as tx:
        book = await tx.prices.newest()
        assert book is not None
        kept = {asset: price for asset, price in book.prices.items() if asset != "ETH"}
        await tx.prices.save_book(kept, world.clock.now())
    await world.look()

    shown = await world.shown()
    assert shown.error == "ETH has no price now: shares are unknown, so nothing is traded"
    assert (shown.last_at, shown.enabled, world.desk.placed) == (None, True, [])


async def test_failures_are_waited_out_longer_each_time_and_end_it_at_last(world: World) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    world.reader.result = Result(
        Outcome.FAILED, ConnectorFailure(FailureKind.VENUE_DOWN, "the exchange is down")
    )
    waits = []
    for _ in range(FAILURES_ALLOWED):
        await world.look()
        at = (await world.state()).next_at
        waits.append(None if at is None else (at - world.clock.now()) // MINUTE)
        world.clock.set(at or world.clock.now())

    assert waits == [5, 10, 20, 40, 80, 160, 320, None]
    shown = await world.shown()
    assert (shown.enabled, shown.error) == (
        False,
        "switched off after 8 failures in a row, the last one: the exchange is down",
    )
    world.clock.advance(24 * HOUR)
    await world.look()
    assert (await world.state()).failures == 8


async def test_a_good_run_forgets_the_failures(world: World) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    world.desk.fault, world.desk.dies_after = CannotBalance("not now"), 1
    await world.look()
    begun = (await world.state()).planned_at
    assert ((await world.shown()).error, begun) == ("not now", world.clock.now())
    world.desk.dies_after = None
    world.clock.advance(5 * MINUTE)
    await world.look()

    assert (await world.shown()).error is None
    assert (await world.state()).failures == 0
    # The same operation went on: what was placed before is not placed again.
    assert list(world.desk.planned) == [f"auto_balance:{world.account.id}:{begun}"]
    assert [order.side for order in world.desk.placed] == ["sell", "buy"]


async def test_a_process_that_dies_in_a_run_leaves_it_to_be_gone_on_with(world: World) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    world.desk.dies_after = 1
    with pytest.raises(asyncio.CancelledError):
        await world.balancer.run_due(Due(*world.own, world.clock.now()))
    world.desk.dies_after = None
    await world.look()
    assert len(world.desk.placed) == 1
    world.clock.advance(4 * MINUTE)
    await world.look()

    assert len(world.desk.planned) == 1
    assert [order.side for order in world.desk.placed] == ["sell", "buy"]
    assert (await world.state()).planned_at is None


BY_PRICE = {"method": "currency_change", "currency_change_limit": 10}


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        (BY_PRICE, {**BY_PRICE, "enabled": False}),
        (BY_PRICE, {"method": "time"}),
        # From now on another move is waited for.
        (BY_PRICE, BY_PRICE),
        ({"method": "time"}, {"enabled": False}),
        ({"method": "time"}, BY_PRICE),
    ],
)
async def test_settings_that_are_made_while_an_account_waits_for_its_turn_count(
    world: World, before: dict[str, Any], meanwhile: dict[str, Any]
) -> None:
    await world.switch_on(**before)
    world.clock.advance(2 * HOUR)
    await add_book(world.store, world.clock.now(), ETH="3000")
    run_all, found = world.worker._run_all, []

    async def later(due: Sequence[Due]) -> None:
        found.extend(due)
        world.clock.advance(MINUTE)
        await world.switch_on(**meanwhile)
        await run_all(due)

    world.worker._run_all = later  # type: ignore[method-assign]
    is_by_price = before["method"] != "time"
    await (world.worker.run_moved() if is_by_price else world.worker.run_due())

    assert len(found) == 1
    assert world.desk.placed == []
    state = await world.state()
    assert (state.planned_at, (await world.shown()).last_at) == (None, None)
    assert (state.next_at is None) == (meanwhile.get("enabled") is False)


async def test_several_workers_do_it_once(world: World) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    others = [BalanceWorker(world.store, world.balancer, world.clock) for _ in range(4)]
    await asyncio.gather(*(each.run_due() for each in (world.worker, *others)))

    assert len(world.desk.placed) == 2
    assert len(world.desk.planned) == 1


async def test_two_runs_by_hand_at_once_are_one(world: World) -> None:
    await world.switch_on()
    world.reader.may_end.clear()
    first = asyncio.create_task(world.balancer.run(*world.own))
    await world.reader.has_begun.wait()
    with pytest.raises(AlreadyRunning):
        await world.balancer.run(*world.own)
    world.reader.may_end.set()
    assert (await first).state == "done"
    async with world.store.transaction() as tx:
        await tx.balancing.remove(*world.own)
    with pytest.raises(AlreadyRunning):
        await world.balancer.run(*world.own)


@pytest.mark.parametrize("state", ["partly", "failed"])
async def test_orders_that_were_not_filled_are_a_failure_and_planned_anew(
    world: World, state: str
) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    world.desk.state = state
    await world.look()

    assert "operation 7 filled " in ((await world.shown()).error or "")
    found = await world.state()
    assert (found.failures, found.planned_at) == (1, None)
    assert found.next_at == world.clock.now() + 5 * MINUTE


async def test_nothing_is_planned_anew_while_an_order_of_before_may_be_filled_yet(
    world: World,
) -> None:
    await world.switch_on()
    world.clock.advance(2 * HOUR)
    world.desk.state = "running"
    await world.look()
    placed, begun = len(world.desk.placed), (await world.state()).planned_at
    assert begun is not None
    world.clock.advance(MINUTE)
    ran = await world.balancer.run(*world.own)
    assert (ran.state, ran.error) == ("failed", "what was begun before is not at its end yet")
    assert (await world.state()).planned_at == begun
    assert (len(world.desk.placed), len(world.desk.planned)) == (placed, 1)
    world.desk.state = "done"
    assert (await world.balancer.run(*world.own)).state == "done"
    assert (await world.state()).planned_at is None


@pytest.mark.parametrize("how", ["died", "running", "died_by_hand", "failed_by_hand"])
async def test_what_was_switched_off_comes_to_its_end_and_plans_nothing_anew(
    world: World, how: str
) -> None:
    is_by_hand = how.endswith("by_hand")
    await world.switch_on(enabled=not is_by_hand)
    world.clock.advance(2 * HOUR)
    run = partial(world.balancer.run, *world.own) if is_by_hand else world.look
    if how.startswith("died"):
        world.desk.dies_after = 1
        with pytest.raises(asyncio.CancelledError):
            await run()
    else:
        world.desk.state = "running"
        await run()
    world.desk.dies_after, world.desk.state = None, "done"
    if is_by_hand and how.startswith("failed"):
        # Another one by hand brings it to its end, and cannot plan.
        world.clock.advance(MINUTE)
        world.reader.result = Result(Outcome.HELD_BACK)
        assert (await world.balancer.run(*world.own)).state == "failed"
        world.reader.result = Result(Outcome.COMPLETE)
    else:
        await world.switch_on(enabled=False)
    world.clock.advance(5 * MINUTE)
    await add_book(world.store, world.clock.now(), ETH="1000", SOL="200")
    for _ in range(2):
        await world.look()

    assert [order.side for order in world.desk.placed] == ["sell", "buy"]
    assert await world.state() == replace(await world.state(), next_at=None, planned_at=None)
    assert (await world.shown()).error is not None
    assert not (await world.shown()).enabled


async def test_what_cannot_be_traded_is_told(world: World) -> None:
    world.desk.pairs = ()
    await world.switch_on()
    await world.balancer.run(*world.own)

    assert (await world.shown()).error == (
        "could not be brought to their shares: BTC (no_pair), ETH (no_pair), USDT (no_pair)"
    )


async def test_what_is_traded_in_part_is_a_good_run_that_tells_what_is_left(world: World) -> None:
    world.desk.pairs = PAIRS[:1]
    await world.switch_on()
    ran = await world.balancer.run(*world.own)

    assert (ran.state, [order.base for order in world.desk.placed]) == ("done", ["BTC"])
    shown = await world.shown()
    assert shown.error == "could not be brought to their shares: ETH (no_pair)"
    assert shown.last_at == NOW


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("done", "what was begun is at its end"),
        ("partly", "operation 7 filled only some of its orders: the exchange knows no such order"),
    ],
)
async def test_what_a_dead_process_left_of_a_run_by_hand_is_told(
    world: World, state: str, told: str
) -> None:
    await world.switch_on(enabled=False)
    world.desk.dies_after = 1
    with pytest.raises(asyncio.CancelledError):
        await world.balancer.run(*world.own)
    lost = "the exchange knows no such order"
    world.desk.steps = [Step(0, "order", "BTC", "USDT", "sell", D(1), "a", "refused", why=lost)]
    world.desk.dies_after, world.desk.state = None, state
    world.clock.advance(5 * MINUTE)
    await world.look()

    start = "nothing is planned anew, since it is switched off; "
    assert (await world.shown()).error == start + told


async def test_why_an_order_was_not_filled_is_told(world: World) -> None:
    await world.switch_on()
    sold = Step(0, "order", "BTC", "USDT", "sell", D(1), "a", "filled", why="cut")
    refused = Step(1, "order", "ETH", "USDT", "buy", D(1), "b", "refused", why="the book is thin")
    skipped = Step(2, "order", "SOL", "USDT", "buy", D(1), "c", "skipped", why="nothing to spend")
    world.desk.state, world.desk.steps = "partly", [sold, refused, skipped]
    ran = await world.balancer.run(*world.own)

    assert ran.error == "operation 7 filled only some of its orders: the book is thin"


async def test_a_locked_account_and_a_doubtful_reading_are_not_traded_on(world: World) -> None:
    await world.switch_on()
    async with world.store.transaction() as tx:
        await tx.accounts.record_status(
            *world.own,
            AccountStatus(
                world.account.sync, "expired", is_locked=True, lock_reason="invalid_api_key"
            ),
            NOW,
        )
    with pytest.raises(CannotBalance, match="locked"):
        await world.planner.make(*world.own)
    world.reader.result = Result(Outcome.HELD_BACK)
    with pytest.raises(CannotBalance, match="much less than before"):
        await world.planner.make(*world.own)


async def test_what_the_server_refuses_is_told_and_nothing_is_left_to_go_on_with(
    world: World,
) -> None:
    await world.switch_on()
    world.desk.refusal = NotAllowed("orders and transfers are off on this server")
    ran = await world.balancer.run(*world.own)
    assert ran.error == "orders and transfers are off on this server"
    found = await world.state()
    assert (found.failures, found.planned_at) == (0, None)


async def test_prices_that_are_old_are_not_traded_on(world: World) -> None:
    await world.switch_on()
    world.clock.advance(30 * MINUTE)
    world.rounds.is_silent = True
    with pytest.raises(CannotBalance, match="too long ago"):
        await world.planner.make(*world.own)


async def test_settings_that_are_removed_meanwhile_stay_removed(world: World) -> None:
    await world.switch_on()

    async def removing(user_id: int, account_id: int) -> Tradable:
        await world.settings.unset(user_id, account_id)
        return Tradable((), {})

    world.desk.tradable = removing  # type: ignore[method-assign]
    ran = await world.balancer.run(*world.own)
    assert ran.error == "the account has no portfolio to be rebalanced to"
    assert await world.shown() == AutoBalance()


@pytest.mark.parametrize(
    ("owner", "name"), [(AutoBalances, "finish"), (Accounts, "set_auto_balance")]
)
@pytest.mark.parametrize("is_kept", [True, False])
async def test_settings_that_are_made_while_a_run_ends_are_not_undone(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, is_kept: bool
) -> None:
    await world.switch_on()

    async def change() -> None:
        if is_kept:
            await world.switch_on(enabled=False)
        else:
            await world.settings.unset(*world.own)

    changes = begun_before(monkeypatch, owner, name, change)
    assert (await world.balancer.run(*world.own)).state == "done"
    await asyncio.gather(*changes)

    assert not (await world.shown()).enabled
    if is_kept:
        assert (await world.state()).next_at is None


async def test_settings_that_are_made_while_prices_are_looked_at_are_not_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.switch_on(**BY_PRICE)
    async with world.store.transaction() as tx:
        await tx.balancing.put(*world.own, BalanceState(NOW))

    async def change() -> None:
        await world.switch_on(**BY_PRICE, enabled=False)

    changes = begun_before(monkeypatch, AutoBalances, "put", change)
    await world.worker.run_moved()
    await asyncio.gather(*changes)

    assert (await world.state()).next_at is None


async def test_settings_that_are_made_while_an_order_is_written_down_wait_for_it(
    world: World,
) -> None:
    await world.switch_on()
    claim = {"now": NOW, "until": Millis(NOW + MINUTE)}
    async with world.store.transaction() as tx:
        await tx.accounts.claim(*world.own, "operation", **claim)
        await tx.balancing.claim(*world.own, "run", **claim)
    async with world.store.transaction() as tx:
        assert await tx.balancing.planned_at(*world.own, is_held=True) == NOW
        change = asyncio.create_task(world.switch_on(enabled=False))
        await asyncio.wait([change], timeout=0.3)
        assert await tx.accounts.renew(*world.own, "operation", Millis(NOW + HOUR))
    await change

    assert not (await world.shown()).enabled
