"""Rolling snapshots up: ever fewer are kept the older they are, batch by batch.

A tier keeps the last snapshot of each slot. A slot ends at a full five minutes, hour or day (UTC),
and that moment belongs to it: so what was known last at such a moment, which is what charts show of
it, stays as it was. The slots of a tier lie within those of the next, so that it makes no
difference which tier a span is rolled up to first. An account's first snapshot is its opening
deposit, and is kept for ever.

How far a tier is, is one row: a span of time, and the account that was done last within it. It is
written in the transaction that removes. So whoever is killed loses nothing, and of two that work at
once the second waits for the first and goes on behind it.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)

from coffers.clock import CLOCKS_DIFFER, DAY, HOUR, MINUTE, Millis
from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.statements import changed, insert
from coffers.store.tables import accounts, snapshot_rollups, snapshots

ACCOUNTS_AT_ONCE: Final = 100
"""Accounts of one transaction: some 7,200 snapshots, if one is taken every five minutes."""

AT_FIRST: Final = 10
"""Those of a transaction of the first look of all, whose span is all that was before it."""

_NEVER = Millis(0)
_A, _R, _S = accounts.c, snapshot_rollups.c, snapshots.c
_AFTER_USER, _AFTER = bindparam("after_user", type_=Integer), bindparam("after", type_=Integer)
_USER, _LAST = bindparam("user", type_=Integer), bindparam("last", type_=Integer)
_SINCE, _UNTIL = bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger)
_OTHER = snapshots.alias("others")
_O = _OTHER.c


@dataclass(frozen=True, slots=True)
class Tier:
    """Snapshots older than `age`: one is kept of each `slot`.

    A `span` of time is rolled up together, once all of it is old enough. `number` is what is kept
    with the snapshots.
    """

    name: str
    number: int
    slot: Millis
    age: Millis
    span: Millis

    def due_to(self, now: Millis) -> Millis:
        """Return the moment up to which all should be rolled up by now."""
        return Millis((now - self.age) // self.span * self.span)


FINE: Final = Tier("fine", 0, Millis(5 * MINUTE), HOUR, Millis(6 * HOUR))
HOURLY: Final = Tier("hourly", 1, HOUR, Millis(2 * DAY), Millis(6 * HOUR))
DAILY: Final = Tier("daily", 2, DAY, Millis(60 * DAY), DAY)
TIERS: Final = (DAILY, HOURLY, FINE)
"""The tiers, the coarsest first: what it takes, the others need not look at."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a tier is: all up to `done_to` is rolled up.

    While the span up to `until` is being rolled up, `after` is the last account (with its user
    before it) that is done.
    """

    done_to: Millis = _NEVER
    until: Millis | None = None
    after: tuple[int, int] = (0, 0)

    def next_until(self, tier: Tier, now: Millis) -> Millis | None:
        """Return the end of the span that is to be rolled up now, None where none is due.

        What came before the first look of all is one span.
        """
        due = tier.due_to(now)
        if self.until is not None or self.done_to >= due:
            return self.until
        return Millis(min(self.done_to + tier.span, due)) if self.done_to else due

    def lag(self, tier: Tier, now: Millis) -> Millis:
        """Return for how long a span has been waiting to be rolled up, 0 where none waits."""
        due = self.done_to + tier.span + tier.age
        return Millis(max(0, now - due) if self.done_to else 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did: how many snapshots it removed, and over how many accounts."""

    removed: int
    accounts: int


