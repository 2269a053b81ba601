"""Walks through trades, and counts of open orders, at venues of every kind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.connectors.exchange.client import Heard
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.open_orders import count_open_orders
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.trades import CALLS, read_trades
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.connectors.trades import FoundTrades, TradesRequest
from coffers.markets.catalogue import Market, load_catalogue
from coffers.valuation.trade import Trade
from factories import NOW

AHEAD = 5
AT_ONCE = {"limit": 3, "daysBack": 30, "untilDays": 7, "symbolRequired": False}
SPOT = {"base": "BTC", "quote": "USDT", "spot": True}
SWAP = {"base": "BTC", "quote": "USDT", "swap": True, "contract": True, "linear": True}


def row(name: str, at: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "symbol": "BTC/USDT",
        "timestamp": at - AHEAD,
        "side": "buy",
        "price": "60000",
        "amount": "0.5",
        "cost": "30000",
        **changes,
    }


@dataclass
class FakeExchange:
    features: dict[str, Any]
    has: dict[str, bool]
    options: dict[str, Any] = field(default_factory=dict)
    markets: dict[str, Any] = field(
        default_factory=lambda: {"BTC/USDT": SPOT, "BTC/USDT:USDT": SWAP}
    )


@dataclass
class FakeVenue:
    """A venue with trades and orders of its own; keeps what it was asked, answers as told."""

    features: dict[str, Any]
    tell: Callable[..., list[dict[str, Any]]]
    name: str = "okx"
    now_at: int = NOW
    has_spot: bool = True
    asked: list[tuple[int | None, int | None, dict[str, Any]]] = field(default_factory=list)
    raised: frozenset[str] = frozenset()
    clock_ahead: int = AHEAD

    def __post_init__(self) -> None:
        has = {"fetchMyTrades": True, "fetchOpenOrders": True, "spot": self.has_spot}
        self.exchange = FakeExchange(self.features, has)
        self.venue = Venue(self.name, self.name, (self.name,))
        self.heard = Heard(200, {}, [])

    def can(self, method: str) -> bool:
        return self.exchange.has[method]

    def now(self) -> Millis:
        return Millis(self.now_at)

    def asset(self, code: str) -> str:
        return code

    def code(self, asset: str) -> str:
        return asset

    async def ask(
        self,
        _method: str,
        _symbol: str | None,
        since: int | None,
        limit: int | None,
        params: dict[str, Any],
    ) -> list[dict[str, Any]]:
        self.asked.append((since, limit, params))
        rows = self.tell(since, limit, params)
        self.heard = Heard(200, {}, rows)
        return rows


def market(code: str) -> Market:
    found = load_catalogue().get(code)
    assert found is not None
    return found


async def walked(
    venue: FakeVenue, cursor: str | None = None, code: str = "okex"
) -> tuple[list[Trade], FoundTrades]:
    """Go on until the venue has nothing more to tell."""
    trades: list[Trade] = []
    for _ in range(200):
        request = TradesRequest(cursor, frozenset({"BTC"}))
        found = await read_trades(cast("VenueSession", venue), market(code), request)
        trades += found.trades
        cursor = found.cursor
        if found.is_resting:
            return trades, found
    raise AssertionError("no end")


def of_all(rows: list[dict[str, Any]]) -> Callable[..., list[dict[str, Any]]]:
    """Answer with the newest rows of a span, as venues do that tell all symbols at once."""

    def tell(since: int, limit: int, params: dict[str, Any]) -> list[dict[str, Any]]:
        end = params.get("until", 2**62)
        found = [one for one in rows if since <= one["timestamp"] <= end]
        return sorted(found, key=lambda one: one["timestamp"])[-limit:]

    return tell


async def test_windows_are_walked_back_and_parted_where_an_answer_is_full() -> None:
    rows = [row(f"t{n}", NOW - 9 * DAY + n * MINUTE) for n in range(10)]
    venue = FakeVenue({"spot": {"fetchMyTrades": AT_ONCE}}, of_all([*rows, row("new", NOW - HOUR)]))
    trades, found = await walked(venue)
    assert {one.trade_id for one in trades} == {"new", *(f"t{n}" for n in range(10))}
    assert {one.at for one in trades} >= {NOW - HOUR, NOW - 9 * DAY}
    assert (found.known_until, found.has_gaps) == (NOW, False)


async def test_a_venue_that_tells_a_month_does_not_tell_all() -> None:
    venue = FakeVenue({"spot": {"fetchMyTrades": AT_ONCE}}, of_all([]))
    _, found = await walked(venue)
    assert (found.known_since, found.reaches_first) == (NOW - 30 * DAY + MINUTE, False)
    endless = {**AT_ONCE, "daysBack": None, "untilDays": 90}
    _, found = await walked(FakeVenue({"spot": {"fetchMyTrades": endless}}, of_all([])))
    assert (found.reaches_first, found.has_gaps) == (True, False)


async def test_what_fell_out_of_reach_while_nobody_looked_is_not_known() -> None:
    venue = FakeVenue({"spot": {"fetchMyTrades": AT_ONCE}}, of_all([]))
    _, found = await walked(venue)
    venue.now_at = NOW + 20 * DAY
    _, found = await walked(venue, found.cursor)
    assert found.known_since == NOW - 30 * DAY + MINUTE
    venue.now_at = NOW + 60 * DAY
    _, found = await walked(venue, found.cursor)
    assert found.known_since == NOW + 30 * DAY + MINUTE
    assert found.known_until == NOW + 60 * DAY


async def test_a_step_makes_few_calls() -> None:
    venue = FakeVenue({"spot": {"fetchMyTrades": {**AT_ONCE, "daysBack": None}}}, of_all([]))
    found = await read_trades(cast("VenueSession", venue), market("okex"), TradesRequest())
    assert (len(venue.asked), found.is_resting) == (CALLS, False)


async def test_a_full_answer_that_cannot_be_parted_is_a_gap() -> None:
    rows = [row(f"t{n}", NOW - HOUR) for n in range(5)]
    venue = FakeVenue({"spot": {"fetchMyTrades": {**AT_ONCE, "untilDays": None}}}, of_all(rows))
    assert (await walked(venue))[1].has_gaps


async def test_a_senseless_row_is_a_gap_and_ends_nothing() -> None:
    rows = [row("a", NOW - HOUR), row("b", NOW - HOUR, price=None)]
    trades, found = await walked(FakeVenue({"spot": {"fetchMyTrades": AT_ONCE}}, of_all(rows)))
    assert ([one.trade_id for one in trades], found.has_gaps) == (["a"], True)


@pytest.mark.parametrize("has_spot", [True, False])
async def test_a_kind_of_contracts_is_named_only_where_there_is_another(has_spot: bool) -> None:
    rows = [row("a", NOW - HOUR, symbol="BTC/USDT:USDT")]
    features = {"swap": {"linear": {"fetchMyTrades": AT_ONCE}}}
    venue = FakeVenue(features, of_all(rows), has_spot=has_spot)
    trades, _ = await walked(venue, code="okex_futures")
    assert [(one.kind, one.trade_id) for one in trades] == [("contract", "a")]
    assert ("type" in venue.asked[0][2]) == has_spot


async def test_okx_is_asked_for_contracts_with_an_end_too() -> None:
    rule = {"linear": {"fetchMyTrades": AT_ONCE, "fetchOpenOrders": {"limit": 100}}}
    rows = [row("a", NOW - HOUR, symbol="BTC/USDT-260327", id="f")]
    venue = FakeVenue({"swap": rule, "future": rule}, of_all(rows))
    dated = {**SWAP, "swap": False, "future": True}
    venue.exchange.markets["BTC/USDT-260327"] = dated
    trades, _ = await walked(venue, code="okex_futures")
    assert {one.kind for one in trades} == {"contract"}
    kinds = {params["type"] for _, _, params in venue.asked}
    assert kinds == {"swap", "future"}
    venue.asked.clear()
    venue.tell = orders(2)
    assert await count_open_orders(cast("VenueSession", venue), market("okex_futures")) == 2
    assert [params["type"] for _, _, params in venue.asked] == ["swap", "future"]


async def test_binance_tells_contracts_of_half_a_year() -> None:
    rule = {"limit": 9, "untilDays": 7, "symbolRequired": True}

    def nothing(*_: Any) -> list[dict[str, Any]]:
        return []

    swap = {"swap": {"linear": {"fetchMyTrades": rule}}}
    venue = FakeVenue(swap, nothing, "binanceusdm", has_spot=False)
    _, found = await walked(venue, code="binance_futures")
    assert not found.reaches_first
    spot = FakeVenue({"spot": {"fetchMyTrades": rule}}, nothing, "binance")
    assert (await walked(spot, code="binance"))[1].reaches_first


def orders(count: int) -> Callable[..., list[dict[str, Any]]]:
    return lambda *_: [{"id": str(n), "symbol": "BTC/USDT"} for n in range(count)]


async def counted(venue: FakeVenue) -> int | None:
    return await count_open_orders(cast("VenueSession", venue), market("bybit_spot"))


async def test_open_orders_are_counted_as_far_as_one_answer_holds_them_all() -> None:
    features = {"spot": {"fetchOpenOrders": {"limit": 50}}}
    venue = FakeVenue(features, orders(49))
    assert await counted(venue) == 49
    assert venue.asked == [(None, 50, {})]
    assert await counted(FakeVenue(features, orders(50))) is None
    assert await counted(FakeVenue({"spot": {"fetchOpenOrders": {}}}, orders(70))) == 70
    wants = {"spot": {"fetchOpenOrders": {"symbolRequired": True}}}
    assert await counted(FakeVenue(wants, orders(1))) is None


async def test_a_venue_that_wants_a_symbol_does_not_tell_what_is_open() -> None:
    def refuse(*_: Any) -> list[dict[str, Any]]:
        raise ConnectorFailure(FailureKind.UNEXPECTED_ANSWER, "a symbol is needed")

    assert await counted(FakeVenue({}, refuse, raised=frozenset({"ArgumentsRequired"}))) is None
    with pytest.raises(ConnectorFailure):
        await counted(FakeVenue({}, refuse))
