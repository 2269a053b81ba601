"""The search for the addresses of a wallet, and what it costs."""

import json
from decimal import Decimal

import pytest
from embit.descriptor.checksum import add_checksum

from bitcoin_world import ADDRESS, ROOT, XPUB, ZPUB, World, coin, held
from coffers.clock import MINUTE
from coffers.connectors.chain.bitcoin import account, search
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.wallet import wallet_of


async def test_both_chains_are_searched_beyond_gaps(world: World) -> None:
    receive, change = world.scripts(ZPUB), world.scripts(ZPUB, 1)
    for script in (receive(0), receive(19), receive(39), change(7), change(27)):
        world.chain.receive(script, 100_000_000)
    world.chain.receive(receive(60), 100_000_000)  # 20 unpaid ones lie before it
    world.chain.mine()

    assert held(await world.read(ZPUB)) == 5


async def test_an_address_just_within_the_gap_is_found(world: World) -> None:
    world.chain.receive(world.scripts(ZPUB)(19), 7)
    world.chain.mine()

    assert held(await world.read(ZPUB)) == Decimal("0.00000007")


async def test_an_xpub_is_searched_for_every_kind_and_keeps_those_that_were_used(
    world: World,
) -> None:
    branches = wallet_of(XPUB, NETWORKS["bitcoin"]).branches
    taproot = next(branch for branch in branches if branch.id == "p2tr/0")
    world.chain.receive(taproot.script(2), 900)
    world.chain.mine()

    first = await world.read(XPUB)
    world.esplora.asked.clear()
    world.electrum.asked.clear()
    second = await world.read(XPUB, first.memory)

    assert held(first) == held(second) == Decimal("0.000009")
    assert set(json.loads(first.memory or "")["branches"]) == {"p2tr/0", "p2tr/1"}
    assert world.asked < 60


async def test_an_unused_xpub_is_searched_for_every_kind_again(world: World) -> None:
    first = await world.read(XPUB)
    legacy = wallet_of(XPUB, NETWORKS["bitcoin"]).branches[0]
    world.chain.receive(legacy.script(0), 900)
    world.chain.mine()

    assert held(await world.read(XPUB, first.memory)) == Decimal("0.000009")


async def test_a_wallet_of_several_keys_is_read_by_its_descriptor(world: World) -> None:
    keys = [ROOT.derive(f"m/48h/0h/{n}h/2h").to_public().to_base58() for n in range(3)]
    text = add_checksum(f"wsh(sortedmulti(2,{','.join(f'{key}/<0;1>/*' for key in keys)}))")
    world.chain.receive(world.scripts(text)(4), 10_000)
    world.chain.receive(world.scripts(text, 1)(1), 1_000)
    world.chain.mine()

    assert held(await world.read(text)) == Decimal("0.00011")


@pytest.mark.parametrize(
    "text",
    [
        f"wpkh({XPUB}/0/*) wpkh({XPUB}/0/3)",
        f"wpkh({XPUB}/0/0) wpkh({XPUB}/0/3) wpkh({XPUB}/0/*)",
        f"wpkh({XPUB}/0/30) wpkh({XPUB}/<0;1>/*) wpkh({XPUB}/0/*)",
    ],
)
async def test_an_address_that_several_descriptors_have_counts_once(
    text: str, over_http: World
) -> None:
    chain, script = over_http.chain, over_http.scripts(f"wpkh({XPUB}/0/*)")
    for place in (0, 3, 22):
        chain.receive(script(place), 100)
    chain.mine()
    first = await over_http.read(text)
    assert held(first) == Decimal("0.000003")
    assert sorted(flow.amount for flow in first.flows) == [Decimal("0.000001")] * 3

    chain.receive(script(3), 1_000)
    chain.receive(script(30), 5_000)
    pending = await over_http.read(text, first.memory)
    assert (held(pending), held(pending, "pending")) == (Decimal("0.000003"), Decimal("0.00006"))
    chain.mine()
    assert held(await over_http.read(text, pending.memory)) == Decimal("0.000063")


async def test_a_long_search_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = world.scripts(ZPUB)
    for place in range(0, 100, 5):
        world.chain.receive(receive(place), 1_000)
    world.chain.mine()
    monkeypatch.setattr(account, "PATIENCE", 0)

    readings = [await world.read(ZPUB)]
    while readings[-1].missing:
        readings.append(await world.read(ZPUB, readings[-1].memory))

    assert "still looking for its addresses: 4 that were used" in readings[0].missing["confirmed"]
    assert not readings[0].flows_known
    assert 4 <= len(readings) <= 8
    assert held(readings[-1]) == Decimal("0.0002")


async def test_a_reading_asks_little_more_than_once_for_each_address(over_http: World) -> None:
    receive = over_http.scripts(ZPUB)
    for place in range(60):
        over_http.chain.receive(receive(place), 1_000)
    over_http.chain.mine()

    first = await over_http.read(ZPUB)
    for_first = over_http.asked
    over_http.esplora.asked.clear()
    second = await over_http.read(ZPUB, first.memory)

    assert held(first) == held(second) == Decimal("0.0006")
    assert for_first == 60 * 2 + 40 + 4  # the tip twice with its height, and the landmark
    assert over_http.asked == 60 + 40 + 2
    assert len(first.flows) == 60
    assert second.flows == ()


