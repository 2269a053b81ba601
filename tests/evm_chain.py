"""A real EVM with contracts on it, behind a node that speaks JSON-RPC over HTTP."""

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import vyper
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import BlockNotFound, TransactionFailed, TransactionNotFound
from eth_utils.address import to_canonical_address

Send = Callable[[dict[str, Any]], Awaitable[None]]

SOURCES = Path(__file__).parent / "data/evm"
MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
NAMES = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
GAS = 60_000_000


@functools.cache
def code_of(contract: str) -> bytes:
    """Return the runtime code of a contract of `data/evm`."""
    source = (SOURCES / f"{contract}.vy").read_text(encoding="utf-8")
    found = vyper.compile_code(source, output_formats=["bytecode_runtime"])
    return bytes.fromhex(found["bytecode_runtime"].removeprefix("0x"))


class EvmChain:
    """An EVM with contracts in their places.

    Args:
        contracts: the address of each contract -> its name in `data/evm`.
        held: the address of a token -> what owners have of it from the start.
    """

    def __init__(
        self, contracts: Mapping[str, str], held: Mapping[str, Mapping[str, int]] | None = None
    ) -> None:
        keys = PyEVMBackend().account_keys
        state: dict[bytes, dict[str, Any]] = {
            key.public_key.to_canonical_address(): {
                "balance": 10**30, "nonce": 0, "code": b"", "storage": {},
            }
            for key in keys
        }  # fmt: skip
        for address, name in contracts.items():
            storage = {
                _slot(owner): amount for owner, amount in (held or {}).get(address, {}).items()
            }
            account = {"balance": 0, "nonce": 1, "code": code_of(name), "storage": storage}
            state[to_canonical_address(address)] = account
        parameters = PyEVMBackend.generate_genesis_params({"gas_limit": GAS})
        self.evm = EthereumTester(PyEVMBackend(genesis_parameters=parameters, genesis_state=state))
        self.accounts = self.evm.get_accounts()

    def send(
        self, to: str, call: str = "", *arguments: Any, value: int = 0, sender: str | None = None
    ) -> str:
        """Send a transaction that calls "name(types)"; returns its hash."""
        data = selector(call) + encode(types_of(call), arguments) if call else b""
        return self.evm.send_transaction(
            {
                "from": sender or self.accounts[0],
                "to": to,
                "value": value,
                "data": f"0x{data.hex()}",
                "gas": 3_000_000,
            }
        )

    def settle(self) -> int:
        """Put as many blocks on top as a reading stays below; returns the newest one's moment."""
        self.evm.mine_blocks(6)
        return int(self.evm.get_block_by_number("latest")["timestamp"]) * 1000

    def token(
        self, address: str, symbol: str, decimals: int, *, name: str = "A token", **minted: Any
    ) -> None:
        """Set a token up and mint for owners (`of=[(owner, amount)]`)."""
        self.send(address, "setup(string,string,uint8)", symbol, name, decimals)
        for owner, amount in minted.get("of", ()):
            self.send(address, "mint(address,uint256)", owner, amount)


def selector(call: str) -> bytes:
    """Return the four bytes that name a function."""
    return keccak(call.encode())[:4]


def types_of(call: str) -> list[str]:
    """Return the types of a function's arguments."""
    inside = call.partition("(")[2].rstrip(")")
    return inside.split(",") if inside else []


class EvmNode:
    """A node of a chain, as an ASGI application.

    It refuses requests above `most_bytes`, logs of more than `longest` blocks, and batches unless
    `takes_batches`. `tells` has other answers to methods: a value, an error or a function of the
    parameters, which leaves the question to the chain by `NotImplemented`. `asked` are the methods.
    """

    def __init__(self, chain: EvmChain, chain_id: int = 1) -> None:
        self.chain = chain
        self.chain_id = chain_id
        self.asked: list[str] = []
        self.most_bytes = 10_000_000
        self.longest = 1_000_000
        self.takes_batches = True
        self.tells: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        sent = bytearray()
        while True:
            message = await receive()
            sent += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, body = self._answered(bytes(sent))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def _answered(self, sent: bytes) -> tuple[int, object]:
        if not sent:
            return 200, {"message": "this is a node"}
        if len(sent) > self.most_bytes:
            return 413, {"message": "request entity too large"}
        request = json.loads(sent)
        if isinstance(request, list):
            if not self.takes_batches:
                return 200, _error(None, -32600, "batches are not supported")
            return 200, [self._one(each) for each in request]
        return 200, self._one(request)

    def _one(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params, id_ = request["method"], request["params"], request["id"]
        self.asked.append(method)
        if method in self.tells:
            told = self.tells[method]
            told = told(*params) if callable(told) else told
            if isinstance(told, Exception):
                return _error(id_, -32000, str(told))
            if told is not NotImplemented:
                return {"jsonrpc": "2.0", "id": id_, "result": told}
        try:
            result = getattr(self, method)(*params)
        except BlockNotFound:
            return _error(id_, -32000, "header not found")
        except TransactionFailed as failure:
            return _error(id_, 3, f"execution reverted: {failure}")
        except ValueError as refusal:
            return _error(id_, -32005, str(refusal))
        return {"jsonrpc": "2.0", "id": id_, "result": result}

    def eth_chainId(self) -> str:  # noqa: N802  # the protocol's name, as are those below
        return hex(self.chain_id)

    def eth_getBlockByNumber(self, tag: str, full: bool) -> object:  # noqa: N802
        try:
            block = self.chain.evm.get_block_by_number(_number(tag))
        except BlockNotFound:
            return None
        return {"number": hex(block["number"]), "timestamp": hex(block["timestamp"])}

    def eth_getBalance(self, address: str, tag: str) -> str:  # noqa: N802
        return hex(self.chain.evm.get_balance(address, _number(tag)))

    def eth_getCode(self, address: str, tag: str) -> str:  # noqa: N802
        return str(self.chain.evm.get_code(address, _number(tag)))

    def eth_call(self, call: dict[str, str], tag: str) -> str:
        asked = {"from": self.chain.accounts[0], "gas": GAS, **call}
        return str(self.chain.evm.call(asked, _number(tag)))

    def eth_getLogs(self, span: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        first, last = int(span["fromBlock"], 16), int(span["toBlock"], 16)
        if last - first + 1 > self.longest:
            raise ValueError("block range is too wide")
        found = self.chain.evm.get_logs(
            from_block=first, to_block=last, topics=list(span["topics"])
        )
        return [
            {
                "address": row["address"],
                "topics": list(row["topics"]),
                "data": row["data"],
                "blockNumber": hex(row["block_number"]),
                "logIndex": hex(row["log_index"]),
                "transactionHash": row["transaction_hash"],
            }
            for row in found
        ]

    def eth_getTransactionReceipt(self, txid: str) -> object:  # noqa: N802
        try:
            receipt = self.chain.evm.get_transaction_receipt(txid)
        except TransactionNotFound:
            return None
        return {
            "from": receipt["from"],
            "to": receipt["to"],
            "gasUsed": hex(receipt["gas_used"]),
            "effectiveGasPrice": hex(receipt["effective_gas_price"]),
        }


def _slot(owner: str) -> int:
    """Return where a token keeps an owner's balance: in the map of its first slot."""
    return int.from_bytes(keccak(bytes(32) + to_canonical_address(owner).rjust(32, b"\0")), "big")


def _number(tag: str) -> int | str:
    return tag if tag == "latest" else int(tag, 16)


def _error(id_: object, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}
