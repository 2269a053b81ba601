"""The assets that were met: in readings, in price books, or in what ships with this version."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, func, select, union

from coffers.clock import Millis
from coffers.markets.assets import token_of
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import distinct
from coffers.store.records import Asset
from coffers.store.statements import insert
from coffers.store.tables import (
    asset_mappings,
    asset_overrides,
    assets,
    flows,
    portfolio_targets,
    positions,
)

_A, _F, _P = assets.c, flows.c, positions.c
_M, _O, _T = asset_mappings.c, asset_overrides.c, portfolio_targets.c
_FACTS = ("name", "kind", "coingecko_id", "chain", "contract")


class Assets:
    """Assets by code. One that nothing is known of but its code is kept like any other."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def meet(self, codes: Iterable[str], at: Millis) -> None:
        """Keep that assets were met; a token's code tells its chain and contract.

        Those that were met before are not written: every account's reading would else wait for
        all others that hold the same, to their commits.
        """
        new = set(codes)
        if new:
            seen = select(_A.code).where(_A.code.in_(sorted(new)), _A.first_seen_at.is_not(None))
            new.difference_update(await self._connection.scalars(seen))
        if new:
            statement = insert(self._connection, assets)
            first = func.coalesce(_A.first_seen_at, statement.excluded.first_seen_at)
            statement = statement.on_conflict_do_update(
                index_elements=[_A.code], set_={"first_seen_at": first}
            )
            # In one order, so that no two wait for each other.
            met = [replace(unmet(code), first_seen_at=at) for code in sorted(new)]
            await self._connection.execute(statement, [_columns_of(asset) for asset in met])

    async def tell(self, told: Collection[Asset]) -> None:
        """Keep what is known of assets; what is not told here stays as it is stored."""
        if not told:
            return
        statement = insert(self._connection, assets)
        facts = {name: func.coalesce(statement.excluded[name], assets.c[name]) for name in _FACTS}
        statement = statement.on_conflict_do_update(index_elements=[_A.code], set_=facts)
        in_order = sorted(told, key=lambda asset: asset.code)
        await self._connection.execute(statement, [_columns_of(asset) for asset in in_order])

    async def seen(self) -> set[str]:
        """Return the codes of all assets that were met: some thousands."""
        statement = select(_A.code).where(_A.first_seen_at.is_not(None))
        return set(await self._connection.scalars(statement))

    async def of(self, codes: Collection[str]) -> dict[str, Asset]:
        """Return those of some assets that were met, by their codes."""
        rows = await self._connection.execute(select(assets).where(_A.code.in_(sorted(codes))))
        return {row.code: _asset_of(row) for row in rows}

    async def of_user(self, user_id: int) -> frozenset[str]:
        """Return the codes that a user holds or moved, and those that the user says something by.

        Those are the assets of overrides, mappings and portfolios, and the keys that assets are
        priced by.
        """
        said = (_O.asset, _O.priced_as, _M.asset, _P.asset, _T.asset)
        own = [select(column).where(column.table.c.user_id == user_id) for column in said]
        # There may be a hundred thousand flows, of a few assets.
        moved = distinct(_F.asset, _F.user_id == user_id)
        found = await self._connection.scalars(union(moved, *own))
        return frozenset(code for code in found if code is not None)


def unmet(code: str) -> Asset:
    """Return what a code alone tells of an asset: of a token its chain and contract."""
    token = token_of(code)
    if token is None:
        return Asset(code)
    chain, contract = token
    return Asset(code, kind="token", chain=chain, contract=contract)


def _columns_of(asset: Asset) -> dict[str, object]:
    facts = {name: getattr(asset, name) for name in _FACTS}
    return {"code": asset.code, **facts, "first_seen_at": asset.first_seen_at}


def _asset_of(row: Row[Any]) -> Asset:
    return Asset(
        code=row.code,
        name=row.name,
        kind=row.kind,
        coingecko_id=row.coingecko_id,
        chain=row.chain,
        contract=row.contract,
        first_seen_at=row.first_seen_at,
    )
