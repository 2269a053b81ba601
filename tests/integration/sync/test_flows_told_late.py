"""Deposits and withdrawals that a venue tells only after readings that did not know of them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from coffers.clock import DAY, HOUR, Millis
from coffers.connectors.reading import Credentials, Reading, ReadRequest
from coffers.valuation.model import Flow
from factories import NOW, position
from integration.sync.test_syncer import House, house, prices, reading

__all__ = ["house"]


def deposit(id_: str, at: int, amount: str = "1") -> Flow:
    return Flow(id_, "in", "BTC", "BTC", Decimal(amount), Decimal(0), "BTC", Millis(at))


def untold(amount: str) -> Reading:
    return reading(position("BTC", amount), flows_known=False)


async def told(house: House, amount: str, *flows: Flow) -> None:
    """Read the account at a venue that tells the flows from the moment on that it is asked for."""

    def answer(_credentials: Credentials, request: ReadRequest) -> Reading:
        since = request.flows_since
        new = tuple(flow for flow in flows if since is not None and flow.at >= since)
        return reading(position("BTC", amount), at=house.clock.now(), flows=new)

    house.past.prices = prices(NOW)
    await house.read_with(answer)


async def asked_from(house: House) -> Millis:
    """Read once more; return from when on flows were asked for, but for the overlap."""
    await house.read(untold("1"))
    since = house.connector.asked[-1].flows_since
    assert since is not None
    return Millis(since + 14 * DAY)


async def test_a_reading_goes_on_where_the_one_before_came_to_and_never_further_back(
    house: House,
) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(200 * DAY)
    for came, begins in ((100, 100), (50, 100), (114, 114)):
        await house.read(replace(untold("1"), flows_until=Millis(NOW + came * DAY)))
        assert not (await house.view()).quality.flows_known
        assert await asked_from(house) == NOW + begins * DAY
    await house.read(reading(position("BTC", "1")))
    read_at = (await house.view()).quality.read_at
    house.clock.advance(DAY)
    assert await asked_from(house) == read_at


async def test_a_first_reading_of_all_that_a_venue_tells_is_gone_on_from(house: House) -> None:
    await house.read(replace(untold("1"), flows_until=NOW))
    house.clock.advance(100 * DAY)
    assert await asked_from(house) == NOW


async def test_all_that_is_told_is_read_up_to_the_reading_though_the_clock_was_set_back(
    house: House,
) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(-DAY)
    now = house.clock.now()
    house.connector.answer = replace(untold("1"), at=now, flows_until=now)
    await house.syncer.sync(house.account.user_id, house.account.id)
    sync = (await house.view()).account.sync
    assert (sync.read_at, sync.flows_until) == (NOW + 1, NOW + 1)


@pytest.mark.parametrize("days", [3, 30, 400])
async def test_a_key_that_may_see_deposits_later_tells_all_since_the_account_was_connected(
    house: House, days: int
) -> None:
    await house.read(untold("1"))
    came = NOW + 2 * DAY
    house.clock.advance(2 * DAY + HOUR)
    await house.book()
    await house.read(untold("2"))
    assert (await house.view()).figures.btc.total == 1
    house.clock.advance((days - 2) * DAY)
    await house.book()
    await told(house, "2", deposit("d1", came))
    shown = await house.view()
    assert (shown.figures.btc.total, shown.quality.flows_known) == (0, True)


async def test_two_weeks_are_asked_for_as_long_as_an_account_is_not_older(house: House) -> None:
    for _ in range(3):
        await house.read(untold("1"))
        assert house.connector.asked[-1].flows_since == house.clock.now() - 14 * DAY
        house.clock.advance(7 * DAY)
    await house.read(untold("1"))
    assert house.connector.asked[-1].flows_since == house.account.created_at


async def test_a_deposit_that_a_reading_showed_and_did_not_tell_keeps_its_date(
    house: House,
) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(2 * HOUR)
    await house.book()
    await house.read(untold("2"))
    shown_at = house.clock.now()
    house.clock.advance(HOUR)
    await house.book()
    await told(house, "2", deposit("d1", NOW + HOUR))
    house.clock.set(Millis(shown_at + DAY))
    await house.book()
    figures = (await house.view()).figures.btc
    assert figures.total == 0
    assert figures.day is not None
    assert figures.day.profit == 0


async def test_a_deposit_that_is_in_the_opening_is_no_loss_once_it_is_told(house: House) -> None:
    await house.read(untold("2"))
    house.clock.advance(HOUR)
    await house.book()
    await told(house, "2", deposit("d1", NOW - DAY))
    assert (await house.view()).figures.btc.total == 0


async def test_a_deposit_that_was_pending_when_flows_were_known_last_counts_since_then(
    house: House,
) -> None:
    await house.read(reading(position("BTC", "1")))
    for _ in range(2):
        house.clock.advance(HOUR)
        await house.book()
        await house.read(untold("2"))
    await told(house, "2", deposit("d1", NOW - HOUR))
    assert (await house.view()).figures.btc.total == 0


async def test_a_clock_that_was_ahead_keeps_no_flows_from_being_asked_for(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(60 * DAY)
    await house.book()
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(-59 * DAY)
    await house.book()
    await told(house, "2", deposit("d1", house.clock.now() - HOUR))
    shown = await house.view()
    assert (shown.figures.btc.amount, shown.figures.btc.total) == (2, 0)
    assert house.connector.asked[-1].flows_since == house.clock.now() - 14 * DAY


async def test_an_account_that_was_connected_by_a_clock_that_was_ahead_is_asked_for_two_weeks(
    house: House,
) -> None:
    await house.read(untold("1"))
    house.clock.advance(-60 * DAY)
    await house.book()
    await told(house, "2", deposit("d1", house.clock.now() - HOUR))
    assert house.connector.asked[-1].flows_since == house.clock.now() - 14 * DAY


async def test_what_keeps_flows_unknown_is_told_to_the_next_reading_until_they_are_known(
    house: House,
) -> None:
    told: list[str | None] = []
    for memory, is_known in (("in doubt", False), ("", True), (None, True)):
        left = replace(reading(position("BTC", "1")), flows_known=is_known, memory=memory)
        await house.read(left)
        told.append(house.connector.asked[-1].memory)
        house.clock.advance(HOUR)
    assert told == [None, "in doubt", None]


async def test_a_look_further_back_values_no_flow_again(house: House) -> None:
    await house.read(untold("1"))
    house.clock.advance(DAY)
    await house.book()
    known = deposit("d1", NOW + HOUR)
    house.past.prices = prices(known.at)
    await house.read(reading(position("BTC", "2"), flows=(known,)))
    house.clock.advance(40 * DAY)
    await house.book()
    await house.read(reading(position("BTC", "3")))
    late = deposit("d2", NOW + 3 * DAY)
    house.past.prices = prices(late.at)
    looked = reading(position("BTC", "3"), flows=(known, late))
    before = {("in", "d1"): None, ("in", "d2"): None}
    await house.read(replace(looked, flows_asked_before=before))
    assert [at for _, _, at in house.past.asked] == [NOW + HOUR, late.at]
    assert (await house.view()).figures.btc.total == 0
