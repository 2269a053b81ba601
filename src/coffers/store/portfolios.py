"""Portfolios: the shares of assets that accounts are brought to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update

from coffers.store.connection import AsyncConnection
from coffers.store.records import Portfolio
from coffers.store.statements import changed, next_id
from coffers.store.tables import accounts, portfolio_targets, portfolios

_P, _T = portfolios.c, portfolio_targets.c


class Portfolios:
    """The portfolios of users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, portfolio: Portfolio) -> Portfolio:
        """Add a portfolio and return it with the id that it has now."""
        made = replace(portfolio, id=await next_id(self._connection, "portfolios"))
        columns = _columns(made)
        await self._connection.execute(
            portfolios.insert().values(
                user_id=made.user_id, id=made.id, created_at=made.created_at, **columns
            )
        )
        await self._put_targets(made)
        return made

    async def replace(self, portfolio: Portfolio) -> bool:
        """Put a portfolio in the place of the one with its id; False where there is none."""
        own = _is(portfolio.user_id, portfolio.id)
        if not await changed(
            self._connection, update(portfolios).where(own).values(**_columns(portfolio))
        ):
            return False
        targets = delete(portfolio_targets).where(
            _T.user_id == portfolio.user_id, _T.portfolio_id == portfolio.id
        )
        await self._connection.execute(targets)
        await self._put_targets(portfolio)
        return True

    async def get(
        self, user_id: int, portfolio_id: int, *, is_held: bool = False
    ) -> Portfolio | None:
        """Return a portfolio, or None; `is_held` keeps it as it is meanwhile."""
        statement = select(portfolios).where(_is(user_id, portfolio_id))
        if is_held:
            statement = statement.with_for_update()
        return next(iter(await self._with_targets(await self._rows(statement))), None)

    async def page(
        self, user_id: int, *, limit: int, offset: int = 0, after: int = 0
    ) -> list[Portfolio]:
        """Return a page of a user's portfolios by id, of those behind the id `after`."""
        statement = select(portfolios).where(_P.user_id == user_id, _P.id > after)
        statement = statement.order_by(_P.id)
        return await self._with_targets(await self._rows(statement.offset(offset).limit(limit)))

    async def count(self, user_id: int) -> int:
        """Return how many portfolios a user has."""
        statement = select(func.count()).select_from(portfolios).where(_P.user_id == user_id)
        return await self._connection.scalar(statement) or 0

    async def remove(self, user_id: int, portfolio_id: int) -> bool:
        """Remove a portfolio; False where there is none."""
        statement = delete(portfolios).where(_is(user_id, portfolio_id))
        return await changed(self._connection, statement) > 0

    async def users_of(self, user_id: int, portfolio_id: int) -> list[int]:
        """Return the ids of the accounts that are brought to a portfolio."""
        columns = accounts.c
        statement = select(columns.id).where(
            columns.user_id == user_id, columns.auto_balance_portfolio_id == portfolio_id
        )
        return list(await self._connection.scalars(statement.order_by(columns.id)))

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - any selection
        return (await self._connection.execute(statement)).all()

    async def _put_targets(self, portfolio: Portfolio) -> None:
        own = {"user_id": portfolio.user_id, "portfolio_id": portfolio.id}
        rows = [
            {**own, "asset": asset, "share": share} for asset, share in portfolio.targets.items()
        ]
        await self._connection.execute(portfolio_targets.insert(), rows)

    async def _with_targets(self, rows: Sequence[Row[Any]]) -> list[Portfolio]:
        if not rows:
            return []
        statement = select(portfolio_targets).where(
            _T.user_id == rows[0].user_id, _T.portfolio_id.in_([row.id for row in rows])
        )
        found: dict[int, dict[str, Decimal]] = {}
        for row in await self._connection.execute(statement.order_by(_T.portfolio_id, _T.asset)):
            found.setdefault(row.portfolio_id, {})[row.asset] = row.share
        return [_portfolio_of(row, found.get(row.id, {})) for row in rows]


def _is(user_id: int, portfolio_id: int) -> ColumnElement[bool]:
    return and_(_P.user_id == user_id, _P.id == portfolio_id)


def _columns(portfolio: Portfolio) -> dict[str, object]:
    return {
        "name": portfolio.name,
        "tolerance": portfolio.tolerance,
        "sells_others": portfolio.sells_others,
        "updated_at": portfolio.updated_at,
    }


def _portfolio_of(row: Row[Any], targets: Mapping[str, Decimal]) -> Portfolio:
    return Portfolio(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        targets=targets,
        tolerance=row.tolerance,
        sells_others=row.sells_others,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
