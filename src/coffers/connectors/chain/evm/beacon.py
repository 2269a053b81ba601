"""Staked ether: validators by their indices, their public keys, or the address that they are of."""

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from coffers.clock import DAY, Millis, is_recent
from coffers.connectors.chain.evm import address, ens
from coffers.connectors.chain.evm.beacon_node import (
    BeaconNode,
    Validator,
    epoch_of,
    slot_of,
    unusable,
)
from coffers.connectors.chain.evm.blocks import quantity
from coffers.connectors.chain.evm.deposits import Deposit, names
from coffers.connectors.chain.evm.holdings import in_units
from coffers.connectors.chain.evm.ownership import OwnerSearch, belongs
from coffers.connectors.chain.evm.staking_flows import deposited, paid_out
from coffers.connectors.chain.evm.staking_memory import Memory, Notes, closed
from coffers.connectors.chain.evm.withdrawals import Withdrawal
from coffers.connectors.chain.memory import opened
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.reader import Surroundings
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.valuation.model import Flow, Position

MOST = 200
"""Validators of one account that are named one by one."""

MOST_ADDRESSES = 20
"""Addresses of one account."""

MOST_OWNED = 5_000
"""Validators that the addresses of one account may have."""

SEARCH = 45.0
"""Seconds after which a search leaves the rest for the next reading."""

QUEUE_TOLD = Millis(7 * DAY)
"""For how long a node that told what waits to be taken is waited for to tell it again."""

SEEN_AT_MOST = 3
"""How often validators and what waits are asked for until they are of one epoch."""

_GWEI = 9
_INDEX = re.compile(r"[0-9]{1,9}")
_KEY = re.compile(r"0x[0-9a-fA-F]{96}")
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_PARTS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of the addresses: what they were paid, and what is not known of them."""

    payments: Sequence[Withdrawal]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the beacon chain tells at its `head`.

    `queued` is what it did not take yet, as far as it was asked for; None where no node tells.
    """

    head: Millis
    validators: Sequence[Validator]
    known: frozenset[str]
    queued: frozenset[tuple[str, int]] | None


