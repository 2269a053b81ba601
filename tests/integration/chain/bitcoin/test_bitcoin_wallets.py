"""What wallets of Bitcoin hold and what flows, read from nodes that know a made-up chain."""

from decimal import Decimal

from bitcoin_chain import FOREIGN
from bitcoin_world import BEGIN, ZPUB, World, coin, flow_amounts, held
from coffers.clock import Millis
from factories import NOW


async def test_an_unused_wallet_holds_nothing(world: World) -> None:
    reading = await world.read(ZPUB)

    assert held(reading) == 0
    assert reading.positions == ()
    assert reading.flows == ()
    assert reading.flows_known


async def test_a_single_address_is_read(world: World) -> None:
    address = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
    received = world.chain.receive(world.scripts(address)(0), 123_456_789)
    world.chain.mine()

    reading = await world.read(address)

    assert held(reading) == Decimal("1.23456789")
    assert [(one.asset, one.venue_code) for one in reading.positions] == [("BTC", "BTC")]
    assert flow_amounts(reading) == {received.txid: ("in", Decimal("1.23456789"), Decimal(0))}
    flow = reading.flows[0]
    assert flow.txid == received.txid
    assert flow.at == world.chain.tip.time * 1000


async def test_what_comes_in_is_pending_until_a_block_has_it(world: World) -> None:
    script = world.scripts(ZPUB)(3)
    world.chain.receive(script, 5_000)

    waiting = await world.read(ZPUB)
    world.chain.mine()
    there = await world.read(ZPUB, waiting.memory)

    assert held(waiting) == 0
    assert held(waiting, "pending") == Decimal("0.00005")
    assert waiting.flows == ()
    assert held(there) == Decimal("0.00005")
    assert held(there, "pending") == 0
    assert len(there.flows) == 1


