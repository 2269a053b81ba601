"""Protection against replay: how old a call may be, and which signatures came before.

Only for tokens that ask for it, since existing clients send no `Timestamp`. A process remembers
what it has seen itself.
"""

import re
from collections import OrderedDict
from typing import Final

from coffers.clock import SECOND, Clock, Millis, is_ahead

WINDOW: Final = Millis(30 * SECOND)
"""How far a `Timestamp` may lie from the server's time, either way."""

KEPT: Final = Millis(2 * WINDOW + 1)
"""How long a signature is kept: as long as its stamp could be timely."""

PER_TOKEN: Final = 10_000
"""How many signatures of one token are kept."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def stamp_of(timestamp: str | None) -> bytes | None:
    """Return a `Timestamp` header as it stands before the signed text; None for no Unix seconds."""
    if timestamp is None or not _SECONDS.fullmatch(timestamp):
        return None
    return timestamp.encode()


def is_timely(stamp: bytes, now: Millis) -> bool:
    """Return whether a stamp lies within the window around now."""
    return abs(now - int(stamp) * SECOND) <= WINDOW


class SeenSignatures:
    """The signatures of each token that could still be sent again.

    A token's own calls fill its own table only; one that is full takes no further calls, since
    forgetting a signature would open it to replay.
    """

    def __init__(self, clock: Clock, per_token: int = PER_TOKEN) -> None:
        self._clock = clock
        self._per_token = per_token
        self._seen: dict[int, OrderedDict[bytes, Millis]] = {}

    def has(self, token_id: int, signature: bytes) -> bool:
        """Return whether the token used this signature before."""
        return signature in self._seen.get(token_id, ())

    def wait_for_room(self, token_id: int) -> Millis:
        """Return how long the token must wait until one more signature fits; 0 for none."""
        seen = self._current(token_id)
        if len(seen) < self._per_token:
            return Millis(0)
        return Millis(next(iter(seen.values())) - self._clock.now())

    def add(self, token_id: int, signature: bytes) -> None:
        """Remember a signature for as long as its stamp could be timely."""
        self._current(token_id)[signature] = Millis(self._clock.now() + KEPT)

    def _current(self, token_id: int) -> OrderedDict[bytes, Millis]:
        now = self._clock.now()
        seen = self._seen.setdefault(token_id, OrderedDict())
        for _ in range(len(seen)):
            signature, until = next(iter(seen.items()))
            if until <= now:
                seen.popitem(last=False)
            elif is_ahead(Millis(until - KEPT), now):
                # Seen by a clock that was ahead, it may be sent again then; others go before it.
                seen.move_to_end(signature)
            else:
                break
        return seen
