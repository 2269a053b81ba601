"""Time: one type for instants, a clock that is passed in, and the wire's text of an instant.

An instant is `Millis`: whole milliseconds since 1970-01-01T00:00:00Z. Nothing but a `Clock` reads
the machine's time; tests and the demo bring their own.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NewType, Protocol

Millis = NewType("Millis", int)
"""Milliseconds since the Unix epoch, UTC; also used for spans of time."""

SECOND = Millis(1_000)
MINUTE = Millis(60_000)
HOUR = Millis(3_600_000)
DAY = Millis(86_400_000)

CLOCKS_DIFFER = MINUTE
"""How far ahead of this machine's clock a moment may lie that another machine has written."""

SETTLED_AFTER = Millis(10 * MINUTE)
"""For how long a clock has to go evenly before anything old is removed by it."""


class Clock(Protocol):
    """Where the present moment comes from."""

    def now(self) -> Millis:
        """Return the present moment."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Millis:
        """Return the machine's present time."""
        return Millis(time.time_ns() // 1_000_000)


class ManualClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> Millis:
        """Return the time that was set last."""
        return Millis(self._now)

    def set(self, now: int) -> None:
        """Stand at this moment from now on."""
        self._now = now

    def advance(self, span: int) -> None:
        """Move forward by so many milliseconds."""
        self._now += span


class SettledClock:
    """Tells the time to whoever removes what is old: what a clock ahead removes is lost for good.

    A machine may start with a wrong clock, which is set soon, or have it set wrong for a moment. So
    the clock must have gone as the machine counts seconds for `SETTLED_AFTER`, since the first time
    that it was asked and since it last was set ahead. A machine that was off or asleep for a week
    looks the same at first, and goes on after that.

    Args:
        clock: the time.
        elapsed: seconds that have passed since some moment, however the clock is set.
    """

    def __init__(self, clock: Clock, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._elapsed = elapsed
        self._ahead: float | None = None
        self._since = 0.0

    def now(self) -> Millis | None:
        """Return the present moment, None while nothing old is to be removed by it."""
        now, passed = self._clock.now(), 1000 * self._elapsed()
        ahead = now - passed
        if self._ahead is None or ahead > self._ahead + CLOCKS_DIFFER:
            self._since = passed
        self._ahead = ahead
        return now if passed - self._since >= SETTLED_AFTER else None


def is_ahead(at: Millis, now: Millis) -> bool:
    """Tell whether a moment that is over lies ahead: a clock was wrong when it was written, or is.

    Nobody knows then how long ago it was, and it would look fresh until the clock gets there.
    """
    return at > now + CLOCKS_DIFFER


def is_recent(at: Millis, span: int, now: Millis) -> bool:
    """Tell whether a moment was less than `span` ago; of one that lies ahead nobody knows."""
    return at > now - span and not is_ahead(at, now)


def age(at: Millis | None, now: Millis) -> float | None:
    """Return for how many seconds a moment is over, None where nobody knows."""
    return None if at is None or is_ahead(at, now) else max(0, now - at) / 1000


def iso(moment: Millis) -> str:
    """Return ISO 8601 in UTC with three digits of milliseconds: `2023-06-19T16:50:57.303Z`."""
    seconds, millis = divmod(moment, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def from_iso(text: str) -> Millis:
    """Return the instant that an ISO 8601 text with an offset (or `Z`) names.

    Raises:
        ValueError: for a text that is no such time, or that names no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC")
    return Millis(round(moment.timestamp() * 1000))
