"""The past of accounts: snapshots of their value, and deposits and withdrawals."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    column,
    func,
    literal,
    select,
    true,
    union,
    union_all,
    values,
)

from coffers.clock import Millis
from coffers.store.flow_rows import flow_of
from coffers.store.flows import Flows
from coffers.store.lookups import looked_up
from coffers.store.pasts import ALL_COUNT, Counted, Past, flow_portions
from coffers.store.prepared import Prepared
from coffers.store.statements import insert_in
from coffers.store.tables import accounts, snapshots
from coffers.valuation.history import WINDOWS, History, edge_of
from coffers.valuation.model import Snapshot, Value

_A, _S = accounts.c, snapshots.c
_OPENING = Prepared(
    select(snapshots)
    .where(_S.user_id == bindparam("user"), _S.account_id == bindparam("account"))
    .order_by(_S.at)
    .limit(1)
)
_EVER = 2**62
_WITHIN = (
    select(snapshots)
    .where(_S.user_id == bindparam("user"), _S.account_id == bindparam("account"))
    .where(
        _S.at >= bindparam("since", type_=BigInteger), _S.at <= bindparam("until", type_=BigInteger)
    )
    .limit(bindparam("limit", type_=Integer))
)
_PAGE = Prepared(_WITHIN.order_by(_S.at.desc()))
_SPAN = Prepared(_WITHIN.order_by(_S.at))
_Moment = Millis | ColumnElement[Any]


class Histories(Flows):
    """The snapshots and flows of accounts."""

    async def add_snapshot(self, user_id: int, account_id: int, snapshot: Snapshot) -> None:
        """Keep an account's value at a moment, in place of the one kept for the same moment."""
        worth = {"worth_btc": snapshot.value.btc, "worth_usd": snapshot.value.usd}
        own = {"user": user_id, "account": account_id, "moment": snapshot.at}
        await self._connection.changed(_kept(self._connection.dialect.name), {**own, **worth})

    async def opening(self, user_id: int, account_id: int) -> Snapshot | None:
        """Return an account's first snapshot, None before it."""
        own = {"user": user_id, "account": account_id}
        rows = await self._connection.rows(_OPENING, own)
        return _snapshot_of(rows[0]) if rows else None

    async def openings(self, user_id: int, ids: Sequence[int]) -> dict[int, Millis]:
        """Return when several accounts had their first snapshot; one that has none is absent."""
        rows = await self._connection.execute(_first(user_id, ids))
        return {account_id: at for account_id, at in rows if at is not None}

    async def snapshot_page(
        self,
        user_id: int,
        account_id: int,
        limit: int,
        *,
        until: Millis,
        since: Millis | None = None,
    ) -> list[Snapshot]:
        """Return an account's snapshots from the newest on, none later than `until`."""
        own = {"user": user_id, "account": account_id, "until": until, "limit": limit}
        first = {"since": -_EVER if since is None else since}
        return [_snapshot_of(row) for row in await self._connection.rows(_PAGE, {**own, **first})]

    async def snapshots_since(
        self, user_id: int, account_id: int, since: Millis, until: Millis, limit: int
    ) -> list[Snapshot]:
        """Return an account's snapshots of a span from the oldest on."""
        own = {"user": user_id, "account": account_id, "until": until, "limit": limit}
        rows = await self._connection.rows(_SPAN, {**own, "since": since})
        return [_snapshot_of(row) for row in rows]

    async def at_moments(
        self,
        user_id: int,
        ids: Sequence[int],
        moments: Sequence[Millis],
        counted: Counted = ALL_COUNT,
    ) -> dict[int, History]:
        """Return the past of several accounts as it is seen at some moments.

        The histories hold the opening, of the later snapshots the last one at or before each
        moment, and all flows that count; of many of them sums between the moments, and behind them.
        An account that has no snapshot yet is absent.
        """
        kept = await self.values_at(user_id, ids, moments)
        cuts = (Millis(min(moments, default=0) - 1), *sorted(moments), Millis(_EVER))
        return await self._histories(user_id, kept, counted, dict.fromkeys(kept, cuts))

    async def values_at(
        self, user_id: int, ids: Sequence[int], moments: Sequence[Millis]
    ) -> dict[int, list[Snapshot]]:
        """Return the snapshots of several accounts as `at_moments` does, without their flows."""
        seen = _seen(user_id, ids, moments)
        found = select(_S.account_id, _S.at, _S.btc, _S.usd).where(
            _S.user_id == user_id, _S.account_id == seen.c.account_id, _S.at == seen.c.at
        )
        statement = looked_up(self._connection.dialect.name, seen, found, snapshots)
        return _by_account(await self._connection.execute(statement))

    async def windows(
        self,
        user_id: int,
        ids: Sequence[int],
        since: Millis,
        until: Millis,
        counted: Counted = ALL_COUNT,
    ) -> dict[int, History]:
        """Return what the figures of several accounts need of the past.

        The histories hold enough for every `as_of` from `since` to `until`: the snapshots of a day
        and of a month before, with the nearest ones around them, and all flows that count; of many
        from before that the sum. An account that has no snapshot yet is absent.
        """
        kept = await self._snapshots(user_id, ids, since, until)
        cuts = {account_id: (edge_of(found, since),) for account_id, found in kept.items()}
        return await self._histories(user_id, kept, counted, cuts)

    async def _histories(
        self,
        user_id: int,
        kept: Mapping[int, list[Snapshot]],
        counted: Counted,
        cuts: Mapping[int, tuple[Millis, ...]],
    ) -> dict[int, History]:
        pasts = {
            account_id: Past(account_id, found, counted, cuts[account_id])
            for account_id, found in kept.items()
        }
        # What came before the openings, which may be years of it, is in no figure.
        opened = {account_id: found[0].at for account_id, found in kept.items()}
        async for rows in flow_portions(self._connection, user_id, opened):
            for account_id, group in groupby(rows, key=_account):
                pasts[account_id].take(map(flow_of, group))
        return {account_id: past.history() for account_id, past in pasts.items()}

    async def _snapshots(
        self, user_id: int, ids: Sequence[int], since: Millis, until: Millis
    ) -> dict[int, list[Snapshot]]:
        dialect = self._connection.dialect.name
        if len(ids) == 1:
            own = {"user": user_id, "account": ids[0], "first": since, "last": until}
            return _by_account(await self._connection.rows(_around_one(dialect), own))
        spans = [(Millis(since - back), Millis(until - back)) for back in WINDOWS]
        statement = _around(dialect, user_id, _A.id.in_(ids), spans)
        return _by_account(await self._connection.execute(statement))


