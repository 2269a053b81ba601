"""What users say of assets: overrides, meanings of venues' codes, prices accepted by hand.

Each change counts the versions of the user's accounts up, so that all that was made is made anew.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    CompoundSelect,
    Delete,
    Integer,
    Row,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    false,
    func,
    null,
    select,
    true,
    union_all,
)

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.exact import Exact
from coffers.store.prepared import Prepared
from coffers.store.records import AssetMapping, AssetOverride
from coffers.store.statements import bump_accounts, changed, insert
from coffers.store.tables import accepted_prices, accounts, asset_mappings, asset_overrides
from coffers.valuation.choices import NO_CHOICES, Accepted, Choices
from coffers.valuation.model import Price

OPERATOR = 0
"""Whose acceptance counts for everybody; no user has this id."""

_O, _M, _P = asset_overrides.c, asset_mappings.c, accepted_prices.c
_NO_NUMBER, _NO_TEXT = cast(null(), Integer), cast(null(), Text)
_NO_PRICE = (cast(null(), Exact).label("usd"), cast(null(), BigInteger).label("until"))


def _all_of(user_id: BindParameter[int]) -> CompoundSelect[Any]:
    """Return the one query that a list makes: three short ranges of primary keys."""
    said = select(
        _O.asset,
        _NO_NUMBER.label("account_id"),
        _NO_TEXT.label("venue_code"),
        _O.priced_as,
        _O.is_ignored,
        _O.by_symbol,
        *_NO_PRICE,
    ).where(_O.user_id == user_id)
    its = and_(accounts.c.user_id == _M.user_id, accounts.c.market_code == _M.market_code)
    meant = (
        select(_M.asset, accounts.c.id, _M.venue_code, _NO_TEXT, false(), true(), *_NO_PRICE)
        .join_from(asset_mappings, accounts, its)
        .where(_M.user_id == user_id)
    )
    accepted = select(
        _P.asset, _NO_NUMBER, _NO_TEXT, _NO_TEXT, false(), true(), _P.usd, _P.until
    ).where(_P.user_id == user_id)
    return union_all(said, meant, accepted)


_ALL = Prepared(_all_of(bindparam("user_id", type_=Integer)))


class UserChoices:
    """The decisions of users on assets."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, user_id: int) -> Choices:
        """Return all that a user decided."""
        rows = await self._connection.rows(_ALL, {"user_id": user_id})
        return _choices_of(rows) if rows else NO_CHOICES

    async def overrides(self, user_id: int) -> dict[str, AssetOverride]:
        """Return what a user says of assets, by asset."""
        statement = select(asset_overrides).where(_O.user_id == user_id).order_by(_O.asset)
        rows = await self._connection.execute(statement)
        return {row.asset: _override_of(row) for row in rows}

    async def override(self, user_id: int, said: AssetOverride, now: Millis) -> None:
        """Put what a user says of an asset in the place of what was said before."""
        values = {
            "name": said.name,
            "symbol": said.symbol,
            "priced_as": said.priced_as,
            "is_ignored": said.is_ignored,
            "by_symbol": said.by_symbol,
            "updated_at": now,
        }
        statement = insert(self._connection, asset_overrides)
        statement = statement.values(user_id=user_id, asset=said.asset, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[_O.user_id, _O.asset], set_=values
        )
        await self._connection.execute(statement)
        await bump_accounts(self._connection, user_id)

    async def remove_override(self, user_id: int, asset: str) -> bool:
        """Forget what a user says of an asset; False where nothing was said."""
        statement = delete(asset_overrides).where(_O.user_id == user_id, _O.asset == asset)
        return await self._removed(user_id, statement)

    async def mappings(self, user_id: int) -> list[AssetMapping]:
        """Return what a user says that venues' codes mean, by market and code."""
        statement = select(_M.market_code, _M.venue_code, _M.asset).where(_M.user_id == user_id)
        statement = statement.order_by(_M.market_code, _M.venue_code)
        return [AssetMapping(*row) for row in await self._connection.execute(statement)]

    async def map(self, user_id: int, said: AssetMapping, now: Millis) -> None:
        """Keep what a user says that a venue's code means."""
        values = {"asset": said.asset, "updated_at": now}
        key = {"market_code": said.market_code, "venue_code": said.venue_code}
        statement = insert(self._connection, asset_mappings)
        statement = statement.values(user_id=user_id, **key, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[_M.user_id, _M.market_code, _M.venue_code], set_=values
        )
        await self._connection.execute(statement)
        await bump_accounts(self._connection, user_id)

    async def unmap(self, user_id: int, market_code: str, venue_code: str) -> bool:
        """Forget what a user says that a venue's code means; False where nothing was said."""
        statement = delete(asset_mappings).where(
            _M.user_id == user_id, _M.market_code == market_code, _M.venue_code == venue_code
        )
        return await self._removed(user_id, statement)

    async def said(self, user_id: int) -> int:
        """Return how many overrides and mappings a user has."""
        counts = [
            select(func.count()).select_from(table).where(table.c.user_id == user_id)
            for table in (asset_overrides, asset_mappings)
        ]
        total: int = await self._connection.scalar(
            select(counts[0].scalar_subquery() + counts[1].scalar_subquery())
        )
        return total

    async def accept(
        self, user_id: int, asset: str, price: Price, until: Millis, now: Millis
    ) -> None:
        """Keep that a user, or the `OPERATOR`, accepts a price that is held back."""
        values = {"usd": price.usd, "btc": price.btc, "until": until, "at": now}
        statement = insert(self._connection, accepted_prices)
        statement = statement.values(user_id=user_id, asset=asset, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[_P.user_id, _P.asset], set_=values
        )
        await self._connection.execute(statement)
        others = delete(accepted_prices).where(_P.user_id == user_id, _P.asset != asset)
        await self._connection.execute(others.where(_P.until < now))
        if user_id != OPERATOR:
            await bump_accounts(self._connection, user_id)

    async def _removed(self, user_id: int, statement: Delete) -> bool:
        if not await changed(self._connection, statement):
            return False
        await bump_accounts(self._connection, user_id)
        return True


def _choices_of(rows: Sequence[Row[Any]]) -> Choices:
    said = [row for row in rows if row.venue_code is None and row.usd is None]
    return Choices(
        mapped={
            (row.account_id, row.venue_code): row.asset
            for row in rows
            if row.venue_code is not None
        },
        ignored=frozenset(row.asset for row in said if row.is_ignored),
        distrusted=frozenset(row.asset for row in said if not row.by_symbol),
        priced_as={row.asset: row.priced_as for row in said if row.priced_as is not None},
        accepted={row.asset: Accepted(row.usd, row.until) for row in rows if row.usd is not None},
        said=frozenset(row.asset for row in said),
    )


def _override_of(row: Row[Any]) -> AssetOverride:
    return AssetOverride(
        asset=row.asset,
        name=row.name,
        symbol=row.symbol,
        priced_as=row.priced_as,
        is_ignored=row.is_ignored,
        by_symbol=row.by_symbol,
    )
