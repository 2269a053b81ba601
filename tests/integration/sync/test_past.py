"""Walks back through the past, on both databases, with a told venue; and transfers found there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.connectors.past import PastFlows, PastRequest
from coffers.connectors.reading import (
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
)
from coffers.markets.catalogue import Market, load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.listing import Listing
from coffers.portfolio.view import AccountView
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.flows import FlowFilter
from coffers.store.records import Account
from coffers.store.walks import Walk
from coffers.sync.flows import FLOWS_OVERLAP, FlowValuer
from coffers.sync.past import PastWalker
from coffers.sync.policy import Pace
from coffers.sync.syncer import Outcome, Syncer
from coffers.sync.walk_worker import WalkWorker
from coffers.valuation.model import Flow, Price
from coffers.valuation.transfers import Transfer
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW, position
from fakes import FakeConnector, FakePast

BEGAN = Millis(NOW - FLOWS_OVERLAP)


def prices(at: Millis) -> dict[str, Price]:
    worths = {"BTC": ("1", "60000"), "ETH": ("0.05", "3000")}
    return {
        asset: Price(Decimal(btc), Decimal(usd), (f"{asset}/USD",), ("binance",), at)
        for asset, (btc, usd) in worths.items()
    }


def flow(name: str, at: int, **changes: Any) -> Flow:
    made = Flow(name, "in", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", Millis(at))
    return replace(made, **changes)


def step(*flows: Flow, since: int, cursor: str | None = "next", **changes: Any) -> PastFlows:
    made = PastFlows(flows, Millis(since), Millis(NOW - 999 * DAY), cursor, is_whole=True)
    return replace(made, **changes)


@dataclass
class FakePasts:
    """A venue's past, answered as told; keeps what it was asked."""

    answers: list[PastFlows | Exception] = field(default_factory=list)
    asked: list[tuple[PastRequest, Credentials]] = field(default_factory=list)
    meanwhile: Callable[[], Any] | None = None

    async def past_flows(
        self, market: Market, credentials: Credentials, request: PastRequest
    ) -> PastFlows:
        self.asked.append((request, credentials))
        if self.meanwhile is not None:
            await self.meanwhile()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class House:
    """An account that was read once, and what walks back through its past."""

    store: Store
    clock: ManualClock
    connector: FakeConnector
    past: FakePasts
    candles: FakePast
    syncer: Syncer
    walker: PastWalker
    connecting: Connecting
    account: Account

    @property
    def own(self) -> tuple[int, int]:
        return self.account.user_id, self.account.id

    async def step(self, *answers: PastFlows | Exception) -> Walk:
        self.past.answers = list(answers)
        await self.walker.step(*self.own)
        return await self.walk()

    async def walk(self) -> Walk:
        async with self.store.reading() as tx:
            found = await tx.walks.get(*self.own)
        assert found is not None
        return found

    async def flows(self) -> list[Flow]:
        async with self.store.reading() as tx:
            found = await tx.history.flow_page(*self.own, FlowFilter(), 999)
        return [each.flow for each in found]

    async def transfers(self) -> frozenset[Transfer]:
        async with self.store.reading() as tx:
            return await tx.transfers.of_user(self.account.user_id)

    async def read(self, account: Account, *flows: Flow) -> None:
        self.clock.advance(MINUTE)
        at = self.clock.now()
        async with self.store.transaction() as tx:
            await tx.prices.save_book(prices(at), at)
        held = (position("BTC", "1"),)
        self.connector.answer = Reading(at, frozenset({"spot"}), held, flows=flows)
        result = await self.syncer.sync(account.user_id, account.id)
        assert result.outcome is Outcome.COMPLETE

    async def another(self) -> Account:
        made = await self.connecting.connect(
            Connection(
                self.account.user_id, "kraken", "Other", Credentials("k2", Secret("fake-secret"))
            )
        )
        await self.read(made)
        return made

    async def view(self) -> AccountView:
        async with self.store.reading() as tx:
            account = await tx.accounts.get(*self.own)
            book = await tx.prices.newest()
        assert account is not None
        (shown,) = await Listing(self.store, self.clock).views(
            account.user_id, [account], book, "USD"
        )
        return shown


@pytest.fixture
async def house(store: Store) -> House:
    clock, key, catalogue = ManualClock(NOW), new_key(), load_catalogue()
    vault = Vault(lambda: KeyRing([key]))
    reading = Reading(NOW, frozenset({"spot"}), (position("BTC", "1"),))
    connector, past, candles = FakeConnector(reading), FakePasts(), FakePast()
    valuer = FlowValuer(store, candles)
    pace = Pace(Millis(5 * MINUTE), lambda: 0.5)
    syncer = Syncer(store, vault, catalogue, connector, valuer, clock, pace)
    walker = PastWalker(store, vault, catalogue, past, valuer, clock, MINUTE)
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
        await tx.prices.save_book(prices(NOW), NOW)
    connecting = Connecting(store, vault, catalogue, connector, clock, "refuse_withdraw")
    credentials = Credentials("fake-key", Secret("fake-secret"))
    account = await connecting.connect(Connection(user.id, "binance", "Main", credentials))
    assert (await syncer.sync(user.id, account.id)).outcome is Outcome.COMPLETE
    return House(store, clock, connector, past, candles, syncer, walker, connecting, account)


