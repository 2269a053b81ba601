"""What accounts hold, and their open contracts, as their last readings found them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    Exists,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    literal_column,
    select,
    tuple_,
    union_all,
    update,
)

from coffers.markets.assets import is_of_one_venue
from coffers.store.claims import OPERATION
from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.statements import held
from coffers.store.tables import accounts, contracts, flows, positions, unpriced_assets, users
from coffers.valuation.contract import Contract
from coffers.valuation.model import Position

_P = positions.c
_A = accounts.c
# In the words of the index's condition, as a parameter would hide from the planner.
_IS_NO_SPAM = _P.wallet != literal_column("'spam'")
_C = contracts.c
_CONTRACT = [field.name for field in fields(Contract)]
_POSITIONS = select(positions)
_OF_ACCOUNT = Prepared(
    _POSITIONS.where(
        _P.user_id == bindparam("user"), _P.account_id == bindparam("account")
    ).order_by(_P.wallet, _P.asset, _P.venue_code)
)
_CONTRACTS_OF = Prepared(
    select(*(_C[name] for name in _CONTRACT))
    .where(_C.user_id == bindparam("user"), _C.account_id == bindparam("account"))
    .order_by(_C.wallet, _C.place)
)


class HeldPositions:
    """The positions of accounts, wallet by wallet."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(
        self,
        user_id: int,
        account_id: int,
        wallets: Collection[str],
        held: Collection[Position],
    ) -> None:
        """Put what was read of some wallets in the place of what was known of them.

        Wallets that were not read keep what is known of them.

        Raises:
            ValueError: for a position in a wallet that was not read.
        """
        _refuse_strays(held, wallets)
        known = delete(positions).where(_P.user_id == user_id, _P.account_id == account_id)
        await self._connection.execute(known.where(_P.wallet.in_(sorted(wallets))))
        if held:
            rows = [_columns_of(user_id, account_id, position) for position in held]
            await self._connection.execute(insert(positions), rows)

    async def of_account(self, user_id: int, account_id: int) -> list[Position]:
        """Return what an account holds, by wallet and asset."""
        own = {"user": user_id, "account": account_id}
        return [_position_of(row) for row in await self._connection.rows(_OF_ACCOUNT, own)]

    async def of_accounts(
        self, user_id: int, ids: Sequence[int]
    ) -> dict[int, tuple[Position, ...]]:
        """Return what several accounts of a user hold; one that holds nothing is absent."""
        if len(ids) == 1:
            only = await self.of_account(user_id, ids[0])
            return {ids[0]: tuple(only)} if only else {}
        statement = _POSITIONS.where(_P.user_id == user_id, _P.account_id.in_(ids)).order_by(
            _P.account_id, _P.wallet, _P.asset, _P.venue_code
        )
        found: dict[int, list[Position]] = {}
        for row in await self._connection.execute(statement):
            found.setdefault(row.account_id, []).append(_position_of(row))
        return {account_id: tuple(held) for account_id, held in found.items()}

    async def rename(self, changes: Sequence[tuple[Collection[str], str, str]]) -> None:
        """Call what accounts hold of assets by other keys: of (markets, old key, new key) each.

        What came and went of it follows. Readings of holders that are under way are not stored:
        they know the old key. Spam stays what it calls itself. To be called last in a transaction:
        it waits for others of the same users.
        """
        keys: dict[tuple[str, ...], dict[str, str]] = {}
        for markets, old, new in changes:
            keys.setdefault(tuple(sorted(markets)), {})[old] = new
        # First all accounts and last all users, in the order that others lock theirs.
        owners = await self._take_over(keys)
        for markets, renamed in keys.items():
            if owners:
                its = update(positions).where(_P.asset.in_(renamed), _IS_NO_SPAM, _is_at(markets))
                await self._connection.execute(its.values(asset=case(renamed, value=_P.asset)))
                await self._rename_unpriced(markets, renamed)
            await self._rename_flows(markets, renamed)
        if owners:
            is_owner = users.c.id.in_(owners)
            await self._connection.execute(
                held(select(users.c.id).where(is_owner).order_by(users.c.id))
            )
            counted_up = update(users).where(is_owner).values(version=users.c.version + 1)
            await self._connection.execute(counted_up)

    async def _take_over(self, keys: Mapping[tuple[str, ...], Mapping[str, str]]) -> list[int]:
        """Count the versions of holders up, and take their accounts over from readings.

        Return the users that they are of.
        """
        if not keys:
            return []
        holders = union_all(*(_holders(markets, renamed) for markets, renamed in keys.items()))
        is_holder = tuple_(_A.user_id, _A.id).in_(holders)
        found = select(_A.user_id).where(is_holder).order_by(_A.user_id, _A.id)
        owners = set(await self._connection.scalars(held(found)))
        is_operation = _A.claimed_by.startswith(OPERATION)
        if owners:
            await self._connection.execute(
                update(accounts)
                .where(is_holder)
                .values(
                    version=_A.version + 1,
                    claimed_by=case((is_operation, _A.claimed_by)),
                    claimed_until=case((is_operation, _A.claimed_until)),
                )
            )
        return sorted(owners)

    async def _rename_unpriced(self, markets: tuple[str, ...], renamed: Mapping[str, str]) -> None:
        of = unpriced_assets.c
        own = tuple_(of.user_id, of.account_id).in_(_holders(markets, renamed.values()))
        # Of another time, when it was called so before.
        await self._connection.execute(
            delete(unpriced_assets).where(own, of.asset.in_(renamed.values()))
        )
        its = update(unpriced_assets).where(own, of.asset.in_(renamed))
        await self._connection.execute(its.values(asset=case(renamed, value=of.asset)))

    async def _rename_flows(self, markets: tuple[str, ...], renamed: Mapping[str, str]) -> None:
        """Call flows by the new keys, of who holds the asset; of all where it is one again."""
        over = {old: new for old, new in renamed.items() if is_of_one_venue(old)}
        begun = {old: new for old, new in renamed.items() if old not in over}
        all_there = select(_A.user_id, _A.id).where(_A.market_code.in_(markets))
        for keys, owned in ((begun, _holders(markets, begun.values())), (over, all_there)):
            own = tuple_(flows.c.user_id, flows.c.account_id).in_(owned)
            for column in (flows.c.asset, flows.c.fee_asset) if keys else ():
                its = update(flows).where(own, column.in_(keys))
                await self._connection.execute(its.values({column: case(keys, value=column)}))

    async def replace_contracts(
        self,
        user_id: int,
        account_id: int,
        wallets: Collection[str],
        held: Sequence[Contract],
    ) -> None:
        """Put the open contracts that were read in the place of those known of the same wallets.

        Raises:
            ValueError: for a contract of a wallet that was not read.
        """
        _refuse_strays(held, wallets)
        known = delete(contracts).where(_C.user_id == user_id, _C.account_id == account_id)
        await self._connection.execute(known.where(_C.wallet.in_(sorted(wallets))))
        if held:
            own = {"user_id": user_id, "account_id": account_id}
            rows = [
                {**own, "place": place, **asdict(contract)} for place, contract in enumerate(held)
            ]
            await self._connection.execute(insert(contracts), rows)

    async def contracts_of(self, user_id: int, account_id: int) -> list[Contract]:
        """Return the open contracts of an account, by wallet and in the venue's order."""
        own = {"user": user_id, "account": account_id}
        return [Contract(*row) for row in await self._connection.rows(_CONTRACTS_OF, own)]


