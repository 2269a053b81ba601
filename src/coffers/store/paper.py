"""Paper accounts: their terms, and the orders that were filled in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, Table, and_, delete, or_, select

from coffers.clock import Millis
from coffers.store.claims import is_account
from coffers.store.connection import AsyncConnection
from coffers.store.statements import insert, next_id
from coffers.store.tables import (
    accounts,
    flows,
    paper_accounts,
    paper_orders,
    snapshots,
    trades,
    transfers,
    unpriced_assets,
)

Side = Literal["buy", "sell"]

_P, _O, _T = paper_accounts.c, paper_orders.c, transfers.c
_decode = msgspec.json.Decoder(dict[str, Decimal]).decode


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """What a paper account starts with, in units of each asset, and the share that an order costs.

    A fee of 0.001 is a tenth of a percent of what an order brings.
    """

    fee: Decimal
    start: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """A filled order.

    A buy spends `quote` and receives `base`, a sell the other way round. `fee` was taken from what
    came in, so `received` is without it. `price` is in units of quote per unit of base; it is that
    of the price book `epoch`, found along `route`. `id` is 0 until it is stored.
    """

    side: Side
    base: str
    quote: str
    spent: Decimal
    received: Decimal
    fee: Decimal
    price: Decimal
    route: tuple[str, ...]
    epoch: int
    at: Millis
    id: int = 0

    @property
    def spent_asset(self) -> str:
        """What was paid with."""
        return self.quote if self.side == "buy" else self.base

    @property
    def received_asset(self) -> str:
        """What came in, and what the fee was taken in."""
        return self.base if self.side == "buy" else self.quote


@dataclass(frozen=True, slots=True)
class Named:
    """What a client calls an order, and what it asked for under that name."""

    key: str
    asked: str


class PaperBooks:
    """The terms and orders of paper accounts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def set_terms(self, user_id: int, account_id: int, terms: PaperTerms) -> None:
        """Keep the terms of an account, in the place of those that it had."""
        start = {asset: f"{amount:f}" for asset, amount in terms.start.items()}
        values = {"fee": terms.fee, "start": msgspec.json.encode(start).decode()}
        statement = insert(self._connection, paper_accounts).values(
            user_id=user_id, account_id=account_id, **values
        )
        statement = statement.on_conflict_do_update(
            index_elements=[_P.user_id, _P.account_id], set_=values
        )
        await self._connection.execute(statement)

    async def terms(self, user_id: int, account_id: int) -> PaperTerms | None:
        """Return the terms of an account, None where it is no paper account."""
        statement = select(_P.fee, _P.start).where(_of(paper_accounts, user_id, account_id))
        row = (await self._connection.execute(statement)).first()
        return None if row is None else PaperTerms(row.fee, _decode(row.start))

    async def add_order(
        self, user_id: int, account_id: int, order: PaperOrder, named: Named | None
    ) -> int:
        """Keep a filled order and return its id."""
        order_id = await next_id(self._connection, "paper_orders")
        values = {name: getattr(order, name) for name in PaperOrder.__slots__ if name != "id"}
        own = {"user_id": user_id, "account_id": account_id, "id": order_id}
        name = {} if named is None else {"idempotency_key": named.key, "asked": named.asked}
        await self._connection.execute(paper_orders.insert().values(**own, **values, **name))
        return order_id

    async def named(self, user_id: int, account_id: int, key: str) -> tuple[PaperOrder, str] | None:
        """Return the order that a client calls so, and what it asked for; None without one."""
        statement = select(paper_orders).where(
            _of(paper_orders, user_id, account_id), _O.idempotency_key == key
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else (_order_of(row), row.asked)

    async def orders(
        self, user_id: int, account_id: int, limit: int, before: int | None = None
    ) -> list[PaperOrder]:
        """Return orders from the newest on, those that came before the one of an id."""
        statement = select(paper_orders).where(_of(paper_orders, user_id, account_id))
        if before is not None:
            statement = statement.where(_O.id < before)
        rows = await self._connection.execute(statement.order_by(_O.id.desc()).limit(limit))
        return [_order_of(row) for row in rows]

    async def forget_past(self, user_id: int, account_id: int) -> None:
        """Forget an account's orders, trades, snapshots and flows, and what had no price.

        Whoever calls this has locked the account, and then its user.
        """
        # For good: a roll-up refers to it, and may just be moving the snapshots elsewhere.
        account = select(accounts.c.id).where(is_account(user_id, account_id)).with_for_update()
        await self._connection.execute(account)
        ends = or_(_T.out_account_id == account_id, _T.in_account_id == account_id)
        await self._connection.execute(delete(transfers).where(_T.user_id == user_id, ends))
        for table in (paper_orders, trades, snapshots, flows, unpriced_assets):
            await self._connection.execute(delete(table).where(_of(table, user_id, account_id)))


def _of(table: Table, user_id: int, account_id: int) -> ColumnElement[bool]:
    return and_(table.c.user_id == user_id, table.c.account_id == account_id)


def _order_of(row: Row[Any]) -> PaperOrder:
    return PaperOrder(**{name: getattr(row, name) for name in PaperOrder.__slots__})
