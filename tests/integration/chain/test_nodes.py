"""The nodes of a chain over HTTP: failing ones, odd ones, and those that refuse."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from coffers.clock import MINUTE, ManualClock
from coffers.connectors.chain.nodes import ADMITTED, MOST_BYTES, NodeRefused, Nodes, new_client
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.chains import Chain, shipped_chains
from coffers.secret import Secret
from coffers.serving.encodings import encoded
from factories import NOW
from served import listening

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Node:
    """A node that answers as a test says, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.sent: list[dict[str, str]] = []
        self.status = 200
        self.headers = {"content-type": "application/json"}
        self.result: object = "0x1"
        self.raw: bytes | None = None

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        query = scope["query_string"].decode()
        self.asked.append(scope["path"] + (f"?{query}" if query else ""))
        self.sent.append({name.decode(): text.decode() for name, text in scope["headers"]})
        message = await receive()
        sent = json.loads(message["body"]) if message.get("body") else None
        self.bodies.append(sent)
        headers = [(name.encode(), text.encode()) for name, text in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body(sent)})

    def _body(self, sent: Any) -> bytes:
        if self.raw is not None:
            return self.raw
        id_ = sent["id"] if isinstance(sent, dict) and "id" in sent else None
        return json.dumps({"jsonrpc": "2.0", "id": id_, "result": self.result}).encode()


@pytest.fixture
def chain() -> Chain:
    found = shipped_chains().get("ethereumwallet")
    assert found is not None
    return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def first() -> Node:
    return Node()


@pytest.fixture
def second() -> Node:
    node = Node()
    node.result = "0x2"
    return node


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    opened = new_client(5.0)
    yield opened
    await opened.aclose()


@pytest.fixture
async def nodes(
    chain: Chain, first: Node, second: Node, client: httpx.AsyncClient, clock: ManualClock
) -> AsyncIterator[Nodes]:
    async with listening(first) as one, listening(second) as two:
        urls = [Secret(f"{one}/key-abc"), Secret(two)]
        yield Nodes(chain, urls, client, clock)


async def test_the_preferred_node_is_asked(nodes: Nodes, first: Node, second: Node) -> None:
    assert await nodes.call("eth_chainId", []) == "0x1"
    assert first.asked == ["/key-abc"]
    assert first.bodies[0]["method"] == "eth_chainId"
    assert second.asked == []


async def test_a_path_and_parameters_are_put_behind_the_address(nodes: Nodes, first: Node) -> None:
    first.raw = b'{"amount": 1.10}'
    assert await nodes.get("/a/b", {"page": 2}) == {"amount": "1.10"}
    assert first.asked == ["/key-abc/a/b?page=2"]


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503])
async def test_another_node_stands_in_for_one_that_fails(
    nodes: Nodes, first: Node, second: Node, status: int
) -> None:
    first.status = status
    first.raw = b"<html>no</html>"
    assert await nodes.call("eth_chainId", []) == "0x2"


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>", b"[]", b'"text"', b"{}", b'{"id": 99, "result": 1}', b"NaN", b"[" * 9000],
)
async def test_an_answer_that_is_no_answer_makes_the_next_node_be_asked(
    nodes: Nodes, first: Node, raw: bytes
) -> None:
    first.raw = raw
    assert await nodes.call("eth_chainId", []) == "0x2"


async def test_an_answer_without_end_is_given_up(nodes: Nodes, first: Node) -> None:
    first.raw = b" " * (MOST_BYTES + 1)
    assert await nodes.call("eth_chainId", []) == "0x2"


async def test_an_answer_that_is_compressed_unasked_is_not_unpacked(
    nodes: Nodes, first: Node, second: Node
) -> None:
    first.headers["content-encoding"] = second.headers["content-encoding"] = "zstd"
    first.raw = second.raw = encoded(b'{"id": null, "result": "0x1"}', "zstd")
    with pytest.raises(ConnectorFailure, match="compresses its answers though asked not to"):
        await nodes.call("eth_chainId", [])
    assert first.sent[0]["accept-encoding"] == "identity"


async def test_a_node_that_failed_is_asked_last_for_a_while(
    nodes: Nodes, first: Node, clock: ManualClock
) -> None:
    first.status = 500
    await nodes.call("eth_chainId", [])
    first.status = 200
    assert await nodes.call("eth_chainId", []) == "0x2"
    clock.advance(2 * MINUTE)
    assert await nodes.call("eth_chainId", []) == "0x1"


async def test_an_error_of_the_protocol_is_handed_on_and_nobody_else_is_asked(
    nodes: Nodes, first: Node, second: Node
) -> None:
    first.raw = b'{"id": 1, "error": {"code": 3, "message": "execution reverted", "data": "0x"}}'
    with pytest.raises(NodeRefused) as told:
        await nodes.call("eth_call", [])
    assert (told.value.code, told.value.data, str(told.value)) == (3, "0x", "execution reverted")
    assert second.asked == []


async def test_what_a_node_does_not_know_is_a_refusal(nodes: Nodes, first: Node) -> None:
    first.status, first.raw = 404, b'{"error": "not found"}'
    with pytest.raises(NodeRefused) as told:
        await nodes.get("/address/x")
    assert told.value.status == 404


async def test_a_plain_text_is_an_answer_where_it_says_that_it_is_one(
    nodes: Nodes, first: Node
) -> None:
    first.headers, first.raw = {"content-type": "text/plain; charset=utf-8"}, b"00000000abc"
    assert await nodes.get("/blocks/tip/hash") == "00000000abc"


