"""Where a worker does what was asked of it: it takes errands, does them, and writes what came."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

import msgspec

from coffers import metrics
from coffers.clock import Clock, Millis
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.portfolio.errand_forms import REFRESH
from coffers.portfolio.errand_outcomes import LASTS, Outcome, TookTooLong, context, of_fault
from coffers.portfolio.errands import KEPT
from coffers.portfolio.pending import forget_checked
from coffers.store.engine import Store
from coffers.store.errands import Errand
from coffers.store.notices import Topic
from coffers.sync.loops import Loops
from coffers.vault.vault import Vault

LOOK_FOR_WORK = 0.1
"""Seconds between two looks for errands: what an errand costs beside its work."""

LOOK_FOR_WORK_TOLD = 2.0
"""The same while notices tell of errands."""

HELD = Millis(15_000)
"""How long an errand that can be done again is kept without a sign of life of its worker."""

SIGN_OF_LIFE = 2.0
"""Seconds between two of them."""

FORGET_EVERY = 60.0
"""Seconds between two rounds that forget what is over, keys first of all."""

AGAIN = frozenset({REFRESH})
"""The kinds of errands that harm nothing when they are done twice: an account is read once more."""

MAX_CONCURRENT = 16
"""Errands that a worker does at the same time; one user's take half of them at the most."""

_log = seldom("coffers.errands")

Handler = Callable[[int, bytes], Awaitable[object]]
"""Does an errand of a user: takes what was asked as JSON, returns what is told as JSON."""


class ErrandDesk:
    """Where a worker does errands, several at a time, until it is stopped.

    Args:
        store: where the errands lie.
        vault: opens what was asked.
        clock: the time.
        handlers: who does what, by the errand's kind.
    """

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, handlers: Mapping[str, Handler]
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._handlers = handlers
        metrics.from_nothing(metrics.errands, handlers, ["done", "failed"])
        self._busy: Counter[int] = Counter()
        self._stopping = asyncio.Event()
        self._loops = Loops()
        self._ear = store.notices.ear(lambda notice: notice.topic is Topic.ERRANDS)

    async def run(self) -> None:
        """Do errands until `stop`; what is under way is finished first."""
        free = asyncio.Semaphore(MAX_CONCURRENT)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loops.every(FORGET_EVERY, self._forget))
            while not self._stopping.is_set():
                await free.acquire()
                taken = await self._take()
                if taken is None:
                    free.release()
                    await self._ear.wait(LOOK_FOR_WORK, LOOK_FOR_WORK_TOLD)
                    continue
                user_id = taken[0].user_id
                self._busy[user_id] += 1
                task = group.create_task(self._do(*taken))
                task.add_done_callback(partial(self._let_go, free, user_id))

    def stop(self) -> None:
        """Come to an end."""
        self._stopping.set()
        self._loops.stop()
        self._ear.ring()

    def _let_go(self, free: asyncio.Semaphore, user_id: int, _: asyncio.Task[None]) -> None:
        """Give back the place of an errand that is over."""
        self._busy[user_id] -= 1
        if not self._busy[user_id]:
            del self._busy[user_id]
        free.release()
        self._ear.ring()  # something may wait of a user who had no place left

    async def _take(self) -> tuple[Errand, str] | None:
        """Take an errand for a holder of its own; None where none waits, or none can be taken."""
        holder = uuid.uuid4().hex
        try:
            while await self._is_waiting(full := self._full()):
                now = self._clock.now()
                async with self._store.transaction() as tx:
                    errand = await tx.errands.take(holder, now, Millis(now + LASTS), full)
                if errand is not None:
                    return errand, holder
                # Another worker was quicker; there may be a next one.
        except CoffersError as error:
            _log.warning("errands not read", reason=str(error))
        return None

    def _full(self) -> list[int]:
        """Return the users who get no place now: each gets half of what the others leave free.

        So a user whose exchange hangs holds half of all, a second one half of the rest, and so on.
        """
        left = MAX_CONCURRENT - self._busy.total()
        return [user_id for user_id, busy in self._busy.items() if busy >= left]

    async def _forget(self) -> None:
        """Forget the keys of what nobody ended or said yes to, and errands that are long over."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await forget_checked(tx, now)
            await tx.errands.empty(now)
            await tx.errands.forget(Millis(now - KEPT))

    async def _is_waiting(self, passed_over: Collection[int]) -> bool:
        async with self._store.reading() as tx:
            return await tx.errands.is_waiting(self._clock.now(), passed_over)

    async def _do(self, errand: Errand, holder: str) -> None:
        held = asyncio.create_task(self._hold(errand, holder)) if errand.kind in AGAIN else None
        try:
            outcome = await self._came(errand)
        finally:
            if held is not None:
                held.cancel()
        metrics.errands.labels(errand.kind, "failed" if outcome.message else "done").inc()
        try:
            async with self._store.transaction() as tx:
                text = msgspec.json.encode(outcome).decode()
                await tx.errands.finish(errand.user_id, errand.id, holder, text)
        except CoffersError as error:
            _log.warning("errand not ended", kind=errand.kind, reason=str(error))

    async def _hold(self, errand: Errand, holder: str) -> None:
        """Tell again and again that the errand is being done, so that it is not left for long."""
        while True:
            await asyncio.sleep(SIGN_OF_LIFE)
            until = Millis(self._clock.now() + HELD)
            try:
                async with self._store.transaction() as tx:
                    if not await tx.errands.hold(errand.user_id, errand.id, holder, until):
                        return
            except CoffersError as error:
                _log.warning("errand not held", kind=errand.kind, reason=str(error))

    async def _came(self, errand: Errand) -> Outcome:
        try:
            body = self._vault.open(errand.sealed, context(errand.user_id, errand.id))
            async with asyncio.timeout(LASTS / 1000):
                told = await self._handlers[errand.kind](errand.user_id, body.reveal().encode())
        except CoffersError as error:
            return of_fault(error)
        except TimeoutError:
            return of_fault(TookTooLong())
        except Exception as error:  # noqa: BLE001 - the job boundary: counted and logged
            metrics.worker_failures.labels(type(error).__name__).inc()
            _log.exception("errand failed", kind=errand.kind)
            return Outcome(message="something went wrong here; the server's log says more")
        return Outcome(told=msgspec.Raw(msgspec.json.encode(told)))