def _is_at(markets: tuple[str, ...]) -> Exists:
    own = and_(_A.user_id == _P.user_id, _A.id == _P.account_id)
    return exists().where(own, _A.market_code.in_(markets)).correlate(positions)


def _holders(markets: tuple[str, ...], assets: Iterable[str]) -> Select[tuple[int, int]]:
    return select(_P.user_id, _P.account_id).where(
        _P.asset.in_(list(assets)), _IS_NO_SPAM, _is_at(markets)
    )


def _refuse_strays(held: Iterable[Position | Contract], wallets: Collection[str]) -> None:
    if strays := {each.wallet for each in held} - set(wallets):
        raise ValueError(f"holdings of wallets that were not read: {sorted(strays)}")


def _position_of(row: Row[Any]) -> Position:
    return Position(
        wallet=row.wallet,
        asset=row.asset,
        venue_code=row.venue_code,
        free=row.free,
        in_orders=row.in_orders,
        borrowed=row.borrowed,
        interest=row.interest,
        unrealised=row.unrealised,
    )


def _columns_of(user_id: int, account_id: int, position: Position) -> dict[str, object]:
    return {
        "user_id": user_id,
        "account_id": account_id,
        "wallet": position.wallet,
        "asset": position.asset,
        "venue_code": position.venue_code,
        "free": position.free,
        "in_orders": position.in_orders,
        "borrowed": position.borrowed,
        "interest": position.interest,
        "unrealised": position.unrealised,
    }
