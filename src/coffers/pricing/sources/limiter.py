"""When a source may be asked again: its pace, what it asked for, and a growing wait after faults.

Nothing here sleeps. Prices are made every half a minute, and a source whose turn it is not is left
out of that round: what it told before goes on counting.
"""

from collections import deque
from dataclasses import dataclass

from coffers.clock import DAY, HOUR, MINUTE, Clock, Millis, is_recent

FIRST_WAIT = MINUTE
LONGEST_WAIT = HOUR
"""The wait after a failure; it doubles with each one in a row."""

LONGEST_OBEYED = DAY
"""A source that asks to be left alone for longer is asked again after this."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a source is asked at most: calls in any minute, and the time after a good one."""

    per_minute: int
    apart: Millis


class Limiter:
    """Says whether a source may be asked now."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._calls: deque[Millis] = deque(maxlen=pace.per_minute)
        self._failures = 0
        self._rests_since = self._rest = Millis(0)

    def may_ask(self) -> bool:
        """Tell whether a call is allowed now."""
        now = self._clock.now()
        if is_recent(self._rests_since, self._rest, now):
            return False
        is_full = len(self._calls) == self._pace.per_minute
        return not is_full or not is_recent(self._calls[0], MINUTE, now)

    def count(self) -> None:
        """Note that a call goes out now."""
        self._calls.append(self._clock.now())

    def succeeded(self) -> None:
        """Rest for a while, and forget past failures."""
        self._failures = 0
        self._rests_since, self._rest = self._clock.now(), self._pace.apart

    def failed(self, retry_after: Millis | None) -> None:
        """Wait before the next call: longer each time, and as long as the source asked for."""
        wait = min(FIRST_WAIT << min(self._failures, 16), LONGEST_WAIT)
        asked = min(retry_after or 0, LONGEST_OBEYED)
        self._failures += 1
        self._rests_since, self._rest = self._clock.now(), Millis(max(wait, asked))
