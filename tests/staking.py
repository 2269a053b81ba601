"""A beacon chain, an explorer and a node that know who staked what, over real HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from evm_explorer import paged
from factories import NOW
from rest_node import Asked, RestNode

CONTRACT = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
OWNER = "0x742d35Cc6634C0532925a3b844Bc454e4438f44e"
OTHER = "0x" + "7b" * 20
BATCH = "0x" + "ba" * 20
GENESIS = 1_606_824_023
DEPOSIT = keccak(b"deposit(bytes,bytes,bytes,bytes32)")[:4]
EVENT = "0x" + keccak(b"DepositEvent(bytes,bytes,bytes,bytes,bytes)").hex()
BY_KEY = "0x00" + "cd" * 31


def paying(address: str, kind: str = "01") -> str:
    """Return withdrawal credentials that name an address."""
    return f"0x{kind}{address[2:].lower():0>62}"


def key_of(number: int) -> str:
    """Return the public key of a validator."""
    return "0x" + f"{number:096x}"


@dataclass
class Staked:
    """A validator of the registry."""

    credentials: str
    gwei: int = 32 * 10**9


class Beacon(RestNode):
    """A beacon node; `registry` holds the validators by their index.

    `queue` holds deposits that wait, by validator and moment; None where the node does not tell.
    `meanwhile` happens once, before the queue is told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.registry: dict[int, Staked] = {}
        self.queue: list[tuple[int, int]] | None = []
        self.at = NOW
        self.meanwhile: Callable[[], None] | None = None

    def answer(self, asked: Asked) -> object:
        if asked.path == "/eth/v1/config/deposit_contract":
            return {"data": {"chain_id": "1", "address": CONTRACT}}
        if asked.path == "/eth/v1/beacon/headers/head":
            slot = (self.at // 1000 - GENESIS) // 12
            return {"data": {"header": {"message": {"slot": str(slot)}}}}
        if asked.path == "/eth/v1/beacon/states/head/pending_deposits":
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            return None if self.queue is None else {"data": [*map(_queued, self.queue)]}
        names = asked.query["id"].split(",")
        assert len(names) <= 50
        rows = [
            self._row(index, staked)
            for index, staked in self.registry.items()
            if str(index) in names or key_of(index) in names
        ]
        return {"execution_optimistic": False, "data": rows}

    def _row(self, index: int, staked: Staked) -> dict[str, object]:
        inner = {"pubkey": key_of(index), "withdrawal_credentials": staked.credentials}
        return {"index": str(index), "balance": str(staked.gwei), "validator": inner}


def _queued(row: tuple[int, int]) -> dict[str, str]:
    slot = (row[1] // 1000 - GENESIS) // 12
    return {"pubkey": key_of(row[0]), "amount": "32000000000", "slot": str(slot)}


class Ledger(RestNode):
    """An explorer and a node in one: what the owner sent and was paid, and the receipts."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[dict[str, str]]] = {"txlist": [], "txlistinternal": []}
        self.paid: list[dict[str, Any]] = []
        self.receipts: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> object:
        if asked.body is not None:
            return self._called(asked.body)
        if asked.path.endswith("/withdrawals"):
            return paged(self.paid, asked.query)
        start, size = int(asked.query["startblock"]), int(asked.query["offset"])
        rows = self.lists[asked.query["action"]]
        return {"result": [row for row in rows if int(row["blockNumber"]) >= start][:size]}

    def _called(self, body: dict[str, Any]) -> dict[str, Any]:
        result: object = hex(1)
        if body["method"] == "eth_getTransactionReceipt":
            result = self.receipts.get(body["params"][0])
        return {"jsonrpc": "2.0", "id": body["id"], "result": result}

    def sent(self, to: str, ether: int, data: bytes = b"", **more: str) -> str:
        """Let the owner send ether; returns the transaction."""
        number = len(self.lists["txlist"]) + len(self.lists["txlistinternal"]) + 1
        txid = f"0x{number:064x}"
        row = {
            "blockNumber": str(number),
            "timeStamp": str(NOW // 1000 - 86_400),
            "hash": txid,
            "from": OWNER.lower(),
            "to": to.lower(),
            "value": str(ether * 10**18),
            "input": f"0x{data.hex()}",
            "isError": "0",
            **more,
        }
        self.lists["txlistinternal" if "callType" in more else "txlist"].append(row)
        return txid

    def deposits(self, number: int, credentials: str, **more: str) -> str:
        """Let the owner deposit for a validator by a call of the contract."""
        return self.sent(CONTRACT, 32, DEPOSIT + call(number, credentials), **more)

    def deposits_through(
        self, contract: str, made: dict[int, str], ether: int | None = None, **more: str
    ) -> str:
        """Let the owner deposit for validators through another contract."""
        whole = 32 * len(made) if ether is None else ether
        txid = self.sent(contract, whole, b"\1\2\3\4", **more)
        logs = [
            {"address": CONTRACT.lower(), "topics": [EVENT], "data": event(number, credentials)}
            for number, credentials in made.items()
        ]
        other = {"address": contract, "topics": ["0x" + "11" * 32], "data": "0x"}
        self.receipts[txid] = {"from": OWNER.lower(), "logs": [other, *logs]}
        return txid

    def pays(self, validator: int, ether: str, at: int = NOW - 3_600_000) -> int:
        """Let a validator pay the owner; returns the number of the withdrawal."""
        index = 1000 + len(self.paid)
        row = {
            "index": index,
            "validator_index": validator,
            "block_number": 5000 + len(self.paid),
            "amount": str(int(Decimal(ether) * 10**18)),
            "timestamp": datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z"),
        }
        self.paid.insert(0, row)
        return index


def call(number: int, credentials: str) -> bytes:
    """Return the arguments of a deposit."""
    parts = [bytes.fromhex(key_of(number)[2:]), bytes.fromhex(credentials[2:]), bytes(96)]
    return encode(["bytes", "bytes", "bytes", "bytes32"], [*parts, bytes(32)])


def event(number: int, credentials: str) -> str:
    """Return the data of a deposit's log."""
    amount = (32 * 10**9).to_bytes(8, "little")
    parts = [bytes.fromhex(key_of(number)[2:]), bytes.fromhex(credentials[2:]), amount]
    return "0x" + encode(["bytes"] * 5, [*parts, bytes(96), bytes(8)]).hex()
