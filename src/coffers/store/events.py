"""Events: what changed for a user, in the order of their numbers.

A number is given out under the lock of the user's row, which is held until the transaction ends.
So events become visible in the order of their numbers, whatever runs at once: a reader that has
passed a number misses nothing below it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from coffers.clock import CLOCKS_DIFFER, Millis
from coffers.store.connection import AsyncConnection
from coffers.store.notices import Topic
from coffers.store.prepared import Prepared
from coffers.store.records import Mode
from coffers.store.statements import changed
from coffers.store.tables import events, users

EventKind = Literal[
    "account_connected",
    "account_reconnected",
    "account_renamed",
    "account_in_summary",
    "account_removed",
    "first_reading",
    "balances_changed",
    "account_incomplete",
    "account_complete",
    "reading_held_back",
    "readings_failing",
    "readings_recovered",
    "account_locked",
    "account_unlocked",
    "key_rights_changed",
    "deposit",
    "withdrawal",
    "flows_undone",
    "paper_order_filled",
    "webhook_disabled",
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

MOST_NUMBER = 2**62
"""Beyond it no database takes a number."""

_E, _U = events.c, users.c
_OTHERS = events.alias("others")
_F = _OTHERS.c
_COLUMNS = ("user_id", "number", "kind", "account_id", "mode", "at", "body")
_EVENTS = select(*(_E[name] for name in _COLUMNS))
_COUNTED = (
    update(users)
    .where(_U.id == bindparam("user"))
    .values(
        last_event=_U.last_event + bindparam("count", type_=BigInteger),
        # Webhooks, if there are some, lack deliveries of them.
        has_unsent=_U.has_webhooks,
    )
)
_NEXT = Prepared(_COUNTED.returning(_U.last_event))
# Notices go with the same statement: they add no round trip to a reading.
_NEXT_TOLD = Prepared(
    _COUNTED.returning(_U.last_event, func.pg_notify(Topic.EVENTS.value, cast(_U.id, Text)))
)
_ADD = Prepared(insert(events).values({name: bindparam(f"new_{name}") for name in _COLUMNS}))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that changed. `data` holds no secrets; its keys are told in docs/events.md.

    `mode` is that of the account; what concerns no account is of no mode.
    """

    kind: EventKind
    at: Millis
    data: Mapping[str, object]
    account_id: int | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is kept. `number` grows by one with each of a user's; `body` is JSON."""

    user_id: int
    number: int
    kind: EventKind
    account_id: int | None
    mode: Mode | None
    at: Millis
    body: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for: those for which all that is given holds.

    Events of no mode are in each. Without kinds, every kind is meant.
    """

    mode: Mode | None = None
    kinds: tuple[str, ...] = ()
    account_id: int | None = None

    def takes(self, event: Event) -> bool:
        """Return whether an event is asked for."""
        return (
            self.mode in {None, event.mode or self.mode}
            and (not self.kinds or event.kind in self.kinds)
            and self.account_id in {None, event.account_id}
        )


@dataclass(frozen=True, slots=True)
class EventSpan:
    """The events of a user that are kept: the first one's number, None without any, and the last.

    `last` is the number that was given out last, kept or not; 0 before the first event.
    """

    first: int | None
    last: int

    def misses(self, after: int) -> bool:
        """Return whether something between `after` and the first kept event is forgotten."""
        return after > self.last or after + 1 < (self.first or self.last + 1)


class Events:
    """The events of users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user_id: int, found: Sequence[NewEvent]) -> None:
        """Keep events, in this order.

        It locks the user's row, so it comes after whatever locks the rows of accounts.
        """
        if not found:
            return
        is_told = self._connection.dialect.name == "postgresql"
        statement = _NEXT_TOLD if is_told else _NEXT
        rows = await self._connection.rows(statement, {"user": user_id, "count": len(found)})
        first = rows[0].last_event - len(found) + 1
        for number, event in enumerate(found, first):
            await self._connection.changed(_ADD, _columns_of(user_id, number, event))

    async def after(
        self, user_id: int, number: int, limit: int, wanted: EventFilter | None = None
    ) -> list[Event]:
        """Return events above a number, in their order."""
        statement = _EVENTS.where(_E.user_id == user_id, _E.number > number)
        if wanted is not None:
            statement = statement.where(*_conditions(wanted))
        rows = await self._connection.execute(statement.order_by(_E.number).limit(limit))
        return [_event_of(row) for row in rows]

    async def span(self, user_id: int) -> EventSpan:
        """Return which events of a user are kept."""
        first = select(func.min(_E.number)).where(_E.user_id == user_id).scalar_subquery()
        statement = select(first, _U.last_event).where(_U.id == user_id)
        row = (await self._connection.execute(statement)).one()
        return EventSpan(row[0], row[1])

    async def heads(self, user_ids: Collection[int]) -> dict[int, int]:
        """Return the number of the newest event of each user."""
        statement = select(_U.id, _U.last_event).where(_U.id.in_(sorted(user_ids)))
        return {row.id: row.last_event for row in await self._connection.execute(statement)}

    async def forget(self, before: Millis, now: Millis, limit: int) -> int:
        """Forget some events of before a moment; return how many were forgotten.

        Of each user the first ones are, without a hole: readers tell by the first that is kept
        whether they miss some. One is kept until those before it are old, too: what was written
        while a clock was behind takes no newer ones along. What lies ahead of `now` keeps none.
        """
        latest = Millis(now + CLOCKS_DIFFER)
        # Otherwise what waits for older ones would be looked at again each time, instead of others.
        first = select(_F.at).where(_F.user_id == _E.user_id).order_by(_F.number).limit(1)
        first_at = first.scalar_subquery()
        begins_old = or_(first_at < before, first_at > latest)
        oldest = select(_E.user_id, _E.number).where(_E.at < before, begins_old)
        some = oldest.order_by(_E.at).limit(limit).subquery()
        users_lasts = select(some.c.user_id, func.max(some.c.number).label("number"))
        lasts = users_lasts.group_by(some.c.user_id).subquery()
        # Joined, since a database may ask again for each event what stands alone for each user.
        is_kept = and_(
            _F.user_id == lasts.c.user_id,
            _F.number <= lasts.c.number,
            _F.at.between(before, latest),
        )
        first_kept = func.coalesce(func.min(_F.number), MOST_NUMBER).label("kept")
        firsts = select(lasts, first_kept).join_from(lasts, _OTHERS, is_kept, isouter=True)
        found = firsts.group_by(lasts.c.user_id, lasts.c.number).subquery()
        reached = and_(
            _E.user_id == found.c.user_id, _E.number <= found.c.number, _E.number < found.c.kept
        )
        old = select(_E.user_id, _E.number).join_from(events, found, reached)
        old = old.order_by(_E.user_id, _E.number).limit(limit)
        statement = delete(events).where(tuple_(_E.user_id, _E.number).in_(old))
        return await changed(self._connection, statement)


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.mode is not None:
        conditions.append(or_(_E.mode == wanted.mode, _E.mode.is_(None)))
    if wanted.kinds:
        conditions.append(_E.kind.in_(wanted.kinds))
    if wanted.account_id is not None:
        conditions.append(_E.account_id == wanted.account_id)
    return conditions


def _columns_of(user_id: int, number: int, event: NewEvent) -> dict[str, object]:
    return {
        "new_user_id": user_id,
        "new_number": number,
        "new_kind": event.kind,
        "new_account_id": event.account_id,
        "new_mode": event.mode,
        "new_at": event.at,
        "new_body": msgspec.json.encode(event.data).decode(),
    }


def _event_of(row: Row[Any]) -> Event:
    return Event(**{name: getattr(row, name) for name in _COLUMNS})
