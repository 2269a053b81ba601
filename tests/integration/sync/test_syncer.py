"""A reading from the sealed key to the stored snapshot, on both databases, with a told venue."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.cli.account_output import _state
from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.connectors.reading import (
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.listing import Listing
from coffers.portfolio.view import AccountView
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.errors import StoreUnavailable
from coffers.store.records import Account, AssetMapping
from coffers.sync import turns
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Outcome, Result, Syncer
from coffers.valuation.contract import Contract
from coffers.valuation.model import Flow, HeldBack, Meanings, Position, Price
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW, position
from fakes import Answer, FakeConnector, FakePast, Script

PRICES = {"BTC": ("1", "60000"), "USDT": ("0.0000166", "1"), "ETH": ("0.05", "3000")}


def prices(at: Millis, **changes: tuple[str, str]) -> dict[str, Price]:
    return {
        asset: Price(Decimal(btc), Decimal(usd), (f"{asset}/USD",), ("binance",), at)
        for asset, (btc, usd) in (PRICES | changes).items()
    }


def reading(*positions: Position, at: Millis = NOW, **changes: Any) -> Reading:
    return replace(Reading(at, frozenset({"spot"}), positions), **changes)


@dataclass
class House:
    """The rooms that a reading goes through, with one account connected."""

    store: Store
    clock: ManualClock
    connector: FakeConnector
    past: FakePast
    syncer: Syncer
    account: Account

    async def book(self, **changes: tuple[str, str]) -> None:
        async with self.store.transaction() as tx:
            await tx.prices.save_book(prices(self.clock.now(), **changes), self.clock.now())

    async def read(self, answer: Answer) -> Result:
        if isinstance(answer, Reading):
            answer = replace(answer, at=self.clock.now())
        return await self.read_with(answer)

    async def read_with(self, answer: Answer | Script) -> Result:
        self.connector.answer = answer
        return await self.syncer.sync(self.account.user_id, self.account.id)

    async def contracts(self) -> list[Contract]:
        async with self.store.reading() as tx:
            return await tx.holdings.contracts_of(self.account.user_id, self.account.id)

    async def view(self) -> AccountView:
        async with self.store.reading() as tx:
            account = await tx.accounts.get(self.account.user_id, self.account.id)
            book = await tx.prices.newest()
        assert account is not None
        (shown,) = await Listing(self.store, self.clock).views(
            account.user_id, [account], book, "USD"
        )
        return shown


@pytest.fixture
async def house(store: Store) -> House:
    clock = ManualClock(NOW)
    key = new_key()
    vault = Vault(lambda: KeyRing([key]))
    connector, past = FakeConnector(reading(position("BTC", "1"))), FakePast()
    catalogue = load_catalogue()
    syncer = Syncer(
        store,
        vault,
        catalogue,
        connector,
        FlowValuer(store, past),
        clock,
        Pace(Millis(5 * MINUTE), lambda: 0.5),
    )
    async with store.transaction() as tx:
        user = await tx.users.add("ann", clock.now())
        await tx.prices.save_book(prices(clock.now()), clock.now())
    connecting = Connecting(store, vault, catalogue, connector, clock, "refuse_withdraw")
    credentials = Credentials("fake-key", Secret("fake-secret"))
    account = await connecting.connect(Connection(user.id, "binance", "Main", credentials))
    return House(store, clock, connector, past, syncer, account)


def failure(kind: FailureKind, code: str = "x") -> ConnectorFailure:
    return ConnectorFailure(kind, "the venue says no", code=code)


async def test_the_first_reading_is_the_opening_deposit(house: House) -> None:
    assert (await house.read(reading(position("BTC", "1")))).outcome is Outcome.COMPLETE
    shown = await house.view()
    assert shown.figures.usd.amount == 60000
    assert shown.figures.usd.total == 0
    assert shown.quality.is_complete


async def test_the_credentials_are_opened_as_they_were_given(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    assert house.connector.opened[-1] == Credentials("fake-key", Secret("fake-secret"))


async def test_a_rise_in_price_is_profit_and_a_deposit_is_not(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(DAY)
    await house.book(BTC=("1", "66000"))
    deposit = Flow("d1", "in", "ETH", "ETH", Decimal(2), Decimal(0), "ETH", house.clock.now())
    await house.read(reading(position("BTC", "1"), position("ETH", "2"), flows=(deposit,)))
    shown = await house.view()
    assert shown.figures.usd.amount == 72000
    assert shown.figures.usd.total == 6000
    assert shown.figures.usd.day is not None
    assert shown.figures.usd.day.profit == 6000
    assert shown.figures.btc.total == 0


async def test_the_same_flow_told_again_counts_once(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(HOUR)
    await house.book()
    deposit = Flow("d1", "in", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", house.clock.now())
    for _ in range(2):
        await house.read(reading(position("BTC", "2"), flows=(deposit,)))
        house.clock.advance(MINUTE)
    assert (await house.view()).figures.usd.total == 0
    assert ("in", "d1") in house.connector.asked[-1].known_flows


async def test_a_flow_far_from_any_price_book_is_valued_by_candles(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    happened = Millis(house.clock.now() + DAY)
    house.clock.advance(2 * DAY)
    await house.book(ETH=("0.06", "3600"))
    house.past.prices = prices(happened, ETH=("0.055", "3300"))
    deposit = Flow("d1", "in", "ETH", "ETH", Decimal(1), Decimal(0), "ETH", happened)
    await house.read(reading(position("BTC", "1"), position("ETH", "1"), flows=(deposit,)))
    assert house.past.asked == [("binance", "ETH", happened)]
    assert (await house.view()).figures.usd.total == 300


async def test_a_flow_of_unknown_worth_is_marked_and_valued_later(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(DAY)
    await house.book()
    odd = Flow("d1", "in", "ODD", "ODD", Decimal(1), Decimal(0), "ODD", house.clock.now())
    await house.read(reading(position("BTC", "1"), position("ODD", "1"), flows=(odd,)))
    shown = await house.view()
    assert not shown.quality.flows_known
    assert shown.quality.unpriced == ("ODD",)
    house.past.prices = {"ODD": Price(Decimal("0.1"), Decimal(6000), (), (), NOW)}
    house.clock.advance(MINUTE)
    await house.read(reading(position("BTC", "1"), position("ODD", "1")))
    assert (await house.view()).quality.flows_known


async def test_what_a_flow_is_worth_is_shown_although_the_reading_was_none(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(DAY)
    await house.book()
    odd = Flow("d1", "in", "ODD", "ODD", Decimal(1), Decimal(0), "ODD", house.clock.now())
    await house.read(reading(position("BTC", "1"), flows=(odd,)))
    # As of an account that changes whenever it is read.
    unread = replace(reading(), wallets=frozenset(), missing={"spot": "it changed"})
    versions = []
    for prices_of_the_past in ({}, {}, {"ODD": Price(Decimal("0.1"), Decimal(6000), (), (), NOW)}):
        house.past.prices = prices_of_the_past
        house.clock.advance(HOUR)
        await house.read(unread)
        versions.append((await house.view()).account.version)
    assert versions[0] == versions[1] < versions[2]
    assert (await house.view()).figures.usd.total == -6000


@pytest.mark.parametrize("kind", FailureKind)
async def test_no_failure_changes_what_was_known(house: House, kind: FailureKind) -> None:
    await house.read(reading(position("BTC", "1")))
    before = await house.view()
    house.clock.advance(HOUR)
    for _ in range(3):
        result = await house.read(failure(kind))
        assert result.outcome is Outcome.FAILED
        house.clock.advance(MINUTE)
    after = await house.view()
    assert after.figures == before.figures
    assert after.quality.read_at == before.quality.read_at
    assert after.account.sync.failure_message == "the venue says no"


async def test_another_accounts_answer_changes_nothing_however_rich_it_is(house: House) -> None:
    mine = reading(position("BTC", "1"), identity="mine")
    assert (await house.read(mine)).outcome is Outcome.COMPLETE
    before = await house.view()
    assert before.account.venue_identity == "mine"
    house.clock.advance(HOUR)
    await house.book()
    theirs = reading(position("BTC", "9"), identity="theirs")
    for _ in range(3):
        result = await house.read(theirs)
        assert result.outcome is Outcome.FAILED
        assert result.failure is not None
        assert result.failure.kind is FailureKind.UNEXPECTED_ANSWER
        assert result.failure.code == "other_account"
        house.clock.advance(MINUTE)
    after = await house.view()
    assert after.figures == before.figures
    assert after.quality.read_at == before.quality.read_at
    assert (after.account.venue_identity, after.account.is_locked) == ("mine", False)
    assert (await house.read(mine)).outcome is Outcome.COMPLETE
    assert (await house.view()).account.sync.failure_message is None


async def test_an_account_is_named_by_the_first_accepted_reading_that_tells(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    assert (await house.view()).account.venue_identity is None
    assert (await house.read(reading(identity="doubtful"))).outcome is Outcome.HELD_BACK
    assert (await house.view()).account.venue_identity is None
    await house.read(reading(position("BTC", "1"), identity="mine"))
    named = (await house.view()).account
    assert named.venue_identity == "mine"
    assert (await house.read(reading(position("BTC", "2")))).outcome is Outcome.COMPLETE
    assert (await house.view()).account.venue_identity == "mine"


async def test_two_equal_refusals_lock_and_a_good_reading_unlocks(house: House) -> None:
    await house.read(failure(FailureKind.KEY_REFUSED, "-2015"))
    assert not (await house.view()).account.is_locked
    await house.read(failure(FailureKind.KEY_REFUSED, "-2015"))
    locked = (await house.view()).account
    assert (locked.is_locked, locked.lock_reason, locked.key_state) == (
        True,
        "invalid_api_key",
        "expired",
    )
    await house.read(reading(position("BTC", "1")))
    again = (await house.view()).account
    assert (again.is_locked, again.lock_reason, again.key_state) == (False, None, "ok")


async def test_an_empty_reading_is_held_back_until_a_second_one_agrees(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(HOUR)
    await house.book()
    assert (await house.read(reading())).outcome is Outcome.HELD_BACK
    doubted = await house.view()
    assert doubted.figures.usd.amount == 60000
    assert "held back: a second reading must agree" in _state(doubted, house.clock.now(), HOUR)
    house.clock.advance(MINUTE)
    assert (await house.read(reading())).outcome is Outcome.COMPLETE
    assert (await house.view()).figures.usd.amount == 0


async def test_an_outage_between_the_two_ends_the_doubt(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    await house.read(reading())
    assert (await house.read(reading(position("BTC", "1")))).outcome is Outcome.COMPLETE
    assert (await house.read(reading())).outcome is Outcome.HELD_BACK


async def test_a_partial_reading_keeps_what_was_known_of_the_missing_wallet(house: House) -> None:
    both = frozenset({"spot", "funding"})
    await house.read(
        reading(position("BTC", "1"), position("ETH", "1", wallet="funding"), wallets=both)
    )
    house.clock.advance(HOUR)
    await house.book()
    partial = reading(position("BTC", "2"), missing={"funding": "the venue did not answer"})
    assert (await house.read(partial)).outcome is Outcome.PARTIAL
    shown = await house.view()
    assert shown.figures.usd.amount == 123000
    assert shown.quality.missing_wallets == ("funding",)
    assert not shown.quality.is_complete


LONG = Contract("contracts", "BTC/USDT:USDT", "BTCUSDT", "long", Decimal("0.002"), "BTC", "USDT")


async def test_open_contracts_and_the_position_mode_are_kept(house: House) -> None:
    both = frozenset({"futures", "contracts"})
    equity = position("USDT", "100", wallet="futures", unrealised="-3.5")
    told = reading(equity, wallets=both, contracts=(LONG,), hedge_mode=True)
    assert (await house.read(told)).outcome is Outcome.COMPLETE
    shown = await house.view()
    assert shown.figures.usd.amount == Decimal("96.5")
    assert shown.account.hedge_mode
    assert await house.contracts() == [LONG]
    short = replace(LONG, side="short")
    await house.read(replace(told, contracts=(short,), hedge_mode=None))
    assert await house.contracts() == [short]
    assert (await house.view()).account.hedge_mode
    await house.read(replace(told, contracts=(), hedge_mode=False))
    assert await house.contracts() == []
    assert not (await house.view()).account.hedge_mode


async def test_contracts_that_could_not_be_read_stay_as_they_were(house: House) -> None:
    equity = position("USDT", "100", wallet="futures")
    wallets = frozenset({"futures", "contracts"})
    await house.read(reading(equity, wallets=wallets, contracts=(LONG,)))
    partial = reading(equity, wallets=frozenset({"futures"}), missing={"contracts": "no answer"})
    assert (await house.read(partial)).outcome is Outcome.PARTIAL
    assert await house.contracts() == [LONG]


async def test_a_partial_first_reading_opens_no_history(house: House) -> None:
    await house.read(reading(position("BTC", "1"), missing={"funding": "no answer"}))
    shown = await house.view()
    assert shown.figures.usd.amount == 60000
    assert shown.figures.usd.total is None


async def test_the_opening_waits_for_prices_of_its_own_venue(house: House) -> None:
    foreign = {asset: replace(price, sources=("kraken",)) for asset, price in prices(NOW).items()}
    async with house.store.transaction() as tx:
        await tx.prices.save_book(foreign, NOW)
    await house.read(reading(position("BTC", "1")))
    shown = await house.view()
    assert shown.figures.usd.total is None
    assert shown.account.sync.next_sync_at == NOW + MINUTE


async def test_stale_prices_make_no_snapshot(house: House) -> None:
    house.clock.advance(HOUR)
    await house.read(reading(position("BTC", "1")))
    assert (await house.view()).figures.usd.total is None


async def test_gains_of_a_day_are_not_told_while_a_reading_lies_ahead_of_the_clock(
    house: House,
) -> None:
    async def passes(hours: int, amount: str) -> AccountView:
        for _ in range(hours):
            house.clock.advance(HOUR)
            await house.book()
            await house.read(reading(position("BTC", amount)))
        return await house.view()

    ahead = 9 * DAY
    await house.read(reading(position("BTC", "1")))
    assert (await passes(30, "1")).figures.btc.day is not None
    house.clock.advance(ahead)
    assert (await passes(1, "1")).figures.btc.day is not None
    house.clock.advance(-ahead)
    for _ in range(3):
        shown = await passes(24, "1.5")
        assert (shown.figures.btc.amount, shown.figures.btc.total) == (1.5, 0.5)
        assert shown.figures.btc.day is shown.figures.btc.month is None
        assert shown.figures.usd.day is shown.figures.display.month is None
        assert shown.quality.is_ahead
        assert shown.quality.is_stale(house.clock.now(), HOUR)
    house.clock.advance(ahead)
    shown = await passes(1, "1.5")
    assert shown.figures.btc.day is not None
    assert not shown.quality.is_stale(house.clock.now(), HOUR)


async def test_prices_that_lie_ahead_of_the_clock_make_no_snapshot(house: House) -> None:
    house.clock.advance(HOUR)
    await house.book()
    house.clock.advance(-HOUR)
    await house.read(reading(position("BTC", "1")))
    assert (await house.view()).figures.usd.total is None


async def test_one_account_is_never_read_twice_at_once(house: House) -> None:
    started, release = asyncio.Event(), asyncio.Event()
    connector = house.connector
    usual: Callable[..., Any] = connector.read

    async def slow(*asked: Any) -> Reading:
        started.set()
        await release.wait()
        answer: Reading = await usual(*asked)
        return answer

    connector.read = slow  # type: ignore[method-assign]
    first = asyncio.create_task(house.read(reading(position("BTC", "1"))))
    await started.wait()
    second = await house.syncer.sync(house.account.user_id, house.account.id)
    release.set()
    assert second.outcome is Outcome.BUSY
    assert (await first).outcome is Outcome.COMPLETE


async def test_an_account_that_is_told_to_be_due_is_read_once(house: House) -> None:
    own = house.account.user_id, house.account.id
    asked = len(house.connector.asked)
    first, second = [await house.syncer.sync(*own, only_if_due=True) for _ in range(2)]
    assert (first.outcome, second.outcome) == (Outcome.COMPLETE, Outcome.NOT_DUE)
    assert len(house.connector.asked) == asked + 1
    house.clock.advance(5 * MINUTE)
    assert (await house.syncer.sync(*own, only_if_due=True)).outcome is Outcome.COMPLETE


async def test_a_reading_that_takes_long_keeps_its_claim_and_a_killed_one_loses_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "RENEW_EVERY", 0.01)
    own = house.account.user_id, house.account.id
    usual: Callable[..., Any] = house.connector.read

    async def is_claimed() -> bool:
        async with house.store.reading() as tx:
            return not await tx.accounts.due(Millis(house.clock.now() + 1), 1)

    async def slow(*asked: Any) -> Reading:
        for _ in range(3):
            house.clock.advance(turns.READING_CLAIM - 1)
            async with asyncio.timeout(10):
                while not await is_claimed():  # noqa: ASYNC110 - it is renewed by a task of its own
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
        answer: Reading = await usual(*asked)
        return replace(answer, at=house.clock.now())

    house.connector.read = slow  # type: ignore[method-assign]
    assert (await house.syncer.sync(*own)).outcome is Outcome.COMPLETE
    async with house.store.transaction() as tx:
        now = house.clock.now()
        await tx.accounts.due_at(*own, now)
        assert await tx.accounts.claim(
            *own, "killed", now=now, until=Millis(now + turns.READING_CLAIM)
        )
    assert (await house.syncer.sync(*own)).outcome is Outcome.BUSY
    house.clock.advance(turns.READING_CLAIM + 1)
    house.connector.read = usual  # type: ignore[method-assign]
    assert (await house.syncer.sync(*own)).outcome is Outcome.COMPLETE


async def test_an_account_removed_while_it_is_read_leaves_nothing(house: House) -> None:
    def remove_meanwhile(_credentials: Credentials, _request: ReadRequest) -> Answer:
        return reading(position("BTC", "1"), at=house.clock.now())

    house.connector.answer = remove_meanwhile
    usual: Callable[..., Any] = house.connector.read

    async def read_then_remove(*asked: Any) -> Reading:
        answer: Reading = await usual(*asked)
        async with house.store.transaction() as tx:
            await tx.accounts.remove(house.account.user_id, house.account.id)
        return answer

    house.connector.read = read_then_remove  # type: ignore[method-assign]
    await house.syncer.sync(house.account.user_id, house.account.id)
    async with house.store.reading() as tx:
        assert await tx.accounts.of_user(house.account.user_id) == []
        assert await tx.holdings.of_account(house.account.user_id, house.account.id) == []


async def test_a_key_that_expires_soon_shows_in_its_state(house: House) -> None:
    rights = KeyRights(read=True, expires_at=Millis(house.clock.now() + 3 * DAY))
    await house.read(reading(position("BTC", "1"), rights=rights))
    assert (await house.view()).account.key_state == "expire_soon"


async def test_a_fault_of_ours_is_raised_and_tried_again_later(house: House) -> None:
    def broken(_credentials: Credentials, _request: ReadRequest) -> Answer:
        raise KeyError("ours")

    house.connector.answer = broken
    with pytest.raises(KeyError):
        await house.syncer.sync(house.account.user_id, house.account.id)
    shown = await house.view()
    assert shown.account.sync.next_sync_at == house.clock.now() + 5 * MINUTE
    assert (await house.read(reading(position("BTC", "1")))).outcome is Outcome.COMPLETE


@pytest.mark.parametrize("step", [-HOUR, -400 * DAY])
async def test_a_clock_that_is_set_back_puts_no_reading_before_the_last_one(
    house: House, step: int
) -> None:
    await house.read(reading(position("BTC", "1")))
    opened = await house.view()
    house.clock.advance(step)
    await house.book()
    now = house.clock.now()
    # The venue dates by its own clock, which the connector puts on ours.
    deposit = Flow("d1", "in", "BTC", "BTC", Decimal(2), Decimal(0), "BTC", now)
    await house.read(reading(position("BTC", "3"), flows=(deposit,)))
    shown = await house.view()
    assert opened.account.sync.read_at is not None
    assert shown.account.sync.read_at == opened.account.sync.read_at + 1
    assert (shown.figures.btc.amount, shown.figures.btc.total) == (3, 0)
    house.clock.advance(-step + HOUR)
    await house.book()
    await house.read(reading(position("BTC", "3")))
    shown = await house.view()
    assert (shown.account.sync.read_at, shown.figures.btc.total) == (house.clock.now(), 0)


async def test_an_account_is_given_back_once_the_database_is_there_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TRY_AGAIN", 0.01)
    usual, is_away = house.store.transaction, asyncio.Event()

    @asynccontextmanager
    async def transaction(**how: Any) -> AsyncIterator[Transaction]:
        if is_away.is_set():
            raise StoreUnavailable("the database did not answer")
        async with usual(**how) as tx:
            yield tx

    async def answer(*asked: Any) -> Reading:
        is_away.set()
        return reading(position("BTC", "1"))

    monkeypatch.setattr(house.store, "transaction", transaction)
    monkeypatch.setattr(house.connector, "read", answer)
    with pytest.raises(StoreUnavailable):
        await house.syncer.sync(house.account.user_id, house.account.id)
    is_away.clear()
    # No time passes: the claim does not run out by itself.
    async with asyncio.timeout(10):
        while not await is_free(house):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


async def is_free(house: House) -> bool:
    own, now = (house.account.user_id, house.account.id), house.clock.now()
    async with house.store.transaction() as tx:
        return await tx.accounts.claim(*own, "another", now=now, until=Millis(now + MINUTE))


async def test_no_snapshot_is_taken_while_a_held_asset_s_price_is_in_doubt(house: House) -> None:
    await house.read(reading(position("BTC", "1"), position("ETH", "1")))
    house.clock.advance(DAY)
    leaped = Price(Decimal(1), Decimal(60000), ("ETH/USD",), ("binance",), house.clock.now())
    doubt = HeldBack(leaped, leaped, house.clock.now())
    known = prices(house.clock.now())
    del known["ETH"]
    async with house.store.transaction() as tx:
        await tx.prices.save_book(known, house.clock.now(), {"ETH": doubt})
    await house.read(reading(position("BTC", "1"), position("ETH", "1")))
    async with house.store.reading() as tx:
        at = [house.clock.now()]
        found = await tx.history.windows(
            house.account.user_id, [house.account.id], Millis(at[0] + DAY), Millis(at[0] + DAY)
        )
    assert [snapshot.at for snapshot in found[house.account.id].snapshots] in ([], [NOW])
    assert "ETH" in (await house.view()).quality.unpriced


async def test_a_payment_that_never_happened_leaves_no_flow(house: House) -> None:
    await house.read(reading(position("BTC", "2")))
    house.clock.advance(HOUR)
    await house.book()
    now = house.clock.now()
    sent = Flow("tx1", "out", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", now, txid="tx1")
    await house.read(reading(position("BTC", "1"), flows=(sent,)))
    assert (await house.view()).figures.usd.total == 0
    house.clock.advance(HOUR)
    await house.book()
    undone = frozenset({("out", "tx1")})
    await house.read(reading(position("BTC", "2"), flows_undone=undone))
    shown = await house.view()
    assert (shown.figures.usd.amount, shown.figures.usd.total) == (120000, 0)


NEIRO_THERE = {
    "NEIRO": Price(Decimal("0.00005"), Decimal(3), ("NEIRO/USD",), ("kraken",), NOW),
    "NEIRO@binance": Price(Decimal("0.000001"), Decimal("0.06"), ("X/USD",), ("binance",), NOW),
}


async def two_neiros(house: House) -> None:
    """Write prices by which Binance means another asset by a symbol than others do."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        told = {**prices(now), **NEIRO_THERE}
        await tx.prices.save_book(told, now, meanings=Meanings({"binance": {"NEIRO": None}}))


