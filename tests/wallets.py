"""Readers of wallets whose nodes are served by a test on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import import_module
from typing import Any

from coffers import money
from coffers.clock import DAY, ManualClock, Millis
from coffers.connectors.chain.nodes import Nodes, new_client
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.reading import Reading, ReadRequest
from coffers.markets.chains import Chain, shipped_chains
from coffers.secret import Secret
from factories import NOW
from served import listening


@dataclass
class Wallets:
    """A reader of one chain, and its clock."""

    reader: ChainReader
    chain: Chain
    clock: ManualClock

    async def read(self, address: str, **asked: Any) -> Reading:
        """Read a wallet with its flows of the last two weeks."""
        request = ReadRequest(Millis(NOW - 14 * DAY))
        return await self.reader.read(self.reader.checked(address), replace(request, **asked))


@asynccontextmanager
async def wallets_of(market: str, *served: Any, before: str = "") -> AsyncIterator[Wallets]:
    """Serve nodes of a chain and read from them, in their order; `before` goes before a host."""
    chain = shipped_chains().get(market)
    assert chain is not None
    clock = ManualClock(NOW)
    async with new_client(5) as client:
        urls: list[str] = []
        async with _all_listening(list(served), urls):
            secrets = [Secret(url.replace("http://", f"http://{before}")) for url in urls]

            def nodes(service: str) -> Nodes:
                return Nodes(chain, secrets if service == "urls" else [], client, clock)

            module = import_module(f"coffers.connectors.chain.{chain.family}.reader")
            yield Wallets(module.reader(Surroundings(chain, nodes, clock)), chain, clock)


@asynccontextmanager
async def _all_listening(served: list[Any], urls: list[str]) -> AsyncIterator[None]:
    if not served:
        yield
        return
    async with listening(served[0]) as url:
        urls.append(url)
        async with _all_listening(served[1:], urls):
            yield


def held(reading: Reading) -> dict[tuple[str, str], Decimal]:
    """Return what a reading holds, by part and asset."""
    found: dict[tuple[str, str], Decimal] = {}
    for one in reading.positions:
        key = one.wallet, one.asset
        found[key] = money.add(found.get(key, money.ZERO), one.owned)
    return found


def told(reading: Reading) -> dict[tuple[str, str, str], Decimal]:
    """Return the flows of a reading, by transaction, direction and asset."""
    return {(flow.txid or "", flow.direction, flow.asset): flow.amount for flow in reading.flows}


def known(*readings: Reading) -> frozenset[tuple[str, str]]:
    """Return what the next reading is told of the flows that are stored."""
    return frozenset(
        (flow.direction, flow.external_id) for reading in readings for flow in reading.flows
    )


def net(reading: Reading, asset: str) -> Decimal:
    """Return what came in less what went out, with the fees that were paid on top."""
    result = money.ZERO
    for flow in reading.flows:
        sign = Decimal(1) if flow.direction == "in" else Decimal(-1)
        if flow.asset == asset:
            result = money.add(result, money.multiply(sign, flow.amount))
        if flow.fee_asset == asset:
            result = money.subtract(result, flow.fee)
    return result
