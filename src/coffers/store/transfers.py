"""Own transfers: the flows that they are found among, and those that were found."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select

from coffers.store.connection import AsyncConnection
from coffers.store.flow_rows import flow_of
from coffers.store.flows import MADE_HERE
from coffers.store.statements import held
from coffers.store.tables import accounts, flows, transfers, users
from coffers.valuation.transfers import Leg, Transfer

_A, _F, _T = accounts.c, flows.c, transfers.c
_TRANSFERS = select(_T.out_account_id, _T.out_external_id, _T.in_account_id, _T.in_external_id)


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
        """Return all flows of some assets that came or left, of all accounts of a user."""
        statement = select(flows, _A.mode).join_from(
            flows, accounts, and_(_A.user_id == _F.user_id, _A.id == _F.account_id)
        )
        rows = await self._connection.execute(
            statement.where(_F.user_id == user_id, _F.asset.in_(assets), _F.role != MADE_HERE)
        )
        return [Leg(row.account_id, row.mode, flow_of(row)) for row in rows]

    async def of_assets(self, user_id: int, assets: Collection[str]) -> frozenset[Transfer]:
        """Return the known transfers of some assets."""
        statement = _TRANSFERS.join_from(transfers, flows, _withdrawal()).where(
            _T.user_id == user_id, _F.asset.in_(assets)
        )
        return await self._transfers(statement)

    async def of_user(self, user_id: int) -> frozenset[Transfer]:
        """Return the known transfers of a user."""
        return await self._transfers(_TRANSFERS.where(_T.user_id == user_id))

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
