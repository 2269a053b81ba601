"""What was done with accounts beyond reading them: operations, and the steps that they consist of.

A step is written before it is done, so that whoever finds an operation that ended in the middle
can tell what was done, and ask the venue about the one that may have been.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, and_, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.statements import changed, insert, next_id
from coffers.store.tables import operation_steps, operations

MOST_TRANSFERS = 1_000
"""Transfers that a history looks back over."""

State = Literal["running", "done", "partly", "failed"]
"""An operation: under way; all of it was done; some of it; none."""

StepState = Literal["planned", "sent", "filled", "partly", "refused", "open", "unknown", "skipped"]
"""A step: not begun; maybe done; done; partly done; not done; waiting; unknown; given up."""

StepKind = Literal["order", "transfer", "conversion"]

_NEVER = Millis(0)
_O, _S = operations.c, operation_steps.c
_texts = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Step:
    """One order, transfer or conversion.

    Of an order `amount` is in units of `base` and `cost` in units of `quote`; a transfer moves
    `base` from the wallet `side` to the wallet `quote`. None is what is not known.
    """

    number: int
    kind: StepKind
    base: str
    quote: str
    side: str
    amount: Decimal | None
    client_id: str
    state: StepState = "planned"
    filled: Decimal | None = None
    cost: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    venue_id: str | None = None
    why: str | None = None
    updated_at: Millis = _NEVER


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a user asked for, on one account.

    `asked` tells it apart from others under the same `key`. `left` are assets that stayed as they
    were, and why. `result` is in JSON what there is to it beside the steps: the answer of a
    conversion, and what the plan of a rebalancing counted on having.
    """

    id: int
    user_id: int
    account_id: int
    kind: str
    key: str | None
    asked: str
    created_at: Millis
    updated_at: Millis
    state: State = "running"
    why: str | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None
    steps: tuple[Step, ...] = ()


