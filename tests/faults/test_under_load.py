"""Faults under load, on both databases: what breaks, how it comes back, and what it may not do."""

import random
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from coffers.clock import HOUR
from faults import blows
from faults.estate import Estate, estate
from faults.proof import proving
from faults.soak import strike
from faults.witness import SLACK, STALE_AFTER

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[pytest.param("sqlite", marks=pytest.mark.long), "postgres"],
)
async def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    async with estate(tmp_path_factory.mktemp("estate"), request.param) as made:
        yield made


@pytest.mark.long
async def test_a_killed_worker_is_replaced_and_what_it_was_reading_is_read(place: Estate) -> None:
    async with proving(place) as proof:
        await blows.kill_worker(proof)


@pytest.mark.long
async def test_a_killed_process_of_the_api_is_replaced_while_the_other_one_answers(
    place: Estate,
) -> None:
    async with proving(place) as proof:
        await blows.kill_api(proof)


@pytest.mark.long
async def test_a_process_of_the_api_that_is_told_to_end_costs_no_request(place: Estate) -> None:
    async with proving(place) as proof:
        await blows.end_api(proof)


@pytest.mark.long
async def test_a_cache_server_that_crashes_costs_no_request(place: Estate) -> None:
    async with proving(place) as proof:
        await blows.restart_redis(proof)


@pytest.mark.parametrize(
    "how",
    [
        "reset",
        pytest.param("cut", marks=pytest.mark.long),
        pytest.param("stall", marks=pytest.mark.long),
    ],
)
async def test_a_line_to_the_exchange_that_breaks_costs_readings_and_nothing_else(
    place: Estate, how: str
) -> None:
    async with proving(place) as proof:
        await blows.break_line(proof, how, 1.0)


@pytest.mark.long
async def test_figures_are_told_as_stale_once_the_exchange_is_away_for_long(place: Estate) -> None:
    async with proving(place) as proof:
        await blows.break_line(proof, "cut", STALE_AFTER + SLACK + 1)
        assert proof.witness.marked_stale


async def test_a_database_that_takes_nothing_costs_requests_for_as_long_alone(
    place: Estate,
) -> None:
    async with proving(place) as proof:
        await (blows.fill_disk if place.postgres is None else blows.crash_postgres)(proof)


@pytest.mark.long
async def test_a_short_soak(place: Estate) -> None:
    async with proving(place) as proof:
        await strike(proof, random.Random(1), 2, time.monotonic() + place.deadline)  # noqa: S311 - it is to be the same


# At the end: readings are dated after the last one, so that for an hour their dates tell little.
@pytest.mark.long
@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_a_clock_that_is_set_wrong_and_right_again_stops_no_reading(
    place: Estate, step: int
) -> None:
    async with proving(place) as proof:
        await blows.step_clock(proof, step)
