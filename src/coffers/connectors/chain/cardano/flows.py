"""The deposits and withdrawals of a wallet of Cardano: what its transactions left in it.

Rewards that are withdrawn only change their part, and so does the deposit of the wallet's stake
key. That of a representative or of another key leaves the wallet, and may come back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.answers import signed_units, units
from coffers.connectors.chain.cardano.koios import BATCH_SIZE, ROWS, Koios, Part, Row, Transaction
from coffers.connectors.chain.changes import Change, flows_of
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk, cut_between_blocks
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

_OF_KEYS = frozenset({"stake_registration", "stake_deregistration"})
_OF_OTHERS = frozenset({"drep_registration", "drep_retire"})
_OF_POOL = "pool_update"
"""Certificates for which a transaction may pay a deposit, or get it back."""

SETTLED = 10
"""Blocks after which a transaction is told: the last ones may be replaced."""


class Memory(msgspec.Struct):
    """What one reading leaves for the next.

    `untold` is when the last transaction was of which it is not known what it moved, as one whose
    script failed.
    """

    trail: Trail = msgspec.field(default_factory=Trail)
    untold: int | None = None


@dataclass(slots=True)
class FlowSearch:
    """Looks through the transactions of a canonical address."""

    chain: Chain
    koios: Koios
    own: str
    memory: Memory
    is_late: Callable[[], bool]
    read_at: Millis
    flows: dict[str, list[Flow]] = field(default_factory=dict)

    async def since(self, since: Millis, tip: int) -> bool:
        """Find the flows since a moment; return whether these are all."""
        walk = Walk(lambda cursor: self._page(cursor, tip - SETTLED), self._take, self.is_late)
        try:
            is_whole = await walk.down(self.memory.trail, since, tip - SETTLED)
        except ConnectorFailure:
            return False
        return is_whole and (self.memory.untold or 0) < since

    async def _page(self, cursor: str | None, top: int) -> Page[Row]:
        rows = await self.koios.history(self.own, top if cursor is None else int(cursor))
        entries = [Entry(row.block_height, Millis(row.block_time * SECOND), row) for row in rows]
        return cut_between_blocks(entries, ROWS)

    async def _take(self, entries: Sequence[Entry[Row]]) -> None:
        for start in range(0, len(entries), BATCH_SIZE):
            some = entries[start : start + BATCH_SIZE]
            told = await self.koios.transactions([entry.what.tx_hash for entry in some])
            for entry, transaction in zip(some, told, strict=True):
                self._add(Millis(min(entry.at, self.read_at)), transaction)

    def _add(self, at: Millis, transaction: Transaction) -> None:
        kept = _kept(transaction, self.own)
        if not _is_balanced(transaction) or kept is None:
            self.memory.untold = max(self.memory.untold or 0, at)
            return
        changes, fee = _changes(transaction, self.own, kept, self.chain)
        paid = units(fee, self.chain.decimals)
        txid = transaction.tx_hash
        self.flows[txid] = flows_of(txid, at, changes, paid, self.chain.asset)


def _is_balanced(transaction: Transaction) -> bool:
    """Whether what went in came out, which it does not where a script failed."""
    came = sum(int(each.value) for each in transaction.inputs)
    came += sum(int(each.amount) for each in transaction.withdrawals or ())
    went = sum(int(each.value) for each in transaction.outputs)
    return came == went + int(transaction.fee) + int(transaction.deposit)


def _kept(transaction: Transaction, own: str) -> int | None:
    """Return what of a deposit comes back without a flow, None where nobody tells.

    That of the wallet's key is a part of it; those of pools and proposals come back as rewards.
    """
    told = transaction.certificates or ()
    kinds = {each.type for each in told}
    keys = {(each.info or {}).get("stake_address") for each in told if each.type in _OF_KEYS}
    if not keys - {own} and not kinds & _OF_OTHERS:
        return int(transaction.deposit)
    return None if own in keys or _OF_POOL in kinds else 0


def _changes(
    transaction: Transaction, own: str, kept: int, chain: Chain
) -> tuple[list[Change], int]:
    """Return what a transaction brought, and the fee where the wallet alone paid for it.

    `kept` is as of `_kept`.
    """
    ins = [part for part in transaction.inputs if part.belongs_to(own)]
    outs = [part for part in transaction.outputs if part.belongs_to(own)]
    withdrawn = sum(
        int(each.amount) for each in transaction.withdrawals or () if each.stake_addr == own
    )
    raw = _tally(outs, 1)
    for id_, amount in _tally(ins, -1).items():
        raw[id_] = raw.get(id_, 0) + amount
    is_payer = bool(ins) and len(ins) == len(transaction.inputs)
    fee = int(transaction.fee) if is_payer else 0
    coins = raw.pop("", 0) - withdrawn + fee + (kept if is_payer else 0)
    changes = [Change("native", chain.asset, chain.asset, signed_units(coins, chain.decimals))]
    for id_, amount in sorted(raw.items()):
        token = listed_on("cardano").get(id_)
        if token is not None:
            asset = token.asset or f"{chain.id}:{id_}"
            changes.append(Change(id_, asset, token.symbol, signed_units(amount, token.decimals)))
    return changes, fee


def _tally(parts: list[Part], sign: int) -> dict[str, int]:
    """Return amounts by token, those of the coin under an empty name."""
    raw = {"": sign * sum(int(part.value) for part in parts)}
    for asset in (asset for part in parts for asset in part.asset_list or ()):
        raw[asset.id] = raw.get(asset.id, 0) + sign * int(asset.quantity)
    return raw
