"""Reads one address of an EVM chain: its native coin, its tokens, what came in and went out."""

from copy import deepcopy
from dataclasses import dataclass

from coffers.clock import Millis
from coffers.connectors.chain.evm import blockscout
from coffers.connectors.chain.evm.blocks import Block, lacks_block, newest, numbered, quantity
from coffers.connectors.chain.evm.blockscout import Native
from coffers.connectors.chain.evm.calls import Caller
from coffers.connectors.chain.evm.flows import FlowMaker
from coffers.connectors.chain.evm.holdings import Holdings, TokenReader, in_units
from coffers.connectors.chain.evm.memory import Memory
from coffers.connectors.chain.evm.rollup_deposits import minted
from coffers.connectors.chain.evm.search import Search
from coffers.connectors.chain.evm.staking_flows import paid_out
from coffers.connectors.chain.evm.tokens import listed_tokens, mirrors
from coffers.connectors.chain.evm.transfers import logs_minting, minter_of
from coffers.connectors.chain.evm.withdrawals import paid_since
from coffers.connectors.chain.evm.wrapping import Wrapping
from coffers.connectors.chain.memory import closed, opened
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.reader import Surroundings
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.logs import seldom
from coffers.valuation.model import UNLISTED, Flow, Position

DEPTH = 6
"""Blocks on top of the one that is read: it is hardly taken back, and most nodes have it."""

PAYING = frozenset({1})
"""Chains whose validators are paid in the native coin, by their ids."""