async def test_money_that_is_sent_has_left_and_its_change_has_not(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    outputs = [(FOREIGN, 300_000), (world.scripts(ZPUB, 1)(0), 699_000)]
    sent = world.chain.send([coin(received)], outputs)

    waiting = await world.read(ZPUB)
    world.chain.mine()
    there = await world.read(ZPUB, waiting.memory)

    assert held(waiting) == held(there) == Decimal("0.00699")
    assert held(waiting, "pending") == 0
    assert set(flow_amounts(waiting)) == {received.txid, sent.txid}
    for reading in waiting, there:
        assert flow_amounts(reading)[sent.txid] == ("out", Decimal("0.003"), Decimal("0.00001"))
        assert reading.flows_undone == frozenset()


async def test_a_payment_that_another_one_replaces_was_none(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    first = world.chain.send(
        [coin(received)], [(FOREIGN, 300_000), (world.scripts(ZPUB, 1)(0), 699_000)]
    )
    waiting = await world.read(ZPUB)
    world.chain.waiting.remove(first)
    second = world.chain.send(
        [coin(received)], [(FOREIGN, 300_000), (world.scripts(ZPUB, 1)(0), 690_000)]
    )
    again = await world.read(ZPUB, waiting.memory)
    world.chain.mine()
    there = await world.read(ZPUB, again.memory)

    assert first.txid in flow_amounts(waiting)
    assert again.flows_undone == {("out", first.txid)}
    assert flow_amounts(again)[second.txid] == ("out", Decimal("0.003"), Decimal("0.0001"))
    assert there.flows_undone == frozenset()
    assert flow_amounts(there)[second.txid] == flow_amounts(again)[second.txid]


async def test_a_payment_that_is_forgotten_and_comes_back_is_told_again(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    sent = world.chain.send([coin(received)], [(FOREIGN, 999_000)])
    waiting = await world.read(ZPUB)
    world.chain.waiting.remove(sent)
    forgotten = await world.read(ZPUB, waiting.memory)
    resting = await world.read(ZPUB, forgotten.memory)
    world.chain.send([coin(received)], [(FOREIGN, 999_000)])
    back = await world.read(ZPUB, resting.memory)

    assert forgotten.flows_undone == {("out", sent.txid)}
    assert held(forgotten) == Decimal("0.01")
    assert resting.flows_undone == frozenset()
    assert len(back.flows) == 1


async def test_a_payment_with_money_that_is_pending_waits_for_its_block(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.send([coin(received)], [(FOREIGN, 300_000), (world.scripts(ZPUB, 1)(0), 699_000)])
    waiting = await world.read(ZPUB)
    world.chain.mine()
    there = await world.read(ZPUB, waiting.memory)

    assert held(waiting) == 0
    assert waiting.flows == ()
    assert len(there.flows) == 2


async def test_a_payment_of_unconfirmed_change_has_left_too(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    first = world.chain.send(
        [coin(received)], [(FOREIGN, 300_000), (world.scripts(ZPUB, 1)(0), 699_000)]
    )
    second = world.chain.send([coin(first, 1)], [(FOREIGN, 600_000)])
    reading = await world.read(ZPUB)

    assert held(reading) == 0
    assert flow_amounts(reading)[second.txid] == ("out", Decimal("0.006"), Decimal("0.00099"))


async def test_moving_money_within_the_wallet_is_no_flow(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    world.chain.send([coin(received)], [(world.scripts(ZPUB)(1), 999_000)])
    world.chain.mine()

    reading = await world.read(ZPUB)

    assert held(reading) == Decimal("0.00999")
    assert set(flow_amounts(reading)) == {received.txid}


async def test_a_transaction_with_inputs_of_others_counts_by_its_net_effect(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    joined = world.chain.send(
        [coin(received), world.chain.foreign_coin(500_000)],
        [(world.scripts(ZPUB, 1)(0), 1_200_000), (FOREIGN, 299_000)],
    )

    waiting = await world.read(ZPUB)
    world.chain.mine()
    there = await world.read(ZPUB, waiting.memory)

    assert (held(waiting), held(waiting, "pending")) == (Decimal("0.01"), Decimal("0.002"))
    assert held(there) == Decimal("0.012")
    assert flow_amounts(there)[joined.txid] == ("in", Decimal("0.002"), Decimal(0))


async def test_one_payment_to_two_own_addresses_is_one_flow(world: World) -> None:
    receive = world.scripts(ZPUB)
    paid = world.chain.send(
        [world.chain.foreign_coin(1_000)], [(receive(0), 400), (receive(1), 500)]
    )
    world.chain.mine()

    assert flow_amounts(await world.read(ZPUB)) == {paid.txid: ("in", Decimal("0.000009"), 0)}


async def test_newly_made_coins_come_in(world: World) -> None:
    minted = world.chain._made([("0" * 64, 0xFFFFFFFF)], [(world.scripts(ZPUB)(0), 312_500_000)])
    world.chain.mine(minted, only=True)

    reading = await world.read(ZPUB)

    assert held(reading) == Decimal("3.125")
    assert flow_amounts(reading)[minted.txid] == ("in", Decimal("3.125"), 0)


async def test_a_block_that_comes_while_a_wallet_is_read_counts_nothing_twice(
    world: World,
) -> None:
    receive, change = world.scripts(ZPUB), world.scripts(ZPUB, 1)
    received = world.chain.receive(receive(0), 1_000_000)
    world.chain.receive(receive(1), 50_000)
    world.chain.mine()
    world.chain.send([coin(received)], [(FOREIGN, 300_000), (change(0), 699_000)])
    calls = iter(range(10_000))

    def mine_in_between(_: str) -> None:
        if next(calls) == 20:
            world.chain.mine()

    world.before(mine_in_between)
    reading = await world.read(ZPUB)

    assert held(reading) == Decimal("0.00749")
    assert held(reading, "pending") == 0


async def test_a_reorganised_tip_takes_back_what_it_had_confirmed(world: World) -> None:
    received = world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()
    world.chain.receive(world.scripts(ZPUB)(1), 30_000)
    world.chain.mine()
    before = await world.read(ZPUB)

    world.chain.reorganise(2, forget=[received])
    after = await world.read(ZPUB, before.memory)
    world.chain.mine()
    settled = await world.read(ZPUB, after.memory)

    assert held(before) == Decimal("0.0103")
    assert (held(after), held(after, "pending")) == (0, Decimal("0.0003"))
    assert held(settled) == Decimal("0.0003")


async def test_a_chain_that_never_keeps_still_leaves_the_wallet_unread(world: World) -> None:
    world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)

    def always_mine(asked: str) -> None:
        if "tip" in asked or "headers" in asked:
            world.chain.receive(world.scripts(ZPUB)(0), 1)
            world.chain.mine()

    world.before(always_mine)
    reading = await world.read(ZPUB)

    assert "confirmed" in reading.missing
    assert reading.positions == ()
    assert not reading.flows_known


async def test_a_tip_that_moves_on_is_no_harm_to_a_wallet_that_rests(world: World) -> None:
    world.chain.receive(world.scripts(ZPUB)(0), 1_000_000)
    world.chain.mine()

    def always_mine(asked: str) -> None:
        if "tip" in asked or "headers" in asked:
            world.chain.mine()

    world.before(always_mine)

    assert held(await world.read(ZPUB)) == Decimal("0.01")


async def test_flows_before_the_asked_moment_are_left_out(world: World) -> None:
    receive = world.scripts(ZPUB)
    world.chain.receive(receive(0), 1_000)
    world.chain.mine()
    newer = world.chain.receive(receive(0), 2_000)
    world.chain.mine(after=86_400)

    reading = await world.read(ZPUB, flows_since=Millis((BEGIN + 43_200) * 1000))
    without = await world.read(ZPUB, flows_since=None)

    assert set(flow_amounts(reading)) == {newer.txid}
    assert without.flows == ()


async def test_a_block_dated_after_our_clock_is_a_flow_of_now(world: World) -> None:
    world.chain.receive(world.scripts(ZPUB)(0), 1_000)
    world.chain.mine(after=4 * 86_400)

    reading = await world.read(ZPUB)

    assert reading.flows[0].at == reading.at == NOW
