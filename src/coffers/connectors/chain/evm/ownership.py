"""Which validators may belong to an address: those that it deposited for, or that paid it.

An explorer lists the address's transactions and what it was paid; a node tells the deposits that
went through other contracts. Whose a validator is says the beacon chain alone, see `belongs`.
"""

from collections.abc import Callable, Mapping, Sequence

from coffers.clock import SECOND, Millis
from coffers.connectors.chain.evm import deposits
from coffers.connectors.chain.evm.beacon_node import Validator
from coffers.connectors.chain.evm.blockscout import PAGE, rows_from
from coffers.connectors.chain.evm.deposits import Deposit
from coffers.connectors.chain.evm.staking_memory import Notes
from coffers.connectors.chain.evm.withdrawals import Withdrawal, paid_page
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.chain.walk import Entry, Page, Walk
from coffers.connectors.reading import ConnectorFailure, FailureKind

_LISTS = ("txlist", "txlistinternal")


class OwnerSearch:
    """Looks for the validators of one address; changes the notes on it as it goes.

    Args:
        nodes: the nodes of the chain that the deposits are made on.
        explorer: its explorer.
        owner: the address.
        notes: the notes on the address.
        is_late: whether to leave the rest for the next reading.
    """

    def __init__(
        self,
        nodes: Nodes,
        explorer: Nodes,
        owner: str,
        notes: Notes,
        is_late: Callable[[], bool],
    ) -> None:
        self._nodes = nodes
        self._explorer = explorer
        self._owner = owner
        self._notes = notes
        self._is_late = is_late
        self.payments: dict[int, Withdrawal] = {}
        """What the address was paid, as far as it was not looked through before."""

    async def look(self) -> bool:
        """Look through what is new; return whether that was all.

        Raises:
            NodeRefused: when the explorer or the node refuses.
            ConnectorFailure: when one of them gives no usable answer.
        """
        for action in _LISTS:
            if not await self._through(action):
                return False
        is_whole = await self._paid()
        self._notes.is_whole |= is_whole
        return is_whole

    async def _through(self, action: str) -> bool:
        """Look through one list of transactions, the oldest first; False where time ran out."""
        notes = self._notes
        while True:
            start = notes.seen.get(action, 0)
            rows = await rows_from(self._explorer, action, self._owner, start)
            last = start
            for row in rows:
                # The last block is looked at again: there may be more of it.
                last = notes.seen[action] = max(last, _number(row.get("blockNumber")))
                await self._note(row, is_inner=action != "txlist")
                if self._is_late() and last > start:
                    return False
            if len(rows) < PAGE:
                return True
            if last <= start:
                raise _too_many()

    async def _note(self, row: Mapping[str, object], *, is_inner: bool) -> None:
        """Remember the deposits that a row of the explorer's led to."""
        wei, at = _number(row.get("value")), Millis(_number(row.get("timeStamp")) * SECOND)
        txid = str(row.get("transactionHash" if is_inner else "hash") or row.get("hash") or "")
        is_own = str(row.get("from")).lower() == self._owner.lower()
        has_failed = row.get("isError") == "1" or row.get("txreceipt_status") == "0"
        if has_failed or not is_own or wei < deposits.LEAST_WEI:
            return
        data, to = str(row.get("input")), str(row.get("to")).lower()
        if to == deposits.CONTRACT and not is_inner:
            made = deposits.of_call(data, wei, txid.lower(), at)
            found = [] if made is None else [made]
        elif is_inner or len(data) > len("0x"):
            found = await self._through_others(txid.lower(), at)
        else:
            return
        self._keep(txid.lower(), found)

    async def _through_others(self, txid: str, at: Millis) -> list[Deposit]:
        receipt = await self._nodes.call("eth_getTransactionReceipt", [txid])
        if not isinstance(receipt, dict):
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                "The node does not tell a transaction in which there may be deposits.",
                code="node_answer",
            )
        return list(deposits.of_receipt(receipt, txid, at))

    def _keep(self, txid: str, found: Sequence[Deposit]) -> None:
        notes = self._notes
        if txid in notes.known:
            return
        own = [each for each in found if deposits.names(each.credentials) in self._ours]
        for each in own:
            notes.deposits[each.key] = notes.deposits.get(each.key, 0) + each.gwei
        if own:
            notes.known.add(txid)
            notes.untold.extend(own)

    @property
    def _ours(self) -> tuple[str | None, str]:
        return (None, self._owner.lower())

    async def _paid(self) -> bool:
        """Look through what the address was paid, the newest first."""
        first = await paid_page(self._explorer, self._owner, None)
        if not first.entries:
            return True

        async def page(cursor: str | None) -> Page[Withdrawal]:
            return first if cursor is None else await paid_page(self._explorer, self._owner, cursor)

        async def take(entries: Sequence[Entry[Withdrawal]]) -> None:
            for entry in entries:
                self._notes.paid.add(entry.what.validator)
                self.payments[entry.what.index] = entry.what

        walk = Walk(page, take, self._is_late)
        return await walk.down(self._notes.trail, Millis(0), first.entries[0].height)


def belongs(validator: Validator, owner: str, notes: Notes) -> bool:
    """Tell whether a validator is an address's.

    It is where it pays to the address, and not where it pays to another one, whoever deposited
    for it. One that does not say yet whom it pays (0x00) belongs to who deposited for it.
    """
    paid = deposits.names(validator.credentials)
    return validator.key in notes.deposits if paid is None else paid == owner.lower()


def _number(value: object) -> int:
    text = str(value)
    if not text.isascii() or not text.isdecimal():
        raise ConnectorFailure(
            FailureKind.UNEXPECTED_ANSWER, "The explorer told an odd transaction.", code="explorer"
        )
    return int(text)


def _too_many() -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER,
        "The explorer has more transactions of one block than are read at once.",
        code="explorer",
    )
