"""Deliveries: one event for one webhook, kept until it has arrived."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import counted
from coffers.store.statements import changed
from coffers.store.tables import events
from coffers.store.tables import webhook_deliveries as deliveries

DeliveryState = Literal["pending", "delivered", "given_up"]

REFUSALS_TO_STEP_ASIDE = 3
"""So often a receiver refuses an event before those after it go ahead."""

_D, _E = deliveries.c, events.c


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook.

    `number` grows by one with each of a webhook's; `event` is the event's number, None for a test.
    `body` is what is sent at each try. `refusals` are the tries that the receiver answered, but not
    with success. `status` and `error` tell how the last try ended.
    """

    user_id: int
    webhook_id: int
    number: int
    event: int | None
    kind: str
    body: str
    created_at: Millis
    next_at: Millis
    state: DeliveryState = "pending"
    tries: int = 0
    refusals: int = 0
    status: int | None = None
    error: str | None = None
    first_tried_at: Millis | None = None
    ended_at: Millis | None = None

    @property
    def is_aside(self) -> bool:
        """Whether it has stepped aside, so that later ones go ahead."""
        return self.refusals >= REFUSALS_TO_STEP_ASIDE


class Deliveries:
    """The deliveries of webhooks."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, made: Sequence[Delivery]) -> None:
        """Keep deliveries that are to be tried."""
        if made:
            await self._connection.execute(deliveries.insert(), [asdict(each) for each in made])

    async def next(self, user_id: int, webhook_id: int, now: Millis) -> Delivery | None:
        """Return the delivery that is to be tried now: the oldest that has not stepped aside.

        One that has is tried again when its time has come and no other waits.
        """
        statement = (
            select(deliveries)
            .where(_waits(user_id, webhook_id), or_(~_IS_ASIDE, _D.next_at <= now))
            .order_by(case((_IS_ASIDE, 1), else_=0), _D.number)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _delivery_of(row)

    async def next_at(self, user_id: int, webhook_id: int) -> Millis | None:
        """Return when the next delivery is to be tried, None where none waits."""
        moment = func.min(case((_IS_ASIDE, _D.next_at), else_=0))
        found: Millis | None = await self._connection.scalar(
            select(moment).where(_waits(user_id, webhook_id))
        )
        return found

    async def hurry(self, user_id: int, webhook_id: int, now: Millis) -> int:
        """Let all that waits be tried now, also what stepped aside; return how many those are.

        How long it was tried before counts no more, lest the first try that fails be the last.
        """
        statement = update(deliveries).where(_waits(user_id, webhook_id))
        fresh = statement.values(next_at=now, first_tried_at=None)
        return await changed(self._connection, fresh)

    async def keep(self, delivery: Delivery) -> None:
        """Write how a delivery stands."""
        statement = update(deliveries).where(
            _D.user_id == delivery.user_id,
            _D.webhook_id == delivery.webhook_id,
            _D.number == delivery.number,
        )
        await self._connection.execute(statement.values(**asdict(delivery)))

    async def page(
        self, user_id: int, webhook_id: int, limit: int, before: int | None = None
    ) -> list[Delivery]:
        """Return deliveries of a webhook from the newest on."""
        statement = select(deliveries).where(_D.user_id == user_id, _D.webhook_id == webhook_id)
        if before is not None:
            statement = statement.where(_D.number < before)
        rows = await self._connection.execute(statement.order_by(_D.number.desc()).limit(limit))
        return [_delivery_of(row) for row in rows]

    async def count_waiting(self) -> int:
        """Return how many deliveries wait, of all users, up to `COUNTED`."""
        return await self._connection.scalar(counted(_D.state == "pending")) or 0

    async def count_of_kind(self, user_id: int, webhook_id: int, kind: str) -> int:
        """Return how many deliveries of a kind wait for a webhook."""
        waiting = select(func.count()).where(_waits(user_id, webhook_id), _D.kind == kind)
        return await self._connection.scalar(waiting) or 0

    async def forget(self, ended: Millis, made: Millis, limit: int) -> int:
        """Forget some deliveries that ended, or were made, before a moment; return how many.

        What waits is kept as long as its event is: by that a clock that was behind when it was made
        loses nothing.
        """
        forgotten = 0
        is_its_event = and_(_E.user_id == _D.user_id, _E.number == _D.event)
        is_lost = or_(_D.state != "pending", ~exists().where(is_its_event))
        for moment, before, also in ((_D.ended_at, ended, true()), (_D.created_at, made, is_lost)):
            old = select(_D.user_id, _D.webhook_id, _D.number).where(moment < before, also)
            old = old.order_by(moment).limit(limit - forgotten)
            key = tuple_(_D.user_id, _D.webhook_id, _D.number)
            statement = delete(deliveries).where(key.in_(old))
            forgotten += await changed(self._connection, statement)
        return forgotten


_IS_ASIDE = _D.refusals >= REFUSALS_TO_STEP_ASIDE


def _waits(user_id: int, webhook_id: int) -> ColumnElement[bool]:
    return and_(_D.user_id == user_id, _D.webhook_id == webhook_id, _D.state == "pending")


def _delivery_of(row: Row[Any]) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__slots__})
