"""What becomes of an account as its venue is found to mean another asset by a symbol."""

from dataclasses import replace
from decimal import Decimal

import pytest

import stored
from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.connectors.reading import Reading
from coffers.store.engine import Store
from coffers.store.records import AssetOverride
from coffers.sync.flows import FlowValuer
from coffers.sync.syncer import Outcome
from coffers.sync.transfers import pair_transfers
from coffers.valuation.model import Flow, Meanings, Price, PriceBook
from factories import NOW, position
from fakes import FakePast
from integration.sync.test_syncer import House, house, prices, reading
from integration.sync.test_unpriced import STEP, shown

__all__ = ["house"]

THE_OTHERS = Price(Decimal("0.00005"), Decimal(3), ("NEIRO/USD",), ("kraken",), NOW)
ITS_OWN = Price(Decimal("0.00001"), Decimal("0.6"), ("NEIRO@binance/USDT",), ("binance",), NOW)
COIN = Price(Decimal("0.00004"), Decimal("2.4"), ("neiro~USD",), ("coingecko",), NOW)
APART = Meanings({"binance": {"NEIRO": None}})
HELD = (position("BTC", "1"), position("NEIRO", "10000"))


async def book(house: House, meanings: Meanings = APART, **told: Price) -> PriceBook:
    now = house.clock.now()
    own = {"NEIRO@binance" if key == "its_own" else key: price for key, price in told.items()}
    async with house.store.transaction() as tx:
        known = {**prices(now), "NEIRO": THE_OTHERS, "coingecko:neiro": COIN, **own}
        return await tx.prices.save_book(known, now, meanings=meanings)


async def set_apart(house: House, **told: Price) -> None:
    house.clock.advance(SECOND)
    await book(house, **told)
    async with house.store.transaction() as tx:
        await tx.holdings.rename([(["binance"], "NEIRO", "NEIRO@binance")])


async def later(house: House, span: Millis, **told: Price) -> None:
    until = house.clock.now() + span
    while house.clock.now() < until:
        house.clock.advance(STEP)
        await book(house, **told)
        await house.read(reading(*HELD))


@pytest.fixture
async def opened(house: House) -> House:
    """An account that was read for an hour while nothing was known of it."""
    await book(house, Meanings())
    await house.read(reading(*HELD))
    for _ in range(3):
        house.clock.advance(STEP)
        await book(house, Meanings())
        await house.read(reading(*HELD))
    assert await shown(house) == (90000, 0, 0, 0)
    return house


async def test_without_a_price_it_leaves_with_the_worth_that_it_was_counted_with(
    opened: House,
) -> None:
    await set_apart(opened)
    await later(opened, Millis(2 * HOUR))
    amount, _, _, total = await shown(opened)
    assert (amount, total) == (60000, 0)
    assert (await opened.view()).quality.unpriced == ("NEIRO@binance",)

    await later(opened, HOUR, its_own=ITS_OWN)
    amount, _, _, total = await shown(opened)
    assert (amount, total) == (66000, 0)


async def test_a_reading_that_finds_it_first_knows_its_new_key(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await book(house, Meanings())

    async def meanwhile(*_asked: object) -> Reading:
        await set_apart(house, its_own=ITS_OWN)
        now = house.clock.now()
        came = Flow("d1", "in", "NEIRO", "NEIRO", Decimal(1), Decimal(0), "NEIRO", now)
        return replace(reading(*HELD, flows=(came,)), at=now)

    monkeypatch.setattr(house.connector, "read", meanwhile)
    result = await house.syncer.sync(house.account.user_id, house.account.id)
    assert result.outcome is Outcome.COMPLETE
    async with house.store.reading() as tx:
        held = await tx.holdings.of_account(house.account.user_id, house.account.id)
    assert [each.asset for each in held] == ["BTC", "NEIRO@binance"]
    assert (await house.view()).figures.usd.amount == 66000


async def say(house: House, said: AssetOverride) -> None:
    async with house.store.transaction() as tx:
        await tx.choices.override(house.account.user_id, said, house.clock.now())


async def test_what_is_ignored_stays_so_until_something_else_is_said(opened: House) -> None:
    await say(opened, AssetOverride("NEIRO", None, None, None, is_ignored=True, by_symbol=True))
    await later(opened, STEP)
    await set_apart(opened, its_own=ITS_OWN)
    await later(opened, HOUR, its_own=ITS_OWN)
    view = await opened.view()
    assert (view.figures.usd.amount, view.quality.ignored) == (60000, ("NEIRO@binance",))

    own = AssetOverride("NEIRO@binance", "Neiro", None, None, is_ignored=False, by_symbol=True)
    await say(opened, own)
    assert (await opened.view()).figures.usd.amount == 66000


async def test_it_is_priced_as_was_said_of_its_symbol_where_its_venue_tells_nothing(
    opened: House,
) -> None:
    said = AssetOverride("NEIRO", None, None, "coingecko:neiro", is_ignored=False, by_symbol=False)
    await say(opened, said)
    await set_apart(opened)
    assert (await opened.view()).figures.usd.amount == 84000

    await book(opened, its_own=ITS_OWN)
    assert (await opened.view()).figures.usd.amount == 66000


async def test_candles_of_a_venue_that_means_another_asset_are_not_asked_for(
    house: House,
) -> None:
    await book(house)
    past = FakePast()
    past.prices = {"NEIRO": THE_OTHERS}
    valuer = FlowValuer(house.store, past, ("binance", "kraken"))
    at = Millis(house.clock.now() - HOUR)
    came = Flow("d1", "in", "NEIRO", "NEIRO", Decimal(50), Decimal(0), "NEIRO", at)
    (valued,) = await valuer.valued(None, house.account, [came])
    assert past.asked == [("kraken", "NEIRO", at)]
    assert valued.value is not None
    assert valued.value.usd == 150


async def test_transfers_between_the_two_stay_own_transfers(sqlite_store: Store) -> None:
    store = sqlite_store
    user = await stored.user(store)
    there = await stored.account(store, user, "Binance")
    elsewhere = await stored.account(store, user, "Kraken", market_code="kraken")
    moved = Flow("o", "out", "NEIRO", "NEIRO", Decimal(5), Decimal(0), "NEIRO", NOW, txid="t1")
    arrived = replace(moved, external_id="i", direction="in", at=Millis(NOW + MINUTE))
    async with store.transaction() as tx:
        held = [position("NEIRO", "5")]
        await tx.holdings.replace(user.id, there.id, ["spot"], held)
        await tx.history.add_flows(user.id, elsewhere.id, [moved])
        await tx.history.add_flows(user.id, there.id, [arrived])
        await pair_transfers(tx, there, [arrived])
        pairs = await tx.transfers.of_user(user.id)
        await tx.holdings.rename([(["binance"], "NEIRO", "NEIRO@binance")])
        more = replace(arrived, external_id="j", at=Millis(NOW + DAY), txid="t2")
        await tx.history.add_flows(user.id, elsewhere.id, [more])
        await pair_transfers(tx, elsewhere, [more])
        assert len(pairs) == 1
        assert await tx.transfers.of_user(user.id) == pairs
        # Nor do they depend on which of the two came first.
        renamed = replace(arrived, asset="NEIRO@binance")
        await tx.transfers.remove(user.id, pairs)
        await pair_transfers(tx, there, [renamed])
        assert await tx.transfers.of_user(user.id) == pairs
        await tx.transfers.remove(user.id, pairs)
        await pair_transfers(tx, elsewhere, [moved])
        assert await tx.transfers.of_user(user.id) == pairs
