"""One operation on its way: its steps are done one after the other, each written down before."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import msgspec

from coffers.clock import HOUR, MINUTE, Millis, is_ahead
from coffers.connectors.reading import ConnectorFailure
from coffers.connectors.trading import Move, NotDone, Placed, TradingDesk
from coffers.errors import CoffersError
from coffers.money import plain
from coffers.portfolio.budgets import Budget, read_terms
from coffers.portfolio.ledger import AUTO_BALANCE, CONVERT, TRANSFER
from coffers.portfolio.moving import MoveAsked
from coffers.portfolio.operation_notes import Notes, PricingContext
from coffers.portfolio.steps import NOT_OVER, UNSETTLED, after, failed, move_of, order_of
from coffers.store.operations import Operation, Step, StepState
from coffers.valuation.orders import PlannedOrder, Round

RESUMES_WITHIN = Millis(5 * MINUTE)
"""Until when planned orders are still placed: later they are about another market."""

ROUNDS = 3
"""Plans in a row: over a bridge there are two, and what is left may need one more."""

GIVES_UP = Millis(HOUR)
"""How long an order whose fate the venue does not tell is asked about, again and again."""

REFUSALS = 3
"""Refused orders in a row after which the rest is given up."""

LISTED_WITHIN = Millis(MINUTE)
"""After so long the venue tells of an order that was placed, or of a transfer that was done."""

_TOO_LATE = "it was planned too long ago to be placed now"
_FROM_AHEAD = "it was planned while a clock was ahead, nobody knows how long ago"

LOOK_AGAIN = 1.0
"""Seconds after which an order whose answer was lost is looked for."""

_T = TypeVar("_T")

Rounds = Callable[[TradingDesk], Awaitable[Round]]
"""What to place now."""


class Later(CoffersError):
    """An operation that cannot go on before the venue tells what became of an order."""


class Stopped(CoffersError):
    """Nothing more of an operation can be done, and why."""


class Doing:
    """One operation on its way.

    Args:
        notes: where its steps are written down.
        operation: as it is written down.
        desk: where it is done.
        venue: whose desk it is, None on paper.
        holder: by what name its account is held meanwhile, None where that needs no holding.
        since: when it was taken on here, from which on orders of unknown fate are asked about.
    """

    def __init__(
        self,
        notes: Notes,
        operation: Operation,
        desk: TradingDesk,
        venue: str | None,
        holder: str | None,
        since: Millis,
    ) -> None:
        self._notes = notes
        self._operation = operation
        self._desk = desk
        self._venue = venue
        self._holder = holder
        self._since = since
        self._steps = list(operation.steps)
        self._left: dict[str, str] = dict(operation.left)
        self._refused = 0
        self._result = operation.result

    async def done(self, rounds: Rounds | None, forbidden: str | None = None) -> Operation:
        """Do what is left to be done, and return the operation with what came of it.

        `forbidden` tells why nothing more may be done: what was sent is asked about all the same.

        Raises:
            Later: when the venue does not tell what became of an order; nothing else is placed.
            TakenOver: when another process works at it by now.
        """
        try:
            await self._settle()
            why = forbidden or await self._gone_on(rounds)
        except (ConnectorFailure, Stopped) as failure:
            why = str(failure)
        for number, step in enumerate(self._steps):
            if step.state == "planned":
                skipped = "given up after what went before" if why is None else why
                await self._keep(number, replace(step, state="skipped", why=skipped))
        return replace(self._now_is(), why=why or self._operation.why)

    async def _settle(self) -> None:
        """Find out about steps that may have been done; give up plans that are old."""
        for number, step in enumerate(self._steps):
            if step.state == "sent":
                await self._keep(number, await self._found(step))
            elif step.state == "planned" and (why := self._too_late) is not None:
                await self._keep(number, replace(step, state="skipped", why=why))

    async def _gone_on(self, rounds: Rounds | None) -> str | None:
        """Do what may still be done; return why nothing can be, where that is so."""
        await self._place_all()
        if self._operation.kind in {CONVERT, TRANSFER}:
            if self._steps:
                return None
            if self._too_late is not None:
                return self._too_late
            await (self._convert() if self._operation.kind == CONVERT else self._move())
            return None
        if rounds is not None:
            return await self._in_rounds(rounds)
        return None if self._steps else "it was interrupted before it was planned"

    @property
    def _too_late(self) -> str | None:
        """Why what was asked for is not of just now, None where it is."""
        if is_ahead(self._operation.created_at, self._notes.now):
            return _FROM_AHEAD
        is_old = self._notes.now - self._operation.created_at > RESUMES_WITHIN
        return _TOO_LATE if is_old else None

    async def _in_rounds(self, rounds: Rounds) -> str | None:
        for _ in range(ROUNDS):
            if self._refused >= REFUSALS:
                return None
            planned = await rounds(self._desk)
            asked = [(order_of(step), step) for step in self._steps]
            refused = {_way(order): step for order, step in asked if step.state == "refused"}
            unsettled = {order.spent for order, step in asked if step.state in UNSETTLED}
            self._left = dict(planned.left)
            if planned.terms is not None:
                self._result = msgspec.json.encode(planned.terms).decode()
            orders = []
            for order in planned.orders:
                before = refused.get(_way(order))
                if before is not None:
                    self._left[order.spent] = before.why or "its order was refused"
                elif order.spent in unsettled:
                    self._left[order.spent] = "an order that spends it is not settled"
                else:
                    orders.append(order)
            if not orders:
                return None if self._steps else _all_left(self._left)
            if self._too_late is not None:
                return self._too_late
            await self._add(orders)
            await self._place_all()
        return None

    async def _add(self, orders: Sequence[PlannedOrder]) -> None:
        steps = [
            # The client's id has the form that every venue takes: letters and digits, at most 32.
            Step(0, "order", each.base, each.quote, each.side, each.amount, uuid.uuid4().hex)
            for each in orders
        ]
        self._steps += await self._notes.add(self._now_is(), steps, self._holder)

    def _now_is(self) -> Operation:
        return replace(
            self._operation, steps=tuple(self._steps), left=self._left, result=self._result
        )

    async def _place_all(self) -> None:
        if not any(step.state == "planned" for step in self._steps):
            return
        known = await self._notes.known(self._operation, self._venue)
        budget = await self._budget(known)
        for number, planned in enumerate(self._steps):
            if planned.state != "planned" or self._refused >= REFUSALS:
                continue
            step = await self._checked(planned, known, budget)
            if step.state != "planned":
                await self._keep(number, step)
                continue
            self._steps[number] = replace(step, state="sent", updated_at=self._notes.now)
            if not await self._notes.send(self._operation, self._steps[number], self._holder):
                self._steps[number] = step
                raise Stopped("the account is not rebalanced any more")
            try:
                placed = await self._placed(self._steps[number])
            except NotDone as refusal:
                await self._keep(number, failed(self._steps[number], refusal))
                raise Stopped(str(refusal)) from None
            await self._keep(number, placed)
            is_refused = self._steps[number].state == "refused"
            self._refused = self._refused + 1 if is_refused else 0

    async def _budget(self, known: PricingContext) -> Budget | None:
        """Return what the orders may spend, None where that is all that there is."""
        if self._operation.kind != AUTO_BALANCE:
            return None
        pairs = [pair.limits for pair in await self._desk.quoted()]
        return Budget(read_terms(self._result), pairs, known, self._desk)

    async def _checked(self, step: Step, known: PricingContext, budget: Budget | None) -> Step:
        """Return a planned step as it may be placed now: cut, refused or skipped if need be."""
        order = order_of(step)
        worth = await self._desk.worth(order)
        why = known.too_bad(order, worth, self._desk)
        if worth is None or why is not None:
            return replace(step, state="refused", why=why)
        return step if budget is None else budget.paid(step, worth, self._steps)

    async def _placed(self, step: Step) -> Step:
        try:
            return after(step, await self._desk.place(order_of(step), step.client_id))
        except ConnectorFailure:
            await asyncio.sleep(LOOK_AGAIN)
            return await self._found(step)

    async def _found(self, step: Step) -> Step:
        if step.kind == "conversion":
            told = "it was interrupted, and the exchange does not tell whether it was done"
            return replace(step, state="unknown", why=told)
        try:
            found = await self._asked_for(step)
        except ConnectorFailure as failure:
            if self._is_young:
                raise Later(str(failure)) from failure
            return replace(step, state="unknown", why=str(failure))
        if found is not None:
            # Where transfers are not listed at all, a later look tells no more.
            may_be_told = step.kind == "order" or found.venue_id is not None
            if found.fate == "unknown" and may_be_told and self._is_young:
                raise Later(found.why or f"the exchange does not tell of the {step.kind} yet")
            return after(step, found)
        was_ahead = is_ahead(step.updated_at, self._notes.now)
        if self._notes.now - (self._since if was_ahead else step.updated_at) < LISTED_WITHIN:
            raise Later(f"the exchange does not list the {step.kind} yet")
        # It may have been done before what was looked through.
        is_certain = step.kind == "order" or not was_ahead
        state: StepState = "refused" if is_certain else "unknown"
        return replace(step, state=state, why=f"the exchange knows no such {step.kind}")

    @property
    def _is_young(self) -> bool:
        return self._notes.now - self._since < GIVES_UP

    async def _asked_for(self, step: Step) -> Placed | None:
        """Return what the venue tells of a step that may have been done, None where it was not."""
        was_ahead = is_ahead(step.updated_at, self._notes.now)
        if step.kind == "order":
            sent_at = None if was_ahead else step.updated_at
            return await self._desk.find(order_of(step), step.client_id, sent_at)
        known = await self._notes.moves(self._operation)
        since = Millis(self._since - GIVES_UP) if was_ahead else step.updated_at
        return await self._desk.find_move(move_of(step), since, known)

    async def _convert(self) -> None:
        codes = self._asked(dict[str, list[str] | None]).get("codes")
        step = Step(0, "conversion", ",".join(codes or ()), "BNB", "", None, "", state="sent")
        self._steps += await self._notes.add(self._operation, [step], self._holder)
        [step] = self._steps
        try:
            done = await self._desk.convert(codes)
        except (NotDone, ConnectorFailure) as failure:
            await self._keep(0, failed(step, failure))
            return
        told = {
            "totalTransfered": plain(done.received),
            "totalServiceCharge": plain(done.fee),
            "transferResult": done.parts,
        }
        self._result = msgspec.json.encode(told).decode()
        await self._keep(0, replace(step, state="filled", filled=done.received, fee=done.fee))

    async def _move(self) -> None:
        moved = self._asked(MoveAsked)
        code, amount = self._desk.code_of(moved.currency), Decimal(moved.amount)
        # Written down as it is sent, since it is found again by its amount.
        move = self._desk.movable(Move(code, amount, moved.source, moved.target))
        ends = move.code, move.target, move.source
        cut = f"cut from {plain(amount)} to the steps in which {code} is moved there"
        why = cut if move.amount < amount else None
        step = Step(0, "transfer", *ends, move.amount, "", state="sent", why=why)
        self._steps += await self._notes.add(self._operation, [step], self._holder)
        [step] = self._steps
        try:
            found = await self._desk.move(move_of(step))
        except NotDone as refusal:
            await self._keep(0, replace(step, state="refused", why=str(refusal)))
        except ConnectorFailure:
            await asyncio.sleep(LOOK_AGAIN)
            await self._keep(0, await self._found(step))
        else:
            await self._keep(0, replace(step, state="filled", filled=step.amount, venue_id=found))

    def _asked(self, kind: type[_T]) -> _T:
        parts = msgspec.json.decode(self._operation.asked, type=list[msgspec.Raw])
        return msgspec.json.decode(parts[2], type=kind)

    async def _keep(self, number: int, step: Step) -> None:
        holder = None if self._steps[number].state == "sent" else self._holder
        self._steps[number] = step
        await self._notes.keep(self._now_is(), step, holder)


def _all_left(left: Mapping[str, str]) -> str | None:
    """Return why nothing was sold, None where nothing was to be."""
    if not left:
        return None
    (code, why), *others = left.items()
    more = f", and {len(others)} more" if others else ""
    return f"nothing could be sold: {code}: {why}{more}"


def _way(order: PlannedOrder) -> tuple[str, str, str]:
    """Return what orders have in common of which the next is not tried once one was refused."""
    return order.base, order.quote, order.side


async def given_up(notes: Notes, operation: Operation, why: str) -> Operation:
    """Return an operation that cannot be gone on with: what was sent has an unknown fate."""
    steps = list(operation.steps)
    for place, step in enumerate(steps):
        if step.state in NOT_OVER:
            state: StepState = "unknown" if step.state == "sent" else "skipped"
            steps[place] = replace(step, state=state, why=why)
            await notes.keep(operation, steps[place])
    return replace(operation, steps=tuple(steps), why=why)
