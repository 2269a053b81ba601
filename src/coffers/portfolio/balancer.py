"""Runs the rebalancing of an account, from the claim to what is told of it.

The moment that a run was planned at names its operation, so that whoever goes on after a process
died brings that to its end before anything is planned anew. No outside is asked in a transaction.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from coffers import metrics
from coffers.clock import HOUR, MINUTE, Clock, Millis
from coffers.connectors.trading import Free
from coffers.errors import CoffersError
from coffers.logs import logger
from coffers.portfolio.auto_balance import next_run, target_prices
from coffers.portfolio.balance_plans import MadePlan, Planner
from coffers.portfolio.budgets import read_terms
from coffers.portfolio.errand_forms import CannotBalance
from coffers.portfolio.ledger import AUTO_BALANCE, NotAllowed, balance_key
from coffers.portfolio.steps import unspent, why_unfilled
from coffers.store.balancing import Due
from coffers.store.engine import Store
from coffers.store.operations import Step
from coffers.store.records import AuditEvent, AutoBalance, BalanceState
from coffers.sync.policy import BackOff
from coffers.valuation.orders import Round

HELD: Final = Millis(3 * MINUTE)
"""How long a claim holds that is not extended any more."""

EXTENDED_EVERY: Final = 60.0
"""Seconds between two extensions."""

FAILURES_ALLOWED: Final = 8
"""After so many failures in a row it is switched off."""

BACK_OFF: Final = BackOff(Millis(5 * MINUTE), Millis(6 * HOUR))

_AT_ITS_END: Final = "what was begun is at its end"

_log = logger("coffers.auto_balance")


class Operation(Protocol):
    """Orders that were placed together; `state` is running, done, partly or failed."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def state(self) -> str:
        """How far it has come."""
        ...

    @property
    def why(self) -> str | None:
        """What stopped it."""
        ...

    @property
    def steps(self) -> Sequence[Step]:
        """Its orders, as they stand."""
        ...

    @property
    def result(self) -> str | None:
        """The terms of its plan, as `read_terms` reads them."""
        ...


class Operations(Protocol):
    """Who places orders."""

    async def run(
        self,
        user_id: int,
        account_id: int,
        kind: str,
        key: str | None,
        plan: Callable[[Free], Awaitable[Round]],
    ) -> Operation:
        """Place the orders of a plan, or go on with those that were planned under the same key."""
        ...


