"""A node of the beacon chain: whether it can be believed, and what it tells of validators.

Source: the Ethereum Beacon APIs (https://ethereum.github.io/beacon-APIs).
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.evm.blocks import BEHIND
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

BATCH_SIZE = 50
"""Validators that one call asks for."""

_GENESIS = Millis(1_606_824_023 * SECOND)
_SLOT = Millis(12 * SECOND)
_EPOCH = 32
_CREDENTIALS = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Validator:
    """A validator as the newest state has it; the balance in billionths of an ether.

    `credentials` say whom it pays; "" where the node does not tell.
    """

    index: str
    key: str
    gwei: int
    credentials: str


class _Waiting(msgspec.Struct):
    """A deposit that waits, without what nobody here asks for."""

    pubkey: str
    slot: str


class _Queue(msgspec.Struct):
    data: list[_Waiting]


class BeaconNode:
    """Asks the beacon nodes of one chain."""

    def __init__(self, nodes: Nodes, chain_id: int, clock: Clock) -> None:
        self._nodes = nodes
        self._chain_id = chain_id
        self._clock = clock

    async def check_chain(self) -> None:
        """Make sure that the node is one of the chain.

        Raises:
            ConnectorFailure: when it is not, or no node answers.
        """
        answer = await self._get("/eth/v1/config/deposit_contract")
        told = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(told, dict) or str(told.get("chain_id")) != str(self._chain_id):
            raise unusable("is one of another chain")

    async def head_at(self) -> Millis:
        """Return the moment of the newest block.

        Raises:
            ConnectorFailure: when the node stands still, or none answers.
        """
        answer = await self._get("/eth/v1/beacon/headers/head")
        data = answer.get("data") if isinstance(answer, dict) else None
        header = data.get("header") if isinstance(data, dict) else None
        message = header.get("message") if isinstance(header, dict) else None
        slot = str(message.get("slot")) if isinstance(message, dict) else ""
        if not slot.isascii() or not slot.isdecimal():
            raise unusable("tells no newest block")
        at = Millis(_GENESIS + int(slot) * _SLOT)
        age = self._clock.now() - at
        if age > BEHIND:
            raise unusable(f"is {age // MINUTE} minutes behind")
        return at

    async def validators(self, wanted: Sequence[str]) -> list[Validator]:
        """Return those that the node knows of some indices and public keys, each once.

        Raises:
            ConnectorFailure: when no node gave a usable answer.
        """
        found: dict[str, Validator] = {}
        for start in range(0, len(wanted), BATCH_SIZE):
            query: dict[str, str | int] = {"id": ",".join(wanted[start : start + BATCH_SIZE])}
            answer = await self._get("/eth/v1/beacon/states/head/validators", query)
            rows = answer.get("data") if isinstance(answer, dict) else None
            if not isinstance(answer, dict) or not isinstance(rows, list):
                raise unusable("answered no validators")
            if answer.get("execution_optimistic") is True:
                raise unusable("has not checked its newest blocks yet")
            found |= {each.index: each for each in _told(rows)}
        return list(found.values())

    async def queued(self, keys: Container[str]) -> frozenset[tuple[str, int]] | None:
        """Return what the chain was given and did not take yet: by public key, and in which slot.

        That of some keys: all of it has tens of thousands of rows. None where no node tells: older
        ones do not, and the list is longer than some give away.
        """
        path = "/eth/v1/beacon/states/head/pending_deposits"
        try:
            answer = await self._nodes.get(path, form=_Queue)
        except (NodeRefused, ConnectorFailure):
            return None
        assert isinstance(answer, _Queue)  # noqa: S101 - the form that was asked for
        return frozenset(
            (key, int(row.slot))
            for row in answer.data
            if (key := row.pubkey.lower()) in keys and row.slot.isascii() and row.slot.isdecimal()
        )

    async def _get(self, path: str, query: dict[str, str | int] | None = None) -> object:
        try:
            return await self._nodes.get(path, query)
        except NodeRefused as refusal:
            raise unusable(f"refused ({refusal})") from None


def epoch_of(at: Millis) -> int:
    """Return the epoch of a moment: at the end of one the chain takes deposits, and only then."""
    return slot_of(at) // _EPOCH


def slot_of(at: Millis) -> int:
    """Return the slot of a moment."""
    return (at - _GENESIS) // _SLOT


def _told(rows: Sequence[object]) -> Iterator[Validator]:
    for row in rows:
        inner = row.get("validator") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(inner, dict):
            raise unusable("answered an odd validator")
        balance = str(row.get("balance"))
        if not balance.isascii() or not balance.isdecimal():
            raise unusable("tells no balance of a validator")
        credentials = str(inner.get("withdrawal_credentials")).lower()
        yield Validator(
            index=str(row.get("index")),
            key=str(inner.get("pubkey")).lower(),
            gwei=int(balance),
            credentials=credentials if _CREDENTIALS.fullmatch(credentials) else "",
        )


def unusable(what: str) -> ConnectorFailure:
    """Return the failure of a beacon node whose answer cannot be used."""
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER, f"The beacon node {what}.", code="beacon_answer"
    )
