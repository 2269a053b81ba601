"""The flows of accounts as figures take them: read in portions, and many of them summed up."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, tuple_

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.flows import APART, FlowKey
from coffers.store.prepared import Prepared
from coffers.store.tables import flows
from coffers.valuation.amounts import Amount, in_usd
from coffers.valuation.choices import NO_CHOICES, Choices
from coffers.valuation.history import History
from coffers.valuation.inflows import FEW, Inflows
from coffers.valuation.model import Flow, Snapshot

_F = flows.c
BATCH_SIZE: Final = 2_000
"""Flows that are read together."""

_ORDER = (_F.at, _F.direction, _F.external_id)
_FLOWS = select(flows).where(_F.role != APART).limit(BATCH_SIZE)
_FLOWS_OF_ONE = Prepared(
    _FLOWS.where(
        _F.user_id == bindparam("user"),
        _F.account_id == bindparam("account"),
        # Not with the moment said apart: PostgreSQL then expects few, and sorts all that are left.
        tuple_(*_ORDER) > tuple_(bindparam("moment"), bindparam("way"), bindparam("id")),
    ).order_by(*_ORDER)
)
_NONE: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """Which flows count, by what their user says, and in which currency many are summed up."""

    choices: Choices
    shown: Amount


ALL_COUNT = Counted(NO_CHOICES, in_usd)


class Past:
    """An account's past, of which flows are still being read."""

    def __init__(
        self,
        account_id: int,
        snapshots: Sequence[Snapshot],
        counted: Counted,
        cuts: tuple[Millis, ...],
    ) -> None:
        self._account_id = account_id
        self._snapshots = snapshots
        self._counted = counted
        self._cuts = cuts
        self._flows: list[Flow] = []
        self._sums: Inflows | None = None

    def take(self, found: Iterable[Flow]) -> None:
        """Take in flows, in order of time; they are summed up once there are many."""
        opened = self._snapshots[0].at
        flows = (flow for flow in found if flow.at > opened)
        if self._counted.choices.ignored:
            flows = (flow for flow in flows if self._counted.choices.counts(self._account_id, flow))
        self._flows += flows if self._sums is None else self._left(self._sums, flows)
        if self._sums is None and len(self._flows) > FEW:
            self._sums = Inflows(self._cuts, self._counted.shown)
            self._flows = self._left(self._sums, self._flows)

    def history(self) -> History:
        """Return the past, once all flows are taken in."""
        opening = self._snapshots[0]
        snapshots, flows = tuple(self._snapshots), tuple(self._flows)
        if self._sums is None:
            return History(opening, snapshots, flows)
        return History(opening, snapshots, flows, self._sums.sums(), self._cuts)

    def _left(self, sums: Inflows, flows: Iterable[Flow]) -> list[Flow]:
        return [flow for flow in flows if not sums.add(flow)]


async def flow_portions(
    connection: AsyncConnection, user_id: int, opened: Mapping[int, Millis]
) -> AsyncIterator[Sequence[Any]]:
    """Return the rows of flows of accounts behind a moment of each, or some more, in portions.

    Those of one account come in order of time.
    """
    rest, rows = sorted(opened), _NONE
    if len(rest) > 1:
        rows = await _of_several(connection, user_id, rest, min(opened.values()))
        yield rows
        if len(rows) < BATCH_SIZE:
            return
        rest = rest[rest.index(rows[-1].account_id) :]
    for account_id in rest:
        place: FlowKey = (Millis(opened[account_id] + 1), "", "")
        if rows and rows[-1].account_id == account_id:
            place = max(place, _place(rows[-1]))
        while True:
            own = {"user": user_id, "account": account_id}
            after = dict(zip(("moment", "way", "id"), place, strict=True))
            rows = await connection.rows(_FLOWS_OF_ONE, {**own, **after})
            yield rows
            if len(rows) < BATCH_SIZE:
                break
            place = _place(rows[-1])
            # SQLite is asked in the event loop: let others have their turn.
            await asyncio.sleep(0)


async def _of_several(
    connection: AsyncConnection, user_id: int, ids: Sequence[int], opened: Millis
) -> Sequence[Any]:
    later = _FLOWS.where(_F.user_id == user_id, _F.account_id.in_(ids), _F.at > opened)
    return (await connection.execute(later.order_by(_F.account_id, *_ORDER))).all()


def _place(row: Any) -> FlowKey:  # noqa: ANN401 - of either driver
    return row.at, row.direction, row.external_id
