"""A chain of Tron for tests: what is on it, a node that tells of it, and TronGrid's index."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from coffers.connectors.chain import base58
from coffers.connectors.chain.tron.address import in_hex
from coffers.connectors.chain.tron.node import BLACK_HOLE, GENESIS_END

TRX = 1_000_000
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


def address(number: int) -> str:
    """Return an address that is the same in every run."""
    payload = b"\x41" + hashlib.sha256(number.to_bytes(4, "big")).digest()[:20]
    checksum = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return base58.encode(payload + checksum)


def word(number: int) -> str:
    return f"{number:064x}"


def text(letters: str) -> str:
    data = letters.encode()
    return word(32) + word(len(data)) + data.hex().ljust(64, "0")


@dataclass
class MadeUpTron:
    """What is on the chain, its transactions, and what a test wants to go wrong."""

    now: int
    time: int
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, int]] = field(default_factory=dict)
    says: dict[tuple[str, str], str] = field(default_factory=dict)
    rewards: dict[str, int] = field(default_factory=dict)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    coin_rows: list[dict[str, Any]] = field(default_factory=list)
    token_rows: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    before: Callable[[str], None] | None = None
    has_index: bool = True
    genesis: str = GENESIS_END
    status: int = 200
    page: int = 200

    def __post_init__(self) -> None:
        self.accounts[BLACK_HOLE] = {"balance": 1}

    # What happens on the chain.

    def pay(self, source: str, to: str, sun: int, fee: int = 0, result: str = "SUCCESS") -> str:
        if result == "SUCCESS":
            self._add(to, sun)
            self._add(source, -sun)
        self._add(source, -fee)
        value = {"amount": sun, "owner_address": in_hex(source), "to_address": in_hex(to)}
        return self.row("TransferContract", value, fee, result)

    def own(self, who: str, kind: str, fee: int = 0, **fields: Any) -> str:
        """Let an account do something that concerns itself."""
        self._add(who, -fee)
        return self.row(kind, {"owner_address": in_hex(who), **fields}, fee)

    def send_token(self, contract: str, source: str, to: str, raw: int, fee: int = 0) -> str:
        self._add(source, -fee)
        value = {"owner_address": in_hex(source), "contract_address": in_hex(contract), "data": ""}
        txid = self.row("TriggerSmartContract", value, fee)
        self.transfer(txid, contract, source, to, raw)
        return txid

    def transfer(self, txid: str, contract: str, source: str, to: str, raw: int) -> None:
        """Move tokens within a transaction."""
        held = self.tokens.setdefault(contract, {})
        held[to] = held.get(to, 0) + raw
        held[source] = held.get(source, 0) - raw
        self.token_rows.append(
            {
                "transaction_id": txid,
                "token_info": {"symbol": "X", "address": contract, "decimals": 6, "name": "X"},
                "block_timestamp": self.time,
                "from": source,
                "to": to,
                "type": "Transfer",
                "value": str(raw),
            }
        )

    def call(self, who: str, contract: str, sun: int, back: int, fee: int = 0) -> str:
        """Call a contract with coins, some of which it sends back."""
        self._add(who, back - sun - fee)
        value = {
            "owner_address": in_hex(who),
            "contract_address": in_hex(contract),
            "call_value": sun,
        }
        txid = self.row("TriggerSmartContract", value, fee)
        for rejected in False, True:
            self.coin_rows.append(
                {
                    "internal_tx_id": f"{txid[:60]}{int(rejected):04d}",
                    "tx_id": txid,
                    "data": {"note": "63", "rejected": rejected, "call_value": {"_": back}},
                    "block_timestamp": self.time,
                    "from_address": in_hex(contract),
                    "to_address": in_hex(who),
                }
            )
        return txid

    def row(self, kind: str, value: dict[str, Any], fee: int = 0, result: str = "SUCCESS") -> str:
        """Record a transaction a minute later."""
        self.time += 60_000
        txid = hashlib.sha256(f"{self.time}{len(self.coin_rows)}".encode()).hexdigest()
        told = {"contractRet": result} | ({"fee": fee} if fee else {})
        contract = {"type": kind, "parameter": {"value": value, "type_url": "x"}}
        self.coin_rows.append(
            {
                "txID": txid,
                "ret": [told],
                "block_timestamp": self.time,
                "raw_data": {"contract": [contract]},
                "internal_transactions": [],
            }
        )
        return txid

    def _add(self, who: str, sun: int) -> None:
        account = self.accounts.setdefault(who, {})
        account["balance"] = account.get("balance", 0) + sun

    # What a node answers.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        path = scope["path"]
        query = {name: each[0] for name, each in parse_qs(scope["query_string"].decode()).items()}
        body = json.loads(message["body"]) if message.get("body") else query
        self.asked.append((path, body))
        self.headers.append({name.decode(): each.decode() for name, each in scope["headers"]})
        if self.before is not None:
            self.before(path)
        status, answer = self.status, self.answers.get(path)
        if status == 200 and path not in self.answers:
            status, answer = self._answer(path, body)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        if path.startswith("/v1/accounts/"):
            return self._indexed(path.split("/")[3:], body) if self.has_index else (404, {})
        ways: dict[str, Callable[[dict[str, Any]], object]] = {
            "getblockbynum": lambda _: self._block("0" * 56 + self.genesis, 0),
            "getnowblock": lambda _: self._block("1" * 64, self.now),
            "getaccount": self._account,
            "getReward": lambda asked: {"reward": self.rewards.get(asked["address"], 0)},
            "triggerconstantcontract": self._constant,
            "getassetissuebyid": lambda asked: self.assets.get(asked["value"], {}),
        }
        return 200, ways[path.rpartition("/")[2]](body)

    def _block(self, hash_: str, time: int) -> object:
        return {"blockID": hash_, "block_header": {"raw_data": {"timestamp": time}}}

    def _account(self, asked: dict[str, Any]) -> object:
        found = self.accounts.get(asked["address"])
        if found is None:
            return {}
        told = {name: value for name, value in found.items() if value}  # zeros are left out
        return {"address": asked["address"], "create_time": 1, **told}

    def _constant(self, asked: dict[str, Any]) -> object:
        contract, function = asked["contract_address"], asked["function_selector"]
        if (contract, function) in self.says:
            answer = self.says[contract, function]
        elif function == "balanceOf(address)":
            assert asked["parameter"][24:] == in_hex(asked["owner_address"])[2:]
            answer = word(self.tokens.get(contract, {}).get(asked["owner_address"], 0))
        else:
            answer = ""
        return {"result": {"result": True}, "energy_used": 1, "constant_result": [answer]}

    def _indexed(self, parts: list[str], query: dict[str, str]) -> tuple[int, object]:
        assert query["only_confirmed"] == "true"
        who = parts[0]
        if len(parts) == 1:
            held = [{one: str(each[who])} for one, each in self.tokens.items() if who in each]
            return 200, {"success": True, "data": [{"trc20": held}], "meta": {}}
        rows = self.token_rows if parts[-1] == "trc20" else self.coin_rows
        concerned = [
            one
            for one in reversed(rows)
            if (who in json.dumps(one) or in_hex(who) in json.dumps(one))
            and one["block_timestamp"] <= int(query["max_timestamp"])
        ]
        meta = {"fingerprint": "f"} if len(concerned) > self.page else {}
        return 200, {"success": True, "data": concerned[: self.page], "meta": meta}
