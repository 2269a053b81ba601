"""What a user says of assets, in readings that come after it: snapshots, flows, figures."""

from decimal import Decimal

from coffers.clock import HOUR
from coffers.store.records import Asset, AssetMapping, AssetOverride
from coffers.valuation.model import Flow
from factories import NOW, position
from integration.sync.test_syncer import House, house, reading

__all__ = ["house"]


async def said(house: House, override: AssetOverride) -> None:
    async with house.store.transaction() as tx:
        await tx.choices.override(house.account.user_id, override, NOW)


async def test_an_asset_of_a_reading_is_kept_whatever_is_known_of_it(house: House) -> None:
    await house.read(reading(position("BTC", "1"), position("NEVERHEARD", "3")))
    async with house.store.reading() as tx:
        found = await tx.assets.of({"NEVERHEARD"})
    assert found == {"NEVERHEARD": Asset("NEVERHEARD", first_seen_at=NOW)}
    assert (await house.view()).quality.unpriced == ("NEVERHEARD",)


async def test_what_is_ignored_is_in_no_later_snapshot_and_no_flow(house: House) -> None:
    await said(house, AssetOverride("ETH", is_ignored=True))
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(HOUR)
    await house.book()
    sent = Flow("d1", "in", "ETH", "ETH", Decimal(5), Decimal(0), "ETH", house.clock.now())
    await house.read(reading(position("BTC", "1"), position("ETH", "5"), flows=(sent,)))
    shown = await house.view()
    assert (shown.figures.usd.amount, shown.figures.usd.total) == (60000, 0)
    assert (shown.quality.ignored, shown.quality.is_complete) == (("ETH",), True)
    async with house.store.transaction() as tx:
        own = house.account.user_id, [house.account.id]
        past = await tx.history.windows(*own, NOW, house.clock.now())
        assert [each.value.usd for each in past[house.account.id].snapshots][-1] == 60000
        await tx.choices.remove_override(house.account.user_id, "ETH")
    again = await house.view()
    assert (again.figures.usd.amount, again.figures.usd.total) == (75000, 0)


async def test_a_flow_under_a_mapped_code_is_worth_what_it_really_is(house: House) -> None:
    async with house.store.transaction() as tx:
        mapping = AssetMapping("binance", "ABC", "ETH")
        await tx.choices.map(house.account.user_id, mapping, NOW)
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(HOUR)
    await house.book(ABC=("1", "1"))
    sent = Flow("d1", "in", "ABC", "ABC", Decimal(2), Decimal(0), "ABC", house.clock.now())
    await house.read(reading(position("BTC", "1"), position("ABC", "2"), flows=(sent,)))
    figures = (await house.view()).figures
    assert (figures.usd.amount, figures.usd.total) == (66000, 0)


async def test_no_candles_stand_for_a_symbol_that_is_no_name_of_the_asset(house: House) -> None:
    await said(house, AssetOverride("ODD", by_symbol=False))
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(HOUR)
    await house.book()
    sent = Flow("d1", "in", "ODD", "ODD", Decimal(2), Decimal(0), "ODD", house.clock.now())
    await house.read(reading(position("BTC", "1"), position("ODD", "2"), flows=(sent,)))
    assert house.past.asked == []
    assert not (await house.view()).quality.flows_known
