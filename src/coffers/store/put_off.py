"""What a clock that was ahead put off: moments further away than any that is written now.

Each column with such moments stands here once. Accounts have their own, in `Claims`.
"""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    and_,
    case,
    cast,
    literal,
    select,
    tuple_,
    update,
)

from coffers.clock import HOUR, Millis
from coffers.store.connection import AsyncConnection
from coffers.store.deliveries import REFUSALS_TO_STEP_ASIDE
from coffers.store.statements import changed
from coffers.store.tables import (
    accounts,
    auto_balances,
    errands,
    flow_histories,
    operations,
    trade_histories,
    venue_tasks,
    webhook_deliveries,
    webhooks,
)

_A, _B = accounts.c, auto_balances.c
_F, _T, _W = flow_histories.c, trade_histories.c, webhooks.c
_D = webhook_deliveries.c


class Moments(NamedTuple):
    """A column that tells when something is to be done, or was; and the rows where it counts."""

    column: Column[int]
    rows: ColumnElement[bool]


FLOW_WALKS = Moments(_F.next_at, and_(~_F.is_complete, _F.failures == 0))
"""Walks through deposits. A complete one waits for prices, up to days; one that failed may have
been told to wait for long, as with all walks."""

TRADE_WALKS = Moments(_T.next_at, _T.failures == 0)

WEBHOOKS = Moments(_W.next_at, and_(_W.is_active, _W.failures > 0))
"""Those that failed: others are due by their events, and by deliveries that stepped aside."""

ASIDE = Moments(_D.next_at, and_(_D.state == "pending", _D.refusals >= REFUSALS_TO_STEP_ASIDE))
"""Deliveries that stepped aside."""

WEBHOOKS_WITH_ASIDE = Moments(_W.next_at, and_(_W.is_active, _W.failures == 0))
"""Webhooks that wait for nothing but these."""

VENUE_TASKS = Moments(venue_tasks.c.due_at, venue_tasks.c.due_at.is_not(None))

OPERATIONS = Moments(operations.c.updated_at, operations.c.state == "running")
"""When somebody was last at work on one: it is gone on with once that is long ago."""

_CLAIMS = (
    # Who has one began a run: such are few, and found by an index.
    (_B.claimed_until, _B.claimed_by, _B.planned_at.is_not(None)),
    (_W.claimed_until, _W.claimed_by, _W.claimed_until.is_not(None)),
    (venue_tasks.c.taken_until, venue_tasks.c.taken_by, venue_tasks.c.taken_until.is_not(None)),
    # The open ones are few, and have an index.
    (errands.c.taken_until, errands.c.taken_by, errands.c.outcome.is_(None)),
)


class PutOff:
    """The moments of all subjects that may lie too far ahead, of all users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def bring_back(self, moments: Moments, now: Millis, latest: Millis, most: int) -> int:
        """Set so many moments to now that lie later than `latest`; return how many."""
        column, rows = moments
        table = column.table
        key = tuple(table.primary_key)
        late = and_(rows, column > latest)
        portion = select(*key).where(late).order_by(column.desc()).limit(most)
        # Asked again of each row: it may be another one by the time that it is free.
        statement = update(table).where(tuple_(*key).in_(portion), late)
        return await changed(self._connection, statement.values({column.name: now}))

    async def bring_back_balances(self, now: Millis, retry: Millis, most: int) -> int:
        """Let so many rebalanced accounts wait no longer than they would from now on.

        That is the account's period, no time at all for a price to move, and `retry` after a
        failure. Returns how many there were.
        """
        own = and_(_A.user_id == _B.user_id, _A.id == _B.account_id)
        due = select(cast(_A.auto_balance_period, BigInteger) * HOUR + now).where(own)
        latest = case(
            (_B.failures > 0, literal(now + retry, BigInteger)),
            (_B.by_price, literal(now, BigInteger)),
            else_=due.correlate(auto_balances).scalar_subquery(),
        )
        late = _B.next_at > latest
        key = _B.user_id, _B.account_id
        portion = select(*key).where(late).limit(most)
        statement = update(auto_balances).where(tuple_(*key).in_(portion), late)
        return await changed(self._connection, statement.values(next_at=latest))

    async def free(self, longest: Millis) -> int:
        """Let go of all but accounts that is claimed for longer than `longest`; return how much."""
        freed = 0
        for until, holder, rows in _CLAIMS:
            statement = update(until.table).where(rows, until > longest)
            values = {until.name: None, holder.name: None}
            freed += await changed(self._connection, statement.values(values))
        return freed
