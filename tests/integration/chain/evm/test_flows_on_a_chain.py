"""What came in and went out of an address on a real EVM, and tokens that are found on the way."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from eth_hash.auto import keccak

from coffers.connectors.chain.evm import blockscout, search, wrapping
from coffers.connectors.reading import Reading
from coffers.valuation.model import Flow
from evm_chain import EvmChain, EvmNode
from evm_explorer import Explorer
from wallets import known

USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
UNLISTED = "0x" + "b1" * 20
WRAPPED = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
BLOCK_REWARD = "0x481c034c6d9441db23ea48de68bcae812c5d39ba"
ADDED_RECEIVER = "0x" + keccak(b"AddedReceiver(uint256,address,address)").hex()
DEPOSITED = "0x" + keccak(b"Deposit(address,address,uint256,uint256,uint256)").hex()
TRANSFER = "0x" + keccak(b"Transfer(address,address,uint256)").hex()
COIN = "0x0000000000000000000000000000000000001010"
GATEWAY = "0x" + "6c" * 20
Make = Callable[..., Awaitable[Any]]
pytestmark = pytest.mark.usefixtures("short_list")


def told(reading: Reading) -> list[tuple[str, str, Decimal]]:
    return [(flow.direction, flow.asset, flow.amount) for flow in reading.flows]


def moment(evm: EvmChain, block: int | str = "latest") -> int:
    return int(evm.evm.get_block_by_number(block)["timestamp"]) * 1000


def word(address: str) -> str:
    return f"0x{address[2:].lower():0>64}"


async def test_tokens_flow_in_and_out_and_the_first_withdrawal_bears_the_fee(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner, friend = evm.accounts[1], evm.accounts[2]
    evm.token(USDC, "USDC", 6)
    since = moment(evm)
    arrived = evm.send(USDC, "mint(address,uint256)", owner, 5_000_000)
    left = evm.send(USDC, "transfer(address,uint256)", friend, 2_000_000, sender=owner)
    evm.send(USDC, "transfer(address,uint256)", owner, 1, sender=owner)
    reads = await wallets(evm.settle(), node)
    reading = await reads.read(owner, flows_since=since)
    receipt = evm.evm.get_transaction_receipt(left)
    fee = Decimal(receipt["gas_used"] * receipt["effective_gas_price"]).scaleb(-18)
    assert reading.flows == (
        Flow(
            f"{arrived}:0", "in", "USDC", "USDC", Decimal(5), Decimal(0), "ETH",
            moment(evm, evm.evm.get_transaction_receipt(arrived)["block_number"]), txid=arrived,
        ),
        Flow(
            f"{left}:0", "out", "USDC", "USDC", Decimal(2), fee, "ETH",
            moment(evm, receipt["block_number"]), txid=left,
        ),
    )  # fmt: skip
    # Nobody tells of the native coin here.
    assert (reading.flows_known, reading.flows_until) == (False, reading.at)


async def test_flows_are_told_once_and_new_ones_by_the_next_reading(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner = evm.accounts[1]
    evm.token(USDC, "USDC", 6)
    since = moment(evm)
    evm.send(USDC, "mint(address,uint256)", owner, 5_000_000)
    reads = await wallets(evm.settle(), node)
    first = await reads.read(owner, flows_since=since)
    assert told(first) == [("in", "USDC", Decimal(5))]
    evm.send(USDC, "mint(address,uint256)", owner, 1_000_000)
    reads.clock.set(evm.settle())
    second = await reads.read(
        owner, flows_since=since, memory=first.memory, known_flows=known(first)
    )
    assert told(second) == [("in", "USDC", Decimal(1))]
    again = await reads.read(owner, flows_since=since - 60_000, memory=second.memory)
    assert told(again) == [("in", "USDC", Decimal(5)), ("in", "USDC", Decimal(1))]


async def test_what_a_node_behind_the_others_left_out_is_told_by_the_next_reading(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner, friend = evm.accounts[1], evm.accounts[2]
    evm.token(USDC, "USDC", 6, of=[(owner, 9)])
    since = moment(evm) + 1
    left = evm.send(USDC, "transfer(address,uint256)", friend, 2, sender=owner)
    end = evm.evm.get_block_by_number("latest")["number"]
    evm.send(USDC, "mint(address,uint256)", owner, 5_000_000)

    def clipped(span: dict[str, Any]) -> object:
        last = min(int(span["toBlock"], 16), end)
        return node.eth_getLogs({**span, "toBlock": hex(last)})

    node.tells["eth_getLogs"] = clipped
    reads = await wallets(evm.settle(), node)
    first = await reads.read(owner, flows_since=since)
    assert told(first) == [("out", "USDC", Decimal("0.000002"))]
    node.tells.clear()
    reads.clock.set(evm.settle())
    asked = {"flows_since": since, "memory": first.memory}
    second = await reads.read(owner, known_flows=known(first), **asked)
    assert told(second) == [("in", "USDC", Decimal(5))]
    # The first balances had it already: counted from after them on, it would be a loss.
    assert second.flows_asked_before == {("in", second.flows[0].external_id): None}
    assert not first.flows_asked_before
    # An explorer told another withdrawal of the transaction, with its fee.
    bare = await reads.read(owner, known_flows=frozenset({("out", f"{left}:native")}), **asked)
    assert {flow.fee for flow in bare.flows} == {Decimal(0)}


async def test_blocks_of_a_quarter_of_an_hour_ago_are_looked_through_once(
    evm: EvmChain, node: EvmNode, wallets: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_FIRST_RECENT", 1)
    owner = evm.accounts[1]
    evm.token(USDC, "USDC", 6)
    since = moment(evm)
    evm.send(USDC, "mint(address,uint256)", owner, 5_000_000)
    evm.evm.mine_blocks(3)
    evm.evm.time_travel(since // 1000 + 3_600)
    reads = await wallets(evm.settle(), node)
    first = await reads.read(owner, flows_since=since)
    again = await reads.read(owner, flows_since=since, memory=first.memory)
    assert (told(first), told(again)) == ([("in", "USDC", Decimal(5))], [])


async def test_with_an_explorer_native_flows_are_known_too(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner, friend = evm.accounts[1], evm.accounts[2]
    evm.settle()
    since = moment(evm)
    evm.send(owner, value=3 * 10**18)
    left = evm.send(friend, value=10**18, sender=owner)
    evm.token(USDC, "USDC", 6, of=[(owner, 1)])
    explorer = Explorer(evm)
    row = {"blockNumber": "9", "timeStamp": str(since // 1000 + 1), "transactionHash": "0xab"}
    inner = {**row, "from": WRAPPED, "to": owner, "value": "7", "index": "2", "callType": "call"}
    explorer.inner = [
        inner,
        {**inner, "from": friend},
        {**inner, "from": friend, "callType": "delegatecall"},
        {**inner, "from": friend, "isError": "1"},
        {**inner, "from": friend, "index": "0"},
    ]
    reads = await wallets(evm.settle(), node, blockscout=explorer)
    reading = await reads.read(owner, flows_since=since)
    assert reading.flows_known
    assert sorted(told(reading)) == [
        ("in", "ETH", Decimal("0.000000000000000007")),
        ("in", "ETH", Decimal(3)),
        ("in", "USDC", Decimal("0.000001")),
        ("out", "ETH", Decimal(1)),
    ]
    [withdrawal] = [flow for flow in reading.flows if flow.direction == "out"]
    assert (withdrawal.external_id, withdrawal.txid) == (f"{left}:native", left)
    assert withdrawal.fee > 0
    again = await reads.read(
        owner, flows_since=since, known_flows=known(reading), memory=reading.memory
    )
    assert again.flows == ()
    assert again.flows_known


@pytest.mark.parametrize("change", [{"behind": 20}, {"status": 500}])
async def test_an_explorer_that_is_down_or_behind_leaves_flows_unknown_until_it_is_back(
    change: dict[str, int], evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner = evm.accounts[1]
    since = moment(evm)
    evm.token(USDC, "USDC", 6, of=[(owner, 1)])
    explorer = Explorer(evm)
    for name, value in change.items():
        setattr(explorer, name, value)
    reads = await wallets(evm.settle(), node, blockscout=explorer)
    first = await reads.read(owner, flows_since=since)
    assert (first.flows, first.flows_known) == ((), False)
    assert not first.missing
    explorer.behind, explorer.status = 0, 200
    reads.clock.advance(120_000)
    second = await reads.read(owner, flows_since=since, memory=first.memory)
    assert told(second) == [("in", "USDC", Decimal("0.000001"))]
    assert second.flows_known


async def test_more_transactions_than_are_read_leave_the_flows_unknown(
    evm: EvmChain, node: EvmNode, wallets: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blockscout, "PAGE", 1)
    monkeypatch.setattr(blockscout, "PAGES", 2)
    owner, since = evm.accounts[1], moment(evm)
    for _ in range(3):
        evm.send(owner, value=1)
    reads = await wallets(evm.settle(), node, blockscout=Explorer(evm))
    assert not (await reads.read(owner, flows_since=since)).flows_known


async def test_what_the_bridge_mints_on_gnosis_chain_is_a_deposit(
    evm: EvmChain, wallets: Make
) -> None:
    owner, bridge, since = evm.accounts[1], evm.accounts[2], moment(evm)
    now = evm.settle()
    row = {
        "address": BLOCK_REWARD,
        "topics": [ADDED_RECEIVER, word(owner), word(bridge)],
        "data": f"0x{5_000 * 10**18:064x}",
        "blockNumber": hex(1),
        "logIndex": hex(3),
        "transactionHash": "0x" + "ab" * 32,
    }

    def logged(span: dict[str, Any]) -> object:
        if span.get("address") != BLOCK_REWARD:
            return NotImplemented
        assert span["topics"] == [ADDED_RECEIVER, word(owner)]
        return [row]

    node = EvmNode(evm, chain_id=100)
    node.tells["eth_getLogs"] = logged
    reads = await wallets(now, node, code="gnosis_wallet", blockscout=Explorer(evm))
    reading = await reads.read(owner, flows_since=since)
    assert [(flow.external_id, flow.at) for flow in reading.flows] == [
        ("0x" + "ab" * 32 + ":3", moment(evm, 1))
    ]
    assert told(reading) == [("in", "XDAI", Decimal(5_000))]
    assert reading.flows_known
    # The contract is no token that the wallet was sent.
    assert BLOCK_REWARD not in (reading.memory or "")


@pytest.mark.parametrize("is_in_explorer", [False, True])
async def test_what_the_bridge_mints_on_polygon_is_a_deposit(
    is_in_explorer: bool, evm: EvmChain, wallets: Make
) -> None:
    owner, payer, since = evm.accounts[1], evm.accounts[2], moment(evm)
    now = evm.settle()
    txid, paid = "0x" + "ab" * 32, "0x" + "cd" * 32
    row = {
        "address": COIN,
        "topics": [DEPOSITED, word("0x" + "7d" * 20), word(owner)],
        "data": f"0x{5_000 * 10**18:064x}{0:064x}{5_000 * 10**18:064x}",
        "blockNumber": hex(1),
        "logIndex": hex(3),
        "transactionHash": txid,
    }
    # The owner sends some back: the explorer tells it as the coin's, this contract as a token's.
    burnt = {
        **row,
        "topics": [TRANSFER, word(owner), word("0x" + 40 * "0")],
        "data": f"0x{10**18:064x}",
    }

    def logged(span: dict[str, Any]) -> object:
        if span["topics"][0] == TRANSFER:
            return [burnt] if span["topics"][1] is not None else []
        assert (span["address"], span["topics"]) == (COIN, [DEPOSITED, None, word(owner)])
        return [row]

    explorer = Explorer(evm)
    inner = {"blockNumber": "0", "timeStamp": str(since // 1000), "index": "2", "from": COIN}
    # Who is paid by the contract that stands for the coin is paid with the coin.
    explorer.inner = [
        {**inner, "transactionHash": paid, "to": owner, "value": str(7 * 10**18)},
        *(
            [{**inner, "transactionHash": txid, "to": owner, "value": str(5_000 * 10**18)}]
            if is_in_explorer
            else []
        ),
    ]
    receipts = {txid: {"logs": [burnt, row]}, paid: {"from": payer, "to": COIN, "logs": [burnt]}}
    node = EvmNode(evm, chain_id=137)
    node.tells["eth_getLogs"] = logged
    node.tells["eth_getTransactionReceipt"] = receipts.__getitem__
    reads = await wallets(now, node, code="polygon_wallet", blockscout=explorer)
    reading = await reads.read(owner, flows_since=since)
    assert reading.flows_known
    assert told(reading) == [("in", "POL", Decimal(5_000)), ("in", "POL", Decimal(7))]
    assert COIN not in (reading.memory or "")


@pytest.fixture
def bridged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wrapped coin be one that is made and destroyed for others too."""
    monkeypatch.setattr(wrapping, "_FOR_OTHERS", frozenset({WRAPPED}))


