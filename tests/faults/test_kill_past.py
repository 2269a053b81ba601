"""kill -9 amid a walk back through old deposits: nothing is lost, doubled or half there."""

import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest

from coffers.clock import DAY, SystemClock
from coffers.sandbox import Move
from faults.test_kill import KEY, Place, delay, place

__all__ = ["place"]

DAYS = (100, 350, 600, 900)
ALL = [(days, "ETH") for days in DAYS]


async def old_deposits(place: Place) -> None:
    """Make a deposit on each of those days, one of them with a pending one beside it."""
    now = SystemClock().now()
    for days in DAYS:
        old = Move(venue="binance", key=KEY, asset="ETH", amount=Decimal(days), at=now - days * DAY)
        await place.control.deposit(old)
    await place.control.deposit(
        Move(
            venue="binance",
            key=KEY,
            asset="ETH",
            amount=Decimal(7),
            at=now - 101 * DAY,
            is_pending=True,
        )
    )


async def connected(place: Place) -> None:
    await old_deposits(place)
    process = await place.connect()
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert place.rows("SELECT count(*) FROM flows") == [(0,)]
    await place.control.clear_requests()


def found(place: Place) -> list[tuple[int, str]]:
    rows = place.rows("SELECT amount, asset FROM flows ORDER BY at DESC")
    return [(int(Decimal(str(amount))), str(asset)) for amount, asset in rows]


async def walked(place: Place) -> None:
    """Let a worker run until all are found, and then end as it is told to."""
    worker = await place.start("worker")
    async with asyncio.timeout(60):
        while len(found(place)) < len(DAYS):
            assert worker.returncode is None
            await asyncio.sleep(0.1)
    worker.terminate()
    await worker.communicate()


@pytest.mark.long
async def test_killed_in_its_first_step_a_walk_begins_anew(place: Place) -> None:
    await connected(place)
    before = place.rows("SELECT * FROM flow_histories")
    await place.control.inject(delay("/sapi/v1/capital/withdraw"))
    await place.kill_when_asked(await place.start("worker"), "/sapi/v1/capital/withdraw")
    assert place.rows("SELECT * FROM flow_histories") == before
    assert found(place) == []
    await place.control.clear_faults()
    place.let_claims_run_out()
    await walked(place)
    assert found(place) == ALL


@pytest.mark.long
async def test_killed_at_any_moment_a_walk_goes_on_where_it_stood(place: Place) -> None:
    await connected(place)
    steps = 0
    for tenths in (1, 3, 6):
        worker = await place.start("worker")
        async with asyncio.timeout(40):
            while (stored := place.rows("SELECT steps FROM flow_histories")) == [(steps,)]:
                assert worker.returncode is None
                await asyncio.sleep(0.05)
        with suppress(TimeoutError):
            await asyncio.wait_for(worker.wait(), tenths / 10)
        worker.kill()
        await worker.communicate()
        place.let_claims_run_out()
        ((after,),) = place.rows("SELECT steps FROM flow_histories")
        assert isinstance(after, int)
        assert (after,) >= stored[0]
        steps = after
    await walked(place)
    assert found(place) == ALL
    at_once = (await place.control.requests()).most_at_once
    assert max(most for who, most in at_once.items() if KEY in who) == 1
