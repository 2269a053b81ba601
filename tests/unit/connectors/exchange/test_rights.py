from typing import Any

import pytest

from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.rights import READERS, read_rights
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from unit.connectors.exchange.fakes import BINANCE, FakeExchange, ccxt_error, session
from unit.connectors.exchange.rights_bodies import BODIES, READ_ONLY_AT, exchange_of, rights_of

ERROR = ("ExchangeError", "BaseError")
REFUSALS = [
    ("PermissionDenied", "AuthenticationError", *ERROR),
    ("NotSupported", *ERROR),
    ("BadRequest", *ERROR),
]
OUTAGES: list[Any] = ["", [], {}, {"code": 0}, {"data": None, "result": None}, {"result": "down"}]


def at(venue: str) -> Venue:
    return Venue(venue, venue, (venue,))


@pytest.mark.parametrize("venue", BODIES)
async def test_a_key_that_may_only_read_is_told(venue: str) -> None:
    assert await rights_of(venue) == READ_ONLY_AT[venue]


@pytest.mark.parametrize("venue", BODIES)
async def test_a_venue_that_refuses_to_tell_leaves_all_unknown(venue: str) -> None:
    for names in REFUSALS:
        assert await rights_of(venue, ccxt_error(*names)) == UNKNOWN_RIGHTS


@pytest.mark.parametrize("venue", BODIES)
async def test_a_refused_key_is_a_failure(venue: str) -> None:
    exchange = exchange_of(venue, ccxt_error("AuthenticationError", *ERROR))
    with pytest.raises(ConnectorFailure) as caught:
        await read_rights(session(exchange, at(venue)))
    assert caught.value.kind is FailureKind.KEY_REFUSED


@pytest.mark.parametrize("answer", OUTAGES)
@pytest.mark.parametrize("venue", BODIES)
async def test_an_outage_is_no_answer_on_rights(venue: str, answer: Any) -> None:
    with pytest.raises(ConnectorFailure, match="does not tell what the key may do") as caught:
        await rights_of(venue, answer)
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("venue", BODIES)
async def test_an_answer_in_which_nothing_is_said_is_a_failure(venue: str) -> None:
    for names in [("NotJson",), ERROR]:
        with pytest.raises(ConnectorFailure):
            await rights_of(venue, ccxt_error(*names))


async def test_venues_that_do_not_tell_are_not_asked() -> None:
    for name in ("binanceus", "krakenfutures"):
        exchange = FakeExchange()
        venue = Venue(name, name, (name, BINANCE.id))
        assert await read_rights(session(exchange, venue)) == UNKNOWN_RIGHTS
        assert exchange.asked == []


@pytest.mark.parametrize(
    ("venue", "like"),
    [
        ("binanceusdm", "binance"),
        ("binancecoinm", "binance"),
        ("bybiteu", "bybit"),
        ("bybitid", "bybit"),
        ("gateeu", "gate"),
        ("kucoinfutures", "kucoin"),
        ("myokx", "okx"),
        ("okxus", "okx"),
    ],
)
async def test_a_venues_other_houses_tell_alike(venue: str, like: str) -> None:
    assert await read_rights(session(exchange_of(like), at(venue))) == READ_ONLY_AT[like]
    assert READERS[venue] is READERS[like]


async def test_unknown_is_the_same_as_knowing_nothing() -> None:
    assert KeyRights() == UNKNOWN_RIGHTS
