"""Junk with status 200 at every venue: a failure each time, so that nothing known is lost.

Served for every private call, as a maintenance page, a cache or a broken proxy would.
"""

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import ccxt.async_support as ccxt
import pytest
import structlog

from coffers.clock import DAY, Millis, SystemClock
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flows import read_flows
from coffers.connectors.exchange.rules import shapes
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, ReadRequest
from coffers.markets.catalogue import load_catalogue
from integration.connectors.replay import (
    Recorded,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)

CLOCK = SystemClock()
BALANCES = loaded("balances.json")["exchanges"]

JUNK = {
    "a page": Recorded("<html>maintenance</html>"),
    "a page that says what it is": Recorded("<html>maintenance</html>", content_type="text/html"),
    "nothing": Recorded(""),
    "an empty object": Recorded("{}"),
    "an empty list": Recorded("[]"),
    "null": Recorded("null"),
    "a word": Recorded('"maintenance"'),
    "a number": Recorded("503"),
    "a broken off object": Recorded('{"balances": [{"asset": "BTC", "fre'),
    "a broken off list": Recorded('[{"currency": "BTC", "bal'),
    "a code and a text": recorded({"code": 503, "msg": "maintenance"}),
    "an error's text": recorded({"status": "error", "message": "Service unavailable"}),
    "a success without content": recorded({"success": True}),
    "an envelope of null": recorded({"code": 0, "data": None, "result": None}),
    "an envelope of text": recorded({"data": "maintenance", "result": "maintenance"}),
    "a list of null": recorded([None]),
    "a list of empty objects": recorded([{}]),
    "a list of empty lists": recorded([[]]),
    "a list of words": recorded(["maintenance"]),
    "a message in an envelope": recorded({"data": {"message": "maintenance"}}),
    "a list in an envelope of lists": recorded({"error": [], "result": []}),
    "an object in a list": recorded([{"balances": {}}]),
}


def _bare_lists() -> set[str]:
    by_shape = {
        name
        for name, by_wallet in shapes().items()
        if {":array", ":rows:1", ":rows:type"} & set(by_wallet.get("spot", by_wallet.get("*", [])))
    }
    # Gate's is found by the entries themselves.
    return by_shape | {"gate"}


NOTHING_HELD = "a reading of 0 positions"

LIKE_AN_EMPTY_ACCOUNT = {("cryptomus", "a list in an envelope of lists")}
"""Junk that is what the venue sends of an account that holds nothing."""

BARE_LISTS = _bare_lists()
"""Venues that send a bare list of what is held, which may really be empty."""


MARKETS = {market.code: market for market in load_catalogue() if market.venue}


def market(venue: str) -> Any:
    """Return a spot market of a venue, listed in the catalogue or not."""
    return SimpleNamespace(venue=venue, name=venue, market_types=("spot",), wallet=None)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Write no line for each of the thousands of failures: that takes longer than they do."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


async def outcome(venues: Venues, where: Any) -> str:
    connector = ExchangeConnector(venues, CLOCK)
    credentials = fake_credentials(1, where.venue)
    try:
        reading = await connector.read(where, credentials, ReadRequest(None))
    except ConnectorFailure as failure:
        return failure.kind
    return f"a reading of {len(reading.positions)} positions"


@pytest.mark.parametrize("venue", ccxt.exchanges)
async def test_junk_is_a_failure_and_no_reading(venue: str) -> None:
    async with replaying(Recorded("{}")) as replay:
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, venue, CLOCK)
        hurried(venues, venue)
        outcomes = {}
        for name, junk in JUNK.items():
            replay.otherwise = junk
            outcomes[name] = await outcome(venues, market(venue))
        family = venues._of(venue).venue.family
        await venues.close()
    assert replay.paths
    assert not [path for path in replay.paths if "approve" in path.lower()]
    if BARE_LISTS & set(family):
        assert outcomes.pop("an empty list") in {
            FailureKind.UNEXPECTED_ANSWER,
            "a reading of 0 positions",
        }
    usual = {FailureKind.UNEXPECTED_ANSWER, FailureKind.VENUE_DOWN}
    odd = {
        name: found
        for name, found in outcomes.items()
        if found not in usual and (venue, name) not in LIKE_AN_EMPTY_ACCOUNT
    }
    assert odd == {}


@pytest.mark.parametrize("code", sorted(set(MARKETS) - set(ccxt.exchanges)))
async def test_junk_is_no_reading_of_any_market(code: str) -> None:
    where = MARKETS[code]
    assert where.venue is not None
    async with replaying(Recorded("{}")) as replay:
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, where.venue, CLOCK)
        hurried(venues, where.venue)
        found = set()
        for name, junk in JUNK.items():
            replay.otherwise = junk
            if name != "an empty list":
                found.add(await outcome(venues, where))
        await venues.close()
    assert found <= {FailureKind.UNEXPECTED_ANSWER, FailureKind.VENUE_DOWN}


NO_HISTORY = sorted(
    JUNK.keys()
    - {
        "an empty list",
        "an envelope of null",
        "a message in an envelope",
        "a list in an envelope of lists",
        "an object in a list",
        "a list of empty objects",  # Binance's class of ccxt writes into them
    }
)
"""Junk that no venue's empty history looks like."""

EVERYTHING = Holdings(frozenset({"spot", "funding", "futures"}), (), {})


async def flows_told(venues: Venues, venue: str) -> bool | FailureKind:
    """Return whether the flows are whole; none of them may come out of junk."""
    now = CLOCK.now()
    request = ReadRequest(Millis(now - 14 * DAY))
    try:
        async with venues.session(venue, fake_credentials(1, venue)) as session:
            flows = await read_flows(session, request, now, EVERYTHING, FiatOrders())
    except ConnectorFailure as failure:
        return failure.kind
    assert flows.flows == ()
    return flows.is_whole


@pytest.mark.parametrize("venue", ccxt.exchanges)
async def test_junk_is_no_history_without_flows(venue: str) -> None:
    async with replaying(Recorded("{}")) as replay:
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, venue, CLOCK)
        hurried(venues, venue)
        told = set()
        for name in NO_HISTORY:
            replay.otherwise = JUNK[name]
            told.add(await flows_told(venues, venue))
        await venues.close()
    assert told <= {False, FailureKind.VENUE_DOWN}