_log = seldom("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Services:
    """Where a chain is asked; kept between readings, since they know which node failed."""

    nodes: Nodes
    explorer: Nodes


class Wallet:
    """Reads one address.

    Args:
        around: the chain and the clock.
        services: where to ask.
        owner: the address.
        request: what is asked for.
    """

    def __init__(
        self, around: Surroundings, services: Services, owner: str, request: ReadRequest
    ) -> None:
        self._around = around
        self._chain = around.chain
        self._nodes = services.nodes
        self._explorer = services.explorer
        self._owner = owner
        self._request = request
        chain_id = int(around.chain.parameters.get("chain_id", 0))
        self._listed = listed_tokens(chain_id)
        self._mirrors = mirrors(chain_id)
        self._minter = minter_of(around.chain)
        self._minting = None if self._minter is None else self._minter.contract

    async def read(self) -> Reading:
        """Return what the chain says.

        Raises:
            ConnectorFailure: when the native balance could not be read.
        """
        try:
            return await self._read()
        except NodeRefused as refusal:
            if not lacks_block(refusal):
                raise self._refused(refusal) from None
        try:
            return await self._read()
        except NodeRefused as refusal:
            raise self._refused(refusal) from None

    async def _read(self) -> Reading:
        at = self._around.clock.now()
        memory = opened(self._request.memory, Memory)
        block = await self._block()
        native = await self._native(block)
        await self._discover(block, memory)
        caller = Caller(self._nodes, block)
        tokens = TokenReader(self._chain, caller, self._listed, memory)
        holdings = await tokens.read(self._owner, at)
        flows, are_all = await self._flows(block, memory)
        # The balances before are of a block that has these: they count from their dates on.
        shown = memory.shown or 0
        late: dict[tuple[str, str], Millis | None] = {
            (each.direction, each.external_id): None for each in flows if each.at <= shown
        }
        if not holdings.missing:
            memory.shown = await self._made_at(block)
        return Reading(
            at=at,
            wallets=frozenset({"native", "tokens", UNLISTED, "spam"} - holdings.missing.keys()),
            positions=(native, *_told(holdings)),
            missing=holdings.missing,
            flows=flows,
            # Without an explorer nobody tells of the native coin, but all else is told.
            flows_known=are_all and bool(self._explorer),
            flows_until=at if are_all else None,
            flows_asked_before=late,
            memory=closed(memory),
        )

    async def _block(self) -> Block:
        head = await newest(self._nodes, self._around.clock)
        return Block(max(0, head.number - DEPTH), head.at)

    async def _made_at(self, block: Block) -> Millis | None:
        """Return when a block was made, None where no node tells."""
        try:
            found = await numbered(self._nodes, block.number)
        except (NodeRefused, ConnectorFailure):
            return None
        return None if found is None else found.at

    async def _native(self, block: Block) -> Position:
        raw = quantity(await self._nodes.call("eth_getBalance", [self._owner, block.tag]))
        units = None if raw is None else in_units(raw, self._chain.decimals)
        if units is None:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                f"The node of {self._chain.name} told no balance.",
                code="node_answer",
            )
        return Position("native", self._chain.asset, self._chain.asset, units)

    async def _flows(self, block: Block, memory: Memory) -> tuple[tuple[Flow, ...], bool]:
        """Return the flows that were not told before, and whether these are all that can be told.

        What fails is tried again by the next reading, from the same place.
        """
        since = self._request.flows_since
        notes = deepcopy(memory)
        wrapping = self._wrapping()
        maker = FlowMaker(self._chain, self._nodes, self._listed, memory.places, wrapping)
        try:
            moved, are_all = await self._search(block, notes).newer(since)
            flows = [] if since is None else await maker.of_tokens(moved, since)
            if since is not None and self._explorer:
                told = await blockscout.native_moves(
                    self._explorer, self._owner, since, block.number
                )
                moves, notes.exchanges = await wrapping.others(
                    [each for each in told.moves if not await self._is_minted(each)],
                    self._request.known_flows,
                    memory.exchanges,
                )
                flows += maker.of_native([*moves, *await minted(self._nodes, told.unpaid)])
                flows += await self._paid_out(since, block)
            known = self._request.known_flows
            paid = {id_.partition(":")[0] for direction, id_ in known if direction == "out"}
            new = self._request.new_of(flows)
            with_fees = tuple(await maker.with_fees(new, self._owner, paid))
        except (NodeRefused, ConnectorFailure) as failure:
            _log.info("flows not told", chain=self._chain.id, reason=str(failure))
            return (), False
        memory.low, memory.high, memory.since = notes.low, notes.high, notes.since
        memory.step, memory.recent = notes.step, notes.recent
        memory.exchanges = notes.exchanges
        for transfer in moved:
            self._note(memory, transfer.contract)
        return with_fees, are_all

    async def _is_minted(self, move: Native) -> bool:
        """Return whether what an explorer tells was minted, which logs tell in any case."""
        minter = self._minter
        if minter is None or move.direction == "out" or move.other != minter.contract:
            return False
        return await logs_minting(self._nodes, self._owner, minter, move.txid)

    def _wrapping(self) -> Wrapping:
        coin, listed = self._chain.asset, self._listed.values()
        wrapped = frozenset(token.contract for token in listed if token.asset == coin)
        return Wrapping(self._nodes, self._explorer, self._owner, wrapped)

    def _search(self, block: Block, memory: Memory) -> Search:
        return Search(self._nodes, self._owner, block, memory, self._minter)

    async def _paid_out(self, since: Millis, block: Block) -> list[Flow]:
        """Return what validators paid into the wallet: no transaction tells of that."""
        if self._chain.parameters.get("chain_id") not in PAYING:
            return []
        payments = await paid_since(self._explorer, self._owner, since, block.number)
        return paid_out(payments, since, self._chain, "in")

    async def _discover(self, block: Block, memory: Memory) -> None:
        """Find unlisted tokens. They count for nothing, so a failure spoils nothing either."""
        try:
            if self._explorer:
                for contract in await blockscout.token_contracts(self._explorer, self._owner):
                    self._note(memory, contract)
                return
            for transfer in await self._search(block, memory).older():
                self._note(memory, transfer.contract)
        except (NodeRefused, ConnectorFailure) as failure:
            _log.info("tokens not searched", chain=self._chain.id, reason=str(failure))

    def _note(self, memory: Memory, contract: str) -> None:
        if contract in self._listed or contract in self._mirrors or contract == self._minting:
            return
        memory.discover(contract)

    def _refused(self, refusal: NodeRefused) -> ConnectorFailure:
        return ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER,
            f"The node of {self._chain.name} refused: {refusal}.",
            code="node_refused",
        )


def _told(holdings: Holdings) -> tuple[Position, ...]:
    """Return the positions of the parts that were read."""
    tokens = () if "tokens" in holdings.missing else holdings.tokens
    others = () if UNLISTED in holdings.missing else holdings.others
    return (*tokens, *others)