@cache
def _kept(dialect: str) -> Prepared:
    statement = insert_in(dialect, snapshots).values(
        user_id=bindparam("user"),
        account_id=bindparam("account"),
        at=bindparam("moment"),
        btc=bindparam("worth_btc"),
        usd=bindparam("worth_usd"),
        tier=0,
    )
    new = statement.excluded
    return Prepared(
        statement.on_conflict_do_update(
            index_elements=[_S.user_id, _S.account_id, _S.at, _S.tier],
            set_={"btc": new.btc, "usd": new.usd},
        )
    )


def _account(row: Any) -> int:  # noqa: ANN401 - of either driver
    return int(row.account_id)


def _seen(user_id: int, ids: Sequence[int], moments: Sequence[Millis]) -> CTE:
    """Select the openings, and the last snapshots at or before each moment: each looked up."""
    asked = values(column("at", BigInteger), name="moments").data([(at,) for at in moments])
    each = asked.cte("moments")
    last = _moment(func.max(_S.at), _S.at <= each.c.at)
    seen = select(_A.id, last).join_from(accounts, each, true())
    both: CompoundSelect[Any] = union(
        _first(user_id, ids), seen.where(_A.user_id == user_id, _A.id.in_(ids))
    )
    return both.cte("seen").prefix_with("MATERIALIZED")


@cache
def _around_one(dialect: str) -> Prepared:
    user, account = (bindparam(name, type_=Integer) for name in ("user", "account"))
    since, until = (bindparam(name, type_=BigInteger) for name in ("first", "last"))
    spans = [(since - back, until - back) for back in WINDOWS]
    return Prepared(_around(dialect, user, _A.id == account, spans))


def _around(
    dialect: str,
    user: int | ColumnElement[Any],
    is_asked: ColumnElement[bool],
    spans: Iterable[tuple[_Moment, _Moment]],
) -> Select[Any]:
    """Select the openings of accounts, and what lies in some spans of time and right around them.

    `is_asked` says which of the user's accounts they are.
    """
    asked = and_(_A.user_id == user, is_asked)
    edges = union_all(_opening(asked), *(_edges(asked, *span) for span in spans)).cte("edges")
    # Each edge is looked up once, before the rows in between are: left to itself, SQLite looks
    # them up again for every row.
    edges = edges.prefix_with("MATERIALIZED")
    within = select(_S.account_id, _S.at, _S.btc, _S.usd).where(
        _S.user_id == user,
        _S.account_id == edges.c.account_id,
        _S.at.between(edges.c.first_at, edges.c.last_at),
    )
    return looked_up(dialect, edges, within, snapshots)


def _by_account(rows: Iterable[Any]) -> dict[int, list[Snapshot]]:
    """Return the snapshots of rows of account, moment, BTC and USD, in order of time."""
    found: dict[int, dict[Millis, Snapshot]] = {}
    for account_id, at, btc, usd in rows:
        found.setdefault(account_id, {})[at] = Snapshot(at, Value(btc, usd))
    return {
        account_id: [by_moment[at] for at in sorted(by_moment)]
        for account_id, by_moment in found.items()
    }


def _first(user_id: int, ids: Sequence[int]) -> Select[Any]:
    columns = (_A.id.label("account_id"), _moment(func.min(_S.at), true()).label("at"))
    return select(*columns).where(_A.user_id == user_id, _A.id.in_(ids))


def _opening(asked: ColumnElement[bool]) -> Select[Any]:
    # From ever on up to the first one, which is looked up once so.
    return _span(asked, literal(-_EVER, BigInteger), _moment(func.min(_S.at), true()))


def _edges(asked: ColumnElement[bool], since: _Moment, until: _Moment) -> Select[Any]:
    """Select a span of time, made longer to the last snapshot before and the first one after."""
    before = _moment(func.max(_S.at), _S.at <= since)
    after = _moment(func.min(_S.at), _S.at > until)
    return _span(asked, func.coalesce(before, since), func.coalesce(after, until))


def _span(
    asked: ColumnElement[bool], first: ColumnElement[Any], last: ColumnElement[Any]
) -> Select[Any]:
    columns = (_A.id.label("account_id"), first.label("first_at"), last.label("last_at"))
    return select(*columns).where(asked)


def _moment(pick: ColumnElement[Any], condition: ColumnElement[bool]) -> ScalarSelect[Any]:
    statement = select(pick).where(_S.user_id == _A.user_id, _S.account_id == _A.id, condition)
    return statement.correlate_except(snapshots).scalar_subquery()


def _snapshot_of(row: Row[Any]) -> Snapshot:
    return Snapshot(row.at, Value(row.btc, row.usd))
