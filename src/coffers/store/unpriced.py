"""What accounts hold and no price is known of."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import bindparam, delete, select

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.statements import insert
from coffers.store.tables import unpriced_assets
from coffers.valuation.model import Value

_U = unpriced_assets.c
_OF = Prepared(
    select(unpriced_assets).where(
        _U.user_id == bindparam("user"), _U.account_id == bindparam("account")
    )
)


@dataclass(frozen=True, slots=True)
class Unpriced:
    """An asset that an account holds and that had no price at its last readings.

    `since` is the first of them, `counted_at` the snapshot before it, which counted `amount` units
    at `price`.

    Once the asset is left out of the snapshots `amount` is what is to be put in when it has a
    price, and `price` that at which it left; None where it was never counted, or nobody knows at
    which price. What of it was set apart is of after `counted_at` then, and `since` is also when
    it became less.
    """

    since: Millis
    counted_at: Millis
    is_left_out: bool
    amount: Decimal
    price: Value | None


class UnpricedAssets:
    """The assets without a price of each account."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, user_id: int, account_id: int) -> dict[str, Unpriced]:
        """Return what an account lacks prices of, by asset."""
        rows = await self._connection.rows(_OF, {"user": user_id, "account": account_id})
        return {
            row.asset: Unpriced(
                row.since,
                row.counted_at,
                row.is_left_out,
                row.amount,
                None if row.btc is None or row.usd is None else Value(row.btc, row.usd),
            )
            for row in rows
        }

    async def replace(self, user_id: int, account_id: int, lacking: Mapping[str, Unpriced]) -> None:
        """Keep what an account lacks prices of now, in place of what it did before."""
        old = delete(unpriced_assets).where(_U.user_id == user_id, _U.account_id == account_id)
        await self._connection.execute(old)
        rows = [
            {
                "user_id": user_id,
                "account_id": account_id,
                "asset": asset,
                "since": each.since,
                "counted_at": each.counted_at,
                "is_left_out": each.is_left_out,
                "amount": each.amount,
                "btc": None if each.price is None else each.price.btc,
                "usd": None if each.price is None else each.price.usd,
            }
            for asset, each in lacking.items()
        ]
        if rows:
            await self._connection.execute(insert(self._connection, unpriced_assets), rows)
