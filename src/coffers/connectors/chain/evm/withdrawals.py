"""What the beacon chain paid out to an address, as an explorer with Blockscout's REST API tells.

A withdrawal is no transaction: it has a number of its own, counted over the whole chain.
"""

import json
from datetime import datetime

import msgspec

from coffers.clock import Millis
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.chain.walk import Entry, Page
from coffers.connectors.reading import ConnectorFailure, FailureKind

MOST_PAGES = 150
"""Pages that are read of what was paid out since a moment, fifty payments each: what some thousands
of validators pay in two weeks."""


class Withdrawal(msgspec.Struct, frozen=True):
    """Ether that a validator paid out, in the smallest unit. `index` is its number."""

    index: int
    validator: int
    block: int
    wei: int
    at: Millis

    @property
    def id(self) -> str:
        """What names it in both accounts that it touches, in place of a transaction."""
        return f"withdrawal-{self.index}"


async def paid_page(nodes: Nodes, owner: str, cursor: str | None) -> Page[Withdrawal]:
    """Return a page of what an address was paid, the newest first.

    Raises:
        NodeRefused: when the explorer refuses.
        ConnectorFailure: when it gives no usable answer.
    """
    query: dict[str, str | int] = {} if cursor is None else json.loads(cursor)
    try:
        answer = await nodes.get(f"/api/v2/addresses/{owner}/withdrawals", query)
    except NodeRefused as refusal:
        if refusal.status == 404:  # noqa: PLR2004  # it has not seen the address yet
            return Page((), None)
        raise
    rows = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(rows, list):
        raise _unusable("told no list of withdrawals")
    following = answer.get("next_page_params")
    found = [_withdrawal(row) for row in rows]
    entries = [Entry(each.index, each.at, each) for each in found]
    return Page(entries, json.dumps(following) if following else None)


async def paid_since(nodes: Nodes, owner: str, since: Millis, last: int) -> list[Withdrawal]:
    """Return what an address was paid from a moment on, up to a block.

    Raises:
        NodeRefused: when the explorer refuses.
        ConnectorFailure: when it gives no usable answer, or has more to tell than is read.
    """
    found: list[Withdrawal] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await paid_page(nodes, owner, cursor)
        new = [entry.what for entry in page.entries if entry.at >= since]
        found += [each for each in new if each.block <= last]
        cursor = page.cursor
        if cursor is None or len(new) < len(page.entries):
            return found
    raise _unusable("has more withdrawals than are read at once")


def _withdrawal(row: object) -> Withdrawal:
    told = row if isinstance(row, dict) else {}
    numbers = [
        _number(told.get(key)) for key in ("index", "validator_index", "block_number", "amount")
    ]
    try:
        at = datetime.fromisoformat(str(told.get("timestamp")))
    except ValueError:
        raise _unusable("told a withdrawal without its time") from None
    if None in numbers or at.tzinfo is None:
        raise _unusable("told an odd withdrawal")
    index, validator, block, wei = [number or 0 for number in numbers]
    return Withdrawal(index, validator, block, wei, Millis(int(at.timestamp()) * 1000))


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() else None


def _unusable(what: str) -> ConnectorFailure:
    return ConnectorFailure(FailureKind.UNEXPECTED_ANSWER, f"The explorer {what}.", code="explorer")
