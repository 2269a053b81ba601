"""The queues that hand due accounts to readings: PgQueuer, in this process or in PostgreSQL.

A queue only distributes work. What is due stands in the database (`next_sync_at`), so a lost
queue costs nothing: the accounts are put in again at the next look.

PgQueuer keeps the jobs; who takes how many is decided here. Its own limits count the jobs of all
workers together, so that more workers would read no more of one venue; and its loop ends with the
one connection that it keeps.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple, Protocol

from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.models import Job
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.queries import Queries
from pgqueuer.types import JobId, QueueEntrypoint, QueueManagerId

from coffers.store.engine import Store
from coffers.store.jobs import shared_jobs
from coffers.sync.loops import guarded

LOOK_EVERY = 1.0
"""Seconds between two looks for jobs that another worker put in."""

GIVEN_UP_AFTER = 30.0
"""Seconds without a sign of life after which a worker's jobs go to others."""

SIGNS = 3
"""How many signs of life a worker gives within that time."""

Handle = Callable[[int, int], Awaitable[None]]
"""Reads one account; an exception of it ends the worker, so it raises none that it expects."""

_NO_LIMIT = EntrypointExecutionParameter(concurrency_limit=0)


class Due(NamedTuple):
    """An account to be read: its user's id, its own, and the venue whose places it takes."""

    user_id: int
    account_id: int
    venue: str


class SyncQueue(Protocol):
    """Distributes accounts to readings; an account that waits or runs is not taken in again."""

    async def put(self, accounts: Sequence[Due]) -> None:
        """Take in accounts that are due."""
        ...

    async def run(self, handle: Handle, concurrency: int) -> None:
        """Hand accounts out, so many at a time, until stopped; running ones are waited for."""
        ...

    def stop(self) -> None:
        """Let `run` come to its end."""
        ...


class JobQueue:
    """Hands out the jobs that PgQueuer keeps.

    Args:
        jobs: where they are kept.
        venues: the venues whose accounts are handed out, beside those that are put in here.
        per_venue: how many accounts of one venue are handed out at once. None for at most half of
            the places that the others leave: a venue that hangs holds half of all, a second one
            half of the rest, and so on.
        given_up_after: seconds without a sign of life after which jobs are handed out again.
        look_every: seconds between two looks for jobs that others put in.
    """

    def __init__(
        self,
        jobs: Queries | InMemoryQueries,
        venues: Collection[str] = (),
        per_venue: int | None = None,
        *,
        given_up_after: float = GIVEN_UP_AFTER,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._jobs = jobs
        self._venues = set(venues)
        self._per_venue = per_venue
        self._given_up_after = given_up_after
        self._look_every = look_every
        self._id = QueueManagerId(uuid.uuid4())
        self._busy: Counter[str] = Counter()
        self._running: dict[JobId, asyncio.Task[None]] = {}
        self._ended: list[Job] = []
        self._is_stopping = False
        self._woken = asyncio.Event()

    async def put(self, accounts: Sequence[Due]) -> None:
        """Take in accounts that are due.

        Raises:
            StoreUnavailable: when the queue cannot be reached.
        """
        if not accounts:
            return
        self._venues.update(due.venue for due in accounts)
        names = [f"{due.user_id}:{due.account_id}" for due in accounts]
        await self._jobs.enqueue(
            [due.venue for due in accounts],
            [name.encode() for name in names],
            [0] * len(names),
            dedupe_key=list(names),
            on_conflict="skip",
        )
        self._woken.set()

    async def run(self, handle: Handle, concurrency: int) -> None:
        """Hand accounts out, so many at a time, until stopped; running ones are waited for."""
        async with asyncio.TaskGroup() as group:
            signs = group.create_task(self._give_signs())
            while not self._is_stopping:
                self._woken.clear()
                await guarded(partial(self._hand_out, group, handle, concurrency))
                await self._wait()
            while self._running:
                await asyncio.wait(set(self._running.values()))
            signs.cancel()
        await guarded(self._strike_off)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._is_stopping = True
        self._woken.set()

    async def _hand_out(self, group: asyncio.TaskGroup, handle: Handle, concurrency: int) -> None:
        await self._strike_off()
        while not self._is_stopping and (jobs := await self._taken(concurrency)):
            for job in jobs:
                # One of our own comes again if our signs of life came too late.
                if job.id not in self._running:
                    self._busy[job.entrypoint] += 1
                    self._running[job.id] = group.create_task(self._do(job, handle))

    async def _do(self, job: Job, handle: Handle) -> None:
        try:
            user_id, _, account_id = (job.payload or b"").decode().partition(":")
            await handle(int(user_id), int(account_id))
        finally:
            del self._running[job.id]
            self._busy[job.entrypoint] -= 1
            self._ended.append(job)
            self._woken.set()

    async def _taken(self, concurrency: int) -> list[Job]:
        """Take the jobs that waited longest among those of venues that have places."""
        free = concurrency - len(self._running)
        places = {venue: self._places(venue, free) for venue in self._venues}
        open_to = {QueueEntrypoint(venue): _NO_LIMIT for venue, number in places.items() if number}
        if not open_to:
            return []
        # So few that they cannot be too many even if all are of the fullest venue.
        at_once = min(number for number in places.values() if number)
        after = timedelta(seconds=self._given_up_after)
        return await self._jobs.dequeue(at_once, open_to, self._id, None, after)

    def _places(self, venue: str, free: int) -> int:
        """Return how many more of a venue may be handed out, where so many places are free."""
        busy = self._busy[venue]
        if self._per_venue is None:
            return max(0, -((busy - free) // 2))
        return max(0, min(free, self._per_venue - busy))

    async def _strike_off(self) -> None:
        """Take what has ended out of the queue."""
        ended, self._ended = self._ended, []
        if not ended:
            return
        try:
            await self._jobs.log_jobs([(job, "successful", None) for job in ended])
        except BaseException:
            self._ended += ended
            raise

    async def _give_signs(self) -> None:
        """Tell again and again that what runs here still runs."""
        while True:
            await asyncio.sleep(self._given_up_after / SIGNS)
            if self._running:
                await guarded(lambda: self._jobs.update_heartbeat(list(self._running)))

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), self._look_every)
        except TimeoutError:
            return


class EmbeddedQueue(JobQueue):
    """The queue of one worker process, forgotten with it."""

    def __init__(self, per_venue: int | None = None) -> None:
        super().__init__(InMemoryQueries(InMemoryDriver()), per_venue=per_venue)

    async def _strike_off(self) -> None:
        await super()._strike_off()
        # It notes what became of every job, and nobody reads that.
        await self._jobs.clear_queue_log()


def queue_of(store: Store, venues: Collection[str], per_venue: int | None = None) -> JobQueue:
    """Return the queue that goes with a database: one for all workers where there is a server."""
    if store.database.dialect == "postgresql":
        return JobQueue(shared_jobs(store), venues, per_venue)
    return EmbeddedQueue(per_venue)
