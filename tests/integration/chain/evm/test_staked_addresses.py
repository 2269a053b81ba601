"""The validators of an address over HTTP: found by an explorer, confirmed by the beacon chain."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

import staking
from coffers.clock import DAY, ManualClock, Millis
from coffers.connectors.chain.connector import ChainConnector
from coffers.connectors.chain.evm import beacon as validators
from coffers.connectors.chain.evm.ens import namehash
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.reading import ConnectorFailure, Credentials, Reading, ReadRequest
from coffers.markets.catalogue import load_catalogue
from coffers.markets.chains import Chains, Endpoints, joined, shipped_chains
from coffers.secret import Secret
from coffers.valuation.model import Position
from coffers.valuation.transfers import Leg, own_transfers
from evm_chain import NAMES, EvmChain, EvmNode
from evm_explorer import Explorer
from factories import NOW
from served import listening
from staking import BATCH, BY_KEY, OTHER, OWNER, Beacon, Ledger, Staked, key_of, paying
from wallets import held

MARKET = "ethereum_validators"
STAKED = ("staked", "ETH")
PENDING = ("pending", "ETH")
EPOCH = 32 * 12_000


@dataclass
class World:
    """A beacon chain and a ledger, and what reads from them."""

    beacon: Beacon
    ledger: Ledger
    connector: ChainConnector
    chains: Chains
    clock: ManualClock

    async def read(self, address: str = OWNER, memory: str | None = None) -> Reading:
        """Read validators with their flows of the last two weeks."""
        market = joined(load_catalogue(), self.chains).get(MARKET)
        assert market is not None
        credentials = Credentials(
            "", Secret(""), address=await self.connector.resolved(market, address)
        )
        request = ReadRequest(Millis(NOW - 14 * DAY), memory=memory)
        return await self.connector.read(market, credentials, request)

    def has(self, credentials: str, *indices: int) -> None:
        """Let the beacon chain know validators."""
        self.beacon.registry |= {index: Staked(credentials) for index in indices}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Serve the nodes under [ethereum], as an operator's file names them."""
    beacon, ledger = Beacon(), Ledger()
    async with listening(beacon) as beacon_url, listening(ledger) as url:
        services = {"urls": url, "blockscout": url, "beacon": beacon_url}
        secrets = {name: (Secret(each),) for name, each in services.items()}
        found = {chain.code: chain for chain in shipped_chains()}
        found["ethereumwallet"] = replace(found["ethereumwallet"], endpoints=Endpoints(secrets))
        chains = Chains(found)
        clock = ManualClock(NOW)
        connector = ChainConnector(chains, None, 5.0, clock)
        yield World(beacon, ledger, connector, chains, clock)
        await connector.close()


async def test_what_an_address_deposited_for_is_its_own(world: World) -> None:
    world.ledger.deposits(1, paying(OWNER))
    world.ledger.deposits_through(BATCH, {2: paying(OWNER), 3: paying(OWNER)})
    world.has(paying(OWNER), 1, 2, 3)
    reading = await world.read()
    assert held(reading) == {STAKED: Decimal(96)}
    assert reading.is_complete
    assert reading.wallets == {"staked", "pending"}


async def test_what_pays_an_address_is_its_own_whoever_deposited(world: World) -> None:
    world.has(paying(OWNER, "02"), 7)
    world.ledger.pays(7, "0.02")
    assert held(await world.read()) == {STAKED: Decimal(32)}


async def test_what_pays_another_address_is_somebody_elses(world: World) -> None:
    world.ledger.deposits(1, paying(OTHER))
    # Somebody was there before with the same key: that deposit's word counts.
    world.ledger.deposits(2, paying(OWNER))
    world.has(paying(OTHER), 1, 2)
    reading = await world.read()
    assert held(reading) == {STAKED: Decimal(0)}
    assert not reading.flows


async def test_what_pays_a_key_belongs_to_who_deposited_for_it(world: World) -> None:
    world.ledger.deposits(1, BY_KEY)
    world.has(BY_KEY, 1, 2)
    assert held(await world.read()) == {STAKED: Decimal(32)}


async def test_a_deposit_by_a_contract_of_the_owners_is_found(world: World) -> None:
    world.ledger.deposits_through(BATCH, {4: paying(OWNER)}, callType="call")
    world.has(paying(OWNER), 4)
    assert held(await world.read()) == {STAKED: Decimal(32)}


