"""A chain with odd tokens on it, its node over HTTP, and a connector that reads from there."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from coffers.clock import ManualClock
from coffers.connectors.chain.connector import ChainConnector
from coffers.connectors.chain.evm import wallet
from coffers.connectors.chain.evm.tokens import Listed
from coffers.connectors.reading import Credentials, Reading, ReadRequest
from coffers.markets.catalogue import Market, load_catalogue
from coffers.markets.chains import Chains, Endpoints, joined, shipped_chains
from coffers.secret import Secret
from evm_chain import MULTICALL3, NAMES, EvmChain, EvmNode
from served import listening

USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WHOLE = "0x" + "a1" * 20
VAST = "0x" + "a2" * 20
PLACELESS = "0x" + "a3" * 20
REVERTING = "0x" + "a4" * 20
GREEDY = "0x" + "a5" * 20
TALKING = "0x" + "a6" * 20
NOWHERE = "0x" + "a7" * 20
UNLISTED = "0x" + "b1" * 20
FALSE_USDC = "0x" + "b2" * 20
MIRROR = "0x" + "b3" * 20
WRAPPED = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"

CONTRACTS = {
    NAMES: "names",
    USDC: "token",
    WHOLE: "token",
    VAST: "token",
    PLACELESS: "silent",
    REVERTING: "reverting",
    GREEDY: "greedy",
    TALKING: "talking",
    UNLISTED: "token",
    FALSE_USDC: "token",
    MIRROR: "token",
    WRAPPED: "token",
}
LISTED = {
    token.contract: token
    for token in (
        Listed(REVERTING, "RVT", 18, None, None),
        Listed(GREEDY, "GRD", 18, None, None),
        Listed(TALKING, "TLK", 18, None, None),
        Listed(NOWHERE, "NWH", 18, None, None),
        Listed(USDC, "USDC", 6, "USDC", "usd-coin"),
        Listed(WHOLE, "WHL", None, None, None),
        Listed(VAST, "VST", 18, None, None),
        Listed(PLACELESS, "PLC", None, None, None),
        Listed(WRAPPED, "WETH", 18, "ETH", "weth"),
    )
}
ETHEREUM = "ethereumwallet"


@dataclass
class Wallets:
    """A connector, and the nodes that it asks."""

    connector: ChainConnector
    market: Market
    clock: ManualClock

    async def read(self, address: str, **asked: Any) -> Reading:
        """Read a wallet."""
        credentials = Credentials("", Secret(""), address=address)
        request = ReadRequest(asked.pop("flows_since", None), **asked)
        return await self.connector.read(self.market, credentials, request)


@pytest.fixture
def evm() -> EvmChain:
    return EvmChain({MULTICALL3: "multicall", **CONTRACTS})


@pytest.fixture
def node(evm: EvmChain) -> EvmNode:
    return EvmNode(evm)


@pytest.fixture
def short_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Know a few tokens instead of all."""
    monkeypatch.setattr(wallet, "listed_tokens", lambda chain_id: LISTED)
    monkeypatch.setattr(wallet, "mirrors", lambda chain_id: {MIRROR: WHOLE})
    return None


@pytest.fixture
async def wallets() -> AsyncIterator[Callable[..., Any]]:
    """Serve applications and return what reads from them, by the name of the service."""
    async with AsyncExitStack() as stack:

        async def make(clock: int, *nodes: Any, code: str = ETHEREUM, **services: Any) -> Wallets:
            async def urls(apps: tuple[Any, ...]) -> tuple[Secret, ...]:
                return tuple(
                    [Secret(await stack.enter_async_context(listening(app))) for app in apps]
                )

            chain = shipped_chains().get(code)
            assert chain is not None
            found = {name: await urls((app,)) for name, app in services.items()}
            chain = replace(chain, endpoints=Endpoints({"urls": await urls(nodes), **found}))
            chains, manual = Chains({code: chain}), ManualClock(clock)
            connector = ChainConnector(chains, None, 10.0, manual)
            stack.push_async_callback(connector.close)
            market = joined(load_catalogue(), chains).get(code)
            assert market is not None
            return Wallets(connector, market, manual)

        yield make
