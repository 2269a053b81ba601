"""What a worker does for API processes about rebalancing: shows a plan, or carries one out."""

from collections.abc import Mapping

import msgspec

from coffers.clock import Clock, iso
from coffers.portfolio.balance_plans import Planner, plain_plan
from coffers.portfolio.balancer import Balancer, Ran
from coffers.portfolio.errand_desk import Handler
from coffers.portfolio.errand_forms import (
    PREVIEW,
    RUN,
    CannotBalance,
    ErrandAnswer,
    PreviewAsked,
    RunAsked,
)
from coffers.portfolio.ledger import NotAllowed


class BalanceWork:
    """Does these errands where exchanges can be asked."""

    def __init__(self, planner: Planner, balancer: Balancer, clock: Clock) -> None:
        self._planner = planner
        self._balancer = balancer
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does what."""
        return {PREVIEW: self._preview, RUN: self._run}

    async def _preview(self, user_id: int, body: bytes) -> ErrandAnswer:
        asked = msgspec.json.decode(body, type=PreviewAsked)
        try:
            made = await self._planner.make(user_id, asked.account_id, asked.portfolio_id)
        except (CannotBalance, NotAllowed) as refusal:
            return ErrandAnswer(refused=str(refusal))
        return ErrandAnswer(plain_plan(made, self._clock.now()))

    async def _run(self, user_id: int, body: bytes) -> ErrandAnswer:
        asked = msgspec.json.decode(body, type=RunAsked)
        try:
            ran = await self._balancer.run(user_id, asked.account_id)
        except (CannotBalance, NotAllowed) as refusal:
            return ErrandAnswer(refused=str(refusal))
        return ErrandAnswer(plain_run(ran))


def plain_run(ran: Ran) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    return {
        "planned_at": iso(ran.planned_at),
        "state": ran.state,
        "operation_id": ran.operation_id,
        "error": ran.error,
        "plan": None if ran.made is None else plain_plan(ran.made, ran.planned_at),
    }
