"""Readings of the simulated exchange over real HTTP: what arrives, and what becomes of faults."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis, SystemClock
from coffers.connectors.exchange import flows
from coffers.connectors.exchange.connector import RIGHTS_AGE, ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import (
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.sandbox import (
    Exchange,
    FaultKind,
    Move,
    NewFault,
    NewKey,
    SandboxControl,
    machine_time,
    running,
)
from coffers.secret import Secret
from integration.connectors.replay import hurried

TIMEOUT = 10.0
ACCOUNT = "/api/v3/account"
DEPOSITS = "/sapi/v1/capital/deposit/hisrec"
WITHDRAWALS = "/sapi/v1/capital/withdraw/history"
RIGHTS = "/sapi/v1/account/apiRestrictions"
NO_FLOWS = ReadRequest(None)


def market(venue: str | None = "binance") -> Any:
    return SimpleNamespace(venue=venue, name="Binance Spot", market_types=("spot",), wallet=None)


def key(number: int) -> str:
    return f"fake-key-{number:04}".ljust(64, "x")


def credentials(number: int = 1) -> Credentials:
    return Credentials(key(number), Secret(f"fake-secret-{number}"))


def new_key(number: int = 1, **changes: Any) -> NewKey:
    balances = {"BTC": Decimal(f"1.{number:08}"), "USDT": Decimal("250.5")}
    given = {"venue": "binance", "key": key(number), "balances": balances, **changes}
    return NewKey(secret=f"fake-secret-{number}", **given)


@dataclass
class World:
    control: SandboxControl
    connector: ExchangeConnector
    venues: Venues
    clock: ManualClock

    async def read(self, number: int = 1, request: ReadRequest = NO_FLOWS) -> Reading:
        self.clock.set(SystemClock().now())
        return await self.connector.read(market(), credentials(number), request)

    async def failure(self, request: ReadRequest = NO_FLOWS) -> ConnectorFailure:
        with pytest.raises(ConnectorFailure) as caught:
            await self.read(request=request)
        return caught.value


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = ManualClock(SystemClock().now())
    async with (
        running(Exchange(7, machine_time)) as url,
        SandboxControl(url) as control,
    ):
        await control.create_key(new_key())
        venues = Venues(url, TIMEOUT, clock, is_paced=False)
        hurried(venues, "binance", "binanceus")
        connector = ExchangeConnector(venues, clock)
        yield World(control, connector, venues, clock)
        await connector.close()


async def test_what_is_free_and_what_is_in_orders(world: World) -> None:
    free, locked = Decimal("3.12345678"), Decimal("0.5")
    await world.control.hold("binance", key(1), "ETH", free, locked)
    before = SystemClock().now()
    reading = await world.read()
    assert before <= reading.at <= SystemClock().now()
    assert reading.wallets == {"spot", "funding", "earn"}
    assert reading.is_complete
    found = {p.asset: (p.free, p.in_orders, p.borrowed) for p in reading.positions}
    assert found == {
        "BTC": (Decimal("1.00000001"), 0, 0),
        "USDT": (Decimal("250.5"), 0, 0),
        "ETH": (free, locked, 0),
    }


async def test_readings_of_one_account_name_the_same_and_of_another_one_another(
    world: World,
) -> None:
    await world.control.create_key(new_key(2))
    first, again, other = await world.read(), await world.read(), await world.read(2)
    assert first.identity is not None
    assert first.identity == again.identity
    assert other.identity not in {None, first.identity}


async def test_an_account_with_nothing_is_empty_and_complete(world: World) -> None:
    await world.control.create_key(new_key(2, balances={}))
    reading = await world.read(2)
    assert (reading.positions, reading.is_complete) == ((), True)


async def test_finished_deposits_and_withdrawals_are_flows(world: World) -> None:
    now = SystemClock().now()
    move = Move(venue="binance", key=key(1), asset="BTC", amount=Decimal("0.5"), at=now - HOUR)
    deposit = await world.control.deposit(move)
    pending = await world.control.deposit(replace_move(move, is_pending=True))
    withdrawal = await world.control.withdraw(
        replace_move(move, amount=Decimal("0.2"), fee=Decimal("0.0001"), at=now - 2 * HOUR)
    )
    reading = await world.read(request=ReadRequest(Millis(now - DAY)))
    assert reading.flows_known
    assert [(f.direction, f.external_id, f.amount, f.fee) for f in reading.flows] == [
        ("out", withdrawal, Decimal("0.2"), Decimal("0.0001")),
        ("in", deposit, Decimal("0.5"), Decimal(0)),
    ]
    await world.control.complete("binance", key(1), pending)
    known = frozenset({("in", deposit), ("out", withdrawal)})
    again = await world.read(request=ReadRequest(Millis(now - DAY), known))
    assert [flow.external_id for flow in again.flows] == [pending]


async def test_flows_of_a_whole_year_are_asked_in_windows(world: World) -> None:
    now = SystemClock().now()
    for days in (10, 100, 200, 300):
        move = Move(venue="binance", key=key(1), asset="ETH", amount=Decimal(1))
        await world.control.deposit(replace_move(move, at=now - days * DAY))
    reading = await world.read(request=ReadRequest(Millis(now - 365 * DAY)))
    assert len(reading.flows) == 4
    # The five windows, and the last days once more, since there were new ones.
    assert (await world.control.requests()).counts[f"binance GET {DEPOSITS}"] == 6


async def test_flows_of_years_are_asked_over_several_readings_and_those_of_today_in_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "MOST_PAGES", 2)
    now = SystemClock().now()
    for days in (1, 300, 100):
        move = Move(venue="binance", key=key(1), asset="ETH", amount=Decimal(1))
        await world.control.deposit(replace_move(move, at=now - days * DAY))
    reading = await world.read(request=ReadRequest(Millis(now - 365 * DAY)))
    assert [round((now - flow.at) / DAY) for flow in reading.flows] == [300, 1]
    assert reading.flows_until is not None
    assert (reading.flows_known, round((now - reading.flows_until) / DAY)) == (False, 185)
    known = frozenset((flow.direction, flow.external_id) for flow in reading.flows)
    reading = await world.read(request=ReadRequest(reading.flows_until, known))
    assert [round((now - flow.at) / DAY) for flow in reading.flows] == [100]
    assert (reading.flows_known, reading.flows_until) == (True, reading.at)


@pytest.mark.parametrize("path", [DEPOSITS, ACCOUNT])
async def test_a_deposit_that_comes_amid_a_reading_is_in_its_balances_and_its_flows_or_in_neither(
    world: World, path: str
) -> None:
    fault = NewFault(kind=FaultKind.DELAY, path=path, seconds=0.3, count=1)
    await world.control.inject(fault)
    move = Move(venue="binance", key=key(1), asset="BTC", amount=Decimal(2))
    pending = await world.control.deposit(replace_move(move, is_pending=True))
    request = ReadRequest(Millis(SystemClock().now() - DAY))
    connector = ExchangeConnector(world.venues, SystemClock())
    reading = asyncio.create_task(connector.read(market(), credentials(), request))
    async with asyncio.timeout(10):
        while not any(path in name for name in (await world.control.requests()).counts):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    await world.control.complete("binance", key(1), pending)
    await world.control.deposit(replace_move(move, amount=Decimal(3)))
    read = await reading
    held = sum(each.owned for each in read.positions if each.asset == "BTC")
    assert pending in {flow.external_id for flow in read.flows}
    assert held == Decimal("1.00000001") + sum(flow.amount for flow in read.flows)
    assert all(flow.at <= read.at for flow in read.flows)


async def test_without_flows_wanted_none_are_asked(world: World) -> None:
    await world.read()
    asked = (await world.control.requests()).counts
    assert f"binance GET {DEPOSITS}" not in asked


async def test_what_the_key_may_do_comes_with_the_reading(world: World) -> None:
    await world.control.create_key(new_key(3, trade=True, withdraw=True, ips=("127.0.0.1",)))
    assert (await world.read()).rights == KeyRights(
        read=True, trade=False, withdraw=False, address_restricted=False
    )
    rights = await world.connector.rights(market(), credentials(3))
    assert rights == KeyRights(read=True, trade=True, withdraw=True, address_restricted=True)


async def test_rights_are_asked_once_a_day_and_anew_on_demand(world: World) -> None:
    await world.read()
    await world.read()
    assert (await world.control.requests()).counts[f"binance GET {RIGHTS}"] == 1
    await world.connector.rights(market(), credentials())
    assert (await world.control.requests()).counts[f"binance GET {RIGHTS}"] == 2
    world.clock.advance(RIGHTS_AGE)
    await world.connector.read(market(), credentials(), NO_FLOWS)
    assert (await world.control.requests()).counts[f"binance GET {RIGHTS}"] == 3
    # They were asked by a clock that was ahead.
    world.clock.advance(-RIGHTS_AGE)
    await world.connector.read(market(), credentials(), NO_FLOWS)
    assert (await world.control.requests()).counts[f"binance GET {RIGHTS}"] == 4


async def test_a_venue_that_does_not_tell_rights_leaves_them_unknown(world: World) -> None:
    await world.control.create_key(new_key(venue="binanceus"))
    us = market("binanceus")
    reading = await world.connector.read(us, credentials(), NO_FLOWS)
    assert reading.rights == UNKNOWN_RIGHTS
    assert {position.asset for position in reading.positions} == {"BTC", "USDT"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (FaultKind.HTML, FailureKind.UNEXPECTED_ANSWER),
        (FaultKind.EMPTY_OBJECT, FailureKind.UNEXPECTED_ANSWER),
        (FaultKind.EMPTY_BODY, FailureKind.UNEXPECTED_ANSWER),
        (FaultKind.TRUNCATED, FailureKind.UNEXPECTED_ANSWER),
        (FaultKind.DROPPED, FailureKind.UNREACHABLE),
        (FaultKind.STATUS, FailureKind.VENUE_DOWN),
        (FaultKind.RATE_LIMITED, FailureKind.RATE_LIMITED),
        (FaultKind.BANNED, FailureKind.RATE_LIMITED),
        (FaultKind.KEY_REVOKED, FailureKind.KEY_REFUSED),
        (FaultKind.ADDRESS_REFUSED, FailureKind.ADDRESS_REFUSED),
    ],
)
async def test_a_fault_of_the_balance_call_is_one_typed_failure(
    world: World, fault: FaultKind, kind: FailureKind
) -> None:
    await world.control.inject(NewFault(kind=fault, path=ACCOUNT, retry_after=45))
    failure = await world.failure()
    assert failure.kind is kind
    is_limit = kind is FailureKind.RATE_LIMITED
    assert failure.retry_after == (45_000 if is_limit else None)
    await world.control.clear_faults()
    assert (await world.read()).is_complete


async def test_an_answer_that_comes_too_late_is_unreachable(world: World) -> None:
    await world.read()
    impatient = Venues(world.venues._gateway, 0.2, world.clock, is_paced=False)
    await world.control.inject(NewFault(kind=FaultKind.DELAY, path=ACCOUNT, seconds=1))
    connector = ExchangeConnector(impatient, world.clock)
    with pytest.raises(ConnectorFailure) as caught:
        await connector.read(market(), credentials(), NO_FLOWS)
    await connector.close()
    assert caught.value.kind is FailureKind.UNREACHABLE


async def test_a_venue_that_nobody_listens_for_is_unreachable(world: World) -> None:
    nowhere = ExchangeConnector(
        Venues("http://127.0.0.1:9", TIMEOUT, world.clock, is_paced=False), world.clock
    )
    with pytest.raises(ConnectorFailure) as caught:
        await nowhere.read(market(), credentials(), NO_FLOWS)
    await nowhere.close()
    assert caught.value.kind is FailureKind.UNREACHABLE


async def test_a_revoked_key_is_refused_and_says_why(world: World) -> None:
    await world.control.revoke("binance", key(1))
    failure = await world.failure()
    assert failure.kind is FailureKind.KEY_REFUSED
    assert failure.code == "-2015"
    assert "either it is wrong or revoked" in str(failure)
    await world.control.revoke("binance", key(1), is_revoked=False)
    assert (await world.read()).is_complete


async def test_a_wrong_secret_is_refused_without_showing_it(world: World) -> None:
    wrong = replace(credentials(), secret=Secret("fake-wrong-secret"))
    with pytest.raises(ConnectorFailure) as caught:
        await world.connector.read(market(), wrong, NO_FLOWS)
    assert caught.value.kind is FailureKind.KEY_REFUSED
    assert caught.value.code == "-1022"
    assert "fake-wrong-secret" not in f"{caught.value!r} {caught.value.__context__!r}"


async def test_a_key_for_another_address_is_about_the_address(world: World) -> None:
    await world.control.create_key(new_key(ips=("192.0.2.1",)))
    assert (await world.failure()).kind is FailureKind.ADDRESS_REFUSED


@pytest.mark.parametrize("offset", [HOUR, -HOUR])
async def test_a_clock_that_drifts_apart_is_set_without_a_failure(
    world: World, offset: int
) -> None:
    await world.read()
    await world.control.shift_clock(offset)
    await world.control.clear_requests()
    assert (await world.read()).is_complete
    counts = (await world.control.requests()).counts
    assert counts["binance GET /api/v3/time"] == 1
    await world.control.clear_requests()
    await world.read()
    assert "binance GET /api/v3/time" not in (await world.control.requests()).counts


async def test_a_time_that_stays_wrong_is_a_failure(world: World) -> None:
    await world.read()
    body = '{"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}'
    await world.control.inject(NewFault(kind=FaultKind.STATUS, path=ACCOUNT, status=400, body=body))
    assert (await world.failure()).kind is FailureKind.CLOCK_DRIFT


@pytest.mark.parametrize("path", [DEPOSITS, WITHDRAWALS])
@pytest.mark.parametrize("fault", [FaultKind.HTML, FaultKind.EMPTY_OBJECT, FaultKind.KEY_REVOKED])
async def test_a_history_that_is_not_told_leaves_the_flows_unknown(
    world: World, path: str, fault: FaultKind
) -> None:
    await world.control.inject(NewFault(kind=fault, path=path))
    reading = await world.read(request=ReadRequest(Millis(SystemClock().now() - DAY)))
    assert reading.positions
    assert (reading.flows_known, reading.flows_until) == (False, None)


async def test_a_limit_met_among_the_flows_is_a_failure_with_its_pause(world: World) -> None:
    await world.control.inject(NewFault(kind=FaultKind.BANNED, path=DEPOSITS, retry_after=120))
    failure = await world.failure(ReadRequest(Millis(SystemClock().now() - DAY)))
    assert (failure.kind, failure.retry_after) == (FailureKind.RATE_LIMITED, 120_000)


async def test_rights_that_are_not_told_leave_the_reading_whole(world: World) -> None:
    await world.control.inject(NewFault(kind=FaultKind.KEY_REVOKED, path=RIGHTS))
    assert (await world.read()).rights == UNKNOWN_RIGHTS
    with pytest.raises(ConnectorFailure) as caught:
        await world.connector.rights(market(), credentials())
    assert caught.value.kind is FailureKind.KEY_REFUSED


async def test_twenty_readings_at_once_never_mix_their_accounts(world: World) -> None:
    for number in range(1, 21):
        await world.control.create_key(new_key(number))
    readings = await asyncio.gather(
        *(world.connector.read(market(), credentials(number), NO_FLOWS) for number in range(1, 21))
    )
    for number, reading in enumerate(readings, start=1):
        held = {position.asset: position.free for position in reading.positions}
        assert held == {"BTC": Decimal(f"1.{number:08}"), "USDT": Decimal("250.5")}
    asked = await world.control.requests()
    assert asked.counts["binance GET /api/v3/exchangeInfo"] == 1
    assert {asked.most_at_once[f"binance {key(number)}"] for number in range(1, 21)} == {1}


async def test_a_reading_that_is_cancelled_leaves_the_venue_usable(world: World) -> None:
    await world.read()
    await world.control.inject(NewFault(kind=FaultKind.DELAY, path=ACCOUNT, seconds=1, count=1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await world.read()
    assert (await world.read()).is_complete


async def test_quotes_are_the_spot_pairs_of_one_call(world: World) -> None:
    await world.control.set_price("binance", "BTCUSDT", Decimal(100000))
    quotes = {(q.base, q.quote): q for q in await world.venues.quotes("binance")}
    bitcoin = quotes["BTC", "USDT"]
    assert bitcoin.last == Decimal(100000)
    assert bitcoin.bid is not None
    assert bitcoin.ask is not None
    assert bitcoin.bid <= bitcoin.last <= bitcoin.ask
    assert bitcoin.volume is not None
    assert bitcoin.volume > 0
    assert len(quotes) > 50
    assert (await world.control.requests()).counts["binance GET /api/v3/ticker/24hr"] == 1


async def test_candles_tell_what_an_asset_was_quoted_at(world: World) -> None:
    moment = Millis(SystemClock().now() - DAY)
    quotes = await world.venues.past_quotes("binance", "ETH", moment)
    pairs = {(quote.base, quote.quote) for quote in quotes}
    assert {("ETH", "USDT"), ("BTC", "USDT")} <= pairs
    assert {quote.at for quote in quotes} == {moment - moment % MINUTE}


async def test_quotes_of_a_venue_that_is_down_are_a_failure(world: World) -> None:
    await world.control.inject(NewFault(kind=FaultKind.HTML, path="/api/v3/ticker"))
    with pytest.raises(ConnectorFailure) as caught:
        await world.venues.quotes("binance")
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_a_market_that_the_library_cannot_reach_is_unsupported(world: World) -> None:
    with pytest.raises(ConnectorFailure) as caught:
        await world.connector.read(market(None), credentials(), NO_FLOWS)
    assert caught.value.kind is FailureKind.UNSUPPORTED


def replace_move(move: Move, **changes: Any) -> Move:
    given = {name: getattr(move, name) for name in move.__struct_fields__}
    return Move(**{**given, **changes})


async def test_deposits_of_state_money_are_flows_from_the_second_reading_on(world: World) -> None:
    now = SystemClock().now()
    await world.control.hold("binance", key(1), "EUR", Decimal(500))
    move = Move(venue="binance", key=key(1), asset="EUR", amount=Decimal(500), at=now - HOUR)
    deposit = await world.control.deposit(move)
    first = await world.read(request=ReadRequest(Millis(now - DAY)))
    second = await world.read(request=ReadRequest(Millis(now - DAY)))
    told = {flow.external_id: flow for flow in (*first.flows, *second.flows)}
    assert second.flows_known
    assert [(f.direction, f.asset, f.amount) for f in told.values()] == [
        ("in", "EUR", Decimal(500))
    ], deposit


async def test_candles_are_asked_only_for_an_asset_that_has_a_pair(world: World) -> None:
    at = Millis(SystemClock().now() - DAY)
    quotes = await world.venues.past_quotes("binance", "ETH", at)
    assert ("ETH", "USDT") in {(quote.base, quote.quote) for quote in quotes}
    await world.control.clear_requests()
    assert await world.venues.past_quotes("binance", "ORPHAN", at) == []
    assert (await world.control.requests()).counts == {}
