"""Flows that are summed up tell the same figures as flows that are kept one by one."""

from bisect import bisect_right
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

import stored
from coffers.clock import DAY, HOUR, Millis
from coffers.valuation.amounts import NEVER, Amount, InDisplay, in_btc, in_usd
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.history import History, edge_of
from coffers.valuation.inflows import Inflows
from coffers.valuation.model import Flow, Snapshot, Value
from coffers.valuation.transfers import Moved, Together, Transfer
from factories import NOW, figures_of

OLDEST = 80 * DAY
IGNORED = "SPAM"


def values() -> st.SearchStrategy[Value]:
    amounts = st.decimals(0, 10**9, places=8)
    return st.builds(Value, amounts, amounts)


@st.composite
def pasts(draw: st.DrawFn) -> History:
    def moments(most: int, least: int = 0) -> list[int]:
        ages = st.integers(-HOUR, OLDEST).map(lambda age: NOW - age)
        return sorted(draw(st.lists(ages, min_size=least, max_size=most, unique=True)))

    snapshots = tuple(Snapshot(Millis(at), draw(values())) for at in moments(8, 1))
    flows = tuple(
        stored.flow(
            f"{number}",
            at,
            draw(st.none() | values()),
            direction=draw(st.sampled_from(["in", "out"])),
            valued_at=draw(st.none() | st.just(Millis(at + 5 * HOUR))),
        )
        for number, at in enumerate(moments(12))
        if at > snapshots[0].at
    )
    return History(snapshots[0], snapshots, flows)


def summed(past: History, cuts: tuple[Millis, ...], shown: Amount) -> History:
    sums = Inflows(cuts, shown)
    left = tuple(flow for flow in past.flows if not sums.add(flow))
    return History(past.opening, past.snapshots, left, sums.sums(), cuts)


def euro(known_since: int, settled_until: int) -> DisplayCurrency:
    moments = range(known_since, NOW, 7 * DAY)

    def rate_at(at: Millis) -> Decimal | None:
        place = bisect_right(moments, at)
        return Decimal(place * 3) if place and at - moments[place - 1] < 6 * DAY else None

    return DisplayCurrency("EUR", rate_at, Millis(settled_until), 7)


@given(
    pasts(),
    values(),
    st.integers(0, HOUR),
    st.integers(0, 90).map(lambda days: NOW - days * DAY),
    st.integers(0, 90).map(lambda days: NOW - days * DAY) | st.just(NEVER),
)
def test_no_figure_changes_when_flows_are_summed_up(
    past: History, worth: Value, offset: int, known_since: int, settled_until: int
) -> None:
    as_of, cuts = Millis(NOW + offset), (edge_of(past.snapshots, NOW),)
    for display in (
        DisplayCurrency("USD", lambda _at: Decimal(1)),
        DisplayCurrency("BTC", lambda _at: Decimal(1)),
        euro(known_since, settled_until),
    ):
        short = summed(past, cuts, display.amount)
        assert short.tells(display.amount)
        assert short.has_unvalued_flows == past.has_unvalued_flows
        assert all(flow.at > cuts[0] for flow in short.flows if display.code != "EUR")
        assert figures_of(as_of, worth, short, display) == figures_of(as_of, worth, past, display)


@given(pasts(), pasts(), st.data(), st.booleans())
def test_transfers_cancel_in_sums_as_they_do_among_flows(
    one: History, two: History, data: st.DataObject, is_rated: bool
) -> None:
    def counts(_account_id: int, flow: Flow) -> bool:
        return flow.asset != IGNORED

    sent = [flow for flow in one.flows if flow.direction == "out"]
    came = [flow for flow in two.flows if flow.direction == "in"]
    several = data.draw(st.integers(0, min(len(sent), len(came))))
    gone = replace(stored.flow("gone", NOW - DAY, asset=IGNORED), direction="out")
    pairs = [*zip(sent[:several], came[:several], strict=True), *((gone, into) for into in came)]
    moved = [
        Moved(Transfer(1, out.external_id, 2, into.external_id), out, into) for out, into in pairs
    ]
    display = euro(NOW - 90 * DAY if is_rated else NOW - 20 * DAY, NOW - 5 * DAY)
    whole = Together({1: one, 2: two}, in_usd, counts)
    whole.take_known(each.transfer for each in moved)
    pasts_ = {
        number: summed(past, (edge_of(past.snapshots, NOW),), display.amount)
        for number, past in ((1, one), (2, two))
    }
    short = Together(pasts_, display.amount, counts)
    short.take_known(each.transfer for each in moved if not short.summed)
    short.take(moved if short.summed else ())
    for number, expected in whole.pasts().items():
        found = short.pasts()[number]
        worth = Value(Decimal(3), Decimal(70))
        assert figures_of(NOW, worth, found, display) == figures_of(NOW, worth, expected, display)
        assert found.has_unvalued_flows == expected.has_unvalued_flows


def test_what_is_summed_up_in_one_currency_is_told_in_no_other() -> None:
    past = History(
        stored.snapshot(0, "1"), (), (stored.flow("1", 5, Value(Decimal(1), Decimal(2))),)
    )
    euros = InDisplay(lambda _at: Decimal(3), NOW, 4)
    short = summed(past, (Millis(9),), euros)
    assert [short.inflow(NOW, each) for each in (in_btc, in_usd, euros)] == [1, 2, 6]
    other = InDisplay(lambda _at: Decimal(5), NOW, 5)
    assert not short.tells(other)
    assert short.inflow(NOW, other) is None