class AlreadyRunning(CannotBalance):
    """Somebody else rebalances the account at this moment, or did, or nothing is to be run."""

    def __init__(self) -> None:
        super().__init__("the account is being rebalanced already")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run: its operation, the plan where one was made in it, and what went wrong.

    `is_last` says that another run would do harm before somebody has looked.
    """

    planned_at: Millis
    operation_id: int | None
    state: str
    made: MadePlan | None
    error: str | None
    is_last: bool = False


@dataclass(slots=True)
class _Run:
    """A run while it is under way.

    `is_unsettled` says that there may be an operation under its moment that is not at its end.
    """

    user_id: int
    account_id: int
    holder: str
    planned_at: Millis
    is_unsettled: bool
    by_hand: bool
    made: MadePlan | None = None

    @property
    def key(self) -> str:
        """What its operation is called."""
        return balance_key(self.account_id, self.planned_at)


class Balancer:
    """Rebalances accounts, each by one worker at a time."""

    def __init__(
        self, store: Store, planner: Planner, operations: Operations, clock: Clock
    ) -> None:
        self._store = store
        metrics.from_nothing(metrics.auto_balances, ["done", "partly", "failed"])
        self._planner = planner
        self._operations = operations
        self._clock = clock

    async def run(self, user_id: int, account_id: int) -> Ran:
        """Rebalance an account now, switched on or not, and write how it went.

        Raises:
            AlreadyRunning: when somebody else does, or the account has no such settings any more.
        """
        return await self._run(user_id, account_id, None)

    async def run_due(self, due: Due) -> Ran:
        """Rebalance an account that was found to be due, and write how it went.

        Raises:
            AlreadyRunning: when somebody else does, or it is not due any more: it was run since,
                or switched off, or set to something else.
        """
        return await self._run(due.user_id, due.account_id, due)

    async def _run(self, user_id: int, account_id: int, due: Due | None) -> Ran:
        run = await self._begun(user_id, account_id, due)
        async with self._held(run):
            ran = await self._carried_out(run)
        metrics.auto_balances.labels(ran.state).inc()
        await self._finish(run, ran)
        return ran

    async def _begun(self, user_id: int, account_id: int, due: Due | None) -> _Run:
        holder, now = uuid.uuid4().hex, self._clock.now()
        async with self._store.transaction() as tx:
            planned_at = await tx.balancing.claim(
                user_id, account_id, holder, now=now, until=Millis(now + HELD), due=due
            )
        if planned_at is None:
            raise AlreadyRunning
        return _Run(user_id, account_id, holder, planned_at, planned_at != now, due is None)

    @asynccontextmanager
    async def _held(self, run: _Run) -> AsyncIterator[None]:
        """Extend the claim for as long as a block runs."""
        task = asyncio.create_task(self._extend(run))
        try:
            yield
        finally:
            task.cancel()

    async def _extend(self, run: _Run) -> None:
        while True:
            await asyncio.sleep(EXTENDED_EVERY)
            until = Millis(self._clock.now() + HELD)
            try:
                async with self._store.transaction() as tx:
                    await tx.balancing.extend(run.user_id, run.account_id, run.holder, until)
            except CoffersError as error:
                _log.warning("claim not extended", account=run.account_id, reason=str(error))

    async def _carried_out(self, run: _Run) -> Ran:
        before = None
        try:
            if run.is_unsettled:
                before = await self._settle(run)
                if (harm := await self._harm(run, before)) is not None:
                    return Ran(run.planned_at, before.id, before.state, None, harm, is_last=True)
            await self._check_on(run, before)
            run.made = await self._planner.make(run.user_id, run.account_id)
            if not run.made.orders:
                return Ran(run.planned_at, None, "done", run.made, run.made.left_off)
            operation = await self._operated(run, run.made)
            harm = await self._harm(run, operation)
        except CoffersError as fault:
            return Ran(run.planned_at, None, "failed", run.made, str(fault))
        error = harm or _unfinished(operation) or run.made.left_off
        return Ran(
            run.planned_at, operation.id, operation.state, run.made, error, is_last=harm is not None
        )

    async def _harm(self, run: _Run, operation: Operation) -> str | None:
        """Return why no run may follow an operation, None where one may.

        What was sold for something that the portfolio does not count is missing from the next plan,
        which would sell the same share of what is left.
        """
        codes = unspent(operation.steps)
        if operation.state in {"running", "done"} or not codes:
            return None
        async with self._store.reading() as tx:
            account = await tx.accounts.get(run.user_id, run.account_id)
            chosen = None if account is None else account.auto_balance.portfolio_id
            portfolio = None if chosen is None else await tx.portfolios.get(run.user_id, chosen)
        if portfolio is None or portfolio.sells_others:
            return None
        assets = read_terms(operation.result).assets
        lost = sorted({assets.get(code, code) for code in codes} - portfolio.targets.keys())
        if not lost:
            return None
        return (
            f"{_unfinished(operation)}; it sold for {', '.join(lost)}, bought nothing or too "
            "little with that, and the portfolio does not count it: another run would sell still "
            "more"
        )

    async def _settle(self, run: _Run) -> Operation:
        """Bring the operation to its end that a process died in; what is due is planned anew.

        Raises:
            CannotBalance: while it is not at its end: an order of it may be filled yet, and what it
                spends must not be spent again.
        """
        operation = await self._operated(run, None)
        if run.is_unsettled:
            raise CannotBalance("what was begun before is not at its end yet")
        run.planned_at = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.balancing.plan_anew(run.user_id, run.account_id, run.holder, run.planned_at)
        return operation

    async def _check_on(self, run: _Run, before: Operation | None) -> None:
        """Let nothing be planned that nobody asks for.

        Raises:
            CannotBalance: where the account is switched off: a run that is not by hand goes on with
                what was begun before, and that is at its end.
        """
        if run.by_hand:
            return
        async with self._store.reading() as tx:
            account = await tx.accounts.get(run.user_id, run.account_id)
        if account is not None and not account.auto_balance.enabled:
            came = None if before is None else _unfinished(before)
            raise CannotBalance(
                f"nothing is planned anew, since it is switched off; {came or _AT_ITS_END}"
            )

    async def _operated(self, run: _Run, made: MadePlan | None) -> Operation:
        async def plan(free: Free) -> Round:
            return Round(()) if made is None else made.round(await free())

        run.is_unsettled = True
        try:
            operation = await self._operations.run(
                run.user_id, run.account_id, AUTO_BALANCE, run.key, plan
            )
        except NotAllowed:
            run.is_unsettled = False
            raise
        run.is_unsettled = operation.state == "running"
        return operation

    async def _finish(self, run: _Run, ran: Ran) -> None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            account = await tx.accounts.held(run.user_id, run.account_id)
            known = await tx.balancing.get(run.user_id, run.account_id)
            if account is None or known is None:
                return
            settings, state = _after(run, ran, account.auto_balance, known, now)
            own = run.user_id, run.account_id
            if not await tx.balancing.finish(*own, run.holder, state):
                return
            await tx.accounts.set_auto_balance(*own, settings, now)
            kind = "auto_balanced" if ran.state == "done" else "auto_balance_failed"
            told = settings.error or (
                "" if ran.operation_id is None else f"operation {ran.operation_id}"
            )
            await tx.audit.add(AuditEvent(run.user_id, now, kind, str(run.account_id), told))


def _after(
    run: _Run, ran: Ran, settings: AutoBalance, state: BalanceState, now: Millis
) -> tuple[AutoBalance, BalanceState]:
    """Return settings and state after a run."""
    if ran.state == "done":
        settings = replace(settings, last_at=now, error=ran.error)
        made = ran.made
        prices = state.prices if made is None else target_prices(made.portfolio, made.book)
        next_at = next_run(settings, now, was_on=True)
        return settings, BalanceState(next_at, prices=prices)
    settings = replace(settings, error=ran.error)
    if not settings.enabled and not run.is_unsettled:
        return settings, BalanceState(None, prices=state.prices)
    if ran.is_last:
        settings = replace(settings, enabled=False, error=f"switched off: {ran.error}")
        return settings, BalanceState(None, prices=state.prices)
    if run.by_hand and not run.is_unsettled:
        return settings, replace(state, planned_at=None)
    failures = state.failures + 1
    if failures < FAILURES_ALLOWED:
        again = Millis(now + BACK_OFF.after(failures))
        planned_at = run.planned_at if run.is_unsettled else None
        return settings, replace(state, next_at=again, failures=failures, planned_at=planned_at)
    told = f"switched off after {failures} failures in a row, the last one: {ran.error}"
    settings = replace(settings, enabled=False, error=told)
    return settings, replace(state, next_at=None, failures=failures, planned_at=None)


def _unfinished(operation: Operation) -> str | None:
    if operation.state == "done":
        return None
    told = {
        "running": "is not at its end, and is gone on with",
        "partly": "filled only some of its orders",
    }.get(operation.state, "filled none of its orders")
    why = operation.why or why_unfilled(operation.steps)
    return f"operation {operation.id} {told}" + (f": {why}" if why else "")
