"""Own transfers as they are kept, per user, and gone with either account."""

import stored
from coffers.clock import DAY, HOUR
from coffers.store.engine import Store
from coffers.store.transfers import MANY
from coffers.valuation.transfers import Transfer, own_transfers
from factories import NOW


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
        legs = await tx.transfers.legs(ann.id, {"BTC"})
        told = {(leg.account_id, leg.flow.external_id, leg.mode, leg.flow.txid) for leg in legs}
        assert told == {
            (one.id, "w1", "real", None),
            (two.id, "d1", "real", None),
            (paper.id, "d1", "paper", "0xaa"),
        }
        assert await tx.transfers.of_user(ann.id) == {sent, back}
        assert await tx.transfers.of_user(bob.id) == frozenset()
        assert await tx.transfers.of_assets(ann.id, {"ETH"}) == {back}
        assert await tx.transfers.of_flows(ann.id, one.id, {"d2", "x"}) == {back}
        assert await tx.transfers.of_flows(ann.id, one.id, {"d1"}) == frozenset()
        await tx.transfers.remove(ann.id, [back])
        assert await tx.transfers.of_user(ann.id) == {sent}


async def test_a_transfer_goes_with_either_of_its_accounts(store: Store) -> None:
    ann = await stored.user(store)
    one, two = await stored.account(store, ann, "one"), await stored.account(store, ann, "two")
    async with store.transaction() as tx:
        await tx.transfers.add(ann.id, [Transfer(one.id, "w", two.id, "d")])
        await tx.accounts.remove(ann.id, two.id)
        assert await tx.transfers.of_user(ann.id) == frozenset()


async def test_of_very_many_flows_those_are_found_that_may_be_transfers(store: Store) -> None:
    ann = await stored.user(store)
    one, two = [await stored.account(store, ann, name) for name in ("One", "Two")]
    came = [
        stored.flow(f"{number}", NOW - 3 * number * DAY, txid=f"0x{number:064x}")
        for number in range(2 * MANY + 3)
    ]
    near, tied = NOW - 3 * 77 * DAY, f"0x{MANY + 9:064x}"
    sent = [
        stored.flow("near", near - HOUR, direction="out"),
        stored.flow("tied", NOW, direction="out", txid=tied),
    ]
    async with store.transaction() as tx:
        await tx.history.add_flows(ann.id, one.id, came)
        assert await tx.transfers.legs(ann.id, {"BTC"}) == []
        await tx.history.add_flows(ann.id, two.id, sent)
        legs = await tx.transfers.legs(ann.id, {"BTC"})
        assert own_transfers(legs) == {
            Transfer(two.id, "near", one.id, "77"),
            Transfer(two.id, "tied", one.id, f"{MANY + 9}"),
        }
    assert len(legs) < 10