async def test_the_first_reading_begins_the_walk_where_it_did_not_look(house: House) -> None:
    assert await house.walk() == Walk(BEGAN, BEGAN, next_at=NOW)
    await house.read(house.account)
    assert await house.walk() == Walk(BEGAN, BEGAN, next_at=NOW)


async def test_a_step_stores_its_flows_and_where_the_walk_stands(house: House) -> None:
    old = flow("d1", BEGAN - DAY, txid="0xaa")
    walk = await house.step(step(old, since=BEGAN - 90 * DAY))
    assert house.past.asked == [
        (PastRequest(BEGAN), Credentials("fake-key", Secret("fake-secret")))
    ]
    assert await house.flows() == [old]
    assert walk == Walk(
        BEGAN,
        Millis(BEGAN - 90 * DAY),
        Millis(NOW - 999 * DAY),
        "next",
        steps=1,
        next_at=Millis(NOW + MINUTE),
    )
    await house.step(step(old, flow("d2", BEGAN - 95 * DAY), since=BEGAN - 180 * DAY))
    assert house.past.asked[-1][0] == PastRequest(BEGAN, "next")
    assert [one.external_id for one in await house.flows()] == ["d1", "d2"]


async def test_a_gap_is_remembered_and_the_end_is_an_end(house: House) -> None:
    await house.step(step(since=BEGAN - DAY, is_whole=False))
    walk = await house.step(step(since=NOW - 999 * DAY, cursor=None))
    assert (walk.is_complete, walk.has_gaps, walk.steps) == (True, True, 2)
    assert (await house.step()).next_at is None
    await house.walker.step(*house.own)
    assert len(house.past.asked) == 2


async def test_old_flows_change_no_figure_and_burden_no_reading(house: House) -> None:
    before = await house.view()
    odd = [flow(f"odd{n}", BEGAN - n * HOUR - 1, asset="ODD") for n in range(50)]
    await house.step(step(*odd, since=BEGAN - 90 * DAY))
    after = await house.view()
    assert (after.figures, after.quality) == (before.figures, before.quality)
    house.candles.asked.clear()
    await house.read(house.account)
    assert house.candles.asked == []
    assert (await house.view()).quality.flows_known


async def test_once_complete_old_flows_are_valued_a_few_at_a_time(house: House) -> None:
    old = [flow(f"d{n}", BEGAN - n * DAY - 1, asset="ETH") for n in range(3)]
    walk = await house.step(step(*old, since=NOW - 999 * DAY, cursor=None))
    house.candles.prices = prices(NOW)
    assert (walk.is_complete, walk.next_at) == (True, NOW + MINUTE)
    walk = await house.step()
    worths = [one.value for one in await house.flows()]
    assert [worth is not None for worth in worths] == [True, True, False]
    assert walk.next_at == NOW + MINUTE
    walk = await house.step()
    assert all(one.value is not None for one in await house.flows())
    assert walk.next_at is None


