"""What the snapshots of accounts counted of unlisted tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, delete, select

from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.statements import insert
from coffers.store.tables import unlisted_counts
from coffers.valuation.model import Value

_U = unlisted_counts.c
_OF = Prepared(
    select(_U.asset, _U.amount, _U.btc, _U.usd).where(
        _U.user_id == bindparam("user"), _U.account_id == bindparam("account")
    )
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a token counted, and what a unit of it was worth then."""

    amount: Decimal
    price: Value


class UnlistedCounts:
    """The unlisted tokens that counted in the last snapshot of an account."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, user_id: int, account_id: int) -> dict[str, Counted]:
        """Return what counted, by asset."""
        rows = await self._connection.rows(_OF, {"user": user_id, "account": account_id})
        return {row.asset: Counted(row.amount, Value(row.btc, row.usd)) for row in rows}

    async def replace(self, user_id: int, account_id: int, counted: Mapping[str, Counted]) -> None:
        """Keep what counts now in place of what did before."""
        old = delete(unlisted_counts).where(_U.user_id == user_id, _U.account_id == account_id)
        await self._connection.execute(old)
        rows = [
            {
                "user_id": user_id,
                "account_id": account_id,
                "asset": asset,
                "amount": each.amount,
                "btc": each.price.btc,
                "usd": each.price.usd,
            }
            for asset, each in counted.items()
        ]
        if rows:
            await self._connection.execute(insert(self._connection, unlisted_counts), rows)
