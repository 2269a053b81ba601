"""How far the rebalancing of accounts has come: when each runs next, and who runs it now.

A run is claimed by one holder; a claim that is not extended runs out by itself. The moment that a
run was planned at is kept until the run has ended, so that whoever takes over after a process died
goes on with the same run instead of beginning another one.

Whoever writes here what follows from an account's settings, or both, holds the account first: what
is written elsewhere meanwhile is not undone, and nobody waits for somebody who waits for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Row, and_, delete, false, func, or_, select, union, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.records import BalanceState
from coffers.store.statements import changed, held, insert
from coffers.store.tables import accounts, auto_balances

_B, _A = auto_balances.c, accounts.c
_decode = msgspec.json.Decoder(dict[str, Decimal]).decode


class Due(NamedTuple):
    """An account that was found to be run, and from when on it was to be."""

    user_id: int
    account_id: int
    next_at: Millis | None


@dataclass(frozen=True, slots=True)
class Watched:
    """An account that is rebalanced once a price has moved by more than `limit` percent."""

    user_id: int
    account_id: int
    next_at: Millis
    portfolio_id: int
    limit: int
    prices: Mapping[str, Decimal]


class AutoBalances:
    """The runs of accounts that are rebalanced."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, user_id: int, account_id: int) -> BalanceState | None:
        """Return how far an account has come, None where it is not rebalanced."""
        statement = select(auto_balances).where(_is(user_id, account_id))
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _state_of(row)

    async def put(self, user_id: int, account_id: int, state: BalanceState) -> None:
        """Write how far an account has come; a claim, and a run that is under way, stay."""
        # As the account's settings, which are written before, say.
        method = _A.auto_balance_method == "currency_change"
        settings = select(func.coalesce(method, false())).where(
            _A.user_id == user_id, _A.id == account_id
        )
        values = {**_columns(state), "by_price": settings.scalar_subquery()}
        statement = insert(self._connection, auto_balances).values(
            user_id=user_id, account_id=account_id, **values
        )
        statement = statement.on_conflict_do_update(
            index_elements=[_B.user_id, _B.account_id], set_=values
        )
        await self._connection.execute(statement)

    async def remove(self, user_id: int, account_id: int) -> bool:
        """Forget an account that is rebalanced no more; False where it was not."""
        statement = delete(auto_balances).where(_is(user_id, account_id))
        return await changed(self._connection, statement) > 0

    async def due(self, now: Millis, limit: int) -> list[Due]:
        """Return what is to be run or gone on with, longest due first.

        Those that wait for a price to move are not among them, but for runs that were begun: at
        once where a process died in one, after the wait where it failed.
        """
        free = select(_B.user_id, _B.account_id, _B.next_at).where(_is_free(now))
        free = free.order_by(_B.next_at, _B.account_id).limit(limit)
        due = free.where(~_B.by_price, _B.next_at <= now).subquery()
        begun = free.where(_may_go_on(now)).subquery()
        found = union(select(due), select(begun)).subquery()
        statement = select(found).order_by(found.c.next_at, found.c.account_id).limit(limit)
        return [Due(*row) for row in await self._connection.execute(statement)]

    async def watched(self, now: Millis, limit: int, after: int = 0) -> list[Watched]:
        """Return accounts that wait for a price to move, by id, those behind the id `after`."""
        own = and_(_A.user_id == _B.user_id, _A.id == _B.account_id)
        limits = (_A.auto_balance_portfolio_id, _A.auto_balance_currency_change_limit)
        statement = (
            select(auto_balances, *limits)
            .join_from(auto_balances, accounts, own)
            .where(_B.by_price, _B.account_id > after, _B.next_at <= now, _is_free(now))
        )
        rows = await self._connection.execute(statement.order_by(_B.account_id).limit(limit))
        return [
            Watched(
                row.user_id,
                row.account_id,
                row.next_at,
                row.auto_balance_portfolio_id,
                row.auto_balance_currency_change_limit,
                _decode(row.prices),
            )
            for row in rows
        ]

    async def claim(
        self,
        user_id: int,
        account_id: int,
        holder: str,
        *,
        now: Millis,
        until: Millis,
        due: Due | None = None,
    ) -> Millis | None:
        """Claim the run of an account up to a moment.

        With `due` only while it stands as it was found: it may have waited for its turn since, and
        been switched off, set to something else or run.

        Returns:
            The moment that the run was planned at: an earlier one where a process died in it. None
            where somebody else is at it, or nothing is to be run.
        """
        statement = update(auto_balances).where(_is(user_id, account_id), _is_free(now))
        if due is not None:
            statement = statement.where(_is_still(due, now))
        values = {"claimed_by": holder, "claimed_until": until}
        if not await changed(self._connection, statement.values(**values)):
            return None
        begun = await self.planned_at(user_id, account_id)
        if begun is None:
            own = update(auto_balances).where(_is(user_id, account_id))
            await self._connection.execute(own.values(planned_at=now))
        return now if begun is None else begun

    async def plan_anew(
        self, user_id: int, account_id: int, holder: str, planned_at: Millis
    ) -> None:
        """Begin another run in the place of one that has been brought to its end."""
        statement = update(auto_balances).where(_is(user_id, account_id), _B.claimed_by == holder)
        await self._connection.execute(statement.values(planned_at=planned_at))

    async def extend(self, user_id: int, account_id: int, holder: str, until: Millis) -> bool:
        """Hold a claim for longer; False where it was lost."""
        statement = update(auto_balances).where(_is(user_id, account_id), _B.claimed_by == holder)
        return await changed(self._connection, statement.values(claimed_until=until)) > 0

    async def finish(self, user_id: int, account_id: int, holder: str, state: BalanceState) -> bool:
        """End a run and its claim, with what is known then; False where the claim was lost.

        A state with `planned_at` leaves the run to be gone on with.
        """
        statement = update(auto_balances).where(_is(user_id, account_id), _B.claimed_by == holder)
        free = {"planned_at": state.planned_at, "claimed_by": None, "claimed_until": None}
        return await changed(self._connection, statement.values(**_columns(state), **free)) > 0

    async def planned_at(
        self, user_id: int, account_id: int, *, is_held: bool = False
    ) -> Millis | None:
        """Return when the run that is under way was planned, None where there is none.

        With `is_held` the settings cannot be removed before the transaction has ended.
        """
        if is_held:
            account = select(_A.id).where(_A.user_id == user_id, _A.id == account_id)
            await self._connection.execute(held(account))
        statement = select(_B.planned_at).where(_is(user_id, account_id))
        moment: Millis | None = await self._connection.scalar(statement)
        return moment


def _is(user_id: int, account_id: int) -> ColumnElement[bool]:
    return and_(_B.user_id == user_id, _B.account_id == account_id)


def _is_free(now: Millis) -> ColumnElement[bool]:
    return or_(_B.claimed_until.is_(None), _B.claimed_until < now)


def _may_go_on(now: Millis) -> ColumnElement[bool]:
    """Find runs that were begun: at once where a process died, after the wait where one failed."""
    return and_(_B.planned_at.is_not(None), or_(_B.failures == 0, _B.next_at <= now))


def _is_still(due: Due, now: Millis) -> ColumnElement[bool]:
    """Find what is due as it was: settings that are made, and runs, give it another moment."""
    if due.next_at is None:
        return _may_go_on(now)
    return or_(_B.next_at == due.next_at, _may_go_on(now))


def _columns(state: BalanceState) -> dict[str, object]:
    prices = {asset: f"{price:f}" for asset, price in state.prices.items()}
    return {
        "next_at": state.next_at,
        "failures": state.failures,
        "prices": msgspec.json.encode(prices).decode(),
    }


def _state_of(row: Row[Any]) -> BalanceState:
    return BalanceState(row.next_at, row.failures, _decode(row.prices), row.planned_at)
