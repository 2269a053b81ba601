from typing import Any

import pytest

from coffers.clock import DAY
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.rights import read_rights
from coffers.connectors.reading import ConnectorFailure
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from factories import NOW
from unit.connectors.exchange.fakes import BINANCE, FakeExchange, session

READ_ONLY = {
    "ipRestrict": False,
    "enableReading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "enableMargin": False,
    "enableFutures": False,
    "permitsUniversalTransfer": False,
    "enableSpotAndMarginTrading": False,
}


async def told(**changes: Any) -> KeyRights:
    exchange = FakeExchange(sapiGetAccountApiRestrictions=[{**READ_ONLY, **changes}])
    return await read_rights(session(exchange))


async def test_a_key_that_may_only_read() -> None:
    assert await told() == KeyRights(
        read=True, trade=False, withdraw=False, address_restricted=False, expires_at=None
    )


async def test_a_key_that_may_withdraw_from_one_address() -> None:
    rights = await told(enableWithdrawals=True, ipRestrict=True)
    assert (rights.withdraw, rights.address_restricted) == (True, True)


@pytest.mark.parametrize("right", ["enableSpotAndMarginTrading", "enableMargin", "enableFutures"])
async def test_any_right_to_trade_is_one(right: str) -> None:
    assert (await told(**{right: True})).trade is True


async def test_a_right_to_trade_that_runs_out_is_the_keys_expiry() -> None:
    rights = await told(enableSpotAndMarginTrading=True, tradingAuthorityExpirationTime=NOW + DAY)
    assert (rights.trade, rights.expires_at) == (True, NOW + DAY)


async def test_a_right_to_trade_that_has_run_out_leaves_a_readable_key() -> None:
    rights = await told(enableSpotAndMarginTrading=True, tradingAuthorityExpirationTime=NOW - 1)
    assert (rights.read, rights.trade, rights.expires_at) == (True, False, None)


async def test_what_is_not_told_is_unknown() -> None:
    exchange = FakeExchange(sapiGetAccountApiRestrictions=[{"enableReading": True}])
    rights = await read_rights(session(exchange))
    assert rights == KeyRights(read=True)


@pytest.mark.parametrize("answer", [{}, [], {"code": 0}, {"enableReading": "yes"}])
async def test_an_answer_without_rights_is_unexpected(answer: Any) -> None:
    exchange = FakeExchange(sapiGetAccountApiRestrictions=[answer])
    with pytest.raises(ConnectorFailure, match="does not tell what the key may do"):
        await read_rights(session(exchange))


async def test_venues_that_do_not_tell_are_not_asked() -> None:
    for name in ("binanceus", "kraken"):
        exchange = FakeExchange()
        venue = Venue(name, name, (name, BINANCE.id))
        assert await read_rights(session(exchange, venue)) == UNKNOWN_RIGHTS
        assert exchange.asked == []