async def test_calls_that_are_no_deposits_count_for_nothing(world: World) -> None:
    world.ledger.sent(OTHER, 500)
    world.ledger.sent(BATCH, 0, b"\1\2\3\4")
    world.ledger.deposits_through(BATCH, {}, ether=40)
    world.ledger.deposits(1, paying(OWNER), isError="1")
    world.ledger.sent("0x00000000219ab540356cBB839Cbe05303d7705Fa", 32, b"\x22\x89\x51\x18\1")
    world.has(paying(OWNER), 1)
    assert held(await world.read()) == {STAKED: Decimal(0)}


async def test_a_deposit_that_the_beacon_chain_does_not_know_yet_is_pending(world: World) -> None:
    txid = world.ledger.deposits(1, paying(OWNER))
    first = await world.read()
    assert held(first) == {STAKED: Decimal(0), PENDING: Decimal(32)}
    assert not first.flows
    world.has(paying(OWNER), 1)
    second = await world.read(memory=first.memory)
    assert held(second) == {STAKED: Decimal(32)}
    assert [(flow.direction, flow.txid, flow.amount) for flow in second.flows] == [
        ("in", txid, Decimal(32))
    ]
    third = await world.read(memory=second.memory)
    assert not third.flows


async def test_what_is_added_to_a_validator_waits_until_the_beacon_chain_takes_it(
    world: World,
) -> None:
    world.ledger.deposits(1, paying(OWNER), timeStamp=str(NOW // 1000 - 9 * 86_400))
    world.has(paying(OWNER), 1)
    first = await world.read()
    assert held(first) == {STAKED: Decimal(32)}
    added = world.ledger.deposits(1, paying(OWNER))
    world.beacon.queue = [(2, NOW - DAY), (1, NOW - DAY)]
    second = await world.read(memory=first.memory)
    assert held(second) == {STAKED: Decimal(32), PENDING: Decimal(32)}
    assert second.flows == ()
    world.beacon.queue, world.beacon.registry[1].gwei = [], 64 * 10**9
    third = await world.read(memory=second.memory)
    assert held(third) == {STAKED: Decimal(64)}
    assert [(flow.txid, flow.amount) for flow in third.flows] == [(added, Decimal(32))]
    asked = world.beacon.count("/eth/v1/beacon/states/head/pending_deposits")
    await world.read(memory=third.memory)
    assert world.beacon.count("/eth/v1/beacon/states/head/pending_deposits") == asked


async def test_a_beacon_node_that_tells_nothing_of_what_waits_is_believed_without_it(
    world: World,
) -> None:
    world.beacon.queue = None
    made = world.ledger.deposits(1, paying(OWNER))
    world.has(paying(OWNER), 1)
    reading = await world.read()
    assert held(reading) == {STAKED: Decimal(32)}
    assert [flow.txid for flow in reading.flows] == [made]
    assert reading.is_complete


async def test_what_was_told_of_what_waits_holds_while_the_beacon_node_is_too_busy_to_tell(
    world: World,
) -> None:
    world.ledger.deposits(1, paying(OWNER), timeStamp=str(NOW // 1000 - 9 * 86_400))
    world.has(paying(OWNER), 1)
    first = await world.read()
    added = world.ledger.deposits(1, paying(OWNER))
    world.beacon.queue = [(1, NOW - DAY)]
    second = await world.read(memory=first.memory)
    assert held(second) == {STAKED: Decimal(32), PENDING: Decimal(32)}
    world.beacon.statuses["/eth/v1/beacon/states/head/pending_deposits"] = 503
    third = await world.read(memory=second.memory)
    assert held(third) == {STAKED: Decimal(32), PENDING: Decimal(32)}
    assert third.flows == ()
    world.clock.advance(8 * DAY)
    world.beacon.at += 8 * DAY
    last = await world.read(memory=third.memory)
    assert held(last) == {STAKED: Decimal(32)}
    assert [flow.txid for flow in last.flows] == [added]


@pytest.mark.parametrize(
    "row", [{"pubkey": staking.key_of(1)}, {"pubkey": None, "slot": "1"}, {"slot": 5}, None]
)
async def test_a_list_of_what_waits_in_another_form_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, row: object
) -> None:
    world.ledger.deposits(1, paying(OWNER), timeStamp=str(NOW // 1000 - 9 * 86_400))
    world.has(paying(OWNER), 1)
    first = await world.read()
    world.ledger.deposits(1, paying(OWNER))
    world.beacon.queue = [(1, NOW - DAY)]
    second = await world.read(memory=first.memory)
    monkeypatch.setattr(staking, "_queued", lambda _row: row)
    third = await world.read(memory=second.memory)
    assert held(third) == held(second) == {STAKED: Decimal(32), PENDING: Decimal(32)}
    assert third.flows == ()


async def test_a_deposit_that_is_taken_amid_a_reading_is_told_with_what_it_adds(
    world: World,
) -> None:
    world.ledger.deposits(1, paying(OWNER), timeStamp=str(NOW // 1000 - 9 * 86_400))
    world.has(paying(OWNER), 1)
    first = await world.read()
    added = world.ledger.deposits(1, paying(OWNER))
    world.beacon.queue = [(1, NOW - DAY)]

    def taken() -> None:
        world.beacon.at += EPOCH
        world.beacon.queue, world.beacon.registry[1].gwei = [], 64 * 10**9

    world.beacon.at -= EPOCH
    world.beacon.meanwhile = taken
    second = await world.read(memory=first.memory)
    assert held(second) == {STAKED: Decimal(64)}
    assert [flow.txid for flow in second.flows] == [added]


async def test_addresses_indices_and_keys_mix_and_none_counts_twice(world: World) -> None:
    world.ledger.deposits(1, paying(OWNER))
    world.has(paying(OWNER), 1)
    world.has(paying(OTHER), 2, 3)
    address = f"2 1, {key_of(3)}; {OWNER.lower()} {key_of(1)}"
    assert held(await world.read(address)) == {STAKED: Decimal(96)}


async def test_what_was_counted_is_told_by_every_name_that_it_has(world: World) -> None:
    world.has(paying(OWNER), 1)
    world.has(BY_KEY, 2)
    world.beacon.registry[3] = Staked(paying(OTHER), 0)
    reading = await world.read("1,2,3")
    assert reading.counted == {"1", key_of(1), OWNER, "2", key_of(2)}


async def test_the_next_reading_asks_only_what_is_new(world: World) -> None:
    for number in range(1, 4):
        world.ledger.deposits_through(BATCH, {number: paying(OWNER)})
    for number in range(60):
        world.ledger.pays(number % 3 + 1, "0.01")
    world.has(paying(OWNER), 1, 2, 3, 9)
    first = await world.read()
    world.ledger.pays(9, "0.01")
    world.ledger.asked.clear()
    second = await world.read(memory=first.memory)
    assert held(second) == {STAKED: Decimal(128)}
    starts = {asked.query["startblock"] for asked in world.ledger.asked if "action" in asked.query}
    assert starts == {"0", "3"}
    assert world.ledger.count("/api/v2") == 1
    assert [flow.amount for flow in second.flows] == [Decimal("0.01")]


async def test_some_thousands_are_asked_for_fifty_at_a_time(world: World) -> None:
    numbers = range(1, 2001)
    for start in range(1, 2001, 100):
        world.ledger.deposits_through(BATCH, dict.fromkeys(range(start, start + 100), BY_KEY))
    world.has(BY_KEY, *numbers)
    assert held(await world.read()) == {STAKED: Decimal(64_000)}
    assert world.beacon.count("/eth/v1/beacon/states/head/validators") == 40


async def test_a_search_that_takes_long_goes_on_with_the_next_reading(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        world.ledger.deposits_through(BATCH, {number: paying(OWNER)})
    world.has(paying(OWNER), 1, 2, 3)
    monkeypatch.setattr(validators, "SEARCH", 0.0)
    memory: str | None = None
    for _ in range(8):
        reading = await world.read(memory=memory)
        memory = reading.memory
        if reading.is_complete:
            break
        assert not reading.wallets
        assert "found so far" in reading.missing["staked"]
    assert held(reading) == {STAKED: Decimal(96)}


async def test_an_explorer_that_fails_later_leaves_what_was_found(world: World) -> None:
    world.ledger.deposits(1, paying(OWNER))
    world.has(paying(OWNER), 1)
    first = await world.read()
    world.ledger.statuses["/api"] = 503
    with pytest.raises(ConnectorFailure):
        await world.read()
    second = await world.read(memory=first.memory)
    assert held(second) == {STAKED: Decimal(32)}
    assert list(second.missing) == ["new validators"]


async def test_without_an_explorer_a_sentence_says_what_to_name(world: World) -> None:
    chain = world.chains.get("ethereumwallet")
    assert chain is not None
    services = {"beacon": chain.endpoints.of("beacon")}
    found = {each.code: each for each in world.chains}
    found["ethereumwallet"] = replace(chain, endpoints=Endpoints(services))
    world.chains = Chains(found)
    connector = ChainConnector(world.chains, None, 5.0, ManualClock(NOW))
    world.connector, kept = connector, world.connector
    with pytest.raises(ConnectorFailure, match=r"blockscout\) under \[ethereum\]") as failure:
        await world.read()
    assert failure.value.code == "no_explorer"
    world.has(paying(OTHER), 5)
    assert held(await world.read("5")) == {STAKED: Decimal(32)}
    await connector.close()
    world.connector = kept


@pytest.mark.usefixtures("short_list")
async def test_rewards_leave_the_validators_and_reach_the_wallet(
    world: World, evm: EvmChain, node: EvmNode, wallets: Any
) -> None:
    world.has(paying(OWNER), 7)
    world.ledger.pays(7, "0.02", at=NOW - 15 * DAY)
    number = world.ledger.pays(7, "0.03")
    staked = await world.read()
    assert [(flow.direction, flow.amount, flow.txid) for flow in staked.flows] == [
        ("out", Decimal("0.03"), f"withdrawal-{number}")
    ]
    explorer = Explorer(evm)
    now = evm.settle()
    explorer.paid = [{**row, "block_number": 0} for row in world.ledger.paid]
    explorer.paid.insert(0, {**explorer.paid[0], "index": 2000, "block_number": 99})
    reader = await wallets(now, node, blockscout=explorer)
    reading = await reader.read(OWNER, flows_since=NOW - 14 * DAY)
    assert [flow.amount for flow in reading.flows] == [Decimal("0.03")]
    legs = [Leg(1, "real", staked.flows[0]), Leg(2, "real", reading.flows[0])]
    assert len(own_transfers(legs)) == 1


async def test_a_beacon_node_behind_the_explorer_is_not_believed(world: World) -> None:
    world.has(paying(OWNER), 7)
    world.ledger.pays(7, "0.02", at=NOW - 60_000)
    world.beacon.at = NOW - 120_000
    with pytest.raises(ConnectorFailure, match="behind the explorer"):
        await world.read()


@pytest.mark.parametrize(
    "junk",
    [None, {}, {"items": None}, {"items": [{}]}, {"items": [{"index": 1, "timestamp": "soon"}]}],
)
async def test_an_explorer_that_answers_junk_is_no_empty_one(world: World, junk: object) -> None:
    world.ledger.answers["/api/v2"] = junk
    with pytest.raises(ConnectorFailure):
        await world.read()


async def test_an_address_that_the_explorer_never_saw_has_none(world: World) -> None:
    world.ledger.statuses["/api/v2"] = 404
    reading = await world.read()
    assert reading.positions == (Position("staked", "ETH", "ETH", Decimal(0)),)


async def test_a_name_stands_for_the_address_that_staked(
    evm: EvmChain, node: EvmNode, wallets: Any
) -> None:
    evm.send(NAMES, "setup(bytes32,address)", namehash("coffers.eth"), OWNER)
    reads = await wallets(evm.settle(), node, code=MARKET)
    assert await reads.connector.resolved(reads.market, "7, Coffers.eth") == f"{OWNER},7"
    with pytest.raises(AddressRefused) as refusal:
        await reads.connector.resolved(reads.market, "7, nobody.eth")
    assert refusal.value.fault is AddressFault.UNKNOWN_NAME


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (OWNER.replace("d", "D", 1), AddressFault.CHECKSUM),
        (f"1,{OWNER[:-1]}", AddressFault.MALFORMED),
        ("0x" + "0" * 40, AddressFault.MALFORMED),
        ("vitalik", AddressFault.MALFORMED),
        (",".join(f"0x{number:040x}" for number in range(10**6, 10**6 + 21)), "malformed"),
    ],
)
async def test_a_wrong_address_is_refused(text: str, fault: str, world: World) -> None:
    market = joined(load_catalogue(), world.chains).get(MARKET)
    assert market is not None
    with pytest.raises(AddressRefused) as refusal:
        await world.connector.resolved(market, text)
    assert refusal.value.fault == fault
    assert text not in str(refusal.value)
