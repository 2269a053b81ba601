"""Charts: which moments they have, and that none of them is without a value."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stored
from coffers.clock import DAY, HOUR, Millis
from coffers.portfolio.charts import MOST_POINTS, Before, Point, moments_of, points_of
from coffers.valuation.history import History
from coffers.valuation.model import Flow, Snapshot, Value

MIDNIGHT = Millis(20_000 * DAY)


def worth(usd: str) -> Value:
    return Value(Decimal("0.5"), Decimal(usd))


def past(*snapshots: Snapshot, flows: tuple[Flow, ...] = ()) -> History:
    return History(snapshots[0], snapshots, flows)


def usd(points: list[Point]) -> list[int]:
    return [int(point.value.usd) for point in points]


def paid(points: list[Point]) -> list[int]:
    return [int(point.deposited.usd) for point in points if point.deposited is not None]


def test_a_month_has_a_point_every_midnight_and_one_at_its_end() -> None:
    end = Millis(MIDNIGHT + 30 * DAY + 5 * HOUR)
    moments = moments_of(MIDNIGHT, end, [Millis(0)])
    assert moments == [*range(MIDNIGHT, end, DAY), end]


def test_a_span_that_begins_at_noon_has_its_whole_first_day() -> None:
    begin = Millis(MIDNIGHT + 12 * HOUR)
    assert moments_of(begin, Millis(MIDNIGHT + 9 * DAY), [Millis(0)])[0] == MIDNIGHT


def test_a_day_has_a_point_every_hour() -> None:
    moments = moments_of(MIDNIGHT, Millis(MIDNIGHT + DAY), [Millis(0)])
    assert moments == list(range(MIDNIGHT, MIDNIGHT + DAY + 1, HOUR))


def test_a_year_misses_no_day() -> None:
    moments = moments_of(MIDNIGHT, Millis(MIDNIGHT + 366 * DAY), [Millis(0)])
    assert moments == list(range(MIDNIGHT, MIDNIGHT + 366 * DAY + 1, DAY))


def test_ten_years_are_a_few_hundred_points_evenly_spaced() -> None:
    moments = moments_of(MIDNIGHT, Millis(MIDNIGHT + 3_653 * DAY), [Millis(0)])
    steps = {later - earlier for earlier, later in pairwise(moments[:-1])}
    assert steps == {10 * DAY}
    assert 300 < len(moments) <= MOST_POINTS


def test_a_chart_begins_where_the_first_account_opened() -> None:
    opened = Millis(MIDNIGHT + 7 * HOUR)
    moments = moments_of(Millis(0), Millis(MIDNIGHT + 10 * DAY), [opened, Millis(opened + DAY)])
    assert moments[:3] == [opened, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY]


@pytest.mark.parametrize(
    ("since", "until", "openings"),
    [
        (MIDNIGHT, MIDNIGHT + DAY, []),
        (MIDNIGHT, MIDNIGHT + DAY, [MIDNIGHT + DAY + 1]),
        (MIDNIGHT + 1, MIDNIGHT, [0]),
    ],
)
def test_where_nothing_was_known_there_is_no_chart(
    since: int, until: int, openings: list[int]
) -> None:
    assert moments_of(Millis(since), Millis(until), map(Millis, openings)) == []


def test_an_account_that_opened_just_now_has_one_point() -> None:
    assert moments_of(Millis(0), MIDNIGHT, [MIDNIGHT]) == [MIDNIGHT]


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.lists(st.integers(0, 10**13), max_size=3))
def test_moments_rise_lie_in_the_span_and_are_not_too_many(
    since: int, until: int, openings: list[int]
) -> None:
    moments = moments_of(Millis(since), Millis(until), map(Millis, openings))
    assert moments == sorted(set(moments))
    assert len(moments) <= MOST_POINTS
    if moments:
        assert moments[-1] == until
        assert moments[0] >= max(min(openings), since - DAY)


def test_a_gap_is_carried_forward() -> None:
    days = [Millis(MIDNIGHT + day * DAY) for day in range(6)]
    known = past(stored.snapshot(days[0], "10"), stored.snapshot(days[3] - 1, "13"))
    assert usd(points_of([known], days)) == [10, 10, 10, 13, 13, 13]


def test_a_snapshot_at_the_very_moment_counts() -> None:
    known = past(stored.snapshot(MIDNIGHT, "10"), stored.snapshot(MIDNIGHT + DAY, "11"))
    assert usd(points_of([known], [MIDNIGHT, Millis(MIDNIGHT + DAY)])) == [10, 11]


def test_what_was_put_in_stands_at_the_point_after_it() -> None:
    days = [Millis(MIDNIGHT + day * DAY) for day in range(5)]
    flows = (
        stored.flow("in", days[1], worth("5")),
        stored.flow("in too", days[1] + 1, worth("7")),
        stored.flow("out", days[3] - 1, worth("2"), direction="out"),
        stored.flow("unknown", days[3] - 1),
    )
    known = past(stored.snapshot(days[0], "100"), flows=flows)
    assert paid(points_of([known], days)) == [100, 5, 7, -2, 0]


def test_of_each_payment_the_moment_of_its_worth_is_kept() -> None:
    days = [Millis(MIDNIGHT + day * DAY) for day in range(2)]
    sent, came = Millis(days[0] + 1), Millis(days[0] + 5)
    flows = (
        replace(stored.flow("moved", came, worth("5")), valued_at=sent),
        stored.flow("out", came + 1, worth("2"), direction="out"),
    )
    first, last = points_of([past(stored.snapshot(days[0], "100"), flows=flows)], days)
    assert [(each.value.usd, each.valued_at) for each in first.payments] == [(100, days[0])]
    assert [(each.value.usd, each.valued_at) for each in last.payments] == [
        (5, sent),
        (-2, came + 1),
    ]


def test_what_was_put_in_before_the_chart_is_not_told() -> None:
    flows = (stored.flow("old", MIDNIGHT - 1, worth("5")),)
    known = past(stored.snapshot(MIDNIGHT - DAY, "100"), flows=flows)
    assert paid(points_of([known], [MIDNIGHT, Millis(MIDNIGHT + DAY)])) == [0, 0]


def test_accounts_are_summed_each_from_its_opening_on() -> None:
    days = [Millis(MIDNIGHT + day * DAY) for day in range(3)]
    first = past(stored.snapshot(days[0], "10"), stored.snapshot(days[2], "12"))
    second = past(stored.snapshot(days[1] - 5, "100"))
    points = points_of([first, second], days)
    assert usd(points) == [10, 110, 112]
    assert paid(points) == [10, 100, 0]
    assert [point.value.btc for point in points] == [Decimal("0.5"), Decimal(1), Decimal(1)]


def test_a_transfer_between_two_accounts_is_nothing_for_both_together() -> None:
    days = [Millis(MIDNIGHT + day * DAY) for day in range(2)]
    out = (stored.flow("t", days[0] + 1, worth("5"), direction="out"),)
    into = (stored.flow("t", days[0] + 2, worth("5")),)
    pasts = [past(stored.snapshot(days[0], "10"), flows=each) for each in (out, into)]
    assert paid(points_of(pasts, days)) == [20, 0]


def test_no_moments_have_no_points() -> None:
    assert points_of([], []) == []


def test_imported_values_count_until_the_own_opening_and_no_deposit_is_known_with_them() -> None:
    moments = [Millis(MIDNIGHT + day * DAY) for day in range(5)]
    before = Before(
        (Snapshot(moments[1], worth("7")), Snapshot(moments[4], worth("9"))), until=moments[3]
    )
    opening = Snapshot(moments[3], worth("20"))
    other = past(Snapshot(moments[0], worth("1000")))
    points = points_of([past(opening), other], moments, [before])
    assert usd(points) == [1000, 1007, 1007, 1020, 1020]
    assert [point.deposited is None for point in points] == [False, True, True, False, False]
    assert paid(points) == [1000, 20, 0]


def test_imported_values_go_on_where_there_is_no_own_opening_yet() -> None:
    moments = [Millis(MIDNIGHT + day * DAY) for day in range(3)]
    points = points_of([], moments, [Before((Snapshot(moments[0], worth("7")),), until=None)])
    assert usd(points) == [7, 7, 7]
