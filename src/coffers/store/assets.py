"""The assets that were met: in readings, in price books, or in what ships with this version."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, func, or_, select

from coffers.clock import Millis
from coffers.markets.assets import token_of
from coffers.store.connection import AsyncConnection
from coffers.store.records import Asset
from coffers.store.statements import insert
from coffers.store.tables import assets

_A = assets.c
_FACTS = ("name", "kind", "coingecko_id", "chain", "contract")


class Assets:
    """Assets by code. One that nothing is known of but its code is kept like any other."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def meet(self, codes: Iterable[str], at: Millis) -> None:
        """Keep that assets were met; a token's code tells its chain and contract."""
        rows = [_met(code, at) for code in sorted(set(codes))]
        if rows:
            statement = insert(self._connection, assets)
            seen = func.coalesce(_A.first_seen_at, statement.excluded.first_seen_at)
            statement = statement.on_conflict_do_update(
                index_elements=[_A.code], set_={"first_seen_at": seen}
            )
            await self._connection.execute(statement, rows)

    async def tell(self, told: Collection[Asset]) -> None:
        """Keep what is known of assets; what is not told here stays as it is stored."""
        if not told:
            return
        statement = insert(self._connection, assets)
        facts = {name: func.coalesce(statement.excluded[name], assets.c[name]) for name in _FACTS}
        statement = statement.on_conflict_do_update(index_elements=[_A.code], set_=facts)
        await self._connection.execute(statement, [_columns_of(asset) for asset in told])

    async def seen(self) -> set[str]:
        """Return the codes of all assets that were met: some thousands."""
        statement = select(_A.code).where(_A.first_seen_at.is_not(None))
        return set(await self._connection.scalars(statement))

    async def of(self, codes: Collection[str]) -> dict[str, Asset]:
        """Return those of some assets that were met, by their codes."""
        rows = await self._connection.execute(select(assets).where(_A.code.in_(sorted(codes))))
        return {row.code: _asset_of(row) for row in rows}

    async def page(
        self, *, after: str, limit: int, text: str = "", also: Collection[str] = ()
    ) -> list[Asset]:
        """Return assets whose codes follow `after`, by code.

        `text` keeps those that have it in their code or name, whatever its case, and those in
        `also`.
        """
        statement = select(assets).where(_A.code > after).order_by(_A.code).limit(limit)
        if text:
            found = (_has(_A.code, text), _has(_A.name, text), _A.code.in_(sorted(also)))
            statement = statement.where(or_(*found))
        return [_asset_of(row) for row in await self._connection.execute(statement)]


def _has(column: Any, text: str) -> Any:  # noqa: ANN401 - columns and conditions of the library
    return func.lower(column).contains(text.lower(), autoescape=True)


def _met(code: str, at: Millis) -> dict[str, object]:
    token = token_of(code)
    if token is None:
        return _columns_of(Asset(code, first_seen_at=at))
    chain, contract = token
    return _columns_of(Asset(code, kind="token", chain=chain, contract=contract, first_seen_at=at))


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
