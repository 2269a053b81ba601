"""Asks nodes of Cosmos chains over REST, all balances at one height.

Source: https://docs.cosmos.network/api. A node is asked for an earlier state by a header.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.answers import odd_answer, taken
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.chains import Chain

NETWORKS = {"cosmos": "cosmoshub-4", "osmosis": "osmosis-1", "celestia": "celestia"}
"""How the main networks call themselves, by the ids of the chains."""

STALE = Millis(10 * MINUTE)
"""A node whose last block is older than this is behind."""

BEHIND = 2
"""Blocks below the last one that are read, since several nodes behind one address differ."""

MOST_PAGES = 20
"""Pages that are read of one list."""

ROWS = 100
"""Transactions of a page."""

HEIGHT = "x-cosmos-block-height"

_T = TypeVar("_T")


class Coin(msgspec.Struct, frozen=True):
    """An amount of a denomination in its smallest unit."""

    denom: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z][a-zA-Z0-9/:._-]{1,127}$")]
    amount: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,78}$")]


class _One(msgspec.Struct, frozen=True):
    balance: Coin


class DecCoin(msgspec.Struct, frozen=True):
    """An amount with a fraction of the smallest unit, as rewards are kept."""

    denom: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z][a-zA-Z0-9/:._-]{1,127}$")]
    amount: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,78}(?:\.[0-9]{1,18})?$")]


class Delegation(msgspec.Struct, frozen=True):
    """What is staked with one validator."""

    balance: Coin


class _Entry(msgspec.Struct, frozen=True):
    balance: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,78}$")]


class Unbonding(msgspec.Struct, frozen=True):
    """What is on its way back from one validator."""

    entries: list[_Entry]


class Reward(msgspec.Struct, frozen=True):
    """What a validator owes; a claim pays whole units."""

    reward: list[DecCoin]


class _Rewards(msgspec.Struct, frozen=True):
    rewards: list[Reward]
    total: list[DecCoin]


class _Header(msgspec.Struct, frozen=True):
    chain_id: str
    height: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}$")]
    time: str


class _Inner(msgspec.Struct, frozen=True):
    header: _Header


class _Block(msgspec.Struct, frozen=True):
    block: _Inner


class _Pagination(msgspec.Struct, frozen=True):
    next_key: str | None = None


class Attribute(msgspec.Struct, frozen=True):
    """A part of an event."""

    key: str
    value: str | None = None


class Event(msgspec.Struct, frozen=True):
    """Something that happened in a transaction."""

    type: str
    attributes: list[Attribute]


class Transaction(msgspec.Struct, frozen=True):
    """A transaction with its events; `code` is not zero where it failed."""

    txhash: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{64}$")]
    height: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}$")]
    timestamp: str
    events: list[Event]
    code: int = 0


class _Found(msgspec.Struct, frozen=True):
    tx_responses: list[Transaction]


@dataclass(frozen=True, slots=True)
class Block:
    """A block's height and when it was made."""

    height: int
    at: Millis


