"""What was asked: how often each path, by which key, and how many at the same time."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coffers.sandbox.call import Call

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An answered request. `status` is 0 where the connection was cut."""

    at: int
    venue: str
    method: str
    path: str
    key: str
    status: int


@dataclass(slots=True)
class Journal:
    """The last ten thousand requests, and counts of all.

    `counts` is by `<venue> <method> <path>`; `most_at_once` by `<venue> <key>`: the largest number
    of requests that one key had open together.
    """

    counts: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def attend(self, call: Call) -> Iterator[None]:
        """Count a request, as one of its key's open ones while the context lasts."""
        self.counts[f"{call.venue} {call.method} {call.path}"] += 1
        if not call.key:
            yield
            return
        name = f"{call.venue} {call.key}"
        self._open[name] += 1
        self.most_at_once[name] = max(self.most_at_once[name], self._open[name])
        try:
            yield
        finally:
            self._open[name] -= 1

    def note(self, call: Call, at: int, status: int) -> None:
        """Write an answered request down."""
        self.entries.append(Entry(at, call.venue, call.method, call.path, call.key, status))

    def clear(self) -> None:
        """Forget everything but what is still open."""
        self.counts.clear()
        self.most_at_once.clear()
        self.entries.clear()
