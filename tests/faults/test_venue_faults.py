"""Each way in which a venue can fail: the state it leaves, and the figures it must not touch."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from coffers.clock import SystemClock
from coffers.sandbox import FaultKind, NewFault
from coffers.sync.policy import SECOND_LOOK
from coffers.sync.syncer import Outcome
from house import HELD, KEY, POORER, RICHER, World

BALANCES = "/api/v3/account"


@dataclass(frozen=True)
class Case:
    """A fault of the balance call, what it is taken for, and after how long it is tried again."""

    name: str
    fault: NewFault
    kind: str
    wait: tuple[int, int]
    """Seconds, from and to."""


def fault(kind: FaultKind, **changes: object) -> NewFault:
    return NewFault(kind=kind, path=BALANCES, **changes)  # type: ignore[arg-type]


def foreign(key: str) -> NewFault:
    return fault(FaultKind.OTHER_ACCOUNT, venue="binance", as_key=key)


CASES = [
    Case("a page for people", fault(FaultKind.HTML), "unexpected_answer", (50, 70)),
    Case("an empty object", fault(FaultKind.EMPTY_OBJECT), "unexpected_answer", (50, 70)),
    Case("an empty body", fault(FaultKind.EMPTY_BODY), "unexpected_answer", (50, 70)),
    Case("half a body", fault(FaultKind.TRUNCATED), "unexpected_answer", (50, 70)),
    Case("a cut connection", fault(FaultKind.DROPPED), "unreachable", (25, 35)),
    Case("a poorer account's answer", foreign(POORER), "unexpected_answer", (50, 70)),
    Case("a richer account's answer", foreign(RICHER), "unexpected_answer", (50, 70)),
    Case("no answer in time", fault(FaultKind.DELAY, seconds=4), "unreachable", (25, 35)),
    Case("a server error", fault(FaultKind.STATUS, status=502, body="Bad"), "venue_down", (50, 70)),
    Case("429", fault(FaultKind.RATE_LIMITED, retry_after=900), "rate_limited", (890, 910)),
    Case("418", fault(FaultKind.BANNED, retry_after=1800), "rate_limited", (1790, 1810)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_fault_leaves_state_and_figures_as_they_were(world: World, case: Case) -> None:
    before = await world.view()
    await world.control.inject(case.fault)
    result = await world.read()
    now = SystemClock().now()
    after = await world.view()
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert result.failure.kind.value == case.kind
    assert after.figures == before.figures
    assert after.quality == before.quality
    assert (after.account.is_locked, after.account.key_state) == (False, "ok")
    assert after.account.sync.failures == 1
    low, high = case.wait
    assert low * 1000 <= after.account.sync.next_sync_at - now <= high * 1000
    assert_tells_no_secret(after.account.sync.failure_message)
    await world.control.clear_faults()
    assert (await world.read()).outcome is Outcome.COMPLETE
    assert (await world.view()).account.sync.failure_message is None


def assert_tells_no_secret(message: str | None) -> None:
    assert message
    assert "fake-secret" not in message
    assert KEY not in message
    assert "signature" not in message.lower()


@pytest.mark.parametrize("kind", [FaultKind.KEY_REVOKED, FaultKind.ADDRESS_REFUSED])
async def test_a_refused_key_locks_after_the_second_time_and_recovers_by_itself(
    world: World, kind: FaultKind
) -> None:
    before = await world.view()
    await world.control.inject(NewFault(kind=kind, path="/"))
    await world.read()
    first = await world.view()
    assert not first.account.is_locked
    await world.read()
    second = await world.view()
    locks = kind is FaultKind.KEY_REVOKED
    assert second.account.is_locked == locks
    assert second.account.lock_reason == ("invalid_api_key" if locks else None)
    assert second.account.key_state == ("expired" if locks else "ok")
    assert second.figures == before.figures
    await world.control.clear_faults()
    await world.read()
    again = await world.view()
    assert (again.account.is_locked, again.account.key_state) == (False, "ok")


async def test_a_venue_whose_clock_drifts_is_read_all_the_same(world: World) -> None:
    await world.control.shift_clock(3_600_000)
    assert (await world.read()).outcome is Outcome.COMPLETE


async def test_another_accounts_answer_is_told_as_that_and_never_believed(world: World) -> None:
    before = await world.view()
    assert before.account.venue_identity is not None
    await world.control.inject(foreign(RICHER))
    for _ in range(3):
        failure = (await world.read()).failure
        assert failure is not None
        assert failure.code == "other_account"
        world.clock.ahead += SECOND_LOOK
    after = await world.view()
    assert after.figures.usd.amount == before.figures.usd.amount
    assert after.account.sync.failure_message == "Binance answered for another account."
    assert after.account.venue_identity == before.account.venue_identity


async def test_an_account_emptied_for_real_is_believed_a_minute_later(world: World) -> None:
    for asset in HELD:
        await world.control.hold("binance", KEY, asset, Decimal(0))
    for _ in range(3):
        assert (await world.read()).outcome is Outcome.HELD_BACK
    world.clock.ahead = SECOND_LOOK
    assert (await world.read()).outcome is Outcome.COMPLETE
    assert (await world.view()).figures.usd.amount == 0


async def test_balances_without_their_flows_are_not_taken_for_profit(world: World) -> None:
    before = await world.view()
    await world.control.hold("binance", KEY, "BTC", Decimal(2))
    await world.control.inject(
        NewFault(kind=FaultKind.STATUS, path="/sapi/v1/capital", status=500, body="{}")
    )
    assert (await world.read()).outcome is Outcome.FAILED
    assert (await world.view()).figures == before.figures


async def test_where_the_key_may_not_see_deposits_the_profit_is_marked(world: World) -> None:
    await world.control.inject(NewFault(kind=FaultKind.KEY_REVOKED, path="/sapi/v1/capital"))
    assert (await world.read()).outcome is Outcome.COMPLETE
    assert not (await world.view()).quality.flows_known


async def test_a_failed_price_call_keeps_the_last_prices(world: World) -> None:
    before = await world.view()
    await world.control.inject(NewFault(kind=FaultKind.HTML, path="/api/v3/ticker"))
    await world.refresh_prices()
    after = await world.view()
    assert after.figures.usd.amount == before.figures.usd.amount
