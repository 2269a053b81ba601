"""Flows page by page, and when the worth of one is looked for again."""

from decimal import Decimal

import pytest

import stored
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.flows import FlowFilter
from coffers.store.tables import MOST_TRIES
from coffers.valuation.model import Flow, Value
from factories import NOW

WORTH = Value(Decimal(1), Decimal(60000))


def names(flows: list[Flow]) -> list[str]:
    return [flow.external_id for flow in flows]


async def test_pages_go_from_the_newest_on_and_meet_without_a_gap(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    # Several of the same moment, and one id in both directions.
    flows = [stored.flow(f"f{n}", NOW + n // 3) for n in range(9)]
    flows += [stored.flow("f4", NOW + 1, direction="out")]
    async with store.transaction() as tx:
        await tx.history.add_flows(*of, flows)
    seen: list[Flow] = []
    async with store.reading() as tx:
        while page := await tx.history.flow_page(
            *of,
            FlowFilter(),
            4,
            (seen[-1].at, seen[-1].direction, seen[-1].external_id) if seen else None,
        ):
            seen += [each.flow for each in page]
    assert len(seen) == 10
    order = [(flow.at, flow.direction, flow.external_id) for flow in seen]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (FlowFilter(), ["c", "b", "a"]),
        (FlowFilter(direction="out"), ["c"]),
        (FlowFilter(asset="ETH"), ["b"]),
        (FlowFilter(asset="DOGE"), []),
        (FlowFilter(since=Millis(NOW + DAY)), ["c", "b"]),
        (FlowFilter(until=Millis(NOW + DAY)), ["b", "a"]),
        (FlowFilter(until=Millis(NOW + DAY - 1)), ["a"]),
        (FlowFilter("out", "BTC", NOW, Millis(NOW + 9 * DAY)), ["c"]),
    ],
)
async def test_a_page_holds_what_is_asked_for(
    store: Store, wanted: FlowFilter, expected: list[str]
) -> None:
    known = await stored.account(store, await stored.user(store))
    flows = [
        stored.flow("a", NOW, txid="0xaa"),
        stored.flow("b", NOW + DAY, asset="ETH"),
        stored.flow("c", NOW + 2 * DAY, direction="out"),
    ]
    async with store.transaction() as tx:
        await tx.history.add_flows(known.user_id, known.id, flows)
        page = await tx.history.flow_page(known.user_id, known.id, wanted, 9)
    found = [each.flow for each in page]
    assert names(found) == expected
    assert {flow.txid for flow in found if flow.external_id == "a"} <= {"0xaa"}


async def test_a_worth_that_is_not_found_is_looked_for_later_and_not_for_ever(
    store: Store,
) -> None:
    known = await stored.account(store, await stored.user(store))
    of, odd = (known.user_id, known.id), stored.flow("odd", NOW)
    async with store.transaction() as tx:
        await tx.history.add_flows(*of, [odd])
        assert names(await tx.history.unvalued_flows(*of, NOW, 9)) == ["odd"]
        assert await tx.history.next_valuation(*of, NOW) == 0
        for tries in range(MOST_TRIES):
            assert await tx.history.value_tries(*of, odd) == tries
            await tx.history.value_later(*of, odd, Millis(NOW + DAY))
            assert await tx.history.unvalued_flows(*of, NOW, 9) == []
        assert await tx.history.unvalued_flows(*of, Millis(NOW + DAY), 9) == []
        assert await tx.history.next_valuation(*of, NOW) is None


async def test_the_next_look_for_a_worth_is_the_earliest_of_the_span(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    flows = [stored.flow(f"f{n}", NOW + n) for n in range(3)]
    async with store.transaction() as tx:
        await tx.history.add_flows(*of, flows)
        await tx.history.value_later(*of, flows[0], Millis(NOW + 2 * DAY))
        await tx.history.value_later(*of, flows[1], Millis(NOW + DAY))
        assert await tx.history.next_valuation(*of, Millis(NOW + 1)) == NOW + DAY
        assert await tx.history.next_valuation(*of, NOW) == NOW + 2 * DAY
        later = Millis(NOW + 3 * DAY)
        assert names(await tx.history.unvalued_flows(*of, later, 2)) == ["f2", "f1"]
        assert names(await tx.history.unvalued_flows(*of, later, 9, after=NOW)) == ["f2", "f1"]
        assert names(await tx.history.unvalued_flows(*of, later, 9, until=NOW)) == ["f0"]


async def test_old_flows_are_not_among_those_that_figures_are_made_of(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    of = (known.user_id, known.id)
    async with store.transaction() as tx:
        await tx.history.add_snapshot(*of, stored.snapshot(NOW, "1"))
        await tx.history.add_flows(*of, [stored.flow("now", NOW + 1, WORTH)])
        before = await tx.history.windows(known.user_id, [known.id], NOW, NOW)
        charted = await tx.history.at_moments(known.user_id, [known.id], [NOW])
        old = [stored.flow(f"old{n}", NOW - n * DAY) for n in range(99)]
        await tx.history.add_flows(*of, old)
        assert await tx.history.windows(known.user_id, [known.id], NOW, NOW) == before
        assert await tx.history.at_moments(known.user_id, [known.id], [NOW]) == charted
    assert not before[known.id].has_unvalued_flows


async def test_deposits_are_read_of_the_assets_alone_that_are_meant(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    own = known.user_id, known.id
    flows = [
        stored.flow("other", NOW),
        stored.flow("asset", NOW, asset="ABC", venue_code="XABC"),
        stored.flow("code", NOW, asset="OTHER", venue_code="ABC"),
        stored.flow("gone", NOW, asset="ABC", direction="out"),
        stored.flow("old", NOW - 1, asset="ABC"),
    ]
    async with store.transaction() as tx:
        await tx.history.add_flows(*own, flows)
        found = await tx.history.deposits_after(*own, Millis(NOW - 1), {"ABC"})
    assert {flow.external_id for flow in found} == {"asset", "code"}
