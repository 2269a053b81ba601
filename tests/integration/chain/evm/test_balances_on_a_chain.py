"""Wallets on a real EVM: odd tokens, nodes that refuse, nodes that are behind or elsewhere."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY
from coffers.connectors.chain.evm import calls, wallet
from coffers.connectors.chain.evm.ens import namehash
from coffers.connectors.chain.evm.memory import Memory, UnlistedToken
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.reading import ConnectorFailure, Reading
from coffers.valuation.model import Position
from evm_chain import MULTICALL3, NAMES, EvmChain, EvmNode

USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WHOLE = "0x" + "a1" * 20
VAST = "0x" + "a2" * 20
PLACELESS = "0x" + "a3" * 20
REVERTING = "0x" + "a4" * 20
GREEDY = "0x" + "a5" * 20
UNLISTED = "0x" + "b1" * 20
FALSE_USDC = "0x" + "b2" * 20
MIRROR = "0x" + "b3" * 20
OWNER = "0x52908400098527886E0F7030069857D2E4169EE7"
MANY_DIGITS = int("9" * 77)
Make = Callable[..., Awaitable[Any]]


def held(reading: Reading, part: str) -> dict[str, Decimal]:
    return {each.asset: each.free for each in reading.positions if each.wallet == part}


def funded(evm: EvmChain) -> int:
    evm.send(OWNER, value=1_500_000_000_000_000_001)
    evm.token(USDC, "USDC", 6, of=[(OWNER, 2_000_001)])
    evm.token(WHOLE, "WHL", 0, of=[(OWNER, 7)])
    evm.token(VAST, "VST", 18, of=[(OWNER, MANY_DIGITS)])
    evm.send(PLACELESS, "mint(address,uint256)", OWNER, 5)
    return evm.settle()


@pytest.mark.usefixtures("short_list")
async def test_balances_are_exact_and_odd_tokens_are_told_apart(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert Position("native", "ETH", "ETH", Decimal("1.500000000000000001")) in reading.positions
    assert held(reading, "tokens") == {
        "USDC": Decimal("2.000001"),
        f"ethereum:{WHOLE}": Decimal(7),
        f"ethereum:{VAST}": Decimal("9" * 59 + "." + "9" * 18),
    }
    assert dict(reading.missing) == {"token PLC": "PLC tells no usable decimals."}
    assert {"native", "tokens", "unlisted", "spam"} <= reading.wallets
    assert not reading.flows_known


@pytest.mark.usefixtures("short_list")
async def test_a_reading_asks_few_times_and_at_one_block(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    asked = []

    def note(call: dict[str, str], tag: str) -> object:
        asked.append(tag)
        return NotImplemented

    node.tells["eth_call"] = note
    now = funded(evm)
    await (await wallets(now, node)).read(OWNER)
    newest = evm.evm.get_block_by_number("latest")["number"]
    assert set(asked) == {hex(newest - wallet.DEPTH)}
    assert node.asked.count("eth_chainId") == 1


async def test_the_whole_list_of_known_tokens_is_asked_in_a_few_calls(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert held(reading, "tokens") == {"USDC": Decimal("2.000001")}
    assert not reading.missing
    assert node.asked.count("eth_call") < 10


@pytest.mark.usefixtures("short_list")
async def test_a_node_that_refuses_large_calls_gets_smaller_ones(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    node.most_bytes = 1500
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert held(reading, "tokens")["USDC"] == Decimal("2.000001")
    assert len(held(reading, "tokens")) == 3


@pytest.mark.usefixtures("short_list")
@pytest.mark.parametrize("batches", [True, False])
async def test_without_multicall_contracts_are_asked_in_batches_or_alone(
    batches: bool, wallets: Make
) -> None:
    from_conftest = {
        USDC: "token",
        WHOLE: "token",
        VAST: "token",
        PLACELESS: "silent",
        GREEDY: "greedy",
        REVERTING: "reverting",
    }
    evm = EvmChain(from_conftest)
    node = EvmNode(evm)
    node.takes_batches = batches
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert held(reading, "tokens")["USDC"] == Decimal("2.000001")
    assert len(held(reading, "tokens")) == 3


@pytest.mark.usefixtures("short_list")
async def test_a_token_that_told_a_balance_is_missed_when_it_tells_none(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    reads = await wallets(funded(evm), node)
    reading = await reads.read(OWNER)

    def refuse(call: dict[str, str], tag: str) -> object:
        fails = call["to"] == MULTICALL3 or call["to"].lower() == USDC
        return Exception("execution reverted") if fails else NotImplemented

    node.tells["eth_call"] = refuse
    for _ in range(5):
        reading = await reads.read(OWNER, memory=reading.memory)
        assert reading.missing["tokens"] == "USDC told no balance."
        assert "tokens" not in reading.wallets
        assert held(reading, "tokens") == {}
        assert held(reading, "native") == {"ETH": Decimal("1.500000000000000001")}
    node.tells["eth_getBlockByNumber"] = young(evm, reads)
    reads.clock.advance(6 * DAY)
    reading = await reads.read(OWNER, memory=reading.memory)
    assert "tokens" in reading.missing
    reads.clock.advance(DAY)
    reading = await reads.read(OWNER, memory=reading.memory)
    assert "tokens" not in reading.missing


@pytest.mark.usefixtures("short_list")
async def test_a_token_that_refuses_in_words_of_a_busy_node_stops_no_reading(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    def refuse(call: dict[str, str], tag: str) -> object:
        fails = call["to"].lower() == REVERTING
        return Exception("execution reverted: rate limit exceeded") if fails else NotImplemented

    node.tells["eth_call"] = refuse
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert held(reading, "tokens")["USDC"] == Decimal("2.000001")
    assert "tokens" not in reading.missing


def young(evm: EvmChain, reads: Any) -> Callable[[str, bool], object]:
    """Tell the blocks of a chain as if the newest one were just made."""

    def tell(tag: str, full: bool) -> object:
        number = evm.evm.get_block_by_number("latest")["number"] if tag == "latest" else tag
        seconds = reads.clock.now() // 1000
        return {"number": number if tag != "latest" else hex(number), "timestamp": hex(seconds)}

    return tell


@pytest.mark.usefixtures("short_list")
@pytest.mark.parametrize("is_known", [False, True])
async def test_a_node_of_which_no_token_tells_a_balance_leaves_the_tokens_missing_for_ever(
    is_known: bool, evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    reads = await wallets(funded(evm), node)
    memory = (await reads.read(OWNER)).memory if is_known else None
    node.tells["eth_call"] = "0x"
    node.tells["eth_getBlockByNumber"] = young(evm, reads)
    for _ in range(5):
        reading = await reads.read(OWNER, memory=memory)
        assert "listed tokens told a balance" in reading.missing["tokens"]
        assert "tokens" not in reading.wallets
        memory = reading.memory
        reads.clock.advance(10 * DAY)
    node.tells.clear()
    evm.settle()
    node.tells["eth_getBlockByNumber"] = young(evm, reads)
    reading = await reads.read(OWNER, memory=memory)
    assert held(reading, "tokens")["USDC"] == Decimal("2.000001")


@pytest.mark.usefixtures("short_list")
async def test_a_node_that_refuses_contract_calls_leaves_the_tokens_missing(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    node.tells["eth_call"] = Exception("daily limit reached")
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert reading.missing["tokens"] == "The node refused: daily limit reached."
    assert held(reading, "native") == {"ETH": Decimal("1.500000000000000001")}


@pytest.mark.usefixtures("short_list")
@pytest.mark.parametrize(
    "answer", [None, "", "0x", 5, "12", {}, "0x1_0", "0x\uff11", "0x 1", "0x1\n", f"0x1{'0' * 64}"]
)
async def test_an_odd_native_balance_is_no_reading(
    answer: object, evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    node.tells["eth_getBalance"] = answer
    reads = await wallets(funded(evm), node)
    with pytest.raises(ConnectorFailure, match="told no balance"):
        await reads.read(OWNER)


@pytest.mark.usefixtures("short_list")
async def test_a_node_of_another_chain_is_not_used(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    other = EvmNode(evm, chain_id=56)
    reads = await wallets(funded(evm), other, node)
    assert held(await reads.read(OWNER), "tokens")["USDC"] == Decimal("2.000001")
    assert set(other.asked) == {"eth_chainId"}


@pytest.mark.usefixtures("short_list")
async def test_when_all_nodes_are_of_another_chain_the_failure_says_so(
    evm: EvmChain, wallets: Make
) -> None:
    reads = await wallets(funded(evm), EvmNode(evm, chain_id=56), EvmNode(evm, chain_id=5))
    with pytest.raises(ConnectorFailure, match="it is a node of another chain"):
        await reads.read(OWNER)


@pytest.mark.usefixtures("short_list")
async def test_a_node_that_stands_still_is_not_used(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    still = EvmNode(evm)
    still.tells["eth_getBlockByNumber"] = {"number": "0x1", "timestamp": "0x1"}
    now = funded(evm)
    reads = await wallets(now, still, node)
    assert held(await reads.read(OWNER), "tokens")["USDC"] == Decimal("2.000001")
    alone = await wallets(now, still)
    with pytest.raises(ConnectorFailure, match="its newest block is .* minutes old"):
        await alone.read(OWNER)


@pytest.mark.usefixtures("short_list")
@pytest.mark.parametrize(
    "reason", ["header not found", "No state available for block 5 (0xab...cd)"]
)
async def test_a_node_without_the_block_is_asked_once_more_and_then_fails(
    evm: EvmChain, node: EvmNode, wallets: Make, reason: str
) -> None:
    reads = await wallets(funded(evm), node)
    answers: list[object] = [Exception(reason), NotImplemented]
    node.tells["eth_getBalance"] = lambda *_: answers.pop(0)
    assert held(await reads.read(OWNER), "native") == {"ETH": Decimal("1.500000000000000001")}
    node.tells["eth_getBalance"] = Exception("missing trie node abc")
    with pytest.raises(ConnectorFailure, match="refused: missing trie node"):
        await reads.read(OWNER)


@pytest.mark.usefixtures("short_list")
async def test_nodes_that_do_not_answer_are_not_asked_for_ever(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    node.tells["eth_call"] = None
    reading = await (await wallets(funded(evm), node)).read(OWNER)
    assert "it answered no bytes" in reading.missing["tokens"]
    assert node.asked.count("eth_call") <= 2 * calls.PATIENCE


@pytest.mark.usefixtures("short_list")
async def test_unlisted_tokens_are_listed_apart_and_false_ones_by_their_contract(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    evm.token(UNLISTED, "NEW", 18, of=[(OWNER, 10**18)])
    evm.token(FALSE_USDC, "USD\u0421", 6, of=[(OWNER, 10**12)])
    evm.token(MIRROR, "OLD", 18, of=[(OWNER, 10**18)])
    reads = await wallets(evm.settle(), node)
    first = await reads.read(OWNER)
    found = await reads.read(OWNER, memory=first.memory)
    spam = [each for each in found.positions if each.wallet in {"unlisted", "spam"}]
    assert spam == [
        Position("unlisted", f"ethereum:{UNLISTED}", "NEW", Decimal(1)),
        Position("spam", f"ethereum:{FALSE_USDC}", "0xb2b2…b2b2", Decimal(10**6)),
    ]
    assert held(found, "tokens") == {}


@pytest.mark.usefixtures("short_list")
async def test_an_unlisted_token_without_a_balance_makes_room_for_others(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    evm.token(UNLISTED, "NEW", 18, of=[(OWNER, 10**18)])
    evm.token(FALSE_USDC, "GONE", 6, of=[])
    told = UnlistedToken("GONE", 6, pretends=False)
    before = closed(Memory(found={FALSE_USDC: told, UNLISTED: None}))
    reading = await (await wallets(evm.settle(), node)).read(OWNER, memory=before)
    assert opened(reading.memory, Memory).found.keys() == {UNLISTED}


async def test_a_name_is_resolved_to_the_address_that_is_stored(
    evm: EvmChain, node: EvmNode, wallets: Make
) -> None:
    evm.send(NAMES, "setup(bytes32,address)", namehash("coffers.eth"), OWNER)
    reads = await wallets(evm.settle(), node)
    assert await reads.connector.resolved(reads.market, " Coffers.ETH ") == OWNER
    for unknown in ("nobody.eth", "c\u043effers.eth"):
        with pytest.raises(AddressRefused) as refusal:
            await reads.connector.resolved(reads.market, unknown)
        assert refusal.value.fault is AddressFault.UNKNOWN_NAME
        assert unknown not in str(refusal.value)
