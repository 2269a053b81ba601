"""Asks nodes of Tron for what is solid, and TronGrid's index for histories.

Sources: https://developers.tron.network/reference/full-node-api-overview and
https://developers.tron.network/reference/trongrid-api-overview. A node of one's own answers all but
`/v1`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from coffers.clock import MINUTE, Clock, Millis
from coffers.connectors.chain.answers import odd_answer, taken
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.tron.address import in_hex
from coffers.connectors.reading import ConnectorFailure, FailureKind

GENESIS_END = "2b6653dc"
"""The last digits of the hash of the main network's first block, which are its chain id."""

BLACK_HOLE = "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"
"""An account that every node of the main network knows: where burnt coins went."""

STALE = Millis(10 * MINUTE)
"""A node whose last solid block is older than this is behind."""

ROWS = 200
"""Rows of a page of TronGrid's."""

_WORD = 64

_Count = Annotated[int, msgspec.Meta(ge=0)]


class _RawHeader(msgspec.Struct):
    timestamp: _Count = 0


class _Header(msgspec.Struct):
    raw_data: _RawHeader


class _Block(msgspec.Struct):
    block_id: str = msgspec.field(name="blockID")
    block_header: _Header


class _Frozen(msgspec.Struct):
    frozen_balance: _Count = 0


class _FrozenV2(msgspec.Struct):
    amount: _Count = 0


class _Unfrozen(msgspec.Struct):
    unfreeze_amount: _Count = 0


class _Resource(msgspec.Struct):
    frozen_balance_for_energy: _Frozen = msgspec.field(default_factory=_Frozen)
    delegated_frozen_balance_for_energy: _Count = 0
    delegated_v2: _Count = msgspec.field(name="delegated_frozenV2_balance_for_energy", default=0)


class _Asset(msgspec.Struct):
    key: str
    value: _Count


class Account(msgspec.Struct):
    """An account; the node leaves out what is nothing. Amounts are in sun."""

    address: str
    balance: _Count = 0
    frozen: list[_Frozen] = []
    frozen_v2: list[_FrozenV2] = msgspec.field(name="frozenV2", default_factory=list)
    unfrozen_v2: list[_Unfrozen] = msgspec.field(name="unfrozenV2", default_factory=list)
    account_resource: _Resource = msgspec.field(default_factory=_Resource)
    delegated_frozen_balance_for_bandwidth: _Count = 0
    delegated_v2: _Count = msgspec.field(name="delegated_frozenV2_balance_for_bandwidth", default=0)
    assets: list[_Asset] = msgspec.field(name="assetV2", default_factory=list)

    @property
    def staked(self) -> int:
        """What is staked, delegated to others or being unstaked; it stays the account's."""
        resource = self.account_resource
        return (
            sum(each.frozen_balance for each in self.frozen)
            + sum(each.amount for each in self.frozen_v2)
            + sum(each.unfreeze_amount for each in self.unfrozen_v2)
            + resource.frozen_balance_for_energy.frozen_balance
            + resource.delegated_frozen_balance_for_energy
            + resource.delegated_v2
            + self.delegated_frozen_balance_for_bandwidth
            + self.delegated_v2
        )


class _Reward(msgspec.Struct):
    reward: _Count


class _Went(msgspec.Struct):
    result: bool = False


class _Constant(msgspec.Struct):
    result: _Went
    constant_result: list[str] = []


class Meta(msgspec.Struct):
    """What TronGrid says of a page."""

    fingerprint: str | None = None


class GridPage(msgspec.Struct):
    """A page of TronGrid's index."""

    success: bool
    data: list[dict[str, Any]]
    meta: Meta


@dataclass(frozen=True, slots=True)
class Contract:
    """What a contract is asked: a function without arguments, or of one address."""

    address: str
    function: str
    argument: str = ""


