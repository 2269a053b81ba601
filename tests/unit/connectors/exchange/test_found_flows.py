"""What several looks for flows come to together, and on whose clock."""

from dataclasses import replace
from decimal import Decimal

import pytest

from coffers.clock import Millis
from coffers.connectors.exchange.flows import FoundFlows
from coffers.valuation.model import Flow

ALL = FoundFlows((), is_whole=True, is_read=True)


def flow(name: str, at: int) -> Flow:
    return Flow(name, "in", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", Millis(at))


def test_moments_are_put_on_our_clock_where_they_are_known() -> None:
    found = FoundFlows(
        (flow("one", 100),),
        is_whole=False,
        is_read=False,
        read_until=Millis(90),
        unclear_since=Millis(80),
    )
    ours = found.on_our_clock(7)
    assert [each.at for each in ours.flows] == [107]
    assert (ours.read_until, ours.unclear_since) == (97, 87)
    nothing = ALL.on_our_clock(-7)
    assert (nothing.read_until, nothing.unclear_since) == (None, None)


def test_two_looks_bring_the_flows_of_both() -> None:
    one = replace(
        ALL,
        flows=(flow("one", 1),),
        read_until=Millis(5),
        unclear_since=Millis(4),
        asked_before={("in", "a"): None, ("in", "b"): Millis(1)},
    )
    later = replace(
        ALL,
        flows=(flow("two", 2),),
        unclear_since=Millis(3),
        asked_before={("in", "b"): Millis(2)},
    )
    both = one.joined_by(later)
    assert [each.external_id for each in both.flows] == ["one", "two"]
    assert (both.read_until, both.unclear_since) == (5, 3)
    assert both.asked_before == {("in", "a"): None, ("in", "b"): 2}
    assert one.joined_by(replace(later, read_until=Millis(6))).read_until == 6
    assert later.joined_by(one).unclear_since == 3
    assert ALL.joined_by(one).unclear_since == 4


@pytest.mark.parametrize("name", ["is_whole", "is_read", "is_asked", "is_untold"])
def test_what_one_look_lacks_both_lack(name: str) -> None:
    is_usual: bool = getattr(ALL, name)
    lacking = replace(ALL, **{name: not is_usual})
    assert getattr(ALL.joined_by(ALL), name) is is_usual
    for both in (ALL.joined_by(lacking), lacking.joined_by(ALL)):
        assert getattr(both, name) is not is_usual
        assert both == lacking
