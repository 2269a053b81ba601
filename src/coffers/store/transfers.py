"""Own transfers: the flows that they are found among, and those that were found."""

import asyncio
from collections import namedtuple
from collections.abc import AsyncIterator, Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, tuple_

from coffers.store.connection import AsyncConnection
from coffers.store.flow_rows import flow_of
from coffers.store.flows import APART, MADE_HERE
from coffers.store.statements import held
from coffers.store.tables import accounts, flows, transfers, users
from coffers.valuation.transfers import Halves, Leg, Moved, Transfer

_A, _F, _T = accounts.c, flows.c, transfers.c
_TRANSFERS = select(_T.out_account_id, _T.out_external_id, _T.in_account_id, _T.in_external_id)

BATCH_SIZE: Final = 2_000
"""Transfers that are read together."""

MANY: Final = 5_000
"""Flows that are looked at together, all of them."""

_ORDER = (_F.at, _F.direction, _F.external_id)
_WITH_MODE = and_(_A.user_id == _F.user_id, _A.id == _F.account_id)
_LEGS = select(flows, _A.mode).join_from(flows, accounts, _WITH_MODE)
_KEYS = (
    select(*_ORDER, _F.asset, _F.txid, _A.mode)
    .join_from(flows, accounts, _WITH_MODE)
    .order_by(*_ORDER)
    .limit(MANY)
)
_OUT, _INTO = flows.alias("withdrawn"), flows.alias("deposited")
_Flow: Any = namedtuple("_Flow", [column.key for column in _F])  # type: ignore[misc]  # noqa: PYI024  # those of the table
_MOVED = (
    select(_T.out_account_id, _T.out_external_id, _T.in_account_id, _T.in_external_id, _OUT, _INTO)
    .join_from(
        transfers,
        _OUT,
        and_(
            _OUT.c.user_id == _T.user_id,
            _OUT.c.account_id == _T.out_account_id,
            _OUT.c.direction == "out",
            _OUT.c.external_id == _T.out_external_id,
        ),
    )
    .join(
        _INTO,
        and_(
            _INTO.c.user_id == _T.user_id,
            _INTO.c.account_id == _T.in_account_id,
            _INTO.c.direction == "in",
            _INTO.c.external_id == _T.in_external_id,
        ),
    )
    .where(_OUT.c.role != APART, _INTO.c.role != APART)
    .order_by(_T.out_account_id, _T.out_external_id)
    .limit(BATCH_SIZE)
)