async def test_emptied_addresses_take_turns(
    over_http: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EMPTIED_AT_ONCE", 10)
    receive, chain = over_http.scripts(ZPUB), over_http.chain
    coins = [coin(chain.receive(receive(place), 1_000)) for place in range(60)]
    chain.mine()
    chain.send(coins[:35], [(receive(59), 35_000)])
    chain.mine()
    reading = await over_http.read(ZPUB)
    chain.receive(receive(20), 777)
    chain.mine()

    amounts = []
    for _ in range(4):
        over_http.esplora.asked.clear()
        reading = await over_http.read(ZPUB, reading.memory)
        amounts.append(held(reading))
        assert over_http.asked < 85

    assert amounts[0] == Decimal("0.0006")
    assert amounts[-1] == Decimal("0.00060777")


async def test_the_pages_of_a_busy_address_are_turned(world: World) -> None:
    script = world.scripts(ADDRESS)(0)
    for _ in range(60):
        world.chain.receive(script, 1_000)
    world.chain.mine()

    reading = await world.read(ADDRESS)
    world.chain.receive(script, 1_000)
    world.chain.mine()
    again = await world.read(ADDRESS, reading.memory)

    assert held(reading) == Decimal("0.0006")
    assert len(reading.flows) == 60
    assert held(again) == Decimal("0.00061")


async def test_pages_of_any_length_are_turned_to_the_end(over_http: World) -> None:
    over_http.esplora.page = 10
    script = over_http.scripts(ADDRESS)(0)
    for _ in range(25):
        over_http.chain.receive(script, 1_000)
    over_http.chain.mine()

    reading = await over_http.read(ADDRESS)

    assert (len(reading.flows), reading.flows_known) == (25, True)
    assert sum("/txs/chain" in path for path in over_http.esplora.asked) == 3


async def test_a_deposit_that_a_node_behind_does_not_list_is_told_by_the_next_reading(
    over_http: World,
) -> None:
    script = over_http.scripts(ADDRESS)(0)
    over_http.chain.receive(script, 1_000)
    over_http.chain.mine()
    over_http.chain.receive(script, 777)
    over_http.chain.mine()
    over_http.esplora.lags = 1

    first = await over_http.read(ADDRESS)
    over_http.esplora.lags = 0
    second = await over_http.read(ADDRESS, first.memory)

    assert held(first) == held(second) == Decimal("0.00001777")
    assert (len(first.flows), first.flows_known) == (1, False)
    assert (len(second.flows), second.flows_known) == (2, True)


async def paid_behind_a_long_history(over_http: World) -> str | None:
    """Have an address paid 777 once 60 payments were read; return what that reading left."""
    script = over_http.scripts(ADDRESS)(0)
    for _ in range(60):
        over_http.chain.receive(script, 1_000)
    over_http.chain.mine()
    memory = (await over_http.read(ADDRESS)).memory
    over_http.chain.receive(script, 777)
    over_http.chain.mine()
    return memory


async def test_of_a_long_history_the_newest_part_is_looked_at_again_for_a_while(
    over_http: World,
) -> None:
    esplora = over_http.esplora
    memory = await paid_behind_a_long_history(over_http)
    esplora.lags = 1
    memory = (await over_http.read(ADDRESS, memory)).memory
    esplora.lags = 0

    flows, pages = [], []
    for _ in range(4):
        over_http.clock.advance(15 * MINUTE)
        esplora.asked.clear()
        reading = await over_http.read(ADDRESS, memory)
        memory = reading.memory
        flows.append(sum(flow.amount == Decimal("0.00000777") for flow in reading.flows))
        pages.append(sum(esplora.asked[path] for path in esplora.asked if "/txs/chain" in path))

    assert flows == [1, 1, 0, 0]
    assert pages == [1, 1, 0, 0]


async def test_what_is_stored_is_not_told_again_as_the_newest_part_is_looked_at(
    over_http: World,
) -> None:
    memory = await paid_behind_a_long_history(over_http)
    first = await over_http.read(ADDRESS, memory)
    stored = frozenset((flow.direction, flow.external_id) for flow in first.flows)
    over_http.clock.advance(5 * MINUTE)
    again = await over_http.read(ADDRESS, first.memory, known_flows=stored)
    assert (len(stored) > 0, again.flows, again.flows_known) == (True, (), True)


async def test_an_address_that_lost_its_last_transaction_has_no_flows_to_wait_for(
    over_http: World,
) -> None:
    memory = json.loads((await over_http.read(ADDRESS)).memory or "")
    for branch in memory["branches"].values():
        branch["unsure"] = {"0": 1}
    assert (await over_http.read(ADDRESS, json.dumps(memory))).flows_known
