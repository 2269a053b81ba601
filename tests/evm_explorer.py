"""An explorer with Blockscout's API that tells what happened on a chain of `evm_chain`."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from evm_chain import EvmChain

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Explorer:
    """An ASGI application.

    `tokens` are the rows of its token balances, `inner` those of its internal transactions, `paid`
    those of withdrawals from the beacon chain, the newest first; `unpaid` holds transactions that
    paid for no gas, `failed` such that failed; `behind` is how many blocks it has not seen yet;
    `status` is sent with each answer.
    """

    def __init__(self, chain: EvmChain) -> None:
        self.chain = chain
        self.tokens: list[dict[str, Any]] = []
        self.inner: list[dict[str, Any]] = []
        self.paid: list[dict[str, Any]] = []
        self.unpaid: set[str] = set()
        self.failed: set[str] = set()
        self.behind = 0
        self.status = 200

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        query = {
            name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()
        }
        answer: object = self.tokens
        if scope["path"] == "/api":
            answer = {"jsonrpc": "2.0", "status": "1", "result": self._result(query)}
        elif scope["path"].endswith("/withdrawals"):
            answer = paged(self.paid, query)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _result(self, query: dict[str, str]) -> object:
        newest = self.chain.evm.get_block_by_number("latest")["number"]
        if query["action"] == "eth_block_number":
            return hex(newest - self.behind)
        if query["action"] == "getblocknobytime":
            return {"blockNumber": str(self._before(int(query["timestamp"])))}
        if "txhash" in query:
            return [row for row in self.inner if row["transactionHash"] == query["txhash"]]
        first, last = int(query["startblock"]), int(query["endblock"])
        rows = self.inner if query["action"] == "txlistinternal" else list(self._sent(query))
        rows = [row for row in rows if first <= int(row["blockNumber"]) <= last]
        size = int(query["offset"])
        start = (int(query["page"]) - 1) * size
        return rows[start : start + size]

    def _before(self, moment: int) -> int:
        newest = self.chain.evm.get_block_by_number("latest")["number"]
        blocks = (self.chain.evm.get_block_by_number(number) for number in range(newest + 1))
        return max((b["number"] for b in blocks if b["timestamp"] <= moment), default=0)

    def _sent(self, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        evm, owner = self.chain.evm, query["address"]
        for number in range(evm.get_block_by_number("latest")["number"] + 1):
            block = evm.get_block_by_number(number, full_transactions=True)
            for sent in block["transactions"]:
                if owner in {sent["from"], sent["to"]}:
                    status = evm.get_transaction_receipt(sent["hash"])["status"]
                    succeeded = status and sent["hash"] not in self.failed
                    yield {
                        "blockNumber": str(number),
                        "timeStamp": str(block["timestamp"]),
                        "hash": sent["hash"],
                        "from": sent["from"],
                        "to": sent["to"],
                        "value": str(sent["value"]),
                        "gasPrice": "0" if sent["hash"] in self.unpaid else "7",
                        "isError": "0" if succeeded else "1",
                    }


def paged(rows: list[dict[str, Any]], query: dict[str, str], size: int = 50) -> dict[str, Any]:
    """Return a page of withdrawals as Blockscout's REST API does."""
    rest = [row for row in rows if "index" not in query or row["index"] < int(query["index"])]
    shown = rest[:size]
    following = {"index": shown[-1]["index"], "items_count": size} if len(rest) > size else None
    return {"items": shown, "next_page_params": following}