async def test_what_nothing_prices_is_looked_at_ever_more_rarely_and_then_no_more(
    house: House,
) -> None:
    odd = flow("odd", BEGAN - DAY, asset="ODD")
    walk = await house.step(step(odd, since=NOW - 999 * DAY, cursor=None))
    waits = []
    while walk.next_at is not None:
        house.clock.advance(walk.next_at - house.clock.now())
        walk = await house.step()
        waits.append(0 if walk.next_at is None else walk.next_at - house.clock.now())
        assert len(waits) < 99
    assert waits[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert waits[-2:] == [7 * DAY, 0]
    assert len(house.candles.asked) == 20


async def test_a_flow_in_the_figures_is_looked_at_ever_more_rarely_too(house: House) -> None:
    odd = flow("odd", NOW + MINUTE, asset="ODD")
    await house.read(house.account, odd)
    for _ in range(60):
        await house.read(house.account)
    # At once, and then after 1, 2, 4, 8 and 16 minutes.
    assert len(house.candles.asked) == 7
    assert not (await house.view()).quality.flows_known


@pytest.mark.parametrize("kind", FailureKind)
async def test_a_failure_leaves_the_walk_where_it_was_and_the_account_alone(
    house: House, kind: FailureKind
) -> None:
    before = await house.view()
    first = await house.walk()
    failure = ConnectorFailure(kind, "the venue says no")
    walk = await house.step(failure)
    assert walk == replace(
        first, failures=1, failure_message="the venue says no", next_at=walk.next_at
    )
    again = await house.step(failure)
    assert first.next_at is not None
    assert walk.next_at is not None
    assert again.next_at is not None
    assert NOW + MINUTE <= walk.next_at <= again.next_at
    assert (await house.view()).account == before.account
    healed = await house.step(step(since=BEGAN - DAY))
    assert (healed.failures, healed.failure_message) == (0, None)


async def test_a_venue_that_asks_for_a_long_pause_gets_it(house: House) -> None:
    failure = ConnectorFailure(FailureKind.RATE_LIMITED, "slow down", retry_after=9 * HOUR)
    assert (await house.step(failure)).next_at == NOW + 9 * HOUR


async def test_a_key_is_never_used_by_a_step_and_a_reading_at_once(house: House) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        started.set()
        await release.wait()

    house.past.meanwhile = wait
    walking = asyncio.create_task(house.step(step(since=BEGAN - DAY)))
    await started.wait()
    assert (await house.syncer.sync(*house.own)).outcome is Outcome.BUSY
    await house.walker.step(*house.own)
    assert len(house.past.asked) == 1
    release.set()
    assert (await walking).steps == 1
    assert (await house.syncer.sync(*house.own)).outcome is Outcome.COMPLETE


async def test_a_step_of_an_account_that_is_being_read_does_nothing(house: House) -> None:
    async with house.store.transaction() as tx:
        until = Millis(NOW + MINUTE)
        assert await tx.accounts.claim(*house.own, "a reading", now=NOW, until=until)
    assert (await house.step()).steps == 0
    assert house.past.asked == []


async def test_an_account_removed_meanwhile_leaves_nothing(house: House) -> None:
    async def remove() -> None:
        async with house.store.transaction() as tx:
            await tx.accounts.remove(*house.own)

    house.past.meanwhile = remove
    house.past.answers = [step(flow("d1", BEGAN - DAY), since=BEGAN - 2 * DAY)]
    await house.walker.step(*house.own)
    async with house.store.reading() as tx:
        assert await tx.walks.get(*house.own) is None
    assert await house.flows() == []


async def test_a_fault_of_ours_is_raised_and_not_run_into_at_once_again(house: House) -> None:
    with pytest.raises(KeyError):
        await house.step(KeyError("ours"))
    walk = await house.walk()
    assert (walk.steps, walk.next_at) == (0, NOW + 15 * MINUTE)
    assert (await house.syncer.sync(*house.own)).outcome is Outcome.COMPLETE


async def test_the_worker_lets_every_walk_go_on_that_may(house: House) -> None:
    worker = WalkWorker(house.store, house.walker, house.clock)
    house.past.answers = [KeyError("ours"), step(since=BEGAN - DAY)]
    await worker.walk()
    assert (await house.walk()).steps == 0
    house.clock.advance(15 * MINUTE)
    await worker.walk()
    assert len(house.past.asked) == 1, "a reading is due first"
    await house.read(house.account)
    house.past.answers = [step(since=BEGAN - DAY)]
    asked = asyncio.Event()

    async def note() -> None:
        asked.set()

    house.past.meanwhile = note
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        await asked.wait()
    worker.stop()
    await running
    assert (await house.walk()).steps == 1
    assert len(house.past.asked) == 2


SENT = flow("w1", BEGAN - 5 * DAY, direction="out")
CAME = flow("d1", BEGAN - 5 * DAY + HOUR)


async def test_two_steps_find_a_transfer_whichever_comes_first(house: House) -> None:
    other = await house.another()
    await house.step(step(SENT, since=BEGAN - 90 * DAY))
    assert await house.transfers() == frozenset()
    house.past.answers = [step(CAME, since=BEGAN - 90 * DAY)]
    await house.walker.step(other.user_id, other.id)
    paired = Transfer(house.account.id, "w1", other.id, "d1")
    assert await house.transfers() == {paired}
    # A second one that might be meant as well leaves it open, and the transaction settles it.
    rival = flow("d2", BEGAN - 5 * DAY + 2 * HOUR)
    await house.step(step(replace(rival, direction="out"), since=BEGAN - 180 * DAY))
    assert await house.transfers() == frozenset()


async def test_readings_find_a_transfer_and_telling_it_again_changes_nothing(
    house: House,
) -> None:
    other = await house.another()
    sent, came = flow("w9", NOW + MINUTE, direction="out"), flow("d9", NOW + 2 * MINUTE)
    await house.read(house.account, sent)
    for _ in range(2):
        await house.read(other, came)
    assert await house.transfers() == {Transfer(house.account.id, "w9", other.id, "d9")}


async def test_two_accounts_that_are_written_at_once_find_their_transfer(house: House) -> None:
    other = await house.another()
    both = asyncio.Barrier(2)
    house.past.meanwhile = both.wait
    house.past.answers = [step(SENT, since=BEGAN - DAY), step(CAME, since=BEGAN - DAY)]
    await asyncio.gather(house.walker.step(*house.own), house.walker.step(other.user_id, other.id))
    assert len(await house.transfers()) == 1