class Transfers:
    """The transfers between the accounts of each user."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, user_id: int) -> None:
        """Let nobody else look for this user's transfers until the transaction ends.

        Two accounts that are read at once would else each miss the other's flows. An account's
        row is always locked before its user's, so that two transactions never wait crosswise.
        """
        await self._connection.execute(held(select(users.c.id).where(users.c.id == user_id)))

    async def legs(self, user_id: int, assets: Collection[str]) -> list[Leg]:
        """Return the flows of some assets that may be transfers between accounts of a user.

        These are all, unless they are very many. Then those of the account that has most of them
        are left out that nothing of another account goes with.
        """
        moved = and_(_F.user_id == user_id, _F.asset.in_(assets), _F.role != MADE_HERE)
        found = await self._legs(_LEGS.where(moved).limit(MANY + 1))
        if len(found) <= MANY:
            return found
        counts = select(_F.account_id).where(moved).group_by(_F.account_id)
        most = await self._connection.scalar(counts.order_by(func.count().desc()).limit(1))
        others = await self._legs(_LEGS.where(moved, _F.account_id != most))
        if not others:
            return []
        halves, own = Halves(others), and_(moved, _F.account_id == most)
        async for direction, kept in self._may_belong(own, halves):
            for first in range(0, len(kept), BATCH_SIZE):
                part = _F.external_id.in_(kept[first : first + BATCH_SIZE])
                others += await self._legs(_LEGS.where(own, _F.direction == direction, part))
        return others

    async def _may_belong(
        self, own: ColumnElement[bool], halves: Halves
    ) -> AsyncIterator[tuple[str, list[str]]]:
        """Return the ids of an account's flows that may be halves, by direction, in portions."""
        place: tuple[Any, ...] | None = None
        while True:
            page = _KEYS.where(own)
            if place is not None:
                page = page.where(tuple_(*_ORDER) > tuple_(*place))
            rows = (await self._connection.execute(page)).all()
            for direction in ("in", "out"):
                yield (
                    direction,
                    [
                        row.external_id
                        for row in rows
                        if row.direction == direction
                        and halves.may_belong(row.mode, row.asset, direction, row.at, row.txid)
                    ],
                )
            if len(rows) < MANY:
                return
            place = rows[-1].at, rows[-1].direction, rows[-1].external_id
            # SQLite is asked in the event loop: let others have their turn.
            await asyncio.sleep(0)

    async def _legs(self, statement: Select[Any]) -> list[Leg]:
        rows = await self._connection.execute(statement)
        return [Leg(row.account_id, row.mode, flow_of(row)) for row in rows]

    async def of_assets(self, user_id: int, assets: Collection[str]) -> frozenset[Transfer]:
        """Return the known transfers of some assets."""
        statement = _TRANSFERS.join_from(transfers, flows, _withdrawal()).where(
            _T.user_id == user_id, _F.asset.in_(assets)
        )
        return await self._transfers(statement)

    async def of_user(self, user_id: int, without: Collection[int] = ()) -> frozenset[Transfer]:
        """Return the known transfers of a user, but for those of some accounts."""
        own = _TRANSFERS.where(_T.user_id == user_id)
        if without:
            own = own.where(~_is_of(without))
        return await self._transfers(own)

    async def moved(self, user_id: int, ids: Collection[int]) -> AsyncIterator[list[Moved]]:
        """Return those of some accounts that figures count, with their flows, in portions.

        There may be hundreds of thousands.
        """
        own = _MOVED.where(_T.user_id == user_id, _is_of(ids))
        last, end = len(Transfer.__slots__), len(Transfer.__slots__) + len(_F)
        page = own
        while True:
            rows = (await self._connection.execute(page)).all()
            yield [
                Moved(
                    Transfer(*row[:last]),
                    flow_of(_Flow(*row[last:end])),
                    flow_of(_Flow(*row[end:])),
                )
                for row in rows
            ]
            if len(rows) < BATCH_SIZE:
                return
            place = rows[-1].out_account_id, rows[-1].out_external_id
            page = own.where(tuple_(_T.out_account_id, _T.out_external_id) > tuple_(*place))

    async def of_flows(
        self, user_id: int, account_id: int, external_ids: Collection[str]
    ) -> frozenset[Transfer]:
        """Return the known transfers that some flows of an account are part of."""
        out = and_(_T.out_account_id == account_id, _T.out_external_id.in_(external_ids))
        into = and_(_T.in_account_id == account_id, _T.in_external_id.in_(external_ids))
        return await self._transfers(_TRANSFERS.where(_T.user_id == user_id, or_(out, into)))

    async def add(self, user_id: int, found: Collection[Transfer]) -> None:
        """Keep transfers that are not known yet."""
        if found:
            rows = [_columns_of(user_id, transfer) for transfer in found]
            await self._connection.execute(transfers.insert(), rows)

    async def remove(self, user_id: int, outdated: Collection[Transfer]) -> None:
        """Forget transfers."""
        for transfer in outdated:
            statement = delete(transfers).where(
                _T.user_id == user_id,
                _T.out_account_id == transfer.out_account_id,
                _T.out_external_id == transfer.out_external_id,
            )
            await self._connection.execute(statement)

    async def _transfers(self, statement: Select[Any]) -> frozenset[Transfer]:
        rows = await self._connection.execute(statement)
        return frozenset(Transfer(*row) for row in rows)


def _is_of(ids: Collection[int]) -> ColumnElement[bool]:
    return or_(_T.out_account_id.in_(ids), _T.in_account_id.in_(ids))


def _withdrawal() -> ColumnElement[bool]:
    return and_(
        _F.user_id == _T.user_id,
        _F.account_id == _T.out_account_id,
        _F.direction == "out",
        _F.external_id == _T.out_external_id,
    )


def _columns_of(user_id: int, transfer: Transfer) -> dict[str, object]:
    return {
        "user_id": user_id,
        "out_account_id": transfer.out_account_id,
        "out_external_id": transfer.out_external_id,
        "in_account_id": transfer.in_account_id,
        "in_external_id": transfer.in_external_id,
    }
