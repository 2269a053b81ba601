"""Deposits into and withdrawals from an address.

Those of tokens are told by logs, those of the native coin by an explorer and, where a bridge mints
it, by logs too. An exchange with the wrapped form of the native coin is neither.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.chain.evm.blocks import numbered, quantity
from coffers.connectors.chain.evm.blockscout import Native
from coffers.connectors.chain.evm.holdings import in_units
from coffers.connectors.chain.evm.tokens import Listed
from coffers.connectors.chain.evm.transfers import Transfer, minter_of
from coffers.connectors.chain.evm.wrapping import Wrapping
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow


class FlowMaker:
    """Makes flows of what was found.

    Args:
        chain: the chain, for its native coin.
        nodes: its nodes, for moments and fees.
        listed: the known tokens; no other one makes a flow.
        places: decimals of listed tokens that the list does not tell.
        wrapping: tells exchanges with the wrapped form of the native coin.
    """

    def __init__(
        self,
        chain: Chain,
        nodes: Nodes,
        listed: Mapping[str, Listed],
        places: Mapping[str, int],
        wrapping: Wrapping,
    ) -> None:
        self._chain = chain
        self._nodes = nodes
        self._known = {**listed, **_minted(chain)}
        self._places = places
        self._wrapping = wrapping
        self._moments: dict[int, Millis] = {}

    async def of_tokens(self, transfers: Iterable[Transfer], since: Millis) -> list[Flow]:
        """Return the flows of listed tokens from a moment on, and of what was minted.

        Raises:
            NodeRefused: when the node does not tell a block; as `Wrapping`.
            ConnectorFailure: when no node gave a usable answer; as `Wrapping`.
        """
        flows = []
        for each in transfers:
            token = self._known.get(each.contract)
            if token is None:
                continue
            places = self._places.get(each.contract, token.decimals)
            amount = in_units(each.amount, places)
            at = each.at or await self._moment(each.block)
            if amount and at >= since and not await self._wrapping.is_exchange(each):
                asset = token.asset or f"{self._chain.id}:{token.contract}"
                flows.append(self._flow(each, str(each.index), (asset, token.symbol), amount, at))
        return flows

    def of_native(self, moves: Iterable[Native]) -> list[Flow]:
        """Return the flows of the native coin, of what is no exchange with its wrapped form."""
        flows = []
        for move in moves:
            amount = in_units(move.amount, self._chain.decimals)
            if amount:
                names = (self._chain.asset, self._chain.asset)
                flows.append(self._flow(move, move.part, names, amount, move.at))
        return flows

    def _flow(
        self,
        move: Transfer | Native,
        part: str,
        names: tuple[str, str],
        amount: Decimal,
        at: Millis,
    ) -> Flow:
        return Flow(
            external_id=f"{move.txid}:{part}",
            direction=move.direction,
            asset=names[0],
            venue_code=names[1],
            amount=amount,
            fee=money.ZERO,
            fee_asset=self._chain.asset,
            at=at,
            txid=move.txid,
        )

    async def with_fees(
        self, flows: Iterable[Flow], owner: str, paid: Collection[str]
    ) -> list[Flow]:
        """Return the flows; the first withdrawal of a transaction carries what the owner paid.

        `paid` are the transactions of which an earlier reading's withdrawal carries it.

        Raises:
            NodeRefused: when the node does not tell a transaction.
            ConnectorFailure: when no node gave a usable answer.
        """
        borne = set(paid)
        found = []
        for flow in flows:
            if flow.direction == "out" and flow.txid is not None and flow.txid not in borne:
                borne.add(flow.txid)
                fee = in_units(await self._fee(flow.txid, owner), self._chain.decimals)
                found.append(replace(flow, fee=fee or money.ZERO))
            else:
                found.append(flow)
        return found

    async def _moment(self, number: int) -> Millis:
        if number not in self._moments:
            block = await numbered(self._nodes, number)
            if block is None:
                raise _no_answer("a block")
            self._moments[number] = block.at
        return self._moments[number]

    async def _fee(self, txid: str, owner: str) -> int:
        """Return what the owner paid for a transaction; on rollups also for its data."""
        receipt = await self._nodes.call("eth_getTransactionReceipt", [txid])
        if not isinstance(receipt, dict):
            raise _no_answer("a transaction")
        if str(receipt.get("from")).lower() != owner.lower():
            return 0
        used, price = quantity(receipt.get("gasUsed")), quantity(receipt.get("effectiveGasPrice"))
        if used is None or price is None:
            raise _no_answer("what a transaction cost")
        return used * price + (quantity(receipt.get("l1Fee")) or 0)


def _minted(chain: Chain) -> Mapping[str, Listed]:
    """Return what a chain mints for a bridge, as if it were a token of the contract that does."""
    minter, coin = minter_of(chain), chain.asset
    if minter is None:
        return {}
    return {minter.contract: Listed(minter.contract, coin, chain.decimals, coin, None)}


def _no_answer(what: str) -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER, f"The node does not tell {what}.", code="node_answer"
    )
