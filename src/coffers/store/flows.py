"""Deposits and withdrawals: kept once each, found page by page, valued as soon as they can be."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    delete,
    or_,
    select,
    tuple_,
    update,
)

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.flow_rows import flow_columns, flow_of, worth_columns
from coffers.store.prepared import Prepared
from coffers.store.statements import insert
from coffers.store.tables import flows, lacks_worth, worth_due
from coffers.valuation.model import Flow

COUNTED = 0
"""The role of a flow that a venue told and that figures count."""

APART = 1
"""The role of a flow of what is left out of the snapshots: it is shown, and no figure counts it."""

MADE_HERE = 2
"""The role of what is put in or taken out as an asset gets or loses its price: no venue told it, so
it is no half of a transfer."""

Role = Literal["counted", "apart", "made"]
_ROLES: Final[dict[int, Role]] = {COUNTED: "counted", APART: "apart", MADE_HERE: "made"}

FlowKey = tuple[Millis, str, str]
"""Where a flow stands in the order of time: its moment, its direction, its id."""

_EVER, _NEVER = -(2**62), 2**62
_F = flows.c
_FLOWS = select(flows)
_OWN = (_F.user_id == bindparam("user")) & (_F.account_id == bindparam("account"))
_DUE = worth_due(flows)
_KNOWN = Prepared(select(_F.direction, _F.external_id).where(_OWN, _F.at >= bindparam("since")))
_UNVALUED = Prepared(
    _FLOWS.where(
        _OWN,
        lacks_worth(flows),
        bindparam("now", type_=BigInteger) >= _DUE,
        _F.at > bindparam("after"),
        _F.at <= bindparam("until"),
    )
    .order_by(_DUE, _F.at.desc())
    .limit(bindparam("limit", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class FlowFilter:
    """Which flows of an account are asked for: those for which all that is given holds.

    `since` and `until` are the first and the last moment.
    """

    direction: str | None = None
    asset: str | None = None
    since: Millis | None = None
    until: Millis | None = None


@dataclass(frozen=True, slots=True)
class KeptFlow:
    """A flow as it is kept, and what it is to the figures.

    It is `counted` by them, or would be if it was of their time and had a worth; or set `apart`
    from them; or `made` here and counted, which no venue told.
    """

    flow: Flow
    role: Role


class Flows:
    """The flows of accounts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_flows(self, user_id: int, account_id: int, found: Collection[Flow]) -> int:
        """Keep deposits and withdrawals; those that are known already stay as they are.

        Returns:
            How many were new.
        """
        return len(await self.added_flows(user_id, account_id, found))

    async def add_made(self, user_id: int, account_id: int, made: Collection[Flow]) -> None:
        """Keep flows that no venue told."""
        rows = [{**flow_columns(user_id, account_id, flow), "role": MADE_HERE} for flow in made]
        if rows:
            statement = insert(self._connection, flows).on_conflict_do_nothing()
            await self._connection.execute(statement, rows)

    async def set_apart(self, user_id: int, account_id: int, told: Collection[Flow]) -> None:
        """Count known flows in no figure from now on."""
        for flow in told:
            statement = update(flows).where(_is_flow(user_id, account_id, flow))
            await self._connection.execute(statement.values(role=APART))

    async def deposits_after(
        self,
        user_id: int,
        account_id: int,
        after: Millis,
        names: Collection[str],
        *,
        role: int = COUNTED,
    ) -> list[Flow]:
        """Return the deposits behind a moment that venues told: those that count, or others.

        Only those are meant whose asset, or the venue's code of it, is one of the `names`.
        """
        is_named = or_(_F.asset.in_(names), _F.venue_code.in_(names))
        own = (_of(user_id, account_id), _F.at > after, is_named)
        return await self._found(_FLOWS.where(*own, _F.direction == "in", _F.role == role))

    async def added_flows(
        self, user_id: int, account_id: int, found: Collection[Flow]
    ) -> list[Flow]:
        """Keep flows as `add_flows` does, and return those that were new."""
        if not found:
            return []
        statement = insert(self._connection, flows).on_conflict_do_nothing()
        rows = [flow_columns(user_id, account_id, flow) for flow in found]
        returning = statement.returning(_F.direction, _F.external_id)
        added = {tuple(row) for row in await self._connection.execute(returning, rows)}
        return [flow for flow in found if (flow.direction, flow.external_id) in added]

    async def remove_flows(
        self, user_id: int, account_id: int, keys: Collection[tuple[str, str]]
    ) -> list[Flow]:
        """Forget flows that never happened, by (direction, external id).

        Returns:
            Those that were there.
        """
        removed: list[Flow] = []
        for direction, external_id in sorted(keys):
            one = _of(user_id, account_id) & (_F.direction == direction)
            statement = delete(flows).where(one, _F.external_id == external_id)
            rows = await self._connection.execute(statement.returning(flows))
            removed += [flow_of(row) for row in rows]
        return removed

    async def flow_assets(self, user_id: int, account_id: int) -> set[str]:
        """Return the assets that ever came or left, by our names and by the venue's."""
        own = (_F.user_id == user_id) & (_F.account_id == account_id)
        statement = select(_F.asset, _F.venue_code).where(own).distinct()
        rows = await self._connection.execute(statement)
        return {name for row in rows for name in (row.asset, row.venue_code)}

    async def known_flows(
        self, user_id: int, account_id: int, since: Millis
    ) -> frozenset[tuple[str, str]]:
        """Return (direction, external id) of the flows that are known from a moment on."""
        values = {"user": user_id, "account": account_id, "since": since}
        rows = await self._connection.rows(_KNOWN, values)
        return frozenset((row.direction, row.external_id) for row in rows)

    async def flow_page(
        self,
        user_id: int,
        account_id: int,
        wanted: FlowFilter,
        limit: int,
        after: FlowKey | None = None,
    ) -> list[KeptFlow]:
        """Return flows from the newest on, those that come after a place in that order."""
        order = (_F.at, _F.direction, _F.external_id)
        statement = _FLOWS.where(_of(user_id, account_id), *_conditions(wanted))
        if after is not None:
            statement = statement.where(tuple_(*order) < tuple_(*after))
        newest_first = (column.desc() for column in order)
        rows = await self._connection.execute(statement.order_by(*newest_first).limit(limit))
        return [KeptFlow(flow_of(row), _ROLES[row.role]) for row in rows]

    async def unvalued_flows(
        self,
        user_id: int,
        account_id: int,
        now: Millis,
        limit: int,
        *,
        after: Millis | None = None,
        until: Millis | None = None,
    ) -> list[Flow]:
        """Return flows whose worth is to be looked for now, first those that it never was of.

        Of these the newest come first. Only flows later than `after` and not later than `until` are
        meant.
        """
        rows = await self._unvalued(user_id, account_id, now, limit, after, until)
        return [flow_of(row) for row in rows]

    async def next_valuation(self, user_id: int, account_id: int, until: Millis) -> Millis | None:
        """Return when the worth of flows up to a moment is to be looked for, None for never."""
        rows = await self._unvalued(user_id, account_id, Millis(_NEVER), 1, None, until)
        return None if not rows else Millis(rows[0].value_at or 0)

    async def value_flow(self, user_id: int, account_id: int, flow: Flow) -> None:
        """Keep what a known flow was worth when it happened."""
        statement = update(flows).where(_is_flow(user_id, account_id, flow))
        await self._connection.execute(statement.values(**worth_columns(flow)))

    async def value_later(self, user_id: int, account_id: int, flow: Flow, at: Millis) -> None:
        """Note that a flow's worth was looked for in vain, and when it is looked for again."""
        statement = update(flows).where(_is_flow(user_id, account_id, flow))
        await self._connection.execute(
            statement.values(value_tries=_F.value_tries + 1, value_at=at)
        )

    async def value_tries(self, user_id: int, account_id: int, flow: Flow) -> int:
        """Return how often a flow's worth was looked for in vain."""
        statement = select(_F.value_tries).where(_is_flow(user_id, account_id, flow))
        return await self._connection.scalar(statement) or 0

    async def _unvalued(
        self,
        user_id: int,
        account_id: int,
        now: Millis,
        limit: int,
        after: Millis | None,
        until: Millis | None,
    ) -> Sequence[Any]:
        values = {
            "user": user_id,
            "account": account_id,
            "now": now,
            "limit": limit,
            "after": _EVER if after is None else after,
            "until": _NEVER if until is None else until,
        }
        return await self._connection.rows(_UNVALUED, values)

    async def _found(self, statement: Select[Any]) -> list[Flow]:
        return [flow_of(row) for row in await self._connection.execute(statement)]


def _of(user_id: int, account_id: int) -> ColumnElement[bool]:
    return (_F.user_id == user_id) & (_F.account_id == account_id)


def _is_flow(user_id: int, account_id: int, flow: Flow) -> ColumnElement[bool]:
    return (
        _of(user_id, account_id)
        & (_F.direction == flow.direction)
        & (_F.external_id == flow.external_id)
    )


def _conditions(wanted: FlowFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.direction is not None:
        conditions.append(_F.direction == wanted.direction)
    if wanted.asset is not None:
        conditions.append(_F.asset == wanted.asset)
    if wanted.since is not None:
        conditions.append(_F.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_F.at <= wanted.until)
    return conditions
