"""A venue that is down for a day: said of each account now and then, not with every try."""

from itertools import pairwise

from structlog.testing import capture_logs

from coffers.clock import DAY, HOUR, MINUTE
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import position
from integration.sync.test_syncer import House, house, reading

__all__ = ["house"]

DOWN = ConnectorFailure(FailureKind.VENUE_DOWN, "away since 10:15", code="503")
STILL = ConnectorFailure(FailureKind.VENUE_DOWN, "away since 10:16", code="503")
SLOW = ConnectorFailure(FailureKind.UNREACHABLE, "no answer", code="RequestTimeout")
GONE = ConnectorFailure(FailureKind.VENUE_DOWN, "away since 10:15", code="502")
REFUSED = ConnectorFailure(FailureKind.KEY_REFUSED, "no such key", code="-2015")


async def test_a_failure_is_said_once_and_again_after_a_good_reading(house: House) -> None:
    good = reading(position("BTC", "1"))
    with capture_logs() as logs:
        for answer in (DOWN, STILL, STILL, REFUSED, DOWN, good, DOWN):
            house.clock.advance(MINUTE)
            await house.read(answer)
    said = [(each["kind"], each["log_level"]) for each in logs if each["event"] == "reading failed"]
    down, still = ("venue_down", "warning"), ("venue_down", "debug")
    assert said == [down, still, still, ("key_refused", "warning"), down, down]


async def test_a_venue_that_is_down_in_several_ways_is_said_once(house: House) -> None:
    with capture_logs() as logs:
        for answer in (DOWN, SLOW, GONE, DOWN, SLOW):
            house.clock.advance(MINUTE)
            await house.read(answer)
    said = [each["log_level"] for each in logs if each["event"] == "reading failed"]
    assert said == ["warning", *["debug"] * 4]


async def test_what_goes_on_failing_is_said_again_every_six_hours(house: House) -> None:
    began, said = house.clock.now(), list[int]()
    while house.clock.now() < began + 2 * DAY:
        with capture_logs() as logs:
            await house.read(DOWN)
        if "warning" in {each["log_level"] for each in logs if each["event"] == "reading failed"}:
            said.append(house.clock.now())
        house.clock.set((await house.view()).account.sync.next_sync_at)
    assert max(later - one for one, later in pairwise(said)) < 6 * HOUR + 20 * MINUTE
    assert len(said) < 12