class RollUps:
    """The roll-ups of all accounts' snapshots."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def progress(self) -> dict[str, Progress]:
        """Return how far the tiers are, by name; one that has not begun is absent."""
        rows = await self._connection.execute(select(snapshot_rollups))
        return {row.name: _progress_of(row) for row in rows}

    async def roll_up(self, tier: Tier, now: Millis) -> Batch | None:
        """Go on with a tier for some accounts; None where nothing of it is due."""
        progress = await self._held(tier)
        until = progress.next_until(tier, now)
        if until is None:
            return None
        if self._connection.dialect.name == "postgresql":
            # It overestimates the looks for a follower, and would compile them at each batch.
            await self._connection.execute(text("SET LOCAL jit = off"))
        since = _begin(tier, progress, now)
        most = ACCOUNTS_AT_ONCE if progress.done_to else min(AT_FIRST, ACCOUNTS_AT_ONCE)
        batch = await self._next(progress.after, most) if since < until else []
        if not batch:
            await self._keep(tier, Progress(done_to=until))
            return Batch(0, 0)
        of = {"since": since, "until": until, "after_user": progress.after[0]}
        of |= {"after": progress.after[1], "user": batch[-1][0], "last": batch[-1][1]}
        removed = await self._connection.changed(_removal(tier), of)
        if tier.number:
            await self._connection.changed(_move(tier), of)
        await self._keep(tier, replace(progress, until=until, after=batch[-1]))
        return Batch(removed, len(batch))

    async def bring_back(self, now: Millis) -> int:
        """Bring tiers back that a clock was ahead with: all of them are done up to now at the most.

        They go on from there as time passes. Returns how many there were.
        """
        count = 0
        for tier in TIERS:
            due = max(_NEVER, tier.due_to(Millis(now + CLOCKS_DIFFER)))
            is_late = or_(_R.done_to > due, _R.until > due)
            statement = update(snapshot_rollups).where(_R.name == tier.name, is_late)
            done_to = case((_R.done_to > due, due), else_=_R.done_to)
            begin = {"done_to": done_to, "until": None, "after_user": 0, "after_account": 0}
            count += await changed(self._connection, statement.values(begin))
        return count

    async def _held(self, tier: Tier) -> Progress:
        """Return how far a tier is, and let nobody else go on with it in this transaction."""
        one = select(snapshot_rollups).where(_R.name == tier.name).with_for_update()
        row = (await self._connection.execute(one)).first()
        if row is None:
            await self._keep(tier, Progress())
            row = (await self._connection.execute(one)).one()
        return _progress_of(row)

    async def _next(self, after: tuple[int, int], most: int) -> list[tuple[int, int]]:
        """Return the next accounts in order, which nobody removes or resets meanwhile.

        PostgreSQL moves a row from one partition to another: whoever removed it at the same time
        would fail.
        """
        key = (_A.user_id, _A.id)
        statement = select(*key).where(tuple_(*key) > tuple_(*after)).order_by(*key)
        statement = statement.limit(most).with_for_update(read=True, key_share=True)
        return [(row.user_id, row.id) for row in await self._connection.execute(statement)]

    async def _keep(self, tier: Tier, progress: Progress) -> None:
        own = {
            "done_to": progress.done_to,
            "until": progress.until,
            "after_user": progress.after[0],
            "after_account": progress.after[1],
        }
        statement = insert(self._connection, snapshot_rollups).values(name=tier.name, **own)
        is_new = progress == Progress()
        await self._connection.execute(
            statement.on_conflict_do_nothing()
            if is_new
            else statement.on_conflict_do_update(index_elements=[_R.name], set_=own)
        )


def _begin(tier: Tier, progress: Progress, now: Millis) -> Millis:
    """Return where a span begins: what a coarser tier takes is no work for this one."""
    coarser = [each.due_to(now) for each in TIERS if each.number > tier.number]
    return Millis(max(progress.done_to, *coarser, 0)) if coarser else progress.done_to


def _within(tier: Tier) -> ColumnElement[bool]:
    """Return what a tier has to do with: the snapshots of a span that it has not taken yet."""
    key = (_A.user_id, _A.id)
    own = (
        select(*key)
        .where(tuple_(*key) > tuple_(_AFTER_USER, _AFTER), tuple_(*key) <= tuple_(_USER, _LAST))
        .order_by(*key)
        # It takes all; but PostgreSQL learns from it that these are few.
        .limit(_literal(2 * ACCOUNTS_AT_ONCE))
    )
    return and_(
        tuple_(_S.user_id, _S.account_id).in_(own),
        _S.at > _SINCE,
        _S.at <= _UNTIL,
        _is_finer(_S.tier, tier),
    )


def _is_finer(number: ColumnElement[int], tier: Tier) -> ColumnElement[bool]:
    # Written out, so that PostgreSQL plans for the partitions that hold them alone.
    return number.in_([_literal(finer) for finer in range(max(tier.number, 1))])


def _literal(number: int) -> ColumnElement[int]:
    return literal_column(f"{number}", Integer)


@cache
def _removal(tier: Tier) -> Prepared:
    """Remove what is followed by another one of the same slot, and is no opening."""
    slot_end = (_S.at + (tier.slot - 1)) // tier.slot * tier.slot
    follower = _near(func.min(_O.at), _O.at > _S.at, _O.at <= _UNTIL, _is_finer(_O.tier, tier))
    # The one just before tells nearly always that there is one; the others are looked at only else.
    before = func.coalesce(
        _near(func.max(_O.at), _O.at < _S.at, _is_finer(_O.tier, tier)),
        _near(func.min(_O.at), _O.at < _S.at),
    )
    # One of the same moment that was taken already; two would not go together.
    taken = _near(func.max(_O.tier), _O.at == _S.at, ~_is_finer(_O.tier, HOURLY))
    # In this order: most of them need not be looked at for the second.
    is_superfluous = case(
        (taken > _S.tier, True), (follower <= slot_end, before.is_not(None)), else_=False
    )
    return Prepared(delete(snapshots).where(_within(tier), is_superfluous))


@cache
def _move(tier: Tier) -> Prepared:
    """Hand what is left to the tier."""
    return Prepared(update(snapshots).where(_within(tier)).values(tier=tier.number))


def _near(pick: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    own = and_(_O.user_id == _S.user_id, _O.account_id == _S.account_id)
    return select(pick).where(own, *conditions).correlate(snapshots).scalar_subquery()


def _progress_of(row: Row[Any]) -> Progress:
    return Progress(row.done_to, row.until, (row.after_user, row.after_account))
