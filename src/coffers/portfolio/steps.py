"""The steps of operations: what they ask of a venue, and what their ends come to."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import Decimal

from coffers import money
from coffers.connectors.trading import Move, NotDone, Placed
from coffers.errors import CoffersError
from coffers.store.operations import Operation, State, Step, StepState
from coffers.valuation.orders import PlannedOrder, Side

Way = tuple[str, str]
"""A pair by its venue's codes."""

UNSETTLED = frozenset({"open", "unknown", "sent"})
"""How orders stand that may be filled yet, or have been: what they spend is not spent again."""

LEFT_OVER = Decimal("0.1")
"""The share of what orders bring in that may stay, for what purchases may cost on top."""

NOT_OVER = frozenset({"planned", "sent"})

_DONE: frozenset[StepState] = frozenset({"filled", "partly", "open", "unknown", "sent"})
"""How steps stand of which something was done, or may have been."""


def order_of(step: Step) -> PlannedOrder:
    """Return the order that a step is."""
    side: Side = "buy" if step.side == "buy" else "sell"
    return PlannedOrder(step.base, step.quote, side, step.amount or money.ZERO)


def move_of(step: Step) -> Move:
    """Return the transfer that a step is."""
    return Move(step.base, step.amount or money.ZERO, step.side, step.quote)


def after(step: Step, placed: Placed) -> Step:
    """Return a step with what the venue tells of it."""
    return replace(
        step,
        state=placed.fate,
        filled=placed.filled,
        cost=placed.cost,
        fee=placed.fee,
        fee_asset=placed.fee_asset,
        venue_id=placed.venue_id,
        why=placed.why or step.why,
    )


def failed(step: Step, failure: CoffersError) -> Step:
    """Return a step that ended in a failure: only a refusal says that nothing was done."""
    state: StepState = "refused" if isinstance(failure, NotDone) else "unknown"
    return replace(step, state=state, why=str(failure))


def unspent(steps: Iterable[Step]) -> set[str]:
    """Return the codes that orders brought in, or may have, and did not spend again.

    That is so where no order spent them, or more than `LEFT_OVER` of them is known to be left.
    """
    placed = [step for step in steps if step.state in _DONE]
    brought = {order_of(step).received for step in placed}
    spent = {order_of(step).spent for step in placed}
    return {code for code in brought if code not in spent or _is_left(code, placed)}


def _is_left(code: str, steps: Iterable[Step]) -> bool:
    came, went = money.ZERO, money.ZERO
    for step in steps:
        if code not in {step.base, step.quote}:
            continue
        amount = step.cost if code == step.quote else step.filled
        if amount is None or step.state in UNSETTLED:
            return False
        if order_of(step).received == code:
            came = money.add(came, amount)
        else:
            went = money.add(went, amount)
    return money.subtract(came, went) > money.multiply(came, LEFT_OVER)


def refused_in(operation: Operation) -> set[Way]:
    """Return the pairs of orders that were refused: here, by what they would pay, or by the venue.

    What stopped an operation, such as a key that is refused, is no fault of the pair of that order.
    """
    return set() if operation.why else _ways(operation, {"refused"})


def refused_again(operations: Iterable[Operation], times: int) -> set[Way]:
    """Return the pairs that refused orders in so many operations since they last filled one.

    The operations are the newest first.
    """
    refusals, over = Counter[Way](), set[Way]()
    for operation in operations:
        over |= _ways(operation, _DONE)
        refusals.update(refused_in(operation) - over)
    return {way for way, count in refusals.items() if count >= times}


def _ways(operation: Operation, states: Collection[StepState]) -> set[Way]:
    return {(step.base, step.quote) for step in operation.steps if step.state in states}


def why_unfilled(steps: Iterable[Step]) -> str | None:
    """Return what is told of the first step that was not done, None where nothing is."""
    return next((step.why for step in steps if step.state != "filled" and step.why), None)


def state_of(operation: Operation) -> State:
    """Return how an operation ended: all of it was done, some of it, or nothing."""
    states = {step.state for step in operation.steps}
    if operation.why is None and states <= {"filled"}:
        return "done"
    return "partly" if states & _DONE else "failed"
