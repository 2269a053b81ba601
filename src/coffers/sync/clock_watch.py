"""What to do when the machine's clock was wrong and is set back: no account waits for its moment.

Everything that is due has a moment in the database. What was written while the clock was ahead
lies further in the future than anything that is written now, and would keep an account from being
read for as long as the clock was ahead.
"""

import asyncio
from collections.abc import Callable

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.logs import logger
from coffers.store.engine import Store
from coffers.sync.loops import Loops

LOOK_EVERY = 1.0
"""Seconds between two comparisons of the clock with the machine's count of seconds."""

LOOKS_ANYWAY = 60
"""After so many of them the database is looked at all the same: another machine's clock may have
been wrong."""

SET_BACK = Millis(2 * SECOND)
"""How far back the clock goes at once if it was set; less is how clocks are corrected."""

PORTION = 2_000
"""Accounts that are made due by one transaction, which holds up whoever writes to them."""

LONGEST_CLAIM = Millis(10 * MINUTE)
"""No account is claimed for so long at once, by whatever work."""

_log = logger("coffers.sync")


class ClockWatch:
    """Makes accounts due that wait for a moment which nothing can be due at.

    Args:
        store: where the accounts are.
        clock: the time.
        interval: the time between two readings of an account.
        elapsed: seconds that have passed since some moment, however the clock is set.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        interval: Millis,
        elapsed: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._interval = interval
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
        was_set_back = self._ahead is None or ahead < self._ahead - SET_BACK
        if was_set_back:
            await self._free_claims()
            # Readings are spread by a tenth.
            await self._bring_back(1.2 * self._interval)
        elif self._looks % LOOKS_ANYWAY == 0:
            # Another machine's clock may differ a little, and what is in doubt waits for a minute.
            await self._bring_back(max(2 * self._interval, 2 * MINUTE))
        # Only now: what went wrong is done again.
        self._ahead = ahead
        self._looks += 1

    async def _free_claims(self) -> None:
        async with self._store.transaction() as tx:
            await tx.accounts.free(Millis(self._clock.now() + LONGEST_CLAIM))

    async def _bring_back(self, longest: float) -> None:
        now = self._clock.now()
        latest, total, count = Millis(now + round(longest)), 0, PORTION
        while count == PORTION:
            async with self._store.transaction() as tx:
                count = await tx.accounts.bring_back(now, latest, PORTION)
            total += count
        if total:
            _log.warning("due too late by this clock, read now", accounts=total)
