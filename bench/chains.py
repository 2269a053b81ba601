"""What balances on a chain cost, against one bare `eth_call` for each of them.

Both ask the same node, which runs in a process of its own; the bare calls are sent four at once, as
many as Coffers sends. Run alone as `python -m bench.chains`.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import httpx
from bench.chain_node import AMOUNT, COUNT, OWNERS, TOKENS
from bench.processes import free_port, median_of, running
from bench.results import Row, Target, show

from coffers.clock import SystemClock
from coffers.connectors.chain.evm import codec
from coffers.connectors.chain.evm.blocks import newest
from coffers.connectors.chain.evm.calls import Caller
from coffers.connectors.chain.evm.codec import Call
from coffers.connectors.chain.evm.holdings import TokenReader
from coffers.connectors.chain.evm.memory import Memory
from coffers.connectors.chain.evm.tokens import Listed
from coffers.connectors.chain.node import MAX_CONCURRENT
from coffers.connectors.chain.nodes import Nodes, new_client
from coffers.markets.chains import Chain
from coffers.secret import Secret

ROUNDS = 3
TIMEOUT = 60.0
CHAIN = Chain("bench", "bench_wallet", "Bench", "evm", "ETH", 18, {"chain_id": 1})
LISTED = {token: Listed(token, f"T{index}", 6, None, None) for index, token in enumerate(TOKENS)}

FEW_CALLS = Target(0.01)
QUICK = Target(1.0)


@dataclass(frozen=True, slots=True)
class Cost:
    """How many requests a piece of work took, and how many milliseconds."""

    requests: int
    spent: float


def measure_chains() -> list[Row]:
    """Return the rows: a thousand tokens of one address, and a token of a thousand addresses."""
    port = free_port()
    command = [sys.executable, "-m", "bench.chain_node", str(port)]
    with running(command, port, "/"):
        return asyncio.run(_measured(f"http://127.0.0.1:{port}"))


async def _measured(url: str) -> list[Row]:
    of_one = [codec.balance_of(token, OWNERS[0]) for token in TOKENS]
    of_many = [codec.balance_of(TOKENS[0], owner) for owner in OWNERS]
    tokens = await _compared(url, _tokens, of_one)
    addresses = await _compared(url, _addresses, of_many)
    return [
        *_rows(f"{COUNT:,} tokens of one address", *tokens),
        *_rows(f"one token of {COUNT:,} addresses", *addresses),
    ]


def _rows(name: str, own: Cost, bare: Cost) -> list[Row]:
    baseline = f"a bare eth_call each, {MAX_CONCURRENT} at once"
    fewer, quicker = own.requests / bare.requests, own.spent / bare.spent
    each, bare_each = own.spent / COUNT, bare.spent / COUNT
    return [
        Row(f"{name}, calls", own.requests, "", baseline, bare.requests, fewer, FEW_CALLS),
        Row(f"{name}, per balance", each, "ms", baseline, bare_each, quicker, QUICK),
    ]


async def _compared(
    url: str, ask: Callable[[Nodes, Sequence[Call]], Awaitable[None]], calls: Sequence[Call]
) -> tuple[Cost, Cost]:
    """Return the costs of ours and of bare calls; they take turns, and each median counts."""
    own, bare = [], []
    for _ in range(ROUNDS):
        own.append(await _cost(lambda client: ask(_nodes(url, client), calls)))
        bare.append(await _cost(lambda client: _bare(url, client, calls)))
    return _median(own), _median(bare)


async def _cost(work: Callable[[httpx.AsyncClient], Awaitable[None]]) -> Cost:
    requests = 0

    async def count(request: httpx.Request) -> None:  # noqa: ARG001  # the library's
        nonlocal requests
        requests += 1

    async with new_client(TIMEOUT) as client:
        client.event_hooks = {"request": [count]}
        begun = time.perf_counter()
        await work(client)
        return Cost(requests, (time.perf_counter() - begun) * 1000)


async def _tokens(nodes: Nodes, calls: Sequence[Call]) -> None:
    """Read the tokens of an address as a reading does."""
    clock = SystemClock()
    caller = Caller(nodes, await newest(nodes, clock))
    found = await TokenReader(CHAIN, caller, LISTED, Memory()).read(OWNERS[0], clock.now())
    if [each.free for each in found.tokens] != [Decimal(AMOUNT).scaleb(-6)] * len(calls):
        raise SystemExit("A balance is wrong")


async def _addresses(nodes: Nodes, calls: Sequence[Call]) -> None:
    caller = Caller(nodes, await newest(nodes, SystemClock()))
    if [codec.number(answer) for answer in await caller.ask(calls)] != [AMOUNT] * len(calls):
        raise SystemExit("A balance is wrong")


async def _bare(url: str, client: httpx.AsyncClient, calls: Sequence[Call]) -> None:
    at_once = asyncio.Semaphore(MAX_CONCURRENT)

    async def ask(index: int, call: Call) -> int:
        params = [{"to": call.to, "data": f"0x{call.data.hex()}"}, "latest"]
        body = {"jsonrpc": "2.0", "id": index, "method": "eth_call", "params": params}
        async with at_once:
            answer = await client.post(url, json=body)
        return int(answer.json()["result"], 16)

    if await asyncio.gather(*map(ask, range(len(calls)), calls)) != [AMOUNT] * len(calls):
        raise SystemExit("A balance is wrong")


def _nodes(url: str, client: httpx.AsyncClient) -> Nodes:
    return Nodes(CHAIN, [Secret(url)], client, SystemClock())


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(costs[0].requests, median_of([cost.spent for cost in costs]))


if __name__ == "__main__":
    show(measure_chains())
