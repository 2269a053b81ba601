"""A key that may withdraw from one reading on: noted with the account, and said once."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from coffers.cli.account_output import _state, plain
from coffers.clock import DAY, Millis
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from factories import position
from integration.sync.test_syncer import House, house, reading

__all__ = ["house"]

SAFE = KeyRights(read=True, trade=True, withdraw=False)
DANGEROUS = replace(SAFE, withdraw=True)


async def read(house: House, rights: KeyRights) -> list[Any]:
    """Read the account a day later; return what was said of the key."""
    house.clock.advance(DAY)
    with capture_logs() as logs:
        await house.read(reading(position("BTC", "1"), rights=rights))
    return [each for each in logs if each["event"] == "key may withdraw"]


async def test_it_is_stored_shown_and_said_once(house: House) -> None:
    assert await read(house, SAFE) == []
    assert await read(house, DANGEROUS) == [
        {
            "event": "key may withdraw",
            "log_level": "warning",
            "account": house.account.id,
            "market": "binance",
        }
    ]
    assert await read(house, DANGEROUS) == []
    view = await house.view()
    assert view.account.rights == DANGEROUS
    assert "key may withdraw" in _state(view, house.clock.now(), 60)
    shown = plain(view, house.clock.now(), 60)
    assert (shown["may_trade"], shown["may_withdraw"]) == (True, True)


async def test_a_venue_that_does_not_tell_for_once_changes_nothing(house: House) -> None:
    await read(house, DANGEROUS)
    assert await read(house, UNKNOWN_RIGHTS) == []
    assert (await house.view()).account.rights == DANGEROUS


async def test_a_right_that_is_taken_back_is_not_shown_any_more(house: House) -> None:
    await read(house, DANGEROUS)
    await read(house, SAFE)
    view = await house.view()
    assert "key may withdraw" not in _state(view, house.clock.now(), 60)


@pytest.mark.parametrize(
    ("days", "state"), [(15, "ok"), (13, "expire_soon"), (1, "expire_soon"), (0, "expired")]
)
async def test_the_days_to_a_keys_expiry_are_its_state(house: House, days: int, state: str) -> None:
    await read(house, SAFE)
    expires_at = Millis(house.clock.now() + (days + 1) * DAY)
    await read(house, replace(SAFE, expires_at=expires_at))
    assert (await house.view()).account.key_state == state