class ValidatorReader:
    """Reads validators; their "address" is a list of addresses, indices and public keys."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._coin = surroundings.chain.asset
        chain_id = int(surroundings.chain.parameters["chain_id"])
        self._beacon = BeaconNode(surroundings.nodes("beacon"), chain_id, surroundings.clock)
        self._nodes: Nodes = surroundings.nodes("urls")
        self._nodes.admit_only("eth_chainId", [], lambda answer: quantity(answer) == chain_id)
        self._explorer: Nodes = surroundings.nodes("blockscout")

    def checked(self, text: str) -> str:
        """Return addresses and validators in order, each once, with commas between them.

        Raises:
            AddressRefused: for anything but addresses, indices and public keys.
        """
        parts = _parts(text)
        if not parts or not all(_is_one(part) for part in parts):
            raise AddressRefused(
                AddressFault.MALFORMED,
                "must be an address, or the indices or the public keys of validators, with commas "
                "between them",
            )
        owners = sorted({address.checked(part) for part in parts if _ADDRESS.fullmatch(part)})
        indices = sorted({int(part) for part in parts if _INDEX.fullmatch(part)})
        keys = sorted({part.lower() for part in parts if _KEY.fullmatch(part)})
        if len(indices) + len(keys) > MOST:
            raise AddressRefused(AddressFault.MALFORMED, f"names more than {MOST} validators")
        if len(owners) > MOST_ADDRESSES:
            raise AddressRefused(
                AddressFault.MALFORMED, f"has more than {MOST_ADDRESSES} addresses"
            )
        return ",".join([*owners, *map(str, indices), *keys])

    async def resolved(self, text: str) -> str:
        """Return `checked`, with the addresses of names of the Ethereum Name Service.

        Raises:
            AddressRefused: also for a name that stands for no address.
            ConnectorFailure: when no node could be asked.
        """
        parts = [
            await ens.resolved(self._nodes, part)
            if ens.is_name(part) and not _is_one(part)
            else part
            for part in _parts(text)
        ]
        return self.checked(",".join(parts))

    def overlaps(self, one: str, other: str) -> bool:
        """Return whether two canonical texts name the same address or validator alike."""
        return not set(one.split(",")).isdisjoint(other.split(","))

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the validators hold.

        Nobody tells what others deposited, so the flows are not known, though those that are told
        are right.

        Raises:
            ConnectorFailure: when no node answers, one validator that was named is not known to
                it, or the validators of an address cannot be looked for.
        """
        at = self._around.clock.now()
        parts = address.split(",")
        owners = [part for part in parts if _ADDRESS.fullmatch(part)]
        named = [part for part in parts if not _ADDRESS.fullmatch(part)]
        memory = opened(request.memory, Memory)
        await self._beacon.check_chain()
        found = await self._searched(owners, memory)
        since = request.flows_since
        flows: list[Flow] = []
        if since is not None:
            flows += paid_out(found.payments, since, self._around.chain, "out")
        if "staked" in found.missing:
            # The search is not through yet: what was found of it is no amount.
            return Reading(
                at,
                frozenset(),
                (),
                found.missing,
                tuple(flows),
                flows_known=False,
                memory=closed(memory),
            )
        seen = await self._seen(named, memory)
        if any(each.at > seen.head for each in found.payments):
            raise unusable("is behind the explorer")
        _refuse_unknown(named, seen.validators)
        own = _own(seen.validators, named, memory)
        known, kept = seen.known, {each.key for each in own}
        waits = self._waits(memory, seen)
        waiting = _waiting(known, kept, memory, waits)
        if since is not None:
            flows += deposited(memory.owners.values(), waits, kept, since, self._around.chain)
        positions = [self._position("staked", sum(each.gwei for each in own))]
        if waiting:
            positions.append(self._position("pending", waiting))
        return Reading(
            at,
            frozenset({"staked", "pending"} if owners else {"staked"}),
            tuple(positions),
            found.missing,
            tuple(flows),
            # What nobody tells of may be missing; what is told is all there.
            flows_known=False,
            flows_until=at,
            counted=_names(own),
            memory=closed(memory) if owners else None,
        )

    async def _seen(self, named: Iterable[str], memory: Memory) -> _Seen:
        """Return the validators, and what waits where that is of one of them.

        Both are of one epoch: what is taken in between would be in neither, or in both.

        Raises:
            ConnectorFailure: as `read`; also when epochs end too often meanwhile.
        """
        untold = {each.key for notes in memory.owners.values() for each in notes.untold}
        for _ in range(SEEN_AT_MOST):
            head = await self._beacon.head_at()
            validators = await self._beacon.validators(_wanted(named, memory))
            known = frozenset(each.key for each in validators)
            if untold.isdisjoint(known):
                return _Seen(head, validators, known, frozenset())
            queued = await self._beacon.queued(untold)
            if queued is None or epoch_of(await self._beacon.head_at()) == epoch_of(head):
                if queued is not None:
                    memory.queue_told_at = self._around.clock.now()
                return _Seen(head, validators, known, queued)
        raise unusable("tells too slowly what waits")

    def _waits(self, memory: Memory, seen: _Seen) -> Callable[[Deposit], bool]:
        """Return what tells whether the beacon chain has not taken a deposit yet.

        It may know the validator, and take what is added to it days later. While no node tells that
        told it lately, all that was not told yet waits: it was in the queue.
        """
        is_held = is_recent(memory.queue_told_at, QUEUE_TOLD, self._around.clock.now())

        def waits(made: Deposit) -> bool:
            slot, queued = slot_of(made.at), seen.queued
            is_queued = is_held if queued is None else (made.key, slot) in queued
            return made.key not in seen.known or is_queued or made.at > seen.head

        return waits

    async def _searched(self, owners: Sequence[str], memory: Memory) -> _Found:
        """Look for the validators of addresses."""
        for gone in memory.owners.keys() - set(owners):
            del memory.owners[gone]
        if owners and not self._explorer:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                "The validators of an address are found by an explorer: name one (blockscout) "
                "under [ethereum] in the file of COFFERS_CHAINS_FILE, or connect the validators by "
                "their indices.",
                code="no_explorer",
            )
        loop = asyncio.get_running_loop()
        end = loop.time() + SEARCH
        payments: list[Withdrawal] = []
        missing: dict[str, str] = {}
        for owner in owners:
            notes = memory.of(owner)
            search = OwnerSearch(
                self._nodes, self._explorer, owner, notes, lambda: loop.time() >= end
            )
            reason = await _looked(search, notes)
            payments += search.payments.values()
            if reason is not None:
                missing["new validators" if notes.is_whole else "staked"] = reason
        if len(_candidates(memory)) > MOST_OWNED:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                f"The addresses have more than {MOST_OWNED} validators.",
                code="too_many",
            )
        return _Found(payments, missing)

    def _position(self, part: str, gwei: int) -> Position:
        units = in_units(gwei, _GWEI)
        if units is None:
            raise unusable("tells a balance that cannot be")
        return Position(part, self._coin, self._coin, units)


