"""Trades, kept once each, and how far the walk through an account's trades has come."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, or_, select, tuple_, update

from coffers import money
from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.statements import insert
from coffers.store.tables import lacks_worth, trade_histories, trades, worth_due
from coffers.store.walking import Place, Walkable, walkable
from coffers.valuation.model import NOTHING, Value
from coffers.valuation.trade import Trade

BATCH_SIZE: Final = 2_000
"""Trades that are summed up together."""

TradeKey = tuple[Millis, str, str]
"""Where a trade stands in the order of time: its moment, its symbol, its id."""

_T, _H = trades.c, trade_histories.c
_DUE = worth_due(trades)
_ORDER = (_T.at, _T.symbol, _T.trade_id)
_PLAIN = [field.name for field in fields(Trade) if field.name != "value"]


@dataclass(frozen=True, slots=True)
class TradeWalk:
    """A walk through the trades of an account, newest first, again and again.

    All from `known_since` to `known_until` was asked, None before that is so of any moment.
    `is_complete` says that nothing older can be missing, `has_gaps` that something may have been
    left out, `is_untold` that the venue tells no trades. The venue is asked at `look_at` again;
    `next_at` is when there is something to do, None where there is nothing left.
    """

    look_at: Millis
    next_at: Millis | None
    cursor: str | None = None
    known_since: Millis | None = None
    known_until: Millis | None = None
    is_complete: bool = False
    has_gaps: bool = False
    is_untold: bool = False
    steps: int = 0
    failures: int = 0
    failure_message: str | None = None


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Which trades of an account are asked for: those for which all that is given holds.

    `since` and `until` are the first and the last millisecond that count.
    """

    symbol: str | None = None
    since: Millis | None = None
    until: Millis | None = None


@dataclass(frozen=True, slots=True)
class Traded:
    """What was traded in a span: how often, for how much, and how many have no known worth."""

    count: int
    value: Value
    unvalued: int


