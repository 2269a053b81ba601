"""What to do when the machine's clock was wrong and is set back: nothing waits for its moment.

Everything that is due has a moment in the database. What was written while the clock was ahead
lies further in the future than anything that is written now, and would keep an account from being
read, or any other work from being done, for as long as the clock was ahead.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from coffers.clock import CLOCKS_DIFFER, HOUR, MINUTE, SECOND, Clock, Millis
from coffers.logs import logger
from coffers.store.engine import Store, Transaction
from coffers.store.put_off import (
    ASIDE,
    FLOW_WALKS,
    OPERATIONS,
    TRADE_WALKS,
    VENUE_TASKS,
    WEBHOOKS,
    WEBHOOKS_WITH_ASIDE,
    Moments,
)
from coffers.sync.loops import Loops

LOOK_EVERY = 1.0
"""Seconds between two comparisons of the clock with the machine's count of seconds."""

LOOKS_ANYWAY = 60
"""After so many of them the database is looked at all the same: another machine's clock may have
been wrong."""

SET_BACK = Millis(2 * SECOND)
"""How far back the clock goes at once if it was set; less is how clocks are corrected."""

PORTION = 2_000
"""Rows that are brought back by one transaction, which holds up whoever writes to them."""

LONGEST_CLAIM = Millis(10 * MINUTE)
"""Nothing is claimed for so long at once, by whatever work."""

LONGEST_RETRY = Millis(6 * HOUR)
"""No account waits for longer to be rebalanced again after a failure."""

LONGEST_DELIVERY = Millis(2 * HOUR)
"""No delivery waits for longer to be tried again."""

LONGEST: Final[Sequence[tuple[Moments, Millis]]] = (
    # Somebody was at work on them, and is so at no moment to come; clocks may differ a little.
    (OPERATIONS, MINUTE),
    (WEBHOOKS, LONGEST_DELIVERY),
    (VENUE_TASKS, Millis(8 * HOUR)),
)
"""How far ahead these moments can be at the most. The walks' depend on a setting."""

_log = logger("coffers.sync")


class ClockWatch:
    """Makes due what waits for a moment which nothing can be due at.

    Args:
        store: where the moments are.
        clock: the time.
        interval: the time between two readings of an account.
        pause: the time between two steps of a walk through an account's past.
        elapsed: seconds that have passed since some moment, however the clock is set.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        interval: Millis,
        pause: Millis,
        elapsed: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._interval = interval
        self._walks_wait = Millis(2 * max(pause, HOUR))
        self._elapsed = elapsed or asyncio.get_running_loop().time
        self._ahead: float | None = None
        self._looks = 0
        self._loops = Loops()

    async def run(self) -> None:
        """Watch until `stop`."""
        await self._loops.every(LOOK_EVERY, self.look)

    def stop(self) -> None:
        """Come to an end."""
        self._loops.stop()

    async def look(self) -> None:
        """Compare the clock with the seconds that have passed, and act if it was set back."""
        ahead = self._clock.now() - 1000 * self._elapsed()
        if self._ahead is not None and ahead > self._ahead + CLOCKS_DIFFER:
            _log.warning(
                "the clock was set ahead: nothing old is removed for a while",
                seconds=round((ahead - self._ahead) / SECOND),
            )
        was_set_back = self._ahead is None or ahead < self._ahead - SET_BACK
        if was_set_back:
            await self._free_claims()
            # Readings are spread by a tenth.
            await self._bring_back(1.2 * self._interval)
            await self._bring_back_work()
            await self._bring_back_unfound()
        elif self._looks % LOOKS_ANYWAY == 0:
            # Another machine's clock may differ a little, and what is in doubt waits for a minute.
            await self._bring_back(max(2 * self._interval, 2 * MINUTE))
            await self._bring_back_work()
        # Only now: what went wrong is done again.
        self._ahead = ahead
        self._looks += 1

    async def _free_claims(self) -> None:
        async with self._store.transaction() as tx:
            longest = Millis(self._clock.now() + LONGEST_CLAIM)
            await tx.accounts.free(longest)
            await tx.put_off.free(longest)

    async def _bring_back(self, longest: float) -> None:
        now = self._clock.now()
        latest = Millis(now + round(longest))
        await _in_portions(
            self._store, "accounts", lambda tx: tx.accounts.bring_back(now, latest, PORTION)
        )

    async def _bring_back_work(self) -> None:
        """Bring back what an index finds: nothing is looked through where nothing is late."""
        for moments, longest in (*LONGEST, (TRADE_WALKS, self._walks_wait)):
            await self._bring_back_moments(moments, longest)
        now = self._clock.now()
        await _in_portions(self._store, "roll-ups", lambda tx: tx.rollups.bring_back(now))

    async def _bring_back_unfound(self) -> None:
        """Bring back what is found by a walk through all of it, as when a worker starts."""
        now = self._clock.now()
        await self._bring_back_moments(FLOW_WALKS, self._walks_wait)
        # The deliveries first: by them their webhook is put off again.
        for moments in (ASIDE, WEBHOOKS_WITH_ASIDE):
            await self._bring_back_moments(moments, LONGEST_DELIVERY)
        await _in_portions(
            self._store,
            "auto_balances",
            lambda tx: tx.put_off.bring_back_balances(now, LONGEST_RETRY, PORTION),
        )

    async def _bring_back_moments(self, moments: Moments, longest: Millis) -> None:
        now = self._clock.now()
        latest = Millis(now + longest)
        await _in_portions(
            self._store,
            moments.column.table.name,
            lambda tx: tx.put_off.bring_back(moments, now, latest, PORTION),
        )


async def _in_portions(
    store: Store, what: str, bring_back: Callable[[Transaction], Awaitable[int]]
) -> None:
    total, count = 0, PORTION
    while count == PORTION:
        async with store.transaction() as tx:
            count = await bring_back(tx)
        total += count
    if total:
        _log.warning("due too late by this clock, brought back", what=what, count=total)
