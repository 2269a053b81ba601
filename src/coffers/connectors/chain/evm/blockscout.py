"""What an explorer with Blockscout's API knows beyond a node: native transfers, and tokens.

Balances never come from here. Sources: Blockscout's `/api` (compatible with Etherscan's) and its
REST API `/api/v2`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.evm.blocks import quantity
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

PAGE = 1000
PAGES = 10
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NO_MONEY = frozenset({"delegatecall", "staticcall", "callcode"})
"""Calls whose value is none: it stays, or is that of the call around."""


@dataclass(frozen=True, slots=True)
class Native:
    """A movement of the native coin to or from the address, in its smallest unit.

    `other` is in lower case; `part` tells the movements of one transaction apart.
    """

    direction: Literal["in", "out"]
    other: str
    amount: int
    txid: str
    part: str
    at: Millis

    @property
    def id(self) -> str:
        """What names the movement among all of an address."""
        return f"{self.txid}:{self.part}"


@dataclass(frozen=True, slots=True)
class CoinFlows:
    """What an explorer tells of the native coin of an address.

    `unpaid` are the address's own transactions that paid for no gas, by their ids, and when they
    were: on a rollup they may have brought something from the chain below.
    """

    moves: list[Native]
    unpaid: dict[str, Millis]


async def token_contracts(nodes: Nodes, owner: str) -> list[str]:
    """Return the contracts of the ERC-20 tokens that an address has, in lower case.

    Raises:
        NodeRefused: when the explorer refuses.
        ConnectorFailure: when it gives no usable answer.
    """
    try:
        answer = await nodes.get(f"/api/v2/addresses/{owner}/token-balances")
    except NodeRefused as refusal:
        if refusal.status == 404:  # noqa: PLR2004  # it has not seen the address yet
            return []
        raise
    rows = answer if isinstance(answer, list) else []
    tokens = [row.get("token") for row in rows if isinstance(row, dict)]
    found = [
        str(token.get("address_hash") or token.get("address") or "")
        for token in tokens
        if isinstance(token, dict) and token.get("type") == "ERC-20"
    ]
    return [contract.lower() for contract in found if _ADDRESS.fullmatch(contract)]


async def native_moves(nodes: Nodes, owner: str, since: Millis, last: int) -> CoinFlows:
    """Return what is told from a moment on, up to a block.

    Raises:
        NodeRefused: when the explorer refuses.
        ConnectorFailure: when it gives no usable answer, has not come as far as the block yet, or
            has more to tell than is read.
    """
    answer = await nodes.get("/api", {"module": "block", "action": "eth_block_number"})
    indexed = quantity(answer.get("result")) if isinstance(answer, dict) else None
    if indexed is None or indexed < last:
        raise _unusable("has not come as far as the nodes yet")
    span = {"startblock": await _block_after(nodes, since), "endblock": last}
    own, inner = [
        await _rows(nodes, action, owner, span) for action in ("txlist", "txlistinternal")
    ]
    moves = [move for row in own for move in _moves(row, owner.lower(), is_inner=False)]
    moves += [move for row in inner for move in _moves(row, owner.lower(), is_inner=True)]
    unpaid = dict(found for row in own for found in _unpaid(row, owner.lower()))
    return CoinFlows(
        [move for move in moves if move.at >= since],
        {txid: at for txid, at in unpaid.items() if at >= since},
    )


async def inner_payments(nodes: Nodes, txid: str) -> list[tuple[str, str, int]]:
    """Return what contracts paid in a transaction: payer, payee and amount in the smallest unit.

    Blockscout looks into transactions some time after it has their block.

    Raises:
        NodeRefused: when the explorer refuses.
        ConnectorFailure: when it gives no usable answer, or has not looked into it yet.
    """
    query = {"module": "account", "action": "txlistinternal", "txhash": txid}
    rows = _rows_of(await nodes.get("/api", query))
    if not rows:
        raise _unusable("has not looked into a transaction yet")
    return [
        (
            str(row.get("from") or "").lower(),
            str(row.get("to") or "").lower(),
            _number(row.get("value")) or 0,
        )
        for row in rows
        if row.get("isError") != "1" and str(row.get("callType")) not in _NO_MONEY
    ]


async def _block_after(nodes: Nodes, since: Millis) -> int:
    query: dict[str, str | int] = {
        "module": "block",
        "action": "getblocknobytime",
        "timestamp": since // SECOND,
        "closest": "before",
    }
    answer = await nodes.get("/api", query)
    result = answer.get("result") if isinstance(answer, dict) else None
    number = result.get("blockNumber") if isinstance(result, dict) else result
    if not isinstance(number, str | int) or not str(number).isdecimal():
        raise _unusable("does not tell the block of a moment")
    return int(number)


async def rows_from(
    nodes: Nodes, action: str, owner: str, block: int
) -> Sequence[Mapping[str, object]]:
    """Return the first `PAGE` transactions of a list from a block on, the oldest first.

    Raises:
        NodeRefused: when the explorer refuses.
        ConnectorFailure: when it gives no usable answer.
    """
    return await _page(nodes, action, owner, {"startblock": block}, 1)


async def _rows(
    nodes: Nodes, action: str, owner: str, span: Mapping[str, int]
) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for page in range(1, PAGES + 1):
        rows = await _page(nodes, action, owner, span, page)
        found += rows
        if len(rows) < PAGE:
            return found
    raise _unusable("has more transactions than are read at once")


async def _page(
    nodes: Nodes, action: str, owner: str, span: Mapping[str, int], page: int
) -> Sequence[Mapping[str, object]]:
    query: dict[str, str | int] = {
        "module": "account",
        "action": action,
        "address": owner,
        **span,
        "sort": "asc",
        "page": page,
        "offset": PAGE,
    }
    return _rows_of(await nodes.get("/api", query))


def _rows_of(answer: object) -> Sequence[Mapping[str, object]]:
    rows = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unusable("answered no list of transactions")
    return rows


def _moves(row: Mapping[str, object], owner: str, *, is_inner: bool) -> Iterator[Native]:
    """Yield the movement that a row tells: none for what failed or moved nothing."""
    amount, seconds = _number(row.get("value")), _number(row.get("timeStamp"))
    txid = str(row.get("transactionHash" if is_inner else "hash") or row.get("hash") or "").lower()
    if row.get("isError") == "1" or row.get("txreceipt_status") == "0" or not txid:
        return
    index = str(row.get("index") or row.get("traceId") or "0")
    if is_inner and (str(row.get("callType")) in _NO_MONEY or index == "0"):
        return
    if not amount or seconds is None:
        return
    payer, payee = str(row.get("from") or "").lower(), str(row.get("to") or "").lower()
    part = f"inner-{index}" if is_inner else "native"
    at = Millis(seconds * SECOND)
    if payer == owner != payee:
        yield Native("out", payee, amount, txid, part, at)
    elif payee == owner != payer:
        yield Native("in", payer, amount, txid, part, at)


def _unpaid(row: Mapping[str, object], owner: str) -> Iterator[tuple[str, Millis]]:
    """Yield the id and the moment of an own transaction that paid for no gas.

    Blockscout tells its price as "0", or as nothing where its node did not tell it.
    """
    seconds, txid = _number(row.get("timeStamp")), str(row.get("hash") or "").lower()
    is_own = str(row.get("from")).lower() == owner
    if is_own and row.get("gasPrice") in ("0", "") and txid and seconds is not None:
        yield txid, Millis(seconds * SECOND)


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() else None


def _unusable(what: str) -> ConnectorFailure:
    return ConnectorFailure(FailureKind.UNEXPECTED_ANSWER, f"The explorer {what}.", code="explorer")