class Trades:
    """The trades of accounts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user_id: int, account_id: int, found: Collection[Trade]) -> int:
        """Keep trades; those that are known already stay as they are. Returns how many are new."""
        if not found:
            return 0
        own = {"user_id": user_id, "account_id": account_id}
        added = 0
        for trade in found:
            statement = insert(self._connection, trades).values(**own, **_columns_of(trade))
            result = await self._connection.execute(statement.on_conflict_do_nothing())
            added += result.rowcount
        return added

    async def page(
        self,
        user_id: int,
        account_id: int,
        wanted: TradeFilter,
        limit: int,
        after: TradeKey | None = None,
    ) -> list[Trade]:
        """Return trades from the newest on, those that come after a place in that order."""
        statement = select(trades).where(_of(user_id, account_id), *_conditions(wanted))
        if after is not None:
            at, symbol, trade_id = after
            same = and_(_T.at == at, tuple_(_T.symbol, _T.trade_id) > (symbol, trade_id))
            # The first of these is what an index finds.
            statement = statement.where(_T.at <= at, or_(_T.at < at, same))
        statement = statement.order_by(_T.at.desc(), _T.symbol, _T.trade_id).limit(limit)
        return [_trade_of(row) for row in await self._connection.execute(statement)]

    async def traded(self, user_id: int, account_id: int, wanted: TradeFilter) -> Traded:
        """Return what was traded in a span, summed up without loss, in portions."""
        statement = select(*_ORDER, _T.btc, _T.usd).where(_of(user_id, account_id))
        statement = statement.where(*_conditions(wanted)).order_by(*_ORDER).limit(BATCH_SIZE)
        page, count, unvalued, worth = statement, 0, 0, NOTHING
        while True:
            rows = (await self._connection.execute(page)).all()
            known = [row for row in rows if row.btc is not None and row.usd is not None]
            count, unvalued = count + len(rows), unvalued + len(rows) - len(known)
            found = Value(_sum([row.btc for row in known]), _sum([row.usd for row in known]))
            worth = worth.plus(found)
            if len(rows) < BATCH_SIZE:
                return Traded(count, worth, unvalued)
            place = rows[-1].at, rows[-1].symbol, rows[-1].trade_id
            page = statement.where(tuple_(*_ORDER) > tuple_(*place))
            # SQLite is asked in the event loop: let others have their turn.
            await asyncio.sleep(0)

    async def unvalued(
        self, user_id: int, account_id: int, now: Millis, limit: int
    ) -> Sequence[Trade]:
        """Return trades whose worth is to be looked for now, first those that it never was of.

        Of these the newest come first.
        """
        statement = select(trades).where(_of(user_id, account_id), lacks_worth(trades), now >= _DUE)
        statement = statement.order_by(_DUE, _T.at.desc()).limit(limit)
        return [_trade_of(row) for row in await self._connection.execute(statement)]

    async def next_valuation(self, user_id: int, account_id: int) -> Millis | None:
        """Return when the worth of a trade is to be looked for next, None where of none."""
        statement = select(_DUE).where(_of(user_id, account_id), lacks_worth(trades))
        found = await self._connection.scalar(statement.order_by(_DUE).limit(1))
        return None if found is None else Millis(found)

    async def keep_value(self, user_id: int, account_id: int, trade: Trade, value: Value) -> None:
        """Keep what a trade was worth."""
        statement = update(trades).where(_of(user_id, account_id), _is(trade))
        await self._connection.execute(statement.values(btc=value.btc, usd=value.usd))

    async def value_tries(self, user_id: int, account_id: int, trade: Trade) -> int:
        """Return how often a trade's worth was looked for in vain."""
        statement = select(_T.value_tries).where(_of(user_id, account_id), _is(trade))
        return await self._connection.scalar(statement) or 0

    async def value_later(self, user_id: int, account_id: int, trade: Trade, at: Millis) -> None:
        """Look for a trade's worth again at a moment."""
        statement = update(trades).where(_of(user_id, account_id), _is(trade))
        await self._connection.execute(
            statement.values(value_tries=_T.value_tries + 1, value_at=at)
        )

    async def begin(self, user_id: int, account_id: int, at: Millis) -> None:
        """Begin an account's walk; one that began already stays as it is."""
        statement = insert(self._connection, trade_histories).values(
            user_id=user_id, account_id=account_id, **_walk_columns(TradeWalk(at, at))
        )
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def walk(self, user_id: int, account_id: int) -> TradeWalk | None:
        """Return where an account's walk stands, None where there is none."""
        columns = [getattr(_H, name) for name in TradeWalk.__slots__]
        statement = select(*columns).where(_H.user_id == user_id, _H.account_id == account_id)
        row = (await self._connection.execute(statement)).first()
        return None if row is None else TradeWalk(*row)

    async def keep_walk(self, user_id: int, account_id: int, walk: TradeWalk) -> None:
        """Write where an account's walk stands."""
        statement = update(trade_histories).where(
            _H.user_id == user_id, _H.account_id == account_id
        )
        await self._connection.execute(statement.values(**_walk_columns(walk)))

    async def due(self, now: Millis, limit: int, after: Place | None = None) -> Walkable:
        """Return walks that may go on now, of a portion of those that are due."""
        return await walkable(self._connection, trade_histories, now, limit, after)


def _of(user_id: int, account_id: int) -> ColumnElement[bool]:
    return and_(_T.user_id == user_id, _T.account_id == account_id)


def _is(trade: Trade) -> ColumnElement[bool]:
    return and_(_T.symbol == trade.symbol, _T.trade_id == trade.trade_id)


def _conditions(wanted: TradeFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.symbol is not None:
        conditions.append(_T.symbol == wanted.symbol)
    if wanted.since is not None:
        conditions.append(_T.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_T.at <= wanted.until)
    return conditions


def _sum(amounts: Collection[Decimal]) -> Decimal:
    total = money.ZERO
    for amount in amounts:
        total = money.add(total, amount)
    return total


def _trade_of(row: Row[Any]) -> Trade:
    value = None if row.btc is None or row.usd is None else Value(row.btc, row.usd)
    return Trade(**{name: getattr(row, name) for name in _PLAIN}, value=value)


def _columns_of(trade: Trade) -> dict[str, object]:
    value = trade.value
    return {
        **{name: getattr(trade, name) for name in _PLAIN},
        "btc": None if value is None else value.btc,
        "usd": None if value is None else value.usd,
    }


def _walk_columns(walk: TradeWalk) -> dict[str, object]:
    return {name: getattr(walk, name) for name in TradeWalk.__slots__}
