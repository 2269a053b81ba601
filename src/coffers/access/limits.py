"""How often a token may call, and how long an address that goes on regardless is kept out.

A token has a window that begins with its first request; over the limit, it stays refused for the
lockout. Refusals are counted by address, in windows as long as the lockout; too many of them ban
the address, each time twice as long as the last. A ban is remembered for the longest ban's
length after its end.

The windows are kept here and not by a library, since these take their time from the machine
alone, and since here each table is bounded.
"""

from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from coffers.access.addresses import ban_key
from coffers.access.bounded import Bounded
from coffers.clock import Clock, Millis, is_ahead
from coffers.settings import Settings

_TABLE_SIZE: Final = 50_000
"""Entries of each table; one takes some 300 bytes."""
_FREE: Final = Millis(0)
K = TypeVar("K")


class Limits(Protocol):
    """The counters behind the limits. All spans are in milliseconds, 0 where nothing bars."""

    def banned_here(self, address: str) -> Millis:
        """Return how long the address stays banned as far as this process knows."""
        ...

    async def banned_for(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        ...

    async def refused(self, address: str) -> Millis:
        """Count a refused call of an address; return the length of the ban that it brings."""
        ...

    async def spend(self, token_id: int) -> Millis:
        """Count a call of a token; return how long the token stays refused."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the limits; spans in milliseconds."""

    requests: int
    window: Millis
    lockout: Millis
    ban_after: int
    ban_first: Millis
    ban_longest: Millis


@dataclass(slots=True)
class _Window:
    ends: Millis
    span: Millis
    used: int = 0
    is_locked: bool = False


@dataclass(frozen=True, slots=True)
class _Ban:
    until: Millis
    length: Millis


class MemoryLimits:
    """The limits as one process sees them, in bounded tables."""

    def __init__(self, rules: Rules, clock: Clock, size: int = _TABLE_SIZE) -> None:
        self._rules = rules
        self._clock = clock
        self._windows: Bounded[int, _Window] = Bounded(size)
        # Apart from the bans, so that calls from many addresses cannot push out a ban.
        self._refusals: Bounded[str, _Window] = Bounded(size)
        self._bans: Bounded[str, _Ban] = Bounded(size)

    async def banned_for(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        return self.banned_here(address)

    def banned_here(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        if not self._bans:
            return _FREE
        ban = self._bans.get(ban_key(address))
        return _FREE if ban is None else left_of(ban.until, ban.length, self._clock.now())

    def learn_ban(self, key: str, left: Millis, length: Millis) -> None:
        """Take over a ban that was counted elsewhere; `key` is what it covers."""
        self._bans.put(key, _Ban(Millis(self._clock.now() + left), length))

    async def refused(self, address: str) -> Millis:
        """Count a refused call of an address; return the length of the ban that it brings."""
        if await self.banned_for(address):
            return _FREE
        key = ban_key(address)
        window = _current(self._refusals, key, self._clock.now(), self._rules.lockout)
        window.used += 1
        if window.used < self._rules.ban_after:
            return _FREE
        self._refusals.drop(key)
        return self._ban(key)

    async def spend(self, token_id: int) -> Millis:
        """Count a call of a token; return how long the token stays refused."""
        now = self._clock.now()
        window = _current(self._windows, token_id, now, self._rules.window)
        if window.used < self._rules.requests:
            window.used += 1
            return _FREE
        if not window.is_locked:
            window.is_locked, window.span = True, self._rules.lockout
            window.ends = Millis(now + window.span)
        return Millis(window.ends - now)

    def _ban(self, key: str) -> Millis:
        now, rules = self._clock.now(), self._rules
        last = self._bans.get(key)
        if last is None or now >= last.until + rules.ban_longest:
            wanted = rules.ban_first
        else:
            wanted = Millis(2 * last.length)
        length = Millis(min(wanted, rules.ban_longest))
        self._bans.put(key, _Ban(Millis(now + length), length))
        return length


class NoLimits:
    """Bars nobody: an operator has turned the limits off."""

    def banned_here(self, address: str) -> Millis:  # noqa: ARG002 - the protocol's
        """Return 0: nobody is banned."""
        return _FREE

    async def banned_for(self, address: str) -> Millis:  # noqa: ARG002 - the protocol's
        """Return 0: nobody is banned."""
        return _FREE

    async def refused(self, address: str) -> Millis:  # noqa: ARG002 - the protocol's
        """Return 0: nothing is counted."""
        return _FREE

    async def spend(self, token_id: int) -> Millis:  # noqa: ARG002 - the protocol's
        """Return 0: nothing is counted."""
        return _FREE


def left_of(until: Millis, span: Millis, now: Millis) -> Millis:
    """Return what is left of a span until a moment, 0 where it is over.

    It never begins in the future: one that ends so late is of a clock that was ahead, and would bar
    for as long as that was.
    """
    return _FREE if is_ahead(Millis(until - span), now) else Millis(max(until - now, 0))


def limits_of(settings: Settings, clock: Clock) -> Limits:
    """Return the limits that the settings ask for."""
    return MemoryLimits(rules_of(settings), clock) if settings.limits_enabled else NoLimits()


def rules_of(settings: Settings) -> Rules:
    """Return the numbers that the settings give."""
    return Rules(
        requests=settings.limit_requests,
        window=_millis(settings.limit_window),
        lockout=_millis(settings.limit_lockout),
        ban_after=settings.ban_after,
        ban_first=_millis(settings.ban_first),
        ban_longest=_millis(settings.ban_longest),
    )


def _current(table: Bounded[K, _Window], key: K, now: Millis, span: Millis) -> _Window:
    window = table.get(key)
    if window is None or not left_of(window.ends, window.span, now):
        window = _Window(Millis(now + span), span)
        table.put(key, window)
    return window


def _millis(seconds: float) -> Millis:
    return Millis(round(seconds * 1000))