@pytest.mark.usefixtures("bridged")
@pytest.mark.parametrize(
    ("direction", "parties", "flows"),
    [
        ("in", ("owner", WRAPPED), []),
        ("in", (GATEWAY, WRAPPED), [("in", "ETH", Decimal(2))]),
        ("out", (WRAPPED, "owner"), []),
        ("out", (WRAPPED, GATEWAY), [("out", "ETH", Decimal(2))]),
        # The explorer has not looked into the transaction yet.
        ("out", None, None),
    ],
)
async def test_wrapped_coins_are_exchanged_only_with_who_paid_or_was_paid_the_coin(
    direction: str,
    parties: tuple[str, str] | None,
    flows: list[tuple[str, str, Decimal]] | None,
    evm: EvmChain,
    node: EvmNode,
    wallets: Make,
) -> None:
    owner, amount, before = evm.accounts[1], 2 * 10**18, moment(evm)
    txid = evm.send(WRAPPED, "mint(address,uint256)", owner, amount)
    if direction == "out":
        evm.evm.mine_blocks(1)
        before = moment(evm)
        call = ("transfer(address,uint256)", "0x" + 40 * "0", amount)
        txid = evm.send(WRAPPED, *call, sender=owner)
    node.tells["eth_getTransactionReceipt"] = {"from": evm.accounts[0], "to": GATEWAY}
    explorer = Explorer(evm)
    if parties is not None:
        payer, payee = [owner if party == "owner" else party for party in parties]
        row = {"blockNumber": "1", "timeStamp": "1", "transactionHash": txid, "index": "2"}
        explorer.inner = [{**row, "from": payer, "to": payee, "value": str(amount)}]
    reads = await wallets(evm.settle(), node, blockscout=explorer)
    reading = await reads.read(owner, flows_since=before + 1)
    assert (told(reading) if reading.flows_known else None) == flows


