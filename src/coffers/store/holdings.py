"""What accounts hold, as their last readings found it."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select

from coffers.store.connection import AsyncConnection
from coffers.store.tables import positions
from coffers.valuation.model import Position

_P = positions.c


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
        if strays := {position.wallet for position in held} - set(wallets):
            raise ValueError(f"positions in wallets that were not read: {sorted(strays)}")
        known = delete(positions).where(_P.user_id == user_id, _P.account_id == account_id)
        await self._connection.execute(known.where(_P.wallet.in_(sorted(wallets))))
        if held:
            rows = [_columns_of(user_id, account_id, position) for position in held]
            await self._connection.execute(insert(positions), rows)

    async def of_account(self, user_id: int, account_id: int) -> list[Position]:
        """Return what an account holds, by wallet and asset."""
        found = await self.of_accounts(user_id, [account_id])
        return list(found.get(account_id, ()))

    async def of_accounts(
        self, user_id: int, ids: Sequence[int]
    ) -> dict[int, tuple[Position, ...]]:
        """Return what several accounts of a user hold; one that holds nothing is absent."""
        statement = (
            select(positions)
            .where(_P.user_id == user_id, _P.account_id.in_(ids))
            .order_by(_P.account_id, _P.wallet, _P.asset, _P.venue_code)
        )
        found: dict[int, list[Position]] = {}
        for row in await self._connection.execute(statement):
            found.setdefault(row.account_id, []).append(_position_of(row))
        return {account_id: tuple(held) for account_id, held in found.items()}


def _position_of(row: Row[Any]) -> Position:
    return Position(
        wallet=row.wallet,
        asset=row.asset,
        venue_code=row.venue_code,
        free=row.free,
        in_orders=row.in_orders,
        borrowed=row.borrowed,
        interest=row.interest,
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
    }