async def _looked(search: OwnerSearch, notes: Notes) -> str | None:
    """Look for an address's validators; return why they are not all known, None where they are."""
    try:
        if await search.look():
            return None
    except NodeRefused as refusal:
        failure = ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER,
            f"The validators of an address could not be looked for: {refusal}.",
            code="explorer_refused",
        )
    except ConnectorFailure as failed:
        failure = failed
    else:
        count = len(notes.paid) + len(notes.deposits)
        return f"Up to {count} validators found so far; the search goes on with the next reading."
    if not notes.is_whole:
        raise failure
    return str(failure)


def _parts(text: str) -> list[str]:
    return [part for part in _PARTS.split(text.strip()) if part]


def _is_one(part: str) -> bool:
    return any(form.fullmatch(part) for form in (_INDEX, _KEY, _ADDRESS))


def _candidates(memory: Memory) -> set[str]:
    notes = memory.owners.values()
    keys = {key for each in notes for key in each.deposits}
    return keys | {str(index) for each in notes for index in each.paid}


def _wanted(named: Iterable[str], memory: Memory) -> list[str]:
    return sorted({*named, *_candidates(memory)})


def _refuse_unknown(named: Iterable[str], validators: Iterable[Validator]) -> None:
    known = {name for each in validators for name in (each.index, each.key)}
    unknown = set(named) - known
    if unknown:
        raise unusable(f"does not know {len(unknown)} of the validators")


def _own(validators: Iterable[Validator], named: Iterable[str], memory: Memory) -> list[Validator]:
    """Return the validators that count: those that are named, and those of the addresses."""
    wanted = set(named)
    if memory.owners and not all(each.credentials for each in validators):
        raise unusable("does not tell whom a validator pays")
    return [
        each
        for each in validators
        if wanted & {each.index, each.key}
        or any(belongs(each, owner, notes) for owner, notes in memory.owners.items())
    ]


def _names(validators: Iterable[Validator]) -> frozenset[str]:
    """Return all that may stand for validators that hold something in a canonical text."""
    found: set[str] = set()
    for each in validators:
        if each.gwei:
            found |= {each.index, each.key}
            payee = names(each.credentials) if each.credentials else None
            found |= {address.checksummed(payee)} if payee else set()
    return frozenset(found)


def _waiting(
    known: Collection[str],
    own: Collection[str],
    memory: Memory,
    waits: Callable[[Deposit], bool],
) -> int:
    """Return what was deposited and the beacon chain has not taken yet.

    That is all of the keys that it does not know, and what was added to the own validators.
    """
    notes = memory.owners.values()
    unknown = sum(gwei for each in notes for key, gwei in each.deposits.items() if key not in known)
    made = (deposit for each in notes for deposit in each.untold if deposit.key in own)
    return unknown + sum(deposit.gwei for deposit in made if waits(deposit))