class Node:
    """Asks the nodes of the main network."""

    def __init__(self, nodes: Nodes, clock: Clock) -> None:
        self._nodes = nodes
        self._clock = clock
        nodes.admit_only_by("/walletsolidity/getblockbynum", {"num": 0}, _is_main)

    async def solid_at(self) -> Millis:
        """Return when the last solid block was made.

        Raises:
            ConnectorFailure: also when that was not in these minutes.
        """
        answer = await self._post("/walletsolidity/getnowblock", {})
        block = taken(_Block, answer, "the last block")
        time = Millis(block.block_header.raw_data.timestamp)
        if self._clock.now() - time > STALE:
            raise ConnectorFailure(
                FailureKind.VENUE_DOWN, "The node of Tron is behind its chain.", code="stale"
            )
        return time

    async def account(self, address: str) -> Account | None:
        """Return an account, None where it was never activated.

        A node says that by an empty answer, and so does much that is broken: it is believed only
        of a node that tells another account.
        """
        answer = await self._account(address)
        if answer == {} and await self._account(BLACK_HOLE) != {}:
            return None
        account = taken(Account, answer, "an account")
        if account.address != address:
            raise odd_answer("an account")
        return account

    async def reward(self, address: str) -> int:
        """Return the rewards for votes that were not yet withdrawn, in sun."""
        answer = await self._post(
            "/walletsolidity/getReward", {"address": address, "visible": True}
        )
        return taken(_Reward, answer, "rewards").reward

    async def ask(self, question: Contract, owner: str) -> bytes:
        """Return what a contract answers.

        Raises:
            ConnectorFailure: also when it answers nothing or the call is reverted.
        """
        body = {
            "owner_address": owner,
            "contract_address": question.address,
            "function_selector": question.function,
            "parameter": question.argument,
            "visible": True,
        }
        answer = await self._post("/walletsolidity/triggerconstantcontract", body)
        told = taken(_Constant, answer, "a contract")
        if not told.result.result or len(told.constant_result) != 1:
            raise odd_answer("a contract")
        try:
            data = bytes.fromhex(told.constant_result[0])
        except ValueError:
            raise odd_answer("a contract") from None
        if not data or len(data) % (_WORD // 2):
            raise odd_answer("a contract")
        return data

    async def balance_of(self, contract: str, owner: str) -> int:
        """Return the raw balance of a TRC-20 token; raises as `ask`."""
        argument = in_hex(owner)[2:].rjust(_WORD, "0")
        data = await self.ask(Contract(contract, "balanceOf(address)", argument), owner)
        if len(data) != _WORD // 2:
            raise odd_answer("a contract")
        return int.from_bytes(data, "big")

    async def grid(self, path: str, params: dict[str, str | int]) -> GridPage | None:
        """Return a page of TronGrid's index, None where the node has none."""
        try:
            answer = await self._nodes.get(path, {"only_confirmed": "true", **params})
        except NodeRefused:
            return None
        page = taken(GridPage, answer, "the index")
        if not page.success:
            raise odd_answer("the index")
        return page

    async def asset(self, id_: str) -> dict[str, Any]:
        """Return what a TRC-10 token says of itself."""
        answer = await self._post("/walletsolidity/getassetissuebyid", {"value": id_})
        return taken(dict[str, Any], answer, "a token")

    async def _account(self, address: str) -> object:
        body = {"address": address, "visible": True}
        return await self._post("/walletsolidity/getaccount", body)

    async def _post(self, path: str, body: dict[str, Any]) -> object:
        try:
            answer = await self._nodes.post(path, body)
        except NodeRefused as refusal:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                f"The node of Tron refused {path}: {refusal}.",
                code=str(refusal.status),
            ) from None
        if isinstance(answer, dict) and "Error" in answer:
            raise odd_answer(path)
        return answer


def _is_main(answer: object) -> bool:
    hash_ = answer.get("blockID") if isinstance(answer, dict) else None
    return isinstance(hash_, str) and hash_.endswith(GENESIS_END)
