"""Nodes that know a made-up chain: one speaks Esplora's REST, one the Electrum protocol."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bitcoin_chain import BASE, Block, Made, MadeUpChain
from coffers.connectors.chain.bitcoin.addresses import script_of
from coffers.connectors.chain.bitcoin.networks import NETWORKS

Hook = Callable[[str], None]
PAGE = 25


class EsploraNode:
    """Answers as Esplora does; `before` is called with each path before it is answered.

    A page has `page` transactions. Histories come from a machine that lacks the `lags` last blocks.
    """

    def __init__(self, chain: MadeUpChain, network: str = "bitcoin") -> None:
        self.chain = chain
        self.network = network
        self.asked: Counter[str] = Counter()
        self.before: Hook = lambda path: None
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        self.page = PAGE
        self.lags = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.asked[path] += 1
        self.before(path)
        status, kind, body = self.answers.get(path) or self._answer(path.strip("/").split("/"))
        length = str(len(body)).encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, parts: list[str]) -> tuple[int, str, bytes]:
        match parts:
            case ["blocks", "tip", "hash"]:
                return 200, "text/plain", self.chain.tip.hash.encode()
            case ["block-height", height]:
                place = int(height) - BASE
                if not 0 <= place < len(self.chain.blocks):
                    return 404, "text/plain", b"Block not found"
                return 200, "text/plain", self.chain.blocks[place].hash.encode()
            case ["block", hash_]:
                found = [block for block in self.chain.blocks if block.hash == hash_]
                return _json({"id": hash_, "height": found[0].height}) if found else _missing()
            case ["address", address, *rest]:
                return self._address(script_of(address, NETWORKS[self.network]), address, rest)
        return _missing()

    def _address(self, script: bytes, address: str, rest: list[str]) -> tuple[int, str, bytes]:
        match rest:
            case []:
                stats = {
                    name: self._stats(script, confirmed=name == "chain_stats")
                    for name in ("chain_stats", "mempool_stats")
                }
                return _json({"address": address, **stats})
            case ["txs", "mempool"]:
                found = [one for one in self.chain.history(script) if one[1] is None]
                return _json([self._shown(*one) for one in found[:50]])
            case ["txs", "chain", *last]:
                found = [one for one in self.chain.history(script) if self._lists(one[1])]
                txids = [made.txid for made, _ in found]
                if last and last[0] not in txids:
                    return _missing()
                begin = txids.index(last[0]) + 1 if last else 0
                return _json([self._shown(*one) for one in found[begin : begin + self.page]])
        return _missing()

    def _lists(self, block: Block | None) -> bool:
        return block is not None and block.height <= self.chain.tip.height - self.lags

    def _stats(self, script: bytes, *, confirmed: bool) -> dict[str, int]:
        received, spent, count = self.chain.balance(script, confirmed=confirmed)
        return {
            "funded_txo_count": count,
            "funded_txo_sum": received,
            "spent_txo_count": count,
            "spent_txo_sum": spent,
            "tx_count": count,
        }

    def _shown(self, made: Made, block: Block | None) -> dict[str, Any]:
        status: dict[str, Any] = {"confirmed": False}
        if block is not None:
            status = {
                "confirmed": True,
                "block_height": block.height,
                "block_hash": block.hash,
                "block_time": block.time,
            }
        return {
            "txid": made.txid,
            "vin": [self._input(*source) for source in made.inputs],
            "vout": [_output(*output) for output in made.outputs],
            "status": status,
        }

    def _input(self, txid: str, place: int) -> dict[str, Any]:
        is_minted = txid == "0" * 64
        prevout = None if is_minted else _output(*self.chain.output(txid, place))
        return {"txid": txid, "vout": place, "prevout": prevout, "is_coinbase": is_minted}


class ElectrumServer:
    """Answers as ElectrumX does; `before` is called with each method before it is answered."""

    def __init__(self, chain: MadeUpChain) -> None:
        self.chain = chain
        self.asked: Counter[str] = Counter()
        self.before: Hook = lambda method: None
        self.raw: Callable[[dict[str, Any]], bytes | None] = lambda request: None
        self._scripts: dict[str, bytes] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                request = json.loads(line)
                self.asked[request["method"]] += 1
                self.before(request["method"])
                written = self.raw(request)
                writer.write(self._line(request) if written is None else written)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def _line(self, request: dict[str, Any]) -> bytes:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            answer["result"] = self._answer(request["method"], *request["params"])
        except LookupError:
            answer["error"] = {"code": 1, "message": "no such thing"}
        return json.dumps(answer).encode() + b"\n"

    def _answer(self, method: str, *params: Any) -> Any:
        match method:
            case "server.version":
                return ["ElectrumX 1.16.0", "1.4"]
            case "blockchain.headers.subscribe":
                return {"height": self.chain.tip.height, "hex": self.chain.tip.header.hex()}
            case "blockchain.block.header":
                if not 0 <= params[0] - BASE < len(self.chain.blocks):
                    raise LookupError
                return self.chain.blocks[params[0] - BASE].header.hex()
            case "blockchain.transaction.get":
                return self.chain.known[params[0]].raw.hex()
            case "blockchain.scripthash.get_history":
                return self._history(params[0])
            case "blockchain.scripthash.get_balance":
                received, spent, _ = self.chain.balance(self._script(params[0]), confirmed=True)
                return {"confirmed": received - spent, "unconfirmed": 0}
        raise LookupError

    def _history(self, key: str) -> list[dict[str, Any]]:
        found = self.chain.history(self._script(key))[::-1]
        return [
            {"tx_hash": made.txid, "height": 0 if block is None else block.height}
            for made, block in found
        ]

    def _script(self, key: str) -> bytes:
        for made in self.chain.known.values():
            for script, _ in made.outputs:
                self._scripts[hashlib.sha256(script).digest()[::-1].hex()] = script
        return self._scripts.get(key, b"nobody's")


@asynccontextmanager
async def electrum_listening(server: ElectrumServer) -> AsyncIterator[str]:
    """Serve on a real port of this machine; yields its address."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        yield f"tcp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


def _output(script: bytes, amount: int) -> dict[str, Any]:
    return {"scriptpubkey": script.hex(), "value": amount}


def _json(value: Any) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(value).encode()


def _missing() -> tuple[int, str, bytes]:
    return 404, "text/plain", b"not found"
