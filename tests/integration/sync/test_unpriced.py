"""Assets whose price comes and goes: that is no profit, and no loss but of the moment."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import text

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.listing import Listing
from coffers.portfolio.loose import HandKept, LooseAccounts
from coffers.portfolio.summary import Summaries
from coffers.portfolio.users import Users
from coffers.store.records import AssetMapping, AssetOverride
from coffers.store.unpriced import Unpriced
from coffers.sync import unpriced as module
from coffers.sync.policy import LONGEST_READING
from coffers.valuation.model import Flow, Position, Price, Value
from factories import NOW, position
from integration.sync.test_syncer import House, house, prices, reading

__all__ = ["house"]

BITCOIN = position("BTC", "1")
HELD = (BITCOIN, position("ETH", "10"))
STEP = Millis(20 * MINUTE)


async def book(house: House, *without: str, **changes: tuple[str, str]) -> None:
    now = house.clock.now()
    told = {asset: price for asset, price in prices(now, **changes).items() if asset not in without}
    async with house.store.transaction() as tx:
        await tx.prices.save_book(told, now)


async def read(house: House, *held: Position, **changes: Any) -> None:
    await house.read(reading(*held, **changes))


async def later(
    house: House,
    span: Millis,
    *without: str,
    held: tuple[Position, ...] = HELD,
    every: Millis = STEP,
    **changes: tuple[str, str],
) -> None:
    """Let time pass with readings, at prices that lack those of some assets."""
    until = house.clock.now() + span
    while house.clock.now() < until:
        house.clock.advance(Millis(min(every, until - house.clock.now())))
        await book(house, *without, **changes)
        await read(house, *held)


async def shown(house: House) -> tuple[Decimal | None, ...]:
    """Return the worth, and the profits of a day, a month and in all, in USD."""
    usd = (await house.view()).figures.usd
    gains = [None if gain is None else gain.profit for gain in (usd.day, usd.month)]
    return usd.amount, *gains, usd.total


LONGEST_WAIT = Millis(6 * HOUR)
"""So long that what comes before and after it can be told apart by hours."""


@pytest.fixture(autouse=True)
def _waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", LONGEST_WAIT)


async def rows(house: House) -> dict[str, Unpriced]:
    async with house.store.reading() as tx:
        account = await tx.accounts.get(house.account.user_id, house.account.id)
        found = await tx.unpriced.of(house.account.user_id, house.account.id)
    assert account is not None
    assert account.sync.lacks_prices == bool(found)
    return found


async def moments(house: House, since: Millis = NOW) -> int:
    """Return how many snapshots there are from a moment on."""
    own = house.account.user_id, house.account.id
    async with house.store.reading() as tx:
        page = await tx.history.snapshot_page(*own, 999, until=house.clock.now(), since=since)
    return len(page)


async def counted(house: House) -> list[tuple[str, str, Decimal, Decimal | None]]:
    """Return the flows that figures count."""
    own = house.account.user_id, [house.account.id]
    async with house.store.reading() as tx:
        past = (await tx.history.windows(*own, NOW, house.clock.now()))[house.account.id]
    return [
        (each.direction, each.asset, each.amount, each.value and each.value.usd)
        for each in past.flows
    ]


def deposit(house: House, asset: str, amount: str, direction: str = "in") -> Flow:
    at = house.clock.now()
    flow = Flow(f"{direction}1", "in", asset, asset, Decimal(amount), Decimal(0), asset, at)
    return flow if direction == "in" else replace(flow, direction="out")


def candle(asset: str, usd: str) -> dict[str, Price]:
    worth = Decimal(usd)
    return {asset: Price(worth / 60000, worth, (f"{asset}/USD",), ("binance",), NOW)}


async def test_a_price_that_was_away_a_day_ago_is_no_profit_of_today(house: House) -> None:
    await read(house, *HELD)
    await later(house, HOUR)
    await later(house, Millis(2 * STEP), "ETH")
    assert await shown(house) == (60000, -30000, -30000, -30000)
    assert (await house.view()).quality.unpriced == ("ETH",)
    await later(house, DAY, every=HOUR)
    assert await shown(house) == (90000, 0, 0, 0)
    assert (await house.view()).quality.is_complete
    assert await counted(house) == []


async def test_a_price_that_is_away_for_two_hours_takes_nothing_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    await read(house, *HELD)
    await later(house, HOUR)
    taken = await moments(house)
    await later(house, Millis(2 * HOUR), "ETH")
    # For an hour it was waited for.
    assert await moments(house) == taken + HOUR // STEP
    await later(house, DAY, every=HOUR)
    assert await shown(house) == (90000, 0, 0, 0)
    assert await counted(house) == [("out", "ETH", 10, 30000), ("in", "ETH", 10, 30000)]


async def test_a_price_that_comes_after_connecting_is_no_profit(house: House) -> None:
    await book(house, "ETH")
    await read(house, *HELD)
    assert await shown(house) == (60000, 0, 0, 0)
    await later(house, STEP)
    assert await shown(house) == (90000, 0, 0, 0)
    assert await counted(house) == [("in", "ETH", 10, 30000)]
    assert await rows(house) == {}


async def test_what_never_has_a_price_keeps_nothing_waiting(house: House) -> None:
    await book(house, "ETH")
    await read(house, *HELD)
    assert await moments(house) == 1
    await later(house, DAY, "ETH", every=HOUR)
    assert await moments(house) == 1 + DAY // HOUR
    assert await shown(house) == (60000, 0, 0, 0)
    await later(house, STEP, ETH=("0.05", "3000"))
    assert await shown(house) == (90000, 0, 0, 0)
    assert await counted(house) == [("in", "ETH", 10, 30000)]
    assert await rows(house) == {}
    await later(house, STEP, ETH=("0.055", "3300"))
    assert await shown(house) == (93000, 3000, 3000, 3000)


async def test_what_never_had_a_price_and_went_is_forgotten(house: House) -> None:
    await book(house, "ETH")
    await read(house, *HELD)
    await later(house, HOUR, "ETH")
    await later(house, HOUR, "ETH", held=(BITCOIN,))
    assert await rows(house) == {}
    await later(house, HOUR, held=(BITCOIN,))
    assert await counted(house) == []
    assert await shown(house) == (60000, 0, 0, 0)


async def test_a_price_that_is_away_for_long_leaves_with_its_worth_and_comes_back_with_it(
    house: House,
) -> None:
    await read(house, *HELD)
    await later(house, HOUR)
    taken = await moments(house)
    await later(house, Millis(LONGEST_WAIT - HOUR), "ETH", every=HOUR)
    assert await moments(house) == taken
    await later(house, Millis(3 * HOUR), "ETH", every=HOUR)
    assert await moments(house) == taken + 2
    assert await shown(house) == (60000, 0, 0, 0)
    assert await counted(house) == [("out", "ETH", 10, 30000)]
    assert (await house.view()).quality.unpriced == ("ETH",)
    await later(house, DAY, "ETH", every=HOUR)
    await later(house, HOUR, ETH=("0.06", "3600"))
    assert await shown(house) == (96000, 0, 0, 0)
    assert await counted(house) == [("out", "ETH", 10, 30000), ("in", "ETH", 10, 36000)]
    assert await rows(house) == {}
    await later(house, Millis(5 * DAY), every=DAY)
    assert await shown(house) == (90000, 0, -6000, -6000)


async def left_out(house: House) -> None:
    """Hold ether that has had no price for days."""
    await read(house, *HELD)
    await later(house, HOUR)
    await later(house, Millis(LONGEST_WAIT + 2 * HOUR), "ETH", every=HOUR)
    assert (await rows(house))["ETH"].is_left_out
    assert await shown(house) == (60000, 0, 0, 0)


async def test_a_price_that_comes_and_goes_while_another_one_is_waited_for_puts_in_nothing(
    house: House,
) -> None:
    held = (*HELD, position("USDT", "1000"))
    await read(house, *held)
    await later(house, HOUR, held=held)
    await later(house, Millis(LONGEST_WAIT + HOUR), "ETH", every=HOUR, held=held)
    taken = await moments(house)
    for without in ("USDT", "ETH", "USDT"):
        await later(house, STEP, without, held=held)
    assert await moments(house) == taken + 1
    assert await counted(house) == [("out", "ETH", 10, 30000)]
    await later(house, HOUR, held=held)
    assert await shown(house) == (91000, 0, 0, 0)
    assert await counted(house) == [("out", "ETH", 10, 30000), ("in", "ETH", 10, 30000)]
    assert await rows(house) == {}


async def test_prices_that_are_away_in_turn_are_waited_for_twice_as_long_at_most(
    house: House,
) -> None:
    more = {"SOL": ("0.003", "180"), "ADA": ("0.00001", "0.6")}
    assets = ("ETH", "USDT", *more)
    held = (BITCOIN, *(position(asset, "100") for asset in assets))
    await book(house, **more)
    await read(house, *held)
    await later(house, HOUR, held=held, **more)
    worth, taken = (await shown(house))[0], await moments(house)
    # Each is back before it was away for as long as one is waited for.
    span = Millis(LONGEST_WAIT - STEP)
    for asset in assets:
        assert await moments(house) == taken
        await later(house, span, asset, held=held, every=span, **more)
    assert await moments(house) == taken + 1
    await later(house, HOUR, held=held, **more)
    assert await shown(house) == (worth, 0, 0, 0)


@pytest.mark.parametrize(
    ("told_after", "amount", "is_valued"),
    [
        (0, "10", False),
        (STEP, "10", False),
        (STEP, "6", False),
        (STEP, "6", True),
        (Millis(15 * DAY), "10", False),
    ],
)
async def test_what_is_withdrawn_without_a_price_leaves_once(
    house: House, told_after: Millis, amount: str, is_valued: bool
) -> None:
    await left_out(house)
    held = (BITCOIN,) if amount == "10" else (BITCOIN, position("ETH", "4"))
    house.past.prices = candle("ETH", "2900") if is_valued else {}
    house.clock.advance(HOUR)
    told = replace(deposit(house, "ETH", amount, "out"), at=Millis(house.clock.now() - MINUTE))
    await book(house, "ETH")
    if told_after:
        # The exchange tells of it later, when it is no longer pending.
        await read(house, *held)
        await later(house, told_after, "ETH", held=held, every=Millis(told_after // 2))
    await read(house, *held, flows=(told,))
    # Nobody waits for it for ever.
    is_marked = told_after > DAY
    assert (await house.view()).quality.flows_known is not is_marked
    total = -30000 if is_marked else 0
    assert await shown(house) == (60000, 0, 0 if told_after < DAY else total, total)
    await later(house, HOUR, held=held)
    assert (await shown(house))[3] == total
    assert await rows(house) == {}


async def test_more_that_is_withdrawn_than_was_left_out_takes_what_was_bought_with_it(
    house: House,
) -> None:
    await read(house, *HELD, position("USDT", "15000"))
    await later(house, HOUR, held=(*HELD, position("USDT", "15000")))
    await later(house, Millis(LONGEST_WAIT + 2 * HOUR), "ETH", every=HOUR, held=HELD)
    assert (await shown(house))[3] == -15000
    house.clock.advance(STEP)
    await book(house, "ETH")
    told = [deposit(house, "ETH", amount, "out") for amount in ("12", "3")]
    told[1] = replace(told[1], external_id="another one")
    await read(house, BITCOIN, flows=tuple(told))
    assert await shown(house) == (60000, 0, 0, 0)


async def test_what_never_had_a_price_and_is_withdrawn_brings_nothing(house: House) -> None:
    await book(house, "ETH")
    await read(house, *HELD)
    await later(house, HOUR, "ETH")
    house.past.prices = candle("ETH", "3000")
    house.clock.advance(STEP)
    # Without any prices it is set apart, too.
    await read(house, BITCOIN, flows=(deposit(house, "ETH", "10", "out"),))
    await later(house, HOUR, held=(BITCOIN,))
    assert await shown(house) == (60000, 0, 0, 0)
    assert await counted(house) == []


async def test_what_is_sent_to_another_account_without_a_price_is_nothing_to_the_sum(
    house: House,
) -> None:
    hand = LooseAccounts(house.store, house.clock)
    user_id = house.account.user_id
    drawer = await hand.create(user_id, HandKept(["BTC"], ["1"], "Drawer"))
    await left_out(house)
    house.clock.advance(STEP)
    await book(house, "ETH")
    await read(house, BITCOIN, flows=(deposit(house, "ETH", "10", "out"),))
    await hand.replace(user_id, drawer.id, HandKept(["BTC", "ETH"], ["1", "10"]))
    async with house.store.reading() as tx:
        assert len(await tx.transfers.of_user(user_id)) == 1
    keeping, users = AccountKeeping(house.store, house.clock), Users(house.store, house.clock)
    summaries = Summaries(keeping, users, Listing(house.store, house.clock))
    for span, without in ((LONGEST_WAIT + HOUR, ["ETH"]), (HOUR, [])):
        for _ in range(span // HOUR):
            await later(house, HOUR, *without, held=(BITCOIN,), every=HOUR)
            await house.syncer.sync(user_id, drawer.id)
        async with house.store.reading() as tx:
            newest = await tx.prices.newest()
        summary = await summaries.of(user_id, "real", newest, "USD")
        assert [view.figures.usd.total for view in summary.views] == [0, 0]
        assert summary.figures.usd.total == 0


async def test_a_change_by_hand_after_a_clock_was_ahead_is_worth_what_it_is_now(
    house: House,
) -> None:
    hand = LooseAccounts(house.store, house.clock)
    user_id = house.account.user_id
    house.account = await hand.create(user_id, HandKept(["BTC"], ["1"], "Drawer"))
    house.clock.advance(DAY)
    await book(house)
    await hand.replace(user_id, house.account.id, HandKept(["BTC"], ["2"]))
    house.clock.advance(-DAY)
    await book(house)
    await hand.replace(user_id, house.account.id, HandKept(["BTC"], ["5"]))
    view = await house.view()
    assert (view.figures.btc.amount, view.figures.btc.total) == (5, 0)
    assert view.quality.flows_known


async def test_what_is_withdrawn_while_a_price_is_waited_for_is_a_withdrawal(house: House) -> None:
    await read(house, *HELD)
    await later(house, HOUR)
    await later(house, HOUR, "ETH")
    house.past.prices = candle("ETH", "3000")
    house.clock.advance(MINUTE)
    await read(house, BITCOIN, flows=(deposit(house, "ETH", "10", "out"),))
    assert await shown(house) == (60000, 0, 0, 0)
    assert await rows(house) == {}


async def test_what_is_sold_without_a_price_comes_back_with_the_worth_that_it_left_with(
    house: House,
) -> None:
    await left_out(house)
    proceeds = position("USDT", "11900")
    await later(house, HOUR, "ETH", held=(BITCOIN, position("ETH", "6"), proceeds))
    assert await shown(house) == (71900, -100, -100, -100)
    await later(house, HOUR, held=(BITCOIN, position("ETH", "6"), proceeds))
    assert await shown(house) == (89900, -100, -100, -100)


async def test_what_was_sold_while_it_was_waited_for_does_not_leave(house: House) -> None:
    await read(house, *HELD)
    await later(house, HOUR)
    rest = (BITCOIN, position("ETH", "6"), position("USDT", "12000"))
    await later(house, Millis(LONGEST_WAIT + 2 * HOUR), "ETH", every=HOUR, held=rest)
    assert await counted(house) == [("out", "ETH", 6, 18000)]
    assert await shown(house) == (72000, 0, 0, 0)


async def test_what_is_bought_without_a_price_is_worth_what_it_cost_again(house: House) -> None:
    await read(house, BITCOIN, position("USDT", "30000"))
    await later(house, Millis(LONGEST_WAIT + 2 * HOUR), "ETH", every=HOUR)
    assert (await shown(house))[3] == -30000
    await later(house, Millis(2 * DAY), every=DAY)
    assert await shown(house) == (90000, 0, 0, 0)


@pytest.mark.parametrize("is_valued", [True, False])
async def test_a_deposit_without_a_price_that_comes_soon(house: House, is_valued: bool) -> None:
    await deposited_without_a_price(house, is_valued=is_valued)
    assert (await house.view()).quality.flows_known is is_valued
    await later(house, HOUR, "ETH")
    await later(house, HOUR)
    assert await shown(house) == (90000, *(3 * [0 if is_valued else 30000]))
    assert (await house.view()).quality.flows_known is is_valued
    house.past.prices = candle("ETH", "3000")
    await later(house, DAY, every=HOUR)
    assert await shown(house) == (90000, 0, 0, 0)
    assert (await house.view()).quality.is_complete


async def deposited_without_a_price(house: House, *, is_valued: bool) -> None:
    """Have ETH deposited into an account of bitcoin while no book has a price of it."""
    await read(house, BITCOIN)
    await later(house, HOUR, held=(BITCOIN,))
    house.clock.advance(STEP)
    await book(house, "ETH")
    house.past.prices = candle("ETH", "3000") if is_valued else {}
    await read(house, *HELD, flows=(deposit(house, "ETH", "10"),))


@pytest.mark.parametrize("valued_after", [0, HOUR, LONGEST_WAIT + HOUR, LONGEST_WAIT + 12 * HOUR])
async def test_a_deposit_without_a_price_for_long_is_put_in_once(
    house: House, valued_after: Millis
) -> None:
    await deposited_without_a_price(house, is_valued=valued_after == 0)
    began = house.clock.now()
    for span, without in ((LONGEST_WAIT + 2 * HOUR, ("ETH",)), (DAY, ())):
        until = house.clock.now() + span
        while house.clock.now() < until:
            if house.clock.now() - began >= valued_after:
                house.past.prices = candle("ETH", "3000")
            await later(house, HOUR, *without, every=HOUR)
        if without:
            assert await shown(house) == (60000, 0, 0, 0)
    assert await shown(house) == (90000, 0, 0, 0)
    assert await counted(house) == [("in", "ETH", 10, 30000)]


@pytest.mark.parametrize("is_valued", [True, False])
async def test_a_deposit_of_what_is_left_out_comes_in_with_it(
    house: House,
    is_valued: bool,
) -> None:
    await left_out(house)
    more = (BITCOIN, position("ETH", "15"))
    house.clock.advance(STEP)
    await book(house, "ETH")
    house.past.prices = candle("ETH", "3000") if is_valued else {}
    await read(house, *more, flows=(deposit(house, "ETH", "5"),))
    assert await shown(house) == (60000, 0, 0, 0)
    house.past.prices = candle("ETH", "3000")
    await later(house, Millis(3 * HOUR), "ETH", held=more)
    assert await shown(house) == (60000, 0, 0, 0)
    await later(house, HOUR, held=more)
    assert await shown(house) == (105000, 0, 0, 0)
    assert await counted(house) == [("out", "ETH", 10, 30000), ("in", "ETH", 15, 45000)]


@pytest.mark.parametrize("is_valued", [True, False])
async def test_a_deposit_that_is_sold_without_a_price_counts_from_then_on(
    house: House, is_valued: bool
) -> None:
    await deposited_without_a_price(house, is_valued=is_valued)
    await later(house, Millis(2 * DAY), "ETH", every=Millis(6 * HOUR))
    assert await shown(house) == (60000, 0, 0, 0)
    part = (BITCOIN, position("ETH", "6"), position("USDT", "12000"))
    await later(house, HOUR, "ETH", held=part)
    sold = (BITCOIN, position("USDT", "30000"))
    await later(house, HOUR, "ETH", held=sold)
    assert await shown(house) == (90000, *(3 * [0 if is_valued else 30000]))
    assert (await house.view()).quality.flows_known is is_valued
    house.past.prices = candle("ETH", "3000")
    await later(house, Millis(3 * HOUR), held=sold, every=HOUR)
    assert await shown(house) == (90000, 0, 0, 0)
    assert (await house.view()).quality.is_complete
    assert await counted(house) == [("in", "ETH", 4, 12000), ("in", "ETH", 6, 18000)]


async def test_what_left_is_sold_before_what_was_deposited_since(house: House) -> None:
    await left_out(house)
    house.past.prices = candle("ETH", "1000")
    for amount, held in (("4", "14"), ("6", "20")):
        house.clock.advance(STEP)
        await book(house, "ETH")
        told = replace(deposit(house, "ETH", amount), external_id=f"{amount} more")
        await read(house, BITCOIN, position("ETH", held), flows=(told,))
    rest = (BITCOIN, position("ETH", "8"), position("USDT", "32000"))
    await later(house, STEP, "ETH", held=rest)
    assert await shown(house) == (92000, 0, 0, 0)
    rest = (BITCOIN, position("ETH", "3"), position("USDT", "37000"))
    await later(house, STEP, "ETH", held=rest)
    assert await shown(house) == (97000, 0, 0, 0)
    await later(house, STEP, held=rest)
    assert await shown(house) == (106000, 0, 0, 0)


async def test_a_deposit_as_its_price_comes_back_is_put_in_once(house: House) -> None:
    await left_out(house)
    house.clock.advance(STEP)
    await book(house)
    more = (BITCOIN, position("ETH", "15"))
    await read(house, *more, flows=(deposit(house, "ETH", "5"),))
    assert await shown(house) == (105000, 0, 0, 0)


async def test_a_deposit_that_comes_while_there_are_no_prices_at_all(house: House) -> None:
    await left_out(house)
    house.clock.advance(STEP)
    more = (BITCOIN, position("ETH", "15"))
    await read(house, *more, flows=(deposit(house, "ETH", "5"),))
    house.past.prices = candle("ETH", "3000")
    await later(house, HOUR, held=more)
    assert await shown(house) == (105000, 0, 0, 0)


async def test_a_debt_without_a_price_leaves_and_comes_back_the_other_way(house: House) -> None:
    debt = (BITCOIN, position("ETH", "0", borrowed="10"))
    await read(house, *debt)
    await later(house, HOUR, held=debt)
    assert await shown(house) == (30000, 0, 0, 0)
    await later(house, Millis(LONGEST_WAIT + 2 * HOUR), "ETH", every=HOUR, held=debt)
    assert await shown(house) == (60000, 0, 0, 0)
    await later(house, HOUR, held=debt, ETH=("0.04", "2400"))
    assert await shown(house) == (36000, 0, 0, 0)
    assert await counted(house) == [("in", "ETH", 10, 30000), ("out", "ETH", 10, 24000)]


async def test_what_is_ignored_keeps_nothing_waiting(house: House) -> None:
    async with house.store.transaction() as tx:
        said = AssetOverride("ETH", is_ignored=True)
        await tx.choices.override(house.account.user_id, said, NOW)
    await book(house, "ETH")
    await read(house, *HELD)
    assert await moments(house) == 1
    assert await rows(house) == {}
    async with house.store.transaction() as tx:
        await tx.choices.remove_override(house.account.user_id, "ETH")
    await later(house, HOUR, "ETH")
    # It was in no snapshot before either.
    assert await moments(house) == 1 + HOUR // STEP
    await later(house, HOUR)
    # Nobody knows that it was not, as it is not ignored any more.
    assert await shown(house) == (90000, 30000, 30000, 30000)


async def test_what_was_in_the_opening_and_lost_its_price_long_ago_is_not_put_in_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = replace(deposit(house, "ETH", "10"), at=Millis(NOW - DAY))
    await read(house, *HELD)
    async with house.store.transaction() as tx:
        # Found on the way back, and not valued yet.
        await tx.history.add_flows(house.account.user_id, house.account.id, [early])
    await later(house, HOUR)
    with monkeypatch.context() as patch:
        # The release before took snapshots of the rest.
        patch.setattr(module.Lack, "begin", AsyncMock())
        await later(house, HOUR, "ETH")
    await later(house, HOUR, "ETH")
    assert (await rows(house))["ETH"].amount == 0
    await later(house, HOUR)
    assert await shown(house) == (90000, 0, 0, 0)
    assert await counted(house) == []


async def test_what_is_noted_goes_by_the_users_names(house: House) -> None:
    async with house.store.transaction() as tx:
        mapping = AssetMapping("binance", "ETH", "ODD")
        await tx.choices.map(house.account.user_id, mapping, NOW)
    await read(house, *HELD)
    await later(house, HOUR)
    assert {*await rows(house)} == {"ODD"}
    told = deposit(house, "ETH", "5")
    house.past.prices = candle("ETH", "3000")
    await read(house, BITCOIN, position("ETH", "15"), flows=(told,))
    assert await shown(house) == (60000, 0, 0, 0)


async def test_more_books_that_come_while_a_venue_is_asked_are_not_what_was_counted(
    house: House,
) -> None:
    await read(house, *HELD)
    house.clock.advance(STEP)
    await book(house)
    house.clock.advance(LONGEST_READING)
    await read(house, *HELD)
    async with house.store.transaction() as tx:
        # Made after the reading took its prices, and before it was over.
        for before in range(1, LONGEST_READING, 30_000):
            at = Millis(house.clock.now() - before)
            await tx.prices.save_book({k: v for k, v in prices(at).items() if k != "ETH"}, at)
    await later(house, HOUR, "ETH")
    found = (await rows(house))["ETH"]
    assert (found.is_left_out, found.amount) == (False, 10)
    assert found.price == Value(Decimal("0.05"), Decimal(3000))


async def test_what_nobody_knows_the_price_of_any_more_neither_leaves_nor_comes(
    house: House,
) -> None:
    await read(house, *HELD)
    async with house.store.connection() as connection:
        await connection.execute(text("DELETE FROM price_books"))
    await later(house, Millis(LONGEST_WAIT + HOUR), "ETH", every=HOUR)
    assert (await shown(house))[3] == -30000
    await later(house, HOUR)
    assert (await shown(house))[3] == 0
    assert await counted(house) == []


async def test_what_is_noted_goes_with_the_account(house: House) -> None:
    await left_out(house)
    async with house.store.transaction() as tx:
        assert await tx.accounts.remove(house.account.user_id, house.account.id)
        assert await tx.unpriced.of(house.account.user_id, house.account.id) == {}


async def kept_later(house: House, span: Millis, *without: str) -> None:
    for _ in range(span // HOUR):
        house.clock.advance(HOUR)
        await book(house, *without)
        await house.syncer.sync(house.account.user_id, house.account.id)


async def test_what_is_kept_by_hand_goes_by_the_same_rule(house: House) -> None:
    hand = LooseAccounts(house.store, house.clock)
    user_id = house.account.user_id
    house.account = await hand.create(user_id, HandKept(["BTC", "ETH"], ["1", "10"], "Drawer"))
    await kept_later(house, HOUR)
    taken = await moments(house)
    house.clock.advance(MINUTE)
    await book(house, "ETH")
    await hand.replace(user_id, house.account.id, HandKept(["BTC", "ETH"], ["2", "15"]))
    assert await moments(house) == taken
    await kept_later(house, Millis(2 * HOUR), "ETH")
    assert await moments(house) == taken
    await kept_later(house, LONGEST_WAIT, "ETH")
    assert await shown(house) == (120000, 0, 0, 0)
    await hand.replace(user_id, house.account.id, HandKept(["BTC", "ETH"], ["2", "16"]))
    assert await shown(house) == (120000, 0, 0, 0)
    await kept_later(house, HOUR)
    assert await shown(house) == (168000, 0, 0, 0)
    assert await counted(house) == [
        ("in", "BTC", 1, 60000),
        ("out", "ETH", 10, 30000),
        ("in", "ETH", 16, 48000),
    ]


async def test_what_opens_without_a_price_by_hand_waits_too(house: House) -> None:
    await book(house, "ETH")
    async with house.store.transaction() as tx:
        await tx.assets.meet({"ETH"}, house.clock.now())
    hand = LooseAccounts(house.store, house.clock)
    wanted = HandKept(["BTC", "ETH"], ["1", "10"], "Drawer")
    house.account = await hand.create(house.account.user_id, wanted)
    assert await moments(house) == 0
    house.clock.advance(MINUTE)
    await book(house)
    await house.syncer.sync(house.account.user_id, house.account.id)
    assert await shown(house) == (90000, 0, 0, 0)
