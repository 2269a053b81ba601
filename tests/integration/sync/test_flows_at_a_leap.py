"""What a deposit was worth that came while its asset's price was held back."""

from decimal import Decimal

import pytest

from coffers.clock import HOUR, MINUTE, Millis
from coffers.sync.flows import FlowValuer
from coffers.valuation.model import Flow, HeldBack, Price
from factories import NOW
from fakes import FakePast
from integration.sync.test_syncer import House, house

__all__ = ["house"]

BROKEN, NEARLY, RIGHT = (
    Price(Decimal(usd) / 100_000, Decimal(usd), ("ALGO/USD",), ("kraken",), NOW)
    for usd in (20, 6, 2)
)


@pytest.mark.parametrize(
    ("broken", "candle", "present", "worth"),
    [
        (BROKEN, BROKEN, RIGHT, RIGHT),
        (BROKEN, RIGHT, RIGHT, RIGHT),
        (BROKEN, None, RIGHT, RIGHT),
        (BROKEN, BROKEN, BROKEN, BROKEN),
        (BROKEN, RIGHT, BROKEN, BROKEN),
        (BROKEN, None, BROKEN, BROKEN),
        # Where an operator has less held back than usual.
        (NEARLY, NEARLY, RIGHT, RIGHT),
        (NEARLY, RIGHT, NEARLY, NEARLY),
    ],
)
async def test_it_is_told_by_what_came_after(
    house: House, broken: Price, candle: Price | None, present: Price, worth: Price
) -> None:
    at = house.clock.now()
    held = HeldBack(broken, RIGHT, Millis(at + 10 * MINUTE))
    async with house.store.transaction() as tx:
        await tx.prices.save_book({}, at, {"ALGO": held})
    past = FakePast({} if candle is None else {"ALGO": candle})
    valuer = FlowValuer(house.store, past)
    came = Flow("d1", "in", "ALGO", "ALGO", Decimal(1), Decimal(0), "ALGO", at)
    (valued,) = await valuer.valued("kraken", house.account, [came])
    assert valued.value is None

    house.clock.advance(HOUR)
    async with house.store.transaction() as tx:
        await tx.prices.save_book({"ALGO": present}, house.clock.now())
    (valued,) = await valuer.valued("kraken", house.account, [came])
    assert valued.value is not None
    assert valued.value.usd == worth.usd