class Lcd:
    """Asks the nodes of one chain."""

    def __init__(self, nodes: Nodes, chain: Chain, clock: Clock) -> None:
        self._nodes = nodes
        self._chain = chain
        self._clock = clock

    async def latest(self) -> Block:
        """Return the last block.

        Raises:
            ConnectorFailure: also when that was not in these minutes, or on another network.
        """
        block = await self.block("latest")
        if self._clock.now() - block.at > STALE:
            raise ConnectorFailure(
                FailureKind.VENUE_DOWN,
                f"The node of {self._chain.name} is behind its chain.",
                code="stale",
            )
        return block

    async def block(self, height: int | str) -> Block:
        """Return a block; raises also where the node does not have it any more."""
        path = f"/cosmos/base/tendermint/v1beta1/blocks/{height}"
        header = taken(_Block, await self._ask(path), "a block").block.header
        if header.chain_id != NETWORKS.get(self._chain.id, header.chain_id):
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                f"The configured node is not one of {self._chain.name}'s main network.",
                code="other_chain",
            )
        if height not in {"latest", int(header.height)}:
            raise odd_answer("a block")
        return Block(int(header.height), moment(header.time))

    async def balances(self, address: str, height: int, wanted: Iterable[str]) -> list[Coin]:
        """Return what an address can spend, and what vests.

        Anybody can send more denominations than are read: then those that are wanted are asked for
        one by one, and others are left out.
        """
        path = f"/cosmos/bank/v1beta1/balances/{address}"
        found, is_all = await self._first_pages(Coin, path, "balances", height)
        if not is_all:
            lacking = set(wanted) - {coin.denom for coin in found}
            found += [await self._balance(address, denom, height) for denom in sorted(lacking)]
        return found

    async def _balance(self, address: str, denom: str, height: int) -> Coin:
        path = f"/cosmos/bank/v1beta1/balances/{address}/by_denom"
        coin = taken(_One, await self._ask(path, {"denom": denom}, height), "balances").balance
        if coin.denom != denom:
            raise odd_answer("balances")
        return coin

    async def delegations(self, address: str, height: int) -> list[Delegation]:
        """Return what an address has staked."""
        path = f"/cosmos/staking/v1beta1/delegations/{address}"
        return await self._pages(Delegation, path, "delegation_responses", height)

    async def unbondings(self, address: str, height: int) -> list[Unbonding]:
        """Return what an address has taken out of a stake and waits for."""
        path = f"/cosmos/staking/v1beta1/delegators/{address}/unbonding_delegations"
        return await self._pages(Unbonding, path, "unbonding_responses", height)

    async def rewards(self, address: str, height: int) -> list[Reward]:
        """Return what an address may claim."""
        path = f"/cosmos/distribution/v1beta1/delegators/{address}/rewards"
        return taken(_Rewards, await self._ask(path, height=height), "rewards").rewards

    async def trace(self, digits: str) -> object:
        """Return what a node says where a token came from, in the form of its version."""
        base = "/ibc/apps/transfer/v1"
        try:
            return await self._nodes.get(f"{base}/denom_traces/{digits}")
        except NodeRefused:
            return await self._ask(f"{base}/denoms/{digits}")

    async def transactions(self, query: str) -> list[Transaction]:
        """Return transactions that fit a query, the newest first, at most `ROWS`."""
        params: dict[str, str | int] = {
            "query": query,
            "order_by": "ORDER_BY_DESC",
            "page": 1,
            "limit": ROWS,
        }
        answer = await self._ask("/cosmos/tx/v1beta1/txs", params)
        return taken(_Found, answer, "a history").tx_responses

    async def _pages(self, kind: type[_T], path: str, name: str, height: int) -> list[_T]:
        found, is_all = await self._first_pages(kind, path, name, height)
        if not is_all:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED, f"The wallet has too many {name}.", code="too_many"
            )
        return found

    async def _first_pages(
        self, kind: type[_T], path: str, name: str, height: int
    ) -> tuple[list[_T], bool]:
        """Return the rows of as many pages as are read of one list, and whether these are all."""
        found: list[_T] = []
        params: dict[str, str | int] = {"pagination.limit": 200}
        for _ in range(MOST_PAGES):
            answer = taken(dict[str, Any], await self._ask(path, params, height), name)
            rows: list[_T] = taken(list[kind], answer.get(name), name)  # type: ignore[valid-type]
            found += rows
            key = taken(_Pagination, answer.get("pagination"), name).next_key
            if not key:
                return found, True
            params["pagination.key"] = key
        return found, False

    async def _ask(
        self, path: str, params: Mapping[str, str | int] | None = None, height: int | None = None
    ) -> object:
        headers = None if height is None else {HEIGHT: str(height)}
        try:
            return await self._nodes.get(path, params, headers)
        except NodeRefused as refusal:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                f"The node of {self._chain.name} refused a question: {refusal}.",
                code=str(refusal.status),
            ) from None


def moment(text: str) -> Millis:
    """Return the instant of a time as nodes write it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise odd_answer("a time") from None
    if time.tzinfo is None:
        raise odd_answer("a time")
    return Millis(int(time.timestamp() * SECOND))