async def test_what_a_venue_means_by_a_symbol_counts_at_what_it_pays(house: House) -> None:
    await two_neiros(house)
    await house.read(reading(position("BTC", "1"), position("NEIRO", "100")))
    assert (await house.view()).figures.usd.amount == 60006

    house.clock.advance(MINUTE)
    await two_neiros(house)
    now = house.clock.now()
    came = Flow("d1", "in", "NEIRO", "NEIRO", Decimal(50), Decimal(1), "NEIRO", now)
    await house.read(reading(position("BTC", "1"), position("NEIRO", "150"), flows=(came,)))

    shown = await house.view()
    assert (shown.figures.usd.amount, shown.figures.usd.total) == (60009, 0)
    async with house.store.reading() as tx:
        own = house.account.user_id, house.account.id
        held = await tx.holdings.of_account(*own)
        (flow,) = await tx.history.deposits_after(*own, Millis(now - 1), {"NEIRO"})
    assert [(each.asset, each.venue_code) for each in held] == [
        ("BTC", "BTC"),
        ("NEIRO@binance", "NEIRO"),
    ]
    assert (flow.asset, flow.fee_asset, flow.venue_code) == (
        "NEIRO@binance",
        "NEIRO@binance",
        "NEIRO",
    )


async def test_who_says_that_a_code_means_the_others_asset_has_its_price(house: House) -> None:
    async with house.store.transaction() as tx:
        said = AssetMapping("binance", "NEIRO", "NEIRO")
        await tx.choices.map(house.account.user_id, said, house.clock.now())
    await two_neiros(house)
    await house.read(reading(position("BTC", "1"), position("NEIRO", "100")))
    assert (await house.view()).figures.usd.amount == 60300


async def test_candles_are_asked_for_by_the_symbol_that_the_venue_knows(house: House) -> None:
    await two_neiros(house)
    await house.read(reading(position("BTC", "1")))
    happened = Millis(house.clock.now() + DAY)
    house.clock.advance(2 * DAY)
    await two_neiros(house)
    house.past.prices = {"NEIRO": NEIRO_THERE["NEIRO@binance"]}
    came = Flow("d1", "in", "NEIRO", "NEIRO", Decimal(50), Decimal(0), "NEIRO", happened)
    await house.read(reading(position("BTC", "1"), position("NEIRO", "50"), flows=(came,)))
    assert house.past.asked == [("binance", "NEIRO", happened)]
    assert (await house.view()).figures.usd.total == 0
