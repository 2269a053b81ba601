"""Reads wallets of Solana: the one door to this folder."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from coffers.clock import Millis
from coffers.connectors.chain.answers import PATIENCE
from coffers.connectors.chain.changes import dated
from coffers.connectors.chain.holdings import unsettled
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.solana import layout
from coffers.connectors.chain.solana.address import checked
from coffers.connectors.chain.solana.cluster import At, Cluster
from coffers.connectors.chain.solana.flows import FlowSearch
from coffers.connectors.chain.solana.holdings import Holdings, HoldingsReader
from coffers.connectors.chain.solana.memory import Memory
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.valuation.model import UNLISTED, Flow

TRIES = 3
"""How often a wallet is read that moves something between its parts meanwhile."""

_PARTS = ("native", "tokens", "rent", UNLISTED, "staked")
_OTHERS = {
    layout.TOKEN: "a token account, which holds tokens of one kind",
    layout.TOKEN_2022: "a token account, or of what makes tokens",
    layout.STAKE: "a stake account",
}

_NOBODYS = {
    layout.SYSTEM: "the system program",
    layout.TOKEN: "the token program",
    layout.TOKEN_2022: "the token program",
    layout.STAKE: "the stake program",
    layout.WRAPPED_SOL: "wrapped SOL",
}


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of Solana's wallets."""
    return SolanaReader(surroundings)


class SolanaReader:
    """Reads coins, tokens and stakes of an address."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._chain = surroundings.chain
        self._clock = surroundings.clock
        self._cluster = Cluster(surroundings.nodes("urls"), surroundings.clock)

    def checked(self, text: str) -> str:
        """Return an address as it is written; raises AddressRefused for anything else."""
        address = checked(text.strip())
        if what := _NOBODYS.get(address):
            raise AddressRefused(
                AddressFault.MALFORMED, f"is the address of {what}, which is nobody's wallet"
            )
        return address

    async def resolved(self, text: str) -> str:
        """Return `checked`: names are not looked up."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about an address.

        Raises:
            ConnectorFailure: when no node gave a usable answer, or the address is that of a token
                account or a stake account, which is a part of a wallet.
        """
        at, memory = self._clock.now(), opened(request.memory, Memory)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        holdings = await self._held(address, memory)
        if holdings is None:
            return unsettled(at, _PARTS)
        flows: tuple[Flow, ...] = ()
        shown: Collection[str] = ()
        is_whole = True
        if request.flows_since is not None:
            search = FlowSearch(
                self._chain,
                self._cluster,
                address,
                memory,
                frozenset(id_.partition(":")[0] for _, id_ in request.known_flows),
                lambda: loop.time() >= end,
                at,
            )
            is_whole = await search.since(request.flows_since, holdings)
            flows = tuple(flow for found in search.flows.values() for flow in found)
            shown = search.shown
        reading = _reading(at, holdings, flows, memory, is_whole=is_whole)
        return replace(reading, flows_asked_before=dated(flows, shown))

    async def _held(self, address: str, memory: Memory) -> Holdings | None:
        """Return what an address holds, None where it would not stand still."""
        holder = HoldingsReader(self._chain, self._cluster, memory)
        for _ in range(TRIES):
            wallet = await self._cluster.account(address)
            _refuse_parts(wallet)
            await self._cluster.refuse_stale(wallet.slot)
            lamports = sum(found.lamports for found in wallet.accounts)
            holdings = await holder.read(address, wallet.slot, lamports)
            newest = await self._cluster.history(address, wallet.slot, None, most=1)
            if not newest or newest[0].slot <= wallet.slot:
                return holdings
        return None


def _reading(
    at: Millis, holdings: Holdings, flows: tuple[Flow, ...], memory: Memory, *, is_whole: bool
) -> Reading:
    return Reading(
        at,
        frozenset(holdings.parts),
        tuple(holdings.positions),
        holdings.missing,
        flows=flows,
        flows_known=is_whole,
        memory=closed(memory),
    )


def _refuse_parts(wallet: At) -> None:
    for found in wallet.accounts:
        if found.program in _OTHERS:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                f"This is the address of {_OTHERS[found.program]}. Connect the address of the "
                "wallet that owns it.",
                code="no_wallet",
            )