class Operations:
    """The operations of users."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(
        self, user_id: int, account_id: int, kind: str, key: str | None, asked: str, now: Millis
    ) -> tuple[Operation, bool]:
        """Add an operation; return it, and whether it is new: one of the same key stands."""
        operation_id = await next_id(self._connection, "operations")
        statement = insert(self._connection, operations).values(
            user_id=user_id,
            id=operation_id,
            account_id=account_id,
            kind=kind,
            idempotency_key=key,
            asked=asked,
            state="running",
            left="{}",
            created_at=now,
            updated_at=now,
        )
        if await changed(self._connection, statement.on_conflict_do_nothing()):
            made = Operation(operation_id, user_id, account_id, kind, key, asked, now, now)
            return made, True
        found = select(operations).where(_O.user_id == user_id, _O.idempotency_key == key)
        row = (await self._connection.execute(found)).one()
        return await self._whole(row), False

    async def get(self, user_id: int, operation_id: int) -> Operation | None:
        """Return an operation with its steps, None where this user has none of this id."""
        row = (
            await self._connection.execute(select(operations).where(_is(user_id, operation_id)))
        ).first()
        return None if row is None else await self._whole(row)

    async def named(self, user_id: int, key: str) -> Operation | None:
        """Return the operation of a user that a client calls so, None where there is none."""
        found = select(operations).where(_O.user_id == user_id, _O.idempotency_key == key)
        row = (await self._connection.execute(found)).first()
        return None if row is None else await self._whole(row)

    async def page(
        self,
        user_id: int,
        limit: int,
        before: int | None = None,
        account_id: int | None = None,
        kind: str | None = None,
        since: Millis | None = None,
    ) -> list[Operation]:
        """Return operations with their steps, the newest first; `since` is when they began."""
        statement = select(operations).where(_O.user_id == user_id)
        if before is not None:
            statement = statement.where(_O.id < before)
        if account_id is not None:
            statement = statement.where(_O.account_id == account_id)
        if kind is not None:
            statement = statement.where(_O.kind == kind)
        if since is not None:
            statement = statement.where(_O.created_at >= since)
        rows = (await self._connection.execute(statement.order_by(_O.id.desc()).limit(limit))).all()
        return await self._with_steps(rows)

    async def transfers(self, user_id: int) -> list[Operation]:
        """Return a user's latest transfers, the newest first."""
        return await self.page(user_id, MOST_TRANSFERS, kind="transfer")

    async def is_running(self, user_id: int, account_id: int) -> bool:
        """Return whether something is being done with an account."""
        statement = select(_O.id).where(
            _O.user_id == user_id, _O.account_id == account_id, _O.state == "running"
        )
        return (await self._connection.execute(statement.limit(1))).first() is not None

    async def forsaken(self, since: Millis, limit: int) -> list[tuple[int, int]]:
        """Return (user id, operation id) of those under way that nothing was heard of since."""
        statement = (
            select(_O.user_id, _O.id)
            .where(_O.state == "running", _O.updated_at < since)
            .order_by(_O.updated_at)
            .limit(limit)
        )
        return [(row.user_id, row.id) for row in await self._connection.execute(statement)]

    async def add_steps(
        self, operation: Operation, steps: Sequence[Step], now: Millis
    ) -> tuple[Step, ...]:
        """Add steps after those that there are, and return them with their numbers."""
        first = len(operation.steps)
        own = {"user_id": operation.user_id, "operation_id": operation.id}
        numbered = tuple(
            replace(step, number=first + place, updated_at=now) for place, step in enumerate(steps)
        )
        if numbered:
            rows = [{**own, **_columns(step)} for step in numbered]
            await self._connection.execute(operation_steps.insert(), rows)
        await self.note(operation, now)
        return numbered

    async def record(self, operation: Operation, step: Step, now: Millis) -> bool:
        """Keep what became of a step; False, and nothing, where more is known of it already.

        A step that is to be sent, or is not to be, must be planned yet, and one that is over stays
        as it is: two processes may be at work at one, of which the first tells.
        """
        before = ("planned",) if step.state in {"sent", "skipped"} else ("planned", "sent")
        statement = update(operation_steps).where(
            _S.user_id == operation.user_id,
            _S.operation_id == operation.id,
            _S.number == step.number,
            _S.state.in_(before),
        )
        values = _columns(replace(step, updated_at=now))
        is_new = await changed(self._connection, statement.values(**values)) > 0
        await self.note(operation, now)
        return is_new

    async def tell(self, operation: Operation) -> None:
        """Keep what an operation tells beside its steps: what is left, and its result."""
        statement = update(operations).where(_is(operation.user_id, operation.id))
        await self._connection.execute(statement.values(**_beside(operation)))

    async def note(self, operation: Operation, now: Millis) -> None:
        """Note that somebody is at work on an operation."""
        statement = update(operations).where(_is(operation.user_id, operation.id))
        await self._connection.execute(statement.values(updated_at=now))

    async def end(self, operation: Operation, now: Millis) -> bool:
        """Keep how an operation ended: its state, why, what was left and its result.

        Returns:
            False where it has ended already; it stays as it did.
        """
        statement = update(operations).where(
            _is(operation.user_id, operation.id), _O.state == "running"
        )
        ended = {"state": operation.state, "why": operation.why, "updated_at": now}
        values = {**ended, **_beside(operation)}
        return await changed(self._connection, statement.values(**values)) > 0

    async def _whole(self, row: Row[Any]) -> Operation:
        [operation] = await self._with_steps([row])
        return operation

    async def _with_steps(self, rows: Sequence[Row[Any]]) -> list[Operation]:
        """Return operations of one user, with one question for the steps of all."""
        if not rows:
            return []
        statement = select(operation_steps).where(
            _S.user_id == rows[0].user_id, _S.operation_id.in_([row.id for row in rows])
        )
        found: dict[int, list[Step]] = {}
        for row in await self._connection.execute(statement.order_by(_S.operation_id, _S.number)):
            step = Step(**{name: getattr(row, name) for name in _NAMES})
            found.setdefault(row.operation_id, []).append(step)
        return [_operation_of(row, found.get(row.id, ())) for row in rows]


_NAMES = tuple(each.name for each in fields(Step))


def _operation_of(row: Row[Any], steps: Iterable[Step]) -> Operation:
    return Operation(
        row.id,
        row.user_id,
        row.account_id,
        row.kind,
        row.idempotency_key,
        row.asked,
        row.created_at,
        row.updated_at,
        row.state,
        row.why,
        _texts.decode(row.left),
        row.result,
        tuple(steps),
    )


def _columns(step: Step) -> dict[str, object]:
    return {name: getattr(step, name) for name in _NAMES}


def _beside(operation: Operation) -> dict[str, object]:
    return {
        "left": msgspec.json.encode(dict(operation.left)).decode(),
        "result": operation.result,
    }


def _is(user_id: int, operation_id: int) -> ColumnElement[bool]:
    return and_(_O.user_id == user_id, _O.id == operation_id)
