"""The REST interface of Esplora, as blockstream.info, mempool.space and one's own node have it.

Source: https://github.com/Blockstream/esplora/blob/master/API.md
"""

import re
from collections.abc import AsyncGenerator
from typing import Annotated, TypeVar

import msgspec

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.bitcoin.addresses import address_of
from coffers.connectors.chain.bitcoin.backend import (
    Paid,
    Spent,
    Summary,
    Tip,
    Transaction,
    odd_answer,
)
from coffers.connectors.chain.bitcoin.networks import Network
from coffers.connectors.chain.nodes import NodeRefused, Nodes

_TRIES = 3

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Script = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")]
_HASH = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


class _Stats(msgspec.Struct):
    funded_txo_sum: _Count
    spent_txo_sum: _Count
    tx_count: _Count


class _Address(msgspec.Struct):
    chain_stats: _Stats
    mempool_stats: _Stats


class _Output(msgspec.Struct):
    scriptpubkey: _Script
    value: _Count


class _Input(msgspec.Struct):
    txid: _Id
    vout: _Count
    prevout: _Output | None


class _Status(msgspec.Struct):
    confirmed: bool
    block_height: _Count | None = None
    block_time: _Count | None = None


class _Transaction(msgspec.Struct):
    txid: _Id
    vin: list[_Input]
    vout: list[_Output]
    status: _Status


class _Block(msgspec.Struct):
    height: _Count


class Esplora:
    """Asks the nodes of a network that speak Esplora's REST."""

    is_one_server = False

    def __init__(self, nodes: Nodes, network: Network) -> None:
        self._nodes = nodes
        self._network = network
        self._heights: dict[str, int] = {}
        height, hash_ = network.landmark
        nodes.admit_only_by(f"/block-height/{height}", None, lambda answer: answer == hash_)

    async def tip(self) -> Tip:
        """Return the last block; another one where it was lost between the two calls."""
        for _ in range(_TRIES):
            hash_ = await self._get("/blocks/tip/hash", "the last block")
            if not isinstance(hash_, str) or not _HASH.fullmatch(hash_.strip()):
                raise odd_answer("the last block")
            height = await self._height(hash_.strip())
            if height is not None:
                return Tip(hash_.strip(), height)
        raise odd_answer("the last block")

    async def _height(self, hash_: str) -> int | None:
        if hash_ not in self._heights:
            try:
                block = await self._nodes.get(f"/block/{hash_}")
            except NodeRefused:
                return None
            self._heights = {hash_: _as(_Block, block, "a block").height}
        return self._heights[hash_]

    async def summary(self, script: bytes) -> Summary:
        """Return what is known of a script's address."""
        answer = await self._get(f"/address/{self._address(script)}", "an address")
        found = _as(_Address, answer, "an address")
        left = found.chain_stats.funded_txo_sum - found.chain_stats.spent_txo_sum
        if left < 0:
            raise odd_answer("an address")
        return Summary(found.chain_stats.tx_count, left, found.mempool_stats.tx_count)

    async def unconfirmed(self, script: bytes) -> list[Transaction]:
        """Return the transactions of an address that are in no block yet: 50 at most."""
        page = await self._page(f"/address/{self._address(script)}/txs/mempool")
        return [transaction for transaction in page if transaction.height is None]

    async def confirmed(self, script: bytes) -> AsyncGenerator[list[Transaction], None]:
        """Yield the transactions of an address that are in blocks, the newest first, in pages.

        How many a page has is the server's: 25, or 10 of a mempool's that is set so.
        """
        path = f"/address/{self._address(script)}/txs/chain"
        page = await self._page(path)
        while page:
            yield page
            page = await self._page(f"{path}/{page[-1].txid}")

    async def _page(self, path: str) -> list[Transaction]:
        found = _as(list[_Transaction], await self._get(path, "transactions"), "transactions")
        return [_transaction(one) for one in found]

    async def _get(self, path: str, what: str) -> object:
        try:
            return await self._nodes.get(path)
        except NodeRefused:
            raise odd_answer(what) from None

    def _address(self, script: bytes) -> str:
        address = address_of(script, self._network)
        if address is None:
            raise odd_answer("a script without an address")
        return address


def _as(kind: type[_T], answer: object, what: str) -> _T:
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        raise odd_answer(what) from None


def _transaction(found: _Transaction) -> Transaction:
    height, time = found.status.block_height, found.status.block_time
    if found.status.confirmed and (height is None or time is None):
        raise odd_answer("a transaction's block")
    return Transaction(
        found.txid,
        tuple(_spent(one) for one in found.vin),
        tuple(_paid(one) for one in found.vout),
        height if found.status.confirmed else None,
        Millis(time * SECOND) if found.status.confirmed and time is not None else None,
    )


def _spent(found: _Input) -> Spent:
    before = found.prevout or _Output("", 0)
    return Spent(found.txid, found.vout, bytes.fromhex(before.scriptpubkey), before.value)


def _paid(found: _Output) -> Paid:
    return Paid(bytes.fromhex(found.scriptpubkey), found.value)
