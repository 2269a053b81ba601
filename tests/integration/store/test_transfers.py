"""Own transfers as they are kept, per user, and gone with either account."""

from dataclasses import replace

import pytest

import stored
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.transfers import PROBED, Span
from coffers.valuation.transfers import Leg, LegKey, Transfer
from factories import NOW


def keys(legs: list[Leg]) -> set[LegKey]:
    return {leg.key for leg in legs}


async def test_transfers_are_kept_found_and_forgotten(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    one, two = await stored.account(store, ann, "one"), await stored.account(store, ann, "two")
    paper = await stored.account(store, ann, "three", mode="paper")
    foreign = await stored.account(store, bob, "four")
    sent = Transfer(one.id, "w1", two.id, "d1")
    back = Transfer(two.id, "w2", one.id, "d2")
    async with store.transaction() as tx:
        for owner, known, flow in (
            (ann, one, stored.flow("w1", NOW, direction="out")),
            (ann, one, stored.flow("d2", NOW, asset="ETH")),
            (ann, two, stored.flow("d1", NOW)),
            (ann, two, stored.flow("w2", NOW, direction="out", asset="ETH")),
            (ann, paper, stored.flow("d1", NOW, txid="0xaa")),
            (bob, foreign, stored.flow("d1", NOW)),
        ):
            await tx.history.add_flows(owner.id, known.id, [flow])
        await tx.transfers.lock(ann.id)
        await tx.transfers.add(ann.id, [sent, back])
        await tx.transfers.add(ann.id, [])
    async with store.transaction() as tx:
        span = Span(one.id, "real", "in", NOW, NOW)
        assert keys(await tx.transfers.within(ann.id, span)) == {(two.id, "in", "d1")}
        outgoing = replace(span, direction="out")
        assert keys(await tx.transfers.within(ann.id, outgoing)) == {(two.id, "out", "w2")}
        without = replace(span, without=two.id)
        assert keys(await tx.transfers.within(ann.id, without)) == {(one.id, "in", "d2")}
        later = replace(span, first=Millis(NOW + 1), last=Millis(NOW + 9))
        assert await tx.transfers.within(ann.id, later) == []
        (held,) = await tx.transfers.within(ann.id, replace(span, mode="paper"))
        assert (held.account_id, held.mode, held.flow.txid) == (paper.id, "paper", "0xaa")
        assert await tx.transfers.of_user(ann.id) == {sent, back}
        assert await tx.transfers.of_user(bob.id) == frozenset()
        asked = [(one.id, "in", "d2"), (one.id, "out", "d2"), (one.id, "in", "x")]
        assert await tx.transfers.of_flows(ann.id, asked) == {back}
        assert await tx.transfers.of_flows(ann.id, [(one.id, "in", "d1")]) == frozenset()
        await tx.transfers.remove(ann.id, [back])
        assert await tx.transfers.of_user(ann.id) == {sent}


async def test_a_transfer_goes_with_either_of_its_accounts(store: Store) -> None:
    ann = await stored.user(store)
    one, two = await stored.account(store, ann, "one"), await stored.account(store, ann, "two")
    async with store.transaction() as tx:
        await tx.transfers.add(ann.id, [Transfer(one.id, "w", two.id, "d")])
        await tx.accounts.remove(ann.id, two.id)
        assert await tx.transfers.of_user(ann.id) == frozenset()


HASH = "ab" * 32


@pytest.mark.parametrize(
    ("told", "others", "expected"),
    [
        (HASH, [f"0x{HASH}", HASH.upper(), f"{HASH}:1", "cd" * 32, HASH[:-1] + "c"], {0, 1, 2}),
        (f"0x{HASH.upper()}", [HASH, f"0x{HASH}:0"], {0, 1}),
        # Of other ids capital letters are told apart, and how they begin says little.
        ("5Kt" * 20, ["5Kt" * 20, "5kt" * 20, "0x" + "5Kt" * 20], {0}),
        ("Off-chain transfer 1" * 3, ["Off-chain transfer 1" * 3 + "2"], set()),
        ("Überweisung", ["Überweisung", "überweisung"], {0}),
        ("t1", ["t1", "t10"], {0}),
    ],
)
async def test_flows_of_one_transaction_are_found_however_it_is_spelled(
    store: Store, told: str, others: list[str], expected: set[int]
) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    one, two = await stored.account(store, ann, "one"), await stored.account(store, ann, "two")
    foreign = await stored.account(store, bob, "three")
    flows = [stored.flow(f"{n}", NOW + n, txid=txid) for n, txid in enumerate(others)]
    async with store.transaction() as tx:
        for account in (two, foreign):
            await tx.history.add_flows(account.user_id, account.id, flows)
            await tx.history.add_flows(account.user_id, account.id, [stored.flow("none", NOW)])
        asked = Leg(one.id, "real", stored.flow("x", NOW, txid=told))
        untold = Leg(one.id, "real", stored.flow("y", NOW))
        found = await tx.transfers.tied(ann.id, [asked, untold])
        assert await tx.transfers.tied(ann.id, [untold]) == []
    assert keys(found) == {(two.id, "in", f"{n}") for n in expected}
    assert {leg.mode for leg in found} <= {"real"}


async def test_very_many_transactions_are_looked_up_in_portions(store: Store) -> None:
    ann = await stored.user(store)
    one = await stored.account(store, ann)
    flows = [stored.flow(f"{n}", NOW, txid=f"0x{n:064x}"[::-1]) for n in range(PROBED + 3)]
    async with store.transaction() as tx:
        await tx.history.add_flows(ann.id, one.id, flows)
        known = [Transfer(one.id, f"{n}", one.id, f"{n}") for n in range(PROBED + 3)]
        await tx.transfers.add(ann.id, known)
        legs = [Leg(one.id, "real", flow) for flow in flows]
        assert len(await tx.transfers.tied(ann.id, legs)) == len(flows)
        for direction in ("in", "out"):
            halves = {(one.id, direction, flow.external_id) for flow in flows}
            assert await tx.transfers.of_flows(ann.id, halves) == set(known)
