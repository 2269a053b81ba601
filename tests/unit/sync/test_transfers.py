"""A search around what changed finds what one among all flows would find."""

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coffers.clock import DAY, Millis
from coffers.store.transfers import Span
from coffers.sync.transfers import pair_transfers
from coffers.valuation.model import Flow
from coffers.valuation.transfers import Leg, LegKey, Transfer, own_transfers, transaction_of
from factories import NOW

HASHES = ["ab" * 32, "cd" * 32]
TXIDS = [None, None, None, *HASHES, f"0x{HASHES[0].upper()}"]


@dataclass
class Kept:
    """The flows and transfers of one user, kept as the store keeps them."""

    legs: dict[LegKey, Leg] = field(default_factory=dict)
    transfers: set[Transfer] = field(default_factory=set)

    async def lock(self, _user_id: int) -> None:
        """Nobody else is there."""

    async def within(self, _user_id: int, span: Span) -> list[Leg]:
        return [
            leg
            for leg in self.legs.values()
            if (leg.mode, leg.flow.direction) == (span.mode, span.direction)
            and leg.account_id != span.without
            and span.first <= leg.flow.at <= span.last
        ]

    async def tied(self, _user_id: int, legs: Any) -> list[Leg]:
        wanted = {transaction_of(leg.flow.txid) for leg in legs if leg.flow.txid}
        return [
            leg
            for leg in self.legs.values()
            if leg.flow.txid and transaction_of(leg.flow.txid) in wanted
        ]

    async def of_flows(self, _user_id: int, keys: Any) -> frozenset[Transfer]:
        return frozenset(each for each in self.transfers if not set(keys).isdisjoint(each.keys))

    async def add(self, _user_id: int, found: Any) -> None:
        assert self.transfers.isdisjoint(found)
        self.transfers.update(found)

    async def remove(self, _user_id: int, outdated: Any) -> None:
        assert self.transfers.issuperset(outdated)
        self.transfers.difference_update(outdated)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    external_id, days = draw(st.integers(0, 5)), draw(st.integers(0, 9))
    return Flow(
        f"{external_id}",
        draw(st.sampled_from(["in", "out"])),
        draw(st.sampled_from(["BTC", "BTC@gate"])),
        "BTC",
        Decimal(draw(st.integers(2, 3))),
        Decimal(draw(st.integers(0, 1))),
        "BTC",
        Millis(NOW + days * DAY),
        txid=draw(st.sampled_from(TXIDS)),
    )


Step = tuple[int, list[Flow], list[tuple[str, str]]]
"""Of an account: flows that come, and (direction, id) of those that never happened."""

_undone = st.lists(
    st.tuples(st.sampled_from(["in", "out"]), st.integers(0, 5).map(str)), max_size=3
)
_steps = st.lists(
    st.tuples(st.integers(1, 4), st.lists(flows(), max_size=6), _undone), min_size=1, max_size=9
)


@given(steps=_steps)
@settings(max_examples=400)
def test_in_whatever_order_flows_come_and_are_taken_back(steps: list[Step]) -> None:
    kept = Kept()
    for account_id, came, undone in steps:
        asyncio.run(_take(kept, account_id, came, undone))
        assert kept.transfers == own_transfers(kept.legs.values())


async def test_choices_of_choices_are_seen() -> None:
    kept, day = Kept(), Millis(NOW + DAY)
    out = Flow("gone", "out", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", NOW)
    into = replace(out, external_id="came", direction="in")
    late = replace(into, external_id="late", at=Millis(day + DAY))
    await _take(kept, 1, [out, replace(out, external_id="later", at=day)], [])
    await _take(kept, 2, [into, late], [])
    await _take(kept, 2, [], [("in", "came")])
    # What came late may be of either.
    assert kept.transfers == set()
    await _take(kept, 1, [], [("out", "later")])
    assert kept.transfers == {Transfer(1, "gone", 2, "late")}


async def _take(
    kept: Kept, account_id: int, came: list[Flow], undone: list[tuple[str, str]]
) -> None:
    account: Any = SimpleNamespace(id=account_id, user_id=1, mode=_mode(account_id))
    gone = [kept.legs.pop((account_id, *key), None) for key in dict.fromkeys(undone)]
    added = []
    for flow in came:
        leg = Leg(account_id, account.mode, flow)
        if kept.legs.setdefault(leg.key, leg) is leg:
            added.append(flow)
    tx: Any = SimpleNamespace(transfers=kept)
    await pair_transfers(tx, account, added, [leg.flow for leg in gone if leg is not None])


def _mode(account_id: int) -> str:
    return "paper" if account_id == 4 else "real"
