"""Flows are placed in time so that each counts between the readings that show it."""

from decimal import Decimal
from typing import Literal

from coffers.clock import Millis
from coffers.connectors.reading import Reading
from coffers.sync.flows import landed
from coffers.valuation.model import Flow


def flow(at: int, direction: Literal["in", "out"] = "in") -> Flow:
    return Flow(f"f{at}", direction, "BTC", "BTC", Decimal(1), Decimal(0), "BTC", Millis(at))


def reading(*flows: Flow, asked_before: Millis | None = None) -> Reading:
    keys = {(each.direction, each.external_id): asked_before for each in flows}
    before = {} if asked_before is None else keys
    return Reading(Millis(200), frozenset({"spot"}), (), flows=flows, flows_asked_before=before)


def test_a_flow_between_two_readings_keeps_its_time() -> None:
    assert landed(reading(flow(150)), Millis(100)) == (flow(150),)


def test_a_deposit_that_is_told_late_counts_after_the_reading_that_did_not_show_it() -> None:
    (late,) = landed(reading(flow(50)), Millis(100))
    assert late.at == 101
    assert late.external_id == "f50"


def test_a_withdrawal_left_the_balance_when_it_was_asked_for() -> None:
    assert landed(reading(flow(50, "out")), Millis(100)) == (flow(50, "out"),)


def test_what_happened_after_the_balances_were_asked_for_waits() -> None:
    assert landed(reading(flow(201)), Millis(100)) == ()


def test_at_the_first_reading_all_that_is_told_is_in_the_balances() -> None:
    assert landed(reading(flow(50), flow(201)), None) == (flow(50),)


def test_what_is_asked_for_now_and_then_may_have_been_there_since_it_was_asked_for_before() -> None:
    told = reading(flow(50), flow(20), asked_before=Millis(30))
    assert [each.at for each in landed(told, Millis(100))] == [50, 31]
