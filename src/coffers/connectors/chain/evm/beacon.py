"""Validators of Ethereum's beacon chain, by their indices or public keys: the staked ether.

Source: the Ethereum Beacon APIs (https://ethereum.github.io/beacon-APIs).
"""

import re
from collections.abc import Iterator, Sequence

from coffers.connectors.chain.evm.holdings import in_units
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.reader import Surroundings
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.valuation.model import Position

MOST = 200
"""Validators of one account."""

_AT_ONCE = 50
_GWEI = 9
_INDEX = re.compile(r"[0-9]{1,9}")
_KEY = re.compile(r"0x[0-9a-fA-F]{96}")
_PARTS = re.compile(r"[\s,;]+")


class ValidatorReader:
    """Reads validators; their "address" is a list of indices or public keys."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._chain_id = int(surroundings.chain.parameters["chain_id"])
        self._nodes: Nodes = surroundings.nodes("beacon")

    def checked(self, text: str) -> str:
        """Return the validators in order, each once, with commas between them.

        Raises:
            AddressRefused: for anything but indices and public keys.
        """
        parts = [part for part in _PARTS.split(text.strip()) if part]
        if not parts or not all(_INDEX.fullmatch(part) or _KEY.fullmatch(part) for part in parts):
            raise AddressRefused(
                AddressFault.MALFORMED,
                "must be the indices or the public keys of validators, with commas between them",
            )
        indices = sorted({int(part) for part in parts if _INDEX.fullmatch(part)})
        keys = sorted({part.lower() for part in parts if _KEY.fullmatch(part)})
        if len(indices) + len(keys) > MOST:
            raise AddressRefused(AddressFault.MALFORMED, f"names more than {MOST} validators")
        return ",".join([*map(str, indices), *keys])

    async def resolved(self, text: str) -> str:
        """Return `checked`: validators have no other names."""
        return self.checked(text)

    async def read(self, address: str, request: ReadRequest) -> Reading:  # noqa: ARG002  # the protocol's
        """Return what the validators hold.

        Rewards that are paid out leave the beacon chain for the withdrawal address; a node does
        not tell when, so the flows are not known.

        Raises:
            ConnectorFailure: when no node answers, or one validator is not known to it.
        """
        at = self._around.clock.now()
        await self._check_chain()
        wanted = address.split(",")
        gwei: dict[str, int] = {}
        try:
            for start in range(0, len(wanted), _AT_ONCE):
                gwei |= await self._balances(wanted[start : start + _AT_ONCE])
        except NodeRefused as refusal:
            raise _unusable(f"refused ({refusal})") from None
        units = in_units(sum(gwei.values()), _GWEI)
        if units is None:
            raise _unusable("tells a balance that cannot be")
        coin = self._around.chain.asset
        return Reading(
            at=at,
            wallets=frozenset({"staked"}),
            positions=(Position("staked", coin, coin, units),),
            flows_known=False,
        )

    async def _check_chain(self) -> None:
        try:
            answer = await self._nodes.get("/eth/v1/config/deposit_contract")
        except NodeRefused as refusal:
            raise _unusable(f"refused ({refusal})") from None
        told = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(told, dict) or str(told.get("chain_id")) != str(self._chain_id):
            raise _unusable("is one of another chain")

    async def _balances(self, wanted: Sequence[str]) -> dict[str, int]:
        """Return what each validator holds, by its index, so that none counts twice."""
        query = {"id": ",".join(wanted)}
        answer = await self._nodes.get("/eth/v1/beacon/states/head/validators", query)
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(rows, list):
            raise _unusable("answered no validators")
        if answer.get("execution_optimistic") is True:
            raise _unusable("has not checked its newest blocks yet")
        found = list(_told(rows))
        unknown = set(wanted) - {name for _, names, _ in found for name in names}
        if unknown:
            raise _unusable(f"does not know {len(unknown)} of the validators")
        return {index: balance for index, _, balance in found}


def _told(rows: Sequence[object]) -> Iterator[tuple[str, tuple[str, str], int]]:
    """Yield the index, both names and the balance of each validator."""
    for row in rows:
        inner = row.get("validator") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(inner, dict):
            raise _unusable("answered an odd validator")
        index, key = str(row.get("index")), str(inner.get("pubkey")).lower()
        balance = str(row.get("balance"))
        if not balance.isascii() or not balance.isdecimal():
            raise _unusable("tells no balance of a validator")
        yield index, (index, key), int(balance)


def _unusable(what: str) -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER, f"The beacon node {what}.", code="beacon_answer"
    )
