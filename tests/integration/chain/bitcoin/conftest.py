"""A made-up chain and readers of it, by each kind of node."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bitcoin_chain import BASE, MadeUpChain
from bitcoin_world import BEGIN, World, entered
from coffers.connectors.chain.bitcoin.networks import NETWORKS


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> MadeUpChain:
    made_up = MadeUpChain(BEGIN)
    for id_, network in NETWORKS.items():
        landmark = (BASE, made_up.blocks[0].hash)
        monkeypatch.setitem(NETWORKS, id_, replace(network, landmark=landmark))  # type: ignore[misc]
    return made_up


@pytest.fixture(params=["esplora", "electrum"])
async def world(request: pytest.FixtureRequest, chain: MadeUpChain) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await entered(stack, chain, request.param)


@pytest.fixture
async def over_http(chain: MadeUpChain) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await entered(stack, chain, "esplora")


@pytest.fixture
async def over_tcp(chain: MadeUpChain) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await entered(stack, chain, "electrum")
