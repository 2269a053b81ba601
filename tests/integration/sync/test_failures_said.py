"""A venue that is down for a day: said once of each account, not with every try."""

from structlog.testing import capture_logs

from coffers.clock import HOUR
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import position
from integration.sync.test_syncer import House, house, reading

__all__ = ["house"]

DOWN = ConnectorFailure(FailureKind.VENUE_DOWN, "away since 10:15", code="503")
STILL = ConnectorFailure(FailureKind.VENUE_DOWN, "away since 10:16", code="503")
REFUSED = ConnectorFailure(FailureKind.KEY_REFUSED, "no such key", code="-2015")


async def test_a_failure_is_said_once_and_again_after_a_good_reading(house: House) -> None:
    good = reading(position("BTC", "1"))
    with capture_logs() as logs:
        for answer in (DOWN, STILL, STILL, REFUSED, DOWN, good, DOWN):
            house.clock.advance(HOUR)
            await house.read(answer)
    said = [(each["kind"], each["log_level"]) for each in logs if each["event"] == "reading failed"]
    down, still = ("venue_down", "warning"), ("venue_down", "debug")
    assert said == [down, still, still, ("key_refused", "warning"), down, down]
