"""Limits, bans and used signatures that all processes share, counted by a Redis or Valkey server.

A call costs one question at most. What a process knows to last is not asked again: a ban, a
lockout, a signature of its own. While the server is gone each process counts by itself: its own
share of the limits, the bans that it knows, the signatures that it saw.

The server tells no time here: every question brings the time of the house. What is stored also
expires by the server's own clock, a while after it has become void.
"""

from hashlib import blake2b
from typing import Final

from coffers import metrics
from coffers.access.addresses import ban_key
from coffers.access.bounded import Bounded
from coffers.access.limits import MemoryLimits, Rules, left_of, limits_of, rules_of
from coffers.access.replay import KEPT, PER_TOKEN, SeenSignatures
from coffers.access.shared_scripts import BANNED, LIMIT, LOOK, REFUSED, REPLAY, TAKE
from coffers.access.tally import Bar, MemoryTally, Tally, Use
from coffers.clock import Clock, Millis
from coffers.settings import Settings
from coffers.valkey.server import Gone, Script, SharedServer

_FREE: Final = Millis(0)
_FAR: Final = 2**53
_UNLIMITED: Final = Rules(_FAR, Millis(1000), Millis(0), _FAR, Millis(0), Millis(0))
"""Numbers that nobody reaches; two to this power is the last that the server counts exactly."""
_missed = metrics.valkey_misses.labels("limits")
_LOCKS: Final = 50_000
_DIGEST: Final = 16
"""Bytes by which the server knows a signature; it has no use for the signature itself."""


class SharedTally:
    """Counts by the server while it is there, and in memory while it is not.

    Args:
        server: the server.
        rules: the limits.
        clock: the time, which the clocks of all machines must agree on within a second or so.
        per_token: how many signatures of one token are kept.
    """

    def __init__(
        self, server: SharedServer, rules: Rules, clock: Clock, per_token: int = PER_TOKEN
    ) -> None:
        self._server = server
        self._rules = rules
        self._clock = clock
        self._per_token = per_token
        self._limits = MemoryLimits(rules, clock)
        self._seen = SeenSignatures(clock, per_token)
        self._alone = MemoryTally(self._limits, self._seen)
        self._locked: Bounded[int, Millis] = Bounded(_LOCKS)

    def banned_here(self, address: str) -> Millis:
        """Return how long the address stays banned as far as this process knows."""
        return self._limits.banned_here(address)

    async def banned_for(self, address: str) -> Millis:
        """Return how long the address stays banned."""
        known = await self._limits.banned_for(address)
        if known:
            return known
        ban = ban_key(address)
        told = await self._ask(LOOK, (f"coffers:ban:{ban}",), self._clock.now())
        return _FREE if told is None else self._learn(ban, *told)

    async def refused(self, address: str) -> Millis:
        """Count a refused call of an address; return the length of the ban that it brings."""
        if await self._limits.banned_for(address):
            return _FREE
        ban, rules = ban_key(address), self._rules
        told = await self._ask(
            REFUSED,
            (f"coffers:ban:{ban}", f"coffers:refusals:{ban}"),
            self._clock.now(),
            rules.lockout,
            rules.ban_after,
            rules.ban_first,
            rules.ban_longest,
        )
        if told is None:
            return await self._limits.refused(address)
        is_new, left, length = told
        self._learn(ban, left, length)
        return Millis(length) if is_new else _FREE

    async def take(self, use: Use) -> Bar | None:
        """Count a call; return what bars it, None when it may pass."""
        if bar := self._known_bar(use):
            return bar
        told = await self._ask_for(use)
        if told is None:
            return await self._alone.take(use)
        return self._bar(use, *told)

    def _known_bar(self, use: Use) -> Bar | None:
        if use.signature is not None and self._seen.has(use.token_id, use.signature):
            return Bar("replay", _FREE)
        until = self._locked.get(use.token_id)
        if until is not None and (left := left_of(until, self._rules.lockout, self._clock.now())):
            return Bar("limit", left)
        return None

    async def _ask_for(self, use: Use) -> list[int] | None:
        ban, rules, signature = ban_key(use.address), self._rules, use.signature
        keys = (
            f"coffers:ban:{ban}",
            f"coffers:window:{use.token_id}",
            f"coffers:seen:{use.token_id}",
        )
        return await self._ask(
            TAKE,
            keys,
            self._clock.now(),
            rules.requests,
            rules.window,
            rules.lockout,
            b"" if signature is None else blake2b(signature, digest_size=_DIGEST).digest(),
            self._per_token,
            KEPT,
        )

    def _bar(self, use: Use, bar: int, wait: int, length: int) -> Bar | None:
        match bar:
            case 0:
                if use.signature is not None:
                    self._seen.add(use.token_id, use.signature)
                return None
            case _ if bar == BANNED:
                return Bar("banned", self._learn(ban_key(use.address), wait, length))
            case _ if bar == REPLAY:
                return Bar("replay", _FREE)
            case _:
                if bar == LIMIT:
                    self._locked.put(use.token_id, Millis(self._clock.now() + wait))
                return Bar("limit", Millis(wait))

    def _learn(self, ban: str, left: int, length: int) -> Millis:
        if left:
            self._limits.learn_ban(ban, Millis(left), Millis(length))
        return Millis(left)

    async def _ask(
        self, script: Script, keys: tuple[str, ...], *args: int | bytes
    ) -> list[int] | None:
        try:
            return await self._server.run(script, keys, *args)
        except Gone:
            _missed.inc()
            return None


class UnlimitedTally(SharedTally):
    """With the limits off: nobody is barred but who sends a call twice that works once."""

    def __init__(self, server: SharedServer, clock: Clock, per_token: int = PER_TOKEN) -> None:
        super().__init__(server, _UNLIMITED, clock, per_token)

    async def banned_for(self, address: str) -> Millis:  # noqa: ARG002 - the protocol's
        """Return 0: nobody is banned."""
        return _FREE

    async def refused(self, address: str) -> Millis:  # noqa: ARG002 - the protocol's
        """Return 0: nothing is counted."""
        return _FREE

    async def take(self, use: Use) -> Bar | None:
        """Return what bars a call; the server is asked for signatures alone."""
        return None if use.signature is None else await super().take(use)


def tally_of(settings: Settings, clock: Clock, server: SharedServer | None) -> Tally:
    """Return the tally that the settings ask for, shared by way of the server if there is one."""
    if server is None:
        return MemoryTally(limits_of(settings, clock), SeenSignatures(clock))
    if not settings.limits_enabled:
        return UnlimitedTally(server, clock)
    return SharedTally(server, rules_of(settings), clock)
