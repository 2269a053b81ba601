"""Work that one of the workers does for all of them: whoever holds its lease.

The lease is renewed while its holder lives, given back when it stops in order, and taken over by
another worker when it is not renewed any more. Whether it is, each worker judges by its own watch:
clocks of machines differ, and one that is an hour ahead must not hold a lease for an hour after its
death.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

from coffers import metrics
from coffers.clock import Clock, Millis
from coffers.logs import logger
from coffers.store.engine import Store
from coffers.store.leases import Lease
from coffers.store.notices import Ear
from coffers.sync.loops import guarded

LASTS = 12.0
"""Seconds without a renewal after which another worker takes over, at its next look."""

RENEWALS = 4
"""How often a lease is renewed, or looked at, within the time that it lasts."""

Work = Callable[[], Awaitable[object]]

_log = logger("coffers.worker")


class Elected:
    """Does a piece of work while it is this worker's to do.

    Args:
        store: keeps the lease.
        clock: the time.
        name: the piece of work, as metrics call it.
        lasts: seconds that the lease lasts without being renewed; `LASTS` by default.
        watch: tells how much time passes, in seconds.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        name: str,
        lasts: float | None = None,
        watch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._lasts = LASTS if lasts is None else lasts
        self._watch = watch
        self._holder = uuid.uuid4().hex
        self._holds_until: float | None = None
        self._seen: Lease | None = None
        self._seen_at = 0.0
        self._ears: list[Ear] = []
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()

    @property
    def is_ours(self) -> bool:
        """Whether the work is this worker's to do; False once the lease was not renewed in time."""
        return self._holds_until is not None and self._watch() < self._holds_until

    async def run(self, *pieces: tuple[float, Work] | tuple[float, Work, Ear]) -> None:
        """Do pieces of work until `stop`, each so many seconds apart, while they are ours.

        A piece with an ear is done at once as well when that hears of some.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_on())
            for piece in pieces:
                group.create_task(self._work_on(*piece))
        await guarded(self.give_back)

    def stop(self) -> None:
        """Come to an end; what is being done then is finished first."""
        self._stopping.set()
        self._woken.set()
        for ear in self._ears:
            ear.ring()

    async def look(self) -> None:
        """Renew the lease, or take it where nobody holds it any more."""
        began, now = self._watch(), self._clock.now()
        until = Millis(now + round(self._lasts * 1000))
        was_ours = self._holds_until is not None
        if was_ours:
            async with self._store.transaction() as tx:
                is_held = await tx.leases.renew(self._name, self._holder, until)
        else:
            is_held = await self._take(began, now, until)
        self._holds_until = began + self._lasts if is_held else None
        metrics.leader.labels(self._name).set(is_held)
        if is_held:
            self._woken.set()
        if is_held != was_ours:
            _log.info("leads" if is_held else "leads no more", work=self._name)

    async def give_back(self) -> None:
        """Let another worker take over at once."""
        if self._holds_until is None:
            return
        self._holds_until = None
        metrics.leader.labels(self._name).set(0)
        async with self._store.transaction() as tx:
            await tx.leases.release(self._name, self._holder)

    async def _take(self, began: float, now: Millis, until: Millis) -> bool:
        async with self._store.reading() as tx:
            found = await tx.leases.get(self._name)
        if found != self._seen:
            self._seen, self._seen_at = found, began
        stands_still = began - self._seen_at >= self._lasts
        if found is not None and found.until >= now and not stands_still:
            return False
        async with self._store.transaction() as tx:
            stale = found if stands_still else None
            return await tx.leases.take(self._name, self._holder, now=now, until=until, stale=stale)

    async def _look_on(self) -> None:
        while not self._stopping.is_set():
            await guarded(self.look)
            # Where the database does not answer, the lease runs out without a look that says so.
            metrics.leader.labels(self._name).set(self.is_ours)
            await self._pause(self._lasts / RENEWALS)

    async def _work_on(self, seconds: float, work: Work, ear: Ear | None = None) -> None:
        if ear is not None:
            self._ears.append(ear)
        while True:
            await self._woken.wait()
            if self._stopping.is_set():
                return
            if not self.is_ours:
                self._woken.clear()
                continue
            await guarded(work)
            await (self._pause(seconds) if ear is None else ear.wait(seconds, seconds))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
