"""Asks nodes of Solana, always for what is final.

Source: https://solana.com/docs/rpc. Accounts are asked for as bytes, which every node gives.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.answers import odd_answer, taken
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.solana.layout import STAKE, WITHDRAWER_AT
from coffers.connectors.reading import ConnectorFailure, FailureKind

GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
"""The hash of the first block of the main network."""

STALE = Millis(10 * MINUTE)
"""A node whose last final block is older than this is behind."""

ACCOUNTS_AT_ONCE = 100
"""Accounts that `getMultipleAccounts` takes."""

UNFIT = frozenset({-32004, -32005, -32010, -32011, -32014, -32016, -32429, -32601, -32603})
"""Codes of a node that is behind, overloaded, or does not serve a method or an index."""

NEWEST = 1
"""The newest version of transactions that is understood; a node refuses to tell a newer one."""

_FINAL = {"commitment": "finalized"}
_Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account: where it lies, whose it is, and what is in it."""

    address: str
    program: str
    lamports: int
    data: bytes


@dataclass(frozen=True, slots=True)
class At:
    """Something as it was in a slot."""

    slot: int
    accounts: tuple[FoundAccount, ...]


class _Context(msgspec.Struct):
    slot: _Count


class _Account(msgspec.Struct):
    lamports: _Count
    owner: str
    data: tuple[str, str]


class _Keyed(msgspec.Struct):
    pubkey: str
    account: _Account


class _One(msgspec.Struct):
    context: _Context
    value: _Account | None


class _Many(msgspec.Struct):
    context: _Context
    value: list[_Account | None]


class _All(msgspec.Struct):
    context: _Context
    value: list[_Keyed]


class Signature(msgspec.Struct):
    """A transaction of a history; `block_time` is in seconds."""

    signature: str
    slot: _Count
    block_time: _Count | None = msgspec.field(name="blockTime", default=None)


class Cluster:
    """Asks the nodes of the main network."""

    def __init__(self, nodes: Nodes, clock: Clock) -> None:
        self._nodes = nodes
        self._clock = clock
        nodes.admit_only("getGenesisHash", [], lambda result: result == GENESIS)

    async def account(self, address: str) -> At:
        """Return an account as it is now; none where nothing was ever sent there."""
        answer = await self._ask("getAccountInfo", [address, {**_FINAL, "encoding": "base64"}])
        one = taken(_One, answer, "an account")
        found = () if one.value is None else (_found(address, one.value),)
        return At(one.context.slot, found)

    async def refuse_stale(self, slot: int) -> None:
        """Raise the failure where a slot is not of these minutes.

        Nodes tell no time of some of the last blocks; that says nothing.
        """
        time = await self.time_of(slot)
        if time is not None and self._clock.now() - time > STALE:
            raise ConnectorFailure(
                FailureKind.VENUE_DOWN, "The node of Solana is behind its chain.", code="stale"
            )

    async def first_slot(self) -> int:
        """Return the first slot of which a node still has the transactions."""
        return taken(int, await self._ask("getFirstAvailableBlock", []), "its first block")

    async def time_of(self, slot: int) -> Millis | None:
        """Return when the block of a slot was made, None where no node tells."""
        try:
            answer = await self._nodes.call("getBlockTime", [slot])
        except NodeRefused:
            return None
        return None if answer is None else Millis(taken(int, answer, "a block's time") * SECOND)

    async def tokens(self, owner: str, program: str, slot: int) -> At:
        """Return the accounts of an owner at a token program, in that slot or a later one."""
        given = [owner, {"programId": program}, self._since(slot)]
        answer = await self._ask("getTokenAccountsByOwner", given)
        return _at(taken(_All, answer, "token accounts"))

    async def stakes(self, withdrawer: str, slot: int) -> At:
        """Return the stake accounts from which an address may withdraw."""
        filters = [{"memcmp": {"offset": WITHDRAWER_AT, "bytes": withdrawer}}]
        options = {**self._since(slot), "withContext": True, "filters": filters}
        answer = await self._ask("getProgramAccounts", [STAKE, options])
        return _at(taken(_All, answer, "stake accounts"))

    async def accounts(self, addresses: Sequence[str], slot: int) -> list[FoundAccount | None]:
        """Return accounts by their addresses, None for those that do not exist."""
        found: list[FoundAccount | None] = []
        for begin in range(0, len(addresses), ACCOUNTS_AT_ONCE):
            some = addresses[begin : begin + ACCOUNTS_AT_ONCE]
            answer = await self._ask("getMultipleAccounts", [list(some), self._since(slot)])
            values = taken(_Many, answer, "accounts").value
            if len(values) != len(some):
                raise odd_answer("accounts")
            for address, value in zip(some, values, strict=True):
                found.append(None if value is None else _found(address, value))
        return found

    async def history(
        self, address: str, slot: int, before: str | None, most: int
    ) -> list[Signature]:
        """Return transactions that name an address, the newest first.

        A node tells those alone that it still has, and none before one that it does not know.
        """
        options: dict[str, Any] = {**_FINAL, "limit": most, "minContextSlot": slot}
        if before is not None:
            options["before"] = before
        answer = await self._ask("getSignaturesForAddress", [address, options])
        return taken(list[Signature], answer, "a history")

    async def transaction(self, signature: str) -> object:
        """Return a transaction as the node tells it."""
        options = {**_FINAL, "encoding": "json", "maxSupportedTransactionVersion": NEWEST}
        return await self._ask("getTransaction", [signature, options])

    def _since(self, slot: int) -> dict[str, Any]:
        return {**_FINAL, "encoding": "base64", "minContextSlot": slot}

    async def _ask(self, method: str, given: list[Any]) -> object:
        try:
            return await self._nodes.call(method, given, unfit=UNFIT)
        except NodeRefused as refusal:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                f"The node of Solana refused {method}: {refusal}.",
                code=str(refusal.code),
            ) from None


def _at(answer: _All) -> At:
    accounts = tuple(_found(keyed.pubkey, keyed.account) for keyed in answer.value)
    if len({found.address for found in accounts}) != len(accounts):
        raise odd_answer("accounts")
    return At(answer.context.slot, accounts)


def _found(address: str, account: _Account) -> FoundAccount:
    text, encoding = account.data
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise odd_answer("an account") from None
    if encoding != "base64":
        raise odd_answer("an account")
    return FoundAccount(address, account.owner, account.lamports, data)