async def test_when_all_fail_the_failure_says_why_and_shows_no_key(
    nodes: Nodes, first: Node, second: Node
) -> None:
    first.status = second.status = 429
    first.headers = {"retry-after": "30"}
    second.headers = {"retry-after": "7"}
    with pytest.raises(ConnectorFailure) as told:
        await nodes.call("eth_chainId", [])
    assert told.value.kind is FailureKind.RATE_LIMITED
    assert told.value.retry_after == 7_000
    assert str(told.value) == "No node of Ethereum gave an answer: it was asked too often."
    assert "key-abc" not in str(told.value)


async def test_a_node_that_is_not_there_is_unreachable(
    chain: Chain, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    nodes = Nodes(chain, [Secret("http://127.0.0.1:9/key-abc")], client, clock)
    with pytest.raises(ConnectorFailure) as told:
        await nodes.call("eth_chainId", [])
    assert told.value.kind is FailureKind.UNREACHABLE
    assert "key-abc" not in str(told.value)


async def test_a_chain_without_nodes_says_which_setting_names_them(
    chain: Chain, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    nodes = Nodes(chain, [], client, clock)
    assert not nodes
    with pytest.raises(ConnectorFailure, match="COFFERS_CHAINS_FILE") as told:
        await nodes.call("eth_chainId", [])
    assert told.value.kind is FailureKind.UNSUPPORTED


async def test_behind_a_gateway_a_node_is_asked_at_its_place_there(
    chain: Chain, client: httpx.AsyncClient, clock: ManualClock, first: Node
) -> None:
    async with listening(first) as gateway:
        nodes = Nodes(chain, [Secret("https://node.example/rpc")], client, clock, gateway)
        assert await nodes.call("eth_chainId", []) == "0x1"
    assert first.asked == ["/ethereum/node.example/rpc"]


async def test_an_error_that_says_that_a_node_cannot_tell_makes_the_next_one_be_asked(
    nodes: Nodes, first: Node, second: Node
) -> None:
    first.raw = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32005, "message": "behind"}}'
    assert await nodes.call("getSlot", [], unfit={-32005}) == "0x2"
    second.raw = first.raw
    with pytest.raises(ConnectorFailure, match="behind"):
        await nodes.call("getSlot", [], unfit={-32005})
    with pytest.raises(NodeRefused, match="behind"):
        await nodes.call("getSlot", [], unfit={-32004})


@pytest.mark.parametrize(
    "message",
    [
        "over rate limit",
        "daily request count exceeded, request rate limited",
        "429 Too Many Requests: ",
        "Your app has exceeded its compute units per second capacity.",
    ],
)
async def test_a_node_that_says_in_the_protocol_that_it_is_asked_too_often_makes_room(
    nodes: Nodes, first: Node, second: Node, message: str
) -> None:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32016, "message": message}}
    first.raw = json.dumps(error).encode()
    assert await nodes.call("eth_getBalance", []) == "0x2"
    asked = len(first.asked)
    assert await nodes.call("eth_getBalance", []) == "0x2"
    assert len(first.asked) == asked
    second.raw = first.raw
    with pytest.raises(ConnectorFailure) as told:
        await nodes.call("eth_getBalance", [])
    assert told.value.kind is FailureKind.RATE_LIMITED


@pytest.mark.parametrize(
    ("code", "message"),
    [(3, "too many requests per minute"), (-32000, "execution reverted: rate limit exceeded")],
)
async def test_what_a_contract_says_of_limits_is_not_the_node_s_word(
    nodes: Nodes, first: Node, second: Node, code: int, message: str
) -> None:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    first.raw = json.dumps(error).encode()
    with pytest.raises(NodeRefused, match=message):
        await nodes.call("eth_call", [])
    assert second.asked == []


@pytest.mark.parametrize(
    ("market", "header"), [("trx", "tron-pro-api-key"), ("ton_wallet", "x-api-key")]
)
async def test_a_key_before_the_host_goes_into_the_header_of_the_service(
    first: Node, client: httpx.AsyncClient, clock: ManualClock, market: str, header: str
) -> None:
    chain = shipped_chains().get(market)
    assert chain is not None
    async with listening(first) as url:
        address = Secret(url.replace("http://", "http://:fake%2Fkey@"))
        nodes = Nodes(chain, [address], client, clock)
        await nodes.get("/a")
        await nodes.post("/b", {})
    assert [sent[header] for sent in first.sent] == ["fake/key", "fake/key"]
    assert not any("authorization" in sent for sent in first.sent)


async def test_a_name_and_a_password_before_the_host_log_in_as_ever(
    chain: Chain, first: Node, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    async with listening(first) as url:
        address = Secret(url.replace("http://", "http://user:fake@"))
        await Nodes(chain, [address], client, clock).call("eth_chainId", [])
    assert first.sent[0]["authorization"].startswith("Basic ")


@pytest.mark.parametrize("after", ["a failure", "a while", "a clock ahead"])
async def test_a_node_that_comes_to_belong_to_another_chain_is_found_out(
    nodes: Nodes, first: Node, second: Node, clock: ManualClock, after: str
) -> None:
    second.status = 500
    nodes.admit_only("eth_chainId", [], lambda answer: answer == "0x1")
    assert await nodes.call("eth_blockNumber", []) == "0x1"
    assert await nodes.call("eth_blockNumber", []) == "0x1"
    assert [body["method"] for body in first.bodies].count("eth_chainId") == 1
    first.result = "0x38"
    if after == "a failure":
        first.status = 502
        with pytest.raises(ConnectorFailure):
            await nodes.call("eth_blockNumber", [])
        first.status = 200
    else:
        clock.advance(ADMITTED if after == "a while" else -ADMITTED)
    with pytest.raises(ConnectorFailure):
        await nodes.call("eth_blockNumber", [])
    assert first.bodies[-1]["method"] == "eth_chainId"