@pytest.mark.usefixtures("bridged")
@pytest.mark.parametrize(("payer", "flows"), [(0, [("in", "ETH", Decimal(1))]), (1, [])])
async def test_a_wrapped_coin_that_somebody_else_paid_for_directly_is_a_deposit(
    payer: int,
    flows: list[tuple[str, str, Decimal]],
    evm: EvmChain,
    node: EvmNode,
    wallets: Make,
) -> None:
    owner, since = evm.accounts[1], moment(evm)
    evm.send(WRAPPED, "mint(address,uint256)", owner, 10**18, sender=evm.accounts[payer])
    reads = await wallets(evm.settle(), node, blockscout=Explorer(evm))
    reading = await reads.read(owner, flows_since=since)
    assert reading.flows_known
    assert told(reading) == flows


@pytest.mark.usefixtures("bridged")
@pytest.mark.parametrize(
    ("direction", "made", "flows"),
    [
        # Somebody else had wrapped coins, and had the coin itself paid to the owner.
        ("in", None, [("in", "ETH", Decimal(2))]),
        # The owner paid for wrapped coins of somebody else.
        ("out", None, [("out", "ETH", Decimal(2))]),
        ("out", 1, [("out", "ETH", Decimal(2))]),
        ("in", 2, []),
        ("out", 2, []),
    ],
)
async def test_the_coin_is_exchanged_only_for_as_much_of_its_wrapped_form(
    direction: str,
    made: int | None,
    flows: list[tuple[str, str, Decimal]],
    evm: EvmChain,
    node: EvmNode,
    wallets: Make,
) -> None:
    owner, since, txid = evm.accounts[1], moment(evm), "0x" + "ab" * 32
    ends = (WRAPPED, owner) if direction == "in" else (owner, WRAPPED)
    # As much is destroyed for what comes in as is made for what goes out.
    parties = [word(owner), word("0x" + 40 * "0")]
    log = {
        "address": WRAPPED,
        "topics": [TRANSFER, *(parties if direction == "in" else reversed(parties))],
        "data": f"0x{(made or 0) * 10**18:064x}",
        "blockNumber": hex(1),
        "logIndex": hex(3),
        "transactionHash": txid,
    }
    explorer = Explorer(evm)
    row = {"blockNumber": "0", "timeStamp": str(since // 1000), "transactionHash": txid}
    paid = {"index": "2", "from": ends[0], "to": ends[1], "value": str(2 * 10**18)}
    explorer.inner = [{**row, **paid}]
    receipt = {"from": GATEWAY, "to": GATEWAY, "logs": [] if made is None else [log]}
    node.tells["eth_getTransactionReceipt"] = receipt
    reads = await wallets(evm.settle(), node, blockscout=explorer)
    reading = await reads.read(owner, flows_since=since)
    assert reading.flows_known
    assert told(reading) == flows

    # It is looked into once.
    node.tells["eth_getTransactionReceipt"] = None
    again = await reads.read(
        owner, flows_since=since, known_flows=known(reading), memory=reading.memory
    )
    assert again.flows_known
    assert told(again) == []


@pytest.mark.parametrize(
    ("minted", "has_failed", "flows"),
    [
        ({"type": "0x7e", "mint": hex(2 * 10**18)}, False, [("in", "ETH", Decimal(2))]),
        ({"type": "0x7e", "mint": hex(2 * 10**18)}, True, [("in", "ETH", Decimal(2))]),
        # Nothing was sent along: it moves what was there.
        ({"type": "0x7e"}, False, []),
        ({"type": "0x2", "mint": hex(2 * 10**18)}, False, []),
    ],
)
async def test_ether_sent_to_oneself_on_a_rollup_is_what_the_node_says_was_minted(
    minted: dict[str, str],
    has_failed: bool,
    flows: list[tuple[str, str, Decimal]],
    evm: EvmChain,
    wallets: Make,
) -> None:
    owner, since = evm.accounts[1], moment(evm)
    txid = evm.send(owner, value=2 * 10**18, sender=owner)
    evm.send(owner, value=10**18, sender=owner)
    explorer, node = Explorer(evm), EvmNode(evm, chain_id=10)
    explorer.unpaid = {txid}
    explorer.failed = {txid} if has_failed else set()
    node.tells["eth_getTransactionByHash"] = lambda asked: {**minted, "hash": asked}
    reads = await wallets(evm.settle(), node, code="optimism_wallet", blockscout=explorer)
    reading = await reads.read(owner, flows_since=since)
    assert told(reading) == flows
    assert {flow.external_id for flow in reading.flows} <= {f"{txid}:mint"}
    assert reading.flows_known
    assert node.asked.count("eth_getTransactionByHash") == 1


async def test_what_a_deposit_sends_on_leaves_after_it_was_minted(
    evm: EvmChain, wallets: Make
) -> None:
    owner, friend, since = evm.accounts[1], evm.accounts[2], moment(evm)
    explorer, node = Explorer(evm), EvmNode(evm, chain_id=8453)
    explorer.unpaid = {evm.send(friend, value=10**18, sender=owner)}
    node.tells["eth_getTransactionByHash"] = {"type": "0x7e", "mint": hex(3 * 10**18)}
    reads = await wallets(evm.settle(), node, code="base_wallet", blockscout=explorer)
    reading = await reads.read(owner, flows_since=since)
    assert sorted(told(reading)) == [("in", "ETH", Decimal(3)), ("out", "ETH", Decimal(1))]


@pytest.mark.parametrize("answer", [None, {"type": "0x7e", "mint": "3"}])
async def test_a_deposit_that_the_node_does_not_tell_leaves_the_flows_unknown(
    answer: object, evm: EvmChain, wallets: Make
) -> None:
    owner, since = evm.accounts[1], moment(evm)
    explorer, node = Explorer(evm), EvmNode(evm, chain_id=10)
    explorer.unpaid = {evm.send(owner, value=10**18, sender=owner)}
    node.tells["eth_getTransactionByHash"] = answer
    reads = await wallets(evm.settle(), node, code="optimism_wallet", blockscout=explorer)
    reading = await reads.read(owner, flows_since=since)
    assert (reading.flows, reading.flows_known) == ((), False)


async def test_the_explorer_names_tokens_and_the_node_says_how_much(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner, now = evm.accounts[1], evm.settle()
    evm.token(UNLISTED, "NEW", 18, of=[(owner, 10**18)])
    explorer = Explorer(evm)
    token = {"address_hash": UNLISTED, "type": "ERC-20", "decimals": "2"}
    explorer.tokens = [
        {"token": token, "value": "999"},
        {"token": {**token, "address_hash": WRAPPED, "type": "ERC-721"}, "value": "1"},
        {"token": None},
    ]
    now = evm.settle()
    reading = await (await wallets(now, node, blockscout=explorer)).read(owner)
    spam = {each.asset: each.free for each in reading.positions if each.wallet == "unlisted"}
    assert spam == {f"ethereum:{UNLISTED}": Decimal(1)}


async def test_a_long_search_goes_on_where_it_stopped_in_ranges_that_the_node_takes(
    evm: EvmChain, node: EvmNode, wallets: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_FIRST_STEP", 40)
    monkeypatch.setattr(search, "_SHORTEST_STEP", 2)
    monkeypatch.setattr(search, "BACKWARDS", 3)
    owner = evm.accounts[1]
    evm.token(UNLISTED, "NEW", 18, of=[(owner, 10**18)])
    evm.evm.mine_blocks(60)
    node.longest = 10
    reads = await wallets(evm.settle(), node)
    memory, readings = None, 0
    while True:
        reading = await reads.read(owner, memory=memory)
        memory, readings = reading.memory, readings + 1
        if any(each.wallet == "unlisted" for each in reading.positions):
            break
        assert readings < 20
    assert readings > 3


async def test_forward_ranges_shrink_too_and_nothing_is_skipped(
    evm: EvmChain, node: EvmNode, wallets: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_SHORTEST_STEP", 2)
    monkeypatch.setattr(search, "FORWARDS", 16)
    owner = evm.accounts[1]
    since = moment(evm)
    evm.token(USDC, "USDC", 6)
    for _ in range(3):
        evm.send(USDC, "mint(address,uint256)", owner, 1_000_000)
        evm.evm.mine_blocks(12)
    node.longest = 5
    explorer = Explorer(evm)
    reads = await wallets(evm.settle(), node, blockscout=explorer)
    found: list[Flow] = []
    memory, is_through = None, False
    for _ in range(6):
        reading = await reads.read(owner, flows_since=since, memory=memory)
        memory, is_through = reading.memory, reading.flows_known
        found += reading.flows
        if is_through:
            break
    assert is_through
    ids = {flow.external_id for flow in found if flow.asset == "USDC"}
    assert len(ids) == 3


async def test_what_came_after_the_block_of_the_reading_before_is_not_in_its_balances(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    owner = evm.accounts[1]
    evm.token(USDC, "USDC", 6)
    since = moment(evm)
    reads = await wallets(evm.settle(), node)
    first = await reads.read(owner, flows_since=since)
    evm.send(USDC, "mint(address,uint256)", owner, 5_000_000)
    reads.clock.set(evm.settle())
    second = await reads.read(owner, flows_since=since, memory=first.memory)
    assert told(second) == [("in", "USDC", Decimal(5))]
    assert not second.flows_asked_before
